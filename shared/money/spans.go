package money

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
)

// span is the time for which one seat of a license was free.
type span struct {
	license, to string
	payer       *directory.Payer
	run         string
	from        time.Time // when a read of the directory showed that the license was taken
	until       time.Time // when the seat was needed again; zero while it is free
	saves       bool      // whether a paid seat became free
	// flat is the amount a month that the entry recorded. Entries of older versions have it, because they do not say
	// whether a seat became free.
	flat *amount
}

// fact is what an entry of the ledger means for money.
type fact struct {
	Run     string           `json:"run"`
	At      time.Time        `json:"at"`
	Outcome ledger.Outcome   `json:"outcome,omitempty"` // empty while the change is pending
	Ended   time.Time        `json:"ended,omitzero"`
	Restore bool             `json:"restore,omitempty"` // the entry restores a license
	To      string           `json:"to,omitempty"`
	Saves   bool             `json:"saves,omitempty"` // a paid seat becomes free
	Payer   *directory.Payer `json:"payer,omitempty"`
	// Flat is the amount a month that an entry of an older version recorded, in ten-thousandths.
	Flat      *amount   `json:"flat,omitempty"`
	HeldSince time.Time `json:"heldSince,omitzero"`
}

func factOf(e *ledger.Entry) fact {
	f := fact{
		Run: e.Run, At: e.At, Restore: e.RestoreOf != "" || e.Rule == plan.RestoreRule, To: e.To, Saves: e.SavesNothing == "", Payer: e.Payer,
		HeldSince: e.HeldSince,
	}
	if e.Completion != nil {
		f.Outcome, f.Ended = e.Completion.Outcome, e.Completion.At
	}
	if e.Payer == nil {
		recorded := priced(e.MonthlySaving)
		f.Flat, f.Saves, f.To = &recorded, recorded > 0, ""
	}
	return f
}

// spansOf reads the facts about one license of one person, oldest first. restored holds the restores of the license
// that the newest run knew. What happened after now does not count.
//
// A seat is free from the time at which a completion proves it. A pending change frees nothing. A seat that is being
// restored is not free any more. Whoever loses a license held it: if the license is about to be taken again, and no
// restore is recorded, then somebody else restored it. The seat was then free until a run saw that. If no run saw it,
// nobody knows how long the seat was free, so that time counts for nothing.
func spansOf(license string, facts []fact, restored []*history.Item, now time.Time) (all []span) {
	free := false // whether the last span is still free
	for _, f := range facts {
		if f.At.After(now) {
			break
		}
		ended := f.Outcome != "" && !f.Ended.After(now)
		if f.Restore {
			failed := ended && (f.Outcome == ledger.Failed || f.Outcome == ledger.RolledBack)
			if free && !failed {
				all[len(all)-1].until, free = f.At, false
			}
			continue
		}
		if free {
			l := &all[len(all)-1]
			if l.until = l.from; f.HeldSince.After(l.from) {
				l.until = f.HeldSince
			}
			free = false
		}
		if ended && f.Outcome == ledger.Done {
			all, free = append(all, span{license: license, to: f.To, payer: f.Payer, run: f.Run, from: f.Ended, saves: f.Saves, flat: f.Flat}), true
		}
	}
	for _, last := range restored {
		if free && last.Run == all[len(all)-1].run {
			l := &all[len(all)-1]
			if l.until = last.At; l.until.Before(l.from) {
				l.until = l.from
			}
		}
	}
	return all
}
