package world

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// human is somebody, and their habits.
type human struct {
	id     string  // as the tool knows the person
	daily  float64 // the chance of a use on one day
	late   []time.Time
	wanted map[string]bool // licenses that the help desk thinks are theirs
	told   standing        // what the judge knows
}

// standing is what of a person's circumstances the rules ask for.
type standing struct {
	exempt          bool
	enabled         bool
	outside         map[string]bool
	isPerson, known bool
}

const skuE3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"

// meet tells the judge of one person.
func (w *World) meet(i int) human {
	p := w.box.Company.Person(i)
	h := human{id: idOf(p), wanted: map[string]bool{}, daily: 0.002}
	if p.Activity == sandbox.Active {
		h.daily = 0.5
	}
	made := youngest(p)
	w.Hire(h.id, made, p.Kind != sandbox.SharedMailbox)
	if p.Entra != nil {
		if holdsE3(p) {
			w.Hold(h.id, e3, made)
			h.wanted[e3] = true
		}
		if last := p.Entra.LastActivity(); !last.IsZero() {
			w.Used(h.id, last, last, e3)
		}
	}
	if p.AD != nil {
		if inCitrix(p) {
			w.Hold(h.id, citrix, made)
			h.wanted[citrix] = true
		}
		if !p.LastLogon.IsZero() {
			w.Used(h.id, p.LastLogon, p.LastLogon, citrix)
		}
	}
	h.told = standing{enabled: true, outside: map[string]bool{}}
	w.tell(&h, p, made)
	return h
}

// observe tells the judge what of a person's circumstances has changed.
func (w *World) observe(i int) { w.tell(&w.people[i], w.box.Company.Person(i), w.clock.Now()) }

func (w *World) tell(h *human, p sandbox.Person, at time.Time) {
	if exempt := w.exempt(p); exempt != h.told.exempt {
		h.told.exempt = exempt
		w.Exempt(h.id, at, at, exempt)
	}
	if enabled := p.Entra == nil || p.Entra.Enabled == directory.Yes; enabled != h.told.enabled {
		h.told.enabled = enabled
		w.Enabled(h.id, at, at, enabled)
	}
	for license, outside := range map[string]bool{e3: outsideE3(p), citrix: p.AD == nil || p.Kind == sandbox.WrongAnchor} {
		if outside != h.told.outside[license] {
			h.told.outside[license] = outside
			w.Outside(h.id, license, at, at, outside)
		}
	}
}

// idOf is how the tool names somebody.
func idOf(p sandbox.Person) string {
	if p.Entra != nil {
		return p.Entra.ID
	}
	return p.AD.SID
}

// youngest is when the youngest of a person's accounts was made.
func youngest(p sandbox.Person) (made time.Time) {
	if p.AD != nil {
		made = p.AD.Created
	}
	if p.Entra != nil && p.Entra.Created.After(made) {
		made = p.Entra.Created
	}
	return made
}

func holdsE3(p sandbox.Person) bool {
	return slices.ContainsFunc(p.Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == skuE3 && a.Active() })
}

func inCitrix(p sandbox.Person) bool { return slices.Contains(p.ADGroups, sandbox.CitrixGroup) }

// exempt tells whether the policy in force leaves somebody alone.
func (w *World) exempt(p sandbox.Person) bool {
	if p.Entra == nil {
		return false
	}
	return p.Kind == sandbox.Guest || w.named(p.Entra.UserPrincipalName) ||
		slices.Contains(p.Groups, "LIC-Exempt") || slices.Contains(p.Groups, "LIC-Exempt-Leave")
}

// outsideE3 tells whether the rule for E3 does not ask about somebody, or cannot say or
// do anything: a license by a way that cannot be changed, halves that contradict each
// other.
func outsideE3(p sandbox.Person) bool {
	if p.Entra == nil || p.Entra.Enabled != directory.Yes || p.Entra.EmployeeType != "Employee" || p.Entra.UsageLocation == "" {
		return true
	}
	if p.Kind == sandbox.WrongAnchor || p.Kind == sandbox.NoADAccount && p.Entra.LastActivity().IsZero() {
		return true
	}
	ways := 0
	for _, a := range p.Entra.Assignments {
		if a.SKU == skuE3 {
			if ways++; a.Group != "" && !slices.Contains(p.Groups, "LIC-M365-E3") {
				return true
			}
		}
	}
	return ways > 1
}
