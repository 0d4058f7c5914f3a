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
	from        time.Time // the time at which a read of the directory showed the change
	until       time.Time // the time at which the person got the license again; zero while the seat is free
	saves       bool      // whether a paid seat became free
	// The monthly amount that the entry of an older version recorded. Such an entry does not record whether a seat
	// became free. The field is nil for newer entries.
	flat *amount
}

// The type "fact" has the parts of an entry of the ledger that matter for money.
type fact struct {
	Run     string           `json:"run"`
	At      time.Time        `json:"at"`
	Outcome ledger.Outcome   `json:"outcome,omitempty"` // empty while the change is pending
	Ended   time.Time        `json:"ended,omitzero"`
	Restore bool             `json:"restore,omitempty"` // whether the entry restores a license
	To      string           `json:"to,omitempty"`
	Saves   bool             `json:"saves,omitempty"` // whether a paid seat becomes free
	Payer   *directory.Payer `json:"payer,omitempty"`
	// Flat is the monthly amount that an entry of an older version recorded, in ten-thousandths.
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

// spansOf returns the spans of one license of one person. The facts are oldest first. The argument "restored" has
// restores of the license that a run saw (see lastKnown). They may be missing in the ledger, because somebody else made
// them. Facts after the time "now" do not count.
//
// A seat is free from the completion of a change that is done to the start of a restore, unless the restore failed or
// was rolled back. If two changes take the license and no restore lies between them, somebody else restored it. The
// seat was then free until a run saw the license again. If no run saw it, the free time counts as zero.
func spansOf(license string, facts []fact, restored []*history.Item, now time.Time) (all []span) {
	free := false // whether the seat of the last span is free
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
