package world

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// A company of applications (Options.Apps) has rules for two more licenses, salesforce and copilot. Membership of a
// group gives a seat in the application Salesforce. Copilot is a direct license, and only a usage report shows its use.
const (
	salesforce = "salesforce"
	copilot    = "copilot"
	groupApp   = sandbox.AppGroup
	skuCopilot = "639dec6b-bb19-468b-871c-c5c441c4b0cb"
)

// appIdle is the number of days without use after which the rules for Salesforce and Copilot take a license.
const appIdle = 45

// withApps adds the licenses Salesforce and Copilot and their rules to the text of a policy.
func withApps(text string) string {
	return strings.NewReplacer(
		"\nattributes:\n", "\nattributes:\n  copilotUse: copilot.lastActivity\n  copilotGiven: entra.licenseChanged\n",
		"\ngrace:", "\n  salesforce: {group: {entra: "+groupApp+"}, model: user, monthlyPrice: 75}\n  copilot: {sku: Microsoft_365_Copilot, monthlyPrice: 30}\ngrace:",
	).Replace(text) + idleRule(salesforce) + `  - name: copilot-unused
    license: copilot
    for: accountEnabled && systemRole == "Employee" && copilotGiven.earlierThan(now - days(14))
    when: copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue()
    then: remove
`
}

// idleRule returns the text of a rule that takes a license from an enabled employee after appIdle days without a use.
// The rule reads the attribute AzureAdSistaLogon, the date of the last sign-in. In some companies, this date also
// covers uses in the usage reports of Microsoft 365.
func idleRule(license string) string {
	return fmt.Sprintf(`  - name: %s-idle
    license: %[1]s
    for: accountEnabled && systemRole == "Employee"
    when: AzureAdSistaLogon.earlierThan(now - days(%d)) || AzureAdSistaLogon.hasNoValue()
    then: remove
`, license, appIdle)
}

// The method "licenses" returns the licenses for which the company has rules.
func (w *World) licenses() []string {
	switch {
	case w.synced:
		return []string{e3, citrix, salesforce, copilot, premium}
	case w.options.Apps:
		return []string{e3, citrix, salesforce, copilot}
	case w.mailboxes:
		return []string{e3, citrix, exchange}
	}
	return []string{e3, citrix}
}

// The method "opens" assigns Copilot to some people, as a company does after buying Copilot. Its rule takes only a
// license that a person has held for some time, so the method "saw" tells the judge the time of the assignment.
func (w *World) opens() {
	for i := range w.people {
		if w.people[i].id != "" && w.box.Company.Truth(i).EntraID != "" && throw(w.options.Seed, "copilot", i).chance(0.3) {
			w.box.Company.AssignDirectly(i, "Microsoft_365_Copilot")
			w.people[i].wanted[copilot] = true
		}
	}
}

// signedIn stores a sign-in as a use of each license whose rule reads sign-ins. A person who signs in also uses
// Copilot. Usage reports show the use of Copilot only days later (see reportShows).
func (w *World) signedIn(e judge.Event) {
	e.License = e3
	w.used(e)
	if w.mailboxes {
		e.License = exchange
		w.used(e)
	}
	if w.options.Apps {
		e.License = salesforce
		w.used(e)
		e.License = premium
		w.used(e)
		e.License = copilot
		if late := e.At.Add(reportShows); late.After(e.Shown) {
			e.Shown = late
		}
		w.used(e)
	}
}

// inApp reports whether a person has a seat in the application Salesforce.
func (w *World) inApp(i int) bool { return slices.Contains(w.box.Company.Person(i).Groups, groupApp) }

// tellApps does for Salesforce, Copilot and Entra ID P2 what the method "tell" does for E3 and Citrix. It tells the
// judge whether the person holds the license, whether the rule covers the person, and whether the product can take the
// license. In a company without applications, it does nothing.
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
	w.tellPremium(i, p, outside, at)
}

// The method "ageless" reports whether the tool may lack both dates that the rule for Copilot needs: the last use of
// Copilot and the creation of the accounts. The tool then keeps the license, and the judge does not require a removal.
// The Copilot report reaches 180 days back; the method returns true after 150 days, to be on the safe side.
func (w *World) ageless(i int, p sandbox.Truth, at time.Time) bool {
	return (p.SID == "" || w.blind()) && w.people[i].kind != sandbox.CloudOnly && at.Sub(p.LastSignIn) > 150*day
}

// helpDeskApps sometimes gives lost licenses back to a working person: a seat in the application, Copilot, and the
// licenses of helpDeskGroups.
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
	w.helpDeskGroups(i)
}

// inApps reports whether the company is a company of applications, and the person has an account in Entra ID.
func inApps(w *World, _ int, p sandbox.Truth) bool { return w.options.Apps && p.EntraID != "" }
