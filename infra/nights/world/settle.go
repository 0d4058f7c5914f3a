package world

import (
	"fmt"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/plan"
)

// calmNights are how many nights the tool has in the end to finish what it began.
const calmNights = 6

// settle ends the story: the company is in order and the weather calm, and nothing may
// stay open. Then all that was taken is put back.
func (w *World) settle() {
	for _, t := range turns {
		if _, out := w.out[t.kind]; out {
			w.mend(t)
		}
	}
	w.observeAll()
	w.options.Without = nil
	var last plan.Plan
	for range calmNights {
		w.night++
		w.clock.pass(day)
		if w.waiting != "" {
			w.apply(w.waiting)
			w.waiting = ""
		}
		if last = w.plan(); last.Run != "" && last.Verdict != plan.Hold {
			w.apply(last.Run)
		}
	}
	for _, b := range last.Pending {
		w.hear(judge.Event{What: judge.Lose, At: w.clock.Now(), Person: b.User, License: b.License,
			Text: fmt.Sprintf("run %s began it, and it is still open: %s", b.Run, b.Reason)})
	}
}
