package world

import (
	"strings"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The method "saw" tells the judge about a change of licenses when the change happens. The company calls this method,
// so the method must not call the company.
func (w *World) saw(e sandbox.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Person >= len(w.people) || w.people[e.Person].id == "" {
		return
	}
	h := &w.people[e.Person]
	license := ""
	switch {
	case e.Group == groupE3, w.several && e.Group == groupLab, e.SKU == skuE3 && (e.ByHand || w.moving == e.Person):
		license = e3
	case w.mailboxes && (e.Group == groupTarget || e.SKU == skuExchange && (e.ByHand || w.moving == e.Person)):
		license = exchange
	case e.Group == groupCitrix:
		license = citrix
	case w.options.Apps && e.Group == groupApp:
		license = salesforce
	case w.options.Apps && e.SKU == skuCopilot && (e.ByHand || w.moving == e.Person):
		license = copilot
	case w.synced && (e.Group == groupOnPrem || e.SKU == skuP2 && w.moving == e.Person):
		license = premium
	}
	if e.What != sandbox.LicenseGained && e.What != sandbox.LicenseLost {
		w.moving = -1
	}
	switch e.What {
	case sandbox.LicensesAssigned:
		if !e.ByHand {
			w.moving = e.Person
		}
	case sandbox.MemberAdded, sandbox.LicenseGained:
		w.gained(e, h, license)
	case sandbox.MemberRemoved, sandbox.LicenseLost:
		w.lost(e, h, license)
	}
}

func (w *World) gained(e sandbox.Event, h *human, license string) {
	if license == "" {
		return
	}
	if license == e3 && e.Group != "" {
		w.waits[place{e.Person, e.Group}], w.listed[place{e.Person, e.Group}] = true, true
	}
	h.told.held[license] = true
	if _, was := w.taken[holding{e.Person, license}]; was && e.ByHand {
		w.regiven[license] = true
	}
	delete(w.taken, holding{e.Person, license})
	w.story.Given++
	what, way := judge.Given, ""
	if !e.ByHand {
		way = w.way(e)
	}
	if !e.ByHand && !w.wished {
		what = judge.Undone
	}
	w.judge(judge.Event{What: what, At: e.At, Person: h.id, License: license, Way: way})
}

func (w *World) lost(e sandbox.Event, h *human, license string) {
	if license == e3 && e.Group != "" {
		delete(w.waits, place{e.Person, e.Group})
		delete(w.listed, place{e.Person, e.Group})
	}
	switch {
	case license == "", e.ByHand && w.elsewhere(e):
	case e.ByHand:
		h.told.held[license] = false
		w.judge(judge.Event{What: judge.Released, At: e.At, Person: h.id, License: license})
	case e.Group == "" && !h.told.held[license]: // the person left the group of this license earlier, and the license disappears only now, with a direct change of another license
	default:
		h.told.held[license] = false
		w.story.Removed++
		w.story.Taken[strings.TrimSpace(license+" "+e.Group)]++
		if !w.stranger {
			w.taken[holding{e.Person, license}] = e.At
		}
		w.judge(judge.Event{What: judge.Removed, At: e.At, Person: h.id, License: license, Way: w.way(e), Stranger: w.stranger})
	}
	if e.LostMailbox && !e.ByHand {
		w.judge(judge.Event{What: judge.Mailless, At: e.At, Person: h.id})
	}
}
