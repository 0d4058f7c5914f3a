package world

import (
	"encoding/json"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/plan"
)

// The method "strange" sometimes plans and applies on a second machine, which has its own store without recent
// readings. Without them, the second machine cannot notice that another group has replaced the Citrix group, that dates
// are older than on earlier nights, or that the exempt group has lost members. It therefore works only in nights
// without such events.
func (w *World) strange() {
	if len(w.weather.Tonight()) > 0 || w.serverless || w.closed(citrix) || len(w.gone) > 0 || !w.happens("a second machine with a store of its own", -1, 0.006) {
		return
	}
	w.clock.pass(10 * time.Minute) // the directories show what the first machine has done
	own := &w.second
	out, _, _ := w.run(own, "plan", "--format", "json")
	var p plan.Plan
	if json.Unmarshal(out, &p) != nil || p.Verdict == plan.Hold {
		return
	}
	w.planned(p)
	w.stranger = true
	defer func() { w.stranger = false }()
	for range 3 {
		w.run(own, "apply", p.Run, "--yes")
		w.clock.pass(10 * time.Minute)
	}
}

// bringBack sometimes restores the store from a backup of the evening before. The backup is made while the product does
// not run.
func (w *World) bringBack() {
	const kind, chance = "the store is brought back from yesterday", 0.004
	if w.backup != nil && w.happens(kind, -1, 1) {
		w.behind.Become(w.backup)
		w.hear(judge.Event{What: judge.Forgot, At: w.copied})
		w.forget()
	}
	w.backup = nil
	if throw(w.options.Seed, kind+" tomorrow", w.night).chance(chance) {
		w.backup = w.behind.Objects()
		w.copied = w.clock.Now()
	}
}

// The method "forget" removes from w.taken the licenses that were taken after the backup. The restored store does not
// know these licenses.
func (w *World) forget() {
	for key, at := range w.taken {
		if at.After(w.copied) {
			delete(w.taken, key)
		}
	}
}
