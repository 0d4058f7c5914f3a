package world

import (
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// A company of applications also has rules for a seat that membership of a group gives in an application, and for a
// direct license whose use only a usage report knows.
const (
	salesforce = "salesforce"
	copilot    = "copilot"
	groupApp   = sandbox.AppGroup
	skuCopilot = "639dec6b-bb19-468b-871c-c5c441c4b0cb"
)

// appIdle is the number of days without use after which both rules take a license.
const appIdle = 45

// withApps adds the two licenses and their rules to a policy.
func withApps(text string) string {
	return strings.NewReplacer(
		"\nattributes:\n", "\nattributes:\n  copilotUse: copilot.lastActivity\n  copilotGiven: entra.licenseChanged\n",
		"\ngrace:", "\n  salesforce: {group: {entra: "+groupApp+"}, model: user, monthlyPrice: 75}\n  copilot: {sku: Microsoft_365_Copilot, monthlyPrice: 30}\ngrace:",
	).Replace(text) + `  - name: salesforce-idle
    license: salesforce
    for: accountEnabled && systemRole == "Employee"
    when: AzureAdSistaLogon.earlierThan(now - days(45)) || AzureAdSistaLogon.hasNoValue()
    then: remove
  - name: copilot-unused
    license: copilot
    for: accountEnabled && systemRole == "Employee" && copilotGiven.earlierThan(now - days(14))
    when: copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue()
    then: remove
`
}

// licenses lists the licenses that the company's rules are about.
func (w *World) licenses() []string {
	if w.options.Apps {
		return []string{e3, citrix, salesforce, copilot}
	}
	return []string{e3, citrix}
}

// opens gives some people Copilot, as when the company buys it. The judge hears when they got it, because the rule
// waits until they have had it for some time.
func (w *World) opens() {
	for i := range w.people {
		if w.people[i].id != "" && w.box.Company.Truth(i).EntraID != "" && throw(w.options.Seed, "copilot", i).chance(0.3) {
			w.box.Company.AssignDirectly(i, "Microsoft_365_Copilot")
			w.people[i].wanted[copilot] = true
		}
	}
}

// signedIn keeps a sign-in, which counts for every rule that asks for sign-ins. A person who signs in also uses Copilot,
// which a usable report shows days later.
func (w *World) signedIn(e judge.Event) {
	e.License = e3
	w.used(e)
	if w.options.Apps {
		e.License = salesforce
		w.used(e)
		e.License = copilot
		if late := e.At.Add(reportShows); late.After(e.Shown) {
			e.Shown = late
		}
		w.used(e)
	}
}

// inApp reports whether a person has a seat in the application.
func (w *World) inApp(i int) bool { return slices.Contains(w.box.Company.Person(i).Groups, groupApp) }

// tellApps tells the judge about the two licenses what tell says about the others.
func (w *World) tellApps(i int, p sandbox.Truth, at time.Time) {
	if !w.options.Apps {
		return
	}
	h := &w.people[i]
	outside := w.outsideE3(i, p)
	w.state(judge.Outside, h, h.told.outside, map[string]bool{salesforce: outside, copilot: outside}, at)
	w.state(judge.Stuck, h, h.told.stuck, map[string]bool{salesforce: w.closed(salesforce), copilot: h.nowhere || w.ageless(i, p, at)}, at)
	w.holds(h, salesforce, p.EntraID != "" && w.inApp(i), at)
	w.holds(h, copilot, len(p.Copilot) > 0, at)
}

// ageless reports whether the Copilot report has no day for a person any more, since it reaches 180 days back, and the
// tool cannot know how old the person's accounts are. It then leaves the person alone, and need not.
func (w *World) ageless(i int, p sandbox.Truth, at time.Time) bool {
	return (p.SID == "" || w.serverless) && w.people[i].kind != sandbox.CloudOnly && at.Sub(p.LastSignIn) > 150*day
}

// helpDeskApps gives a working person a lost seat or Copilot again.
func (w *World) helpDeskApps(i int) {
	if !w.options.Apps {
		return
	}
	p, wanted := w.box.Company.Truth(i), w.people[i].wanted
	if p.EntraID == "" {
		return
	}
	if wanted[salesforce] && !w.inApp(i) && w.happens("the help desk gives a seat in the application", i, 0.2) {
		w.box.Company.SetMember(i, groupApp, true)
	}
	if wanted[copilot] && len(p.Copilot) == 0 && w.happens("the help desk gives Copilot", i, 0.2) {
		w.box.Company.AssignDirectly(i, "Microsoft_365_Copilot")
	}
}

// inApps reports whether events of a company of applications may happen to a person.
func inApps(w *World, _ int, p sandbox.Truth) bool { return w.options.Apps && p.EntraID != "" }
