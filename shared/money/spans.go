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

// spansOf reads the entries for one license of one person, oldest first. last is what the newest run knew about the
// license, or nil. What happened after now does not count.
//
// A seat is free from the time at which a completion proves it. A pending change frees nothing. A seat that is being
// restored is not free any more. Whoever loses a license held it: if the license is about to be taken again, and no
// restore is recorded, then somebody else restored it. The seat was then free until a run saw that. If no run saw it,
// nobody knows how long the seat was free, so that time counts for nothing.
func spansOf(entries []*ledger.Entry, last *history.Item, now time.Time) (all []span) {
	free := false // whether the last span is still free
	for _, e := range entries {
		if e.At.After(now) {
			break
		}
		ended := e.Completion != nil && !e.Completion.At.After(now)
		if e.RestoreOf != "" || e.Rule == plan.RestoreRule {
			failed := ended && (e.Completion.Outcome == ledger.Failed || e.Completion.Outcome == ledger.RolledBack)
			if free && !failed {
				all[len(all)-1].until, free = e.At, false
			}
			continue
		}
		if free {
			l := &all[len(all)-1]
			if l.until = l.from; e.HeldSince.After(l.from) {
				l.until = e.HeldSince
			}
			free = false
		}
		if ended && e.Completion.Outcome == ledger.Done {
			all, free = append(all, spanOf(e)), true
		}
	}
	if free && last != nil && last.State == history.Restored && last.Run == all[len(all)-1].run {
		l := &all[len(all)-1]
		if l.until = last.At; l.until.Before(l.from) {
			l.until = l.from
		}
	}
	return all
}

func spanOf(e *ledger.Entry) span {
	s := span{license: e.License, to: e.To, payer: e.Payer, run: e.Run, from: e.Completion.At, saves: e.SavesNothing == ""}
	if e.Payer == nil {
		recorded := priced(e.MonthlySaving)
		s.flat, s.saves, s.to = &recorded, recorded > 0, ""
	}
	return s
}
