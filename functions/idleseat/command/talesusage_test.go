package command

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// usageAndGroups returns a policy with rules about usage reports. The licenses come from a direct assignment, from an
// application's group, and from a synced group.
func usageAndGroups(s *tale) string {
	return s.edited([][2]string{
		{"\nattributes:\n", "\nattributes:\n  copilotUse: copilot.lastActivity\n  m365Use: newest(m365.exchange, m365.teams, m365.sharepoint, m365.onedrive, entra.lastActivity)\n"},
		{"group: {entra: LIC-M365-E3}", `group: {ad: "CN=` + syncedGroup + `,OU=Licenses,` + sandbox.BaseDN + `"}`},
		{"\ngrace:", "\n  copilot: {sku: Microsoft_365_Copilot, monthlyPrice: 30}\n  salesforce: {group: {entra: " + sandbox.AppGroup + "}, model: user, monthlyPrice: 75}\ngrace:"},
		{"newHolder: 14", "newHolder: 0"}, {"percent: 10", "percent: 100"},
		{"AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()", "m365Use.earlierThan(now - days(60)) || m365Use.hasNoValue()"},
		{"{changeTo: exchange-online}", "{remove: true, mailbox: lost, onReturn: restore}"},
	}) + `  - name: copilot-unused-45
    license: copilot
    when: copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue()
    then: {remove: true, onReturn: restore}
  - name: salesforce-idle-45
    license: salesforce
    for: accountEnabled
    when: AzureAdSistaLogon.earlierThan(now - days(45))
    then: remove
`
}

const syncedGroup = "LIC-E3-OnPrem"

// foundUsage assigns Copilot to active people and moves idle people to the synced group. Two of the people with Copilot
// have not used it for a long time.
func foundUsage(s *tale) {
	c := s.company.Company
	c.SetSeats("Microsoft_365_Copilot", 100)
	c.SetSeats("EXCHANGESTANDARD", 100)
	holders := 0
	for i := range c.Size() {
		p := c.Person(i)
		if p.Entra != nil && len(p.Entra.Assignments) > 0 {
			c.AssignDirectly(i, "EXCHANGESTANDARD") // with this license, nobody's mailbox depends on E3
		}
		switch {
		case p.Kind != sandbox.Synced || p.Entra.Enabled != directory.Yes || slices.Contains(p.Groups, "LIC-Exempt"):
		case p.Activity == sandbox.Active:
			c.SignIn(i)
			c.AssignDirectly(i, "Microsoft_365_Copilot")
			if holders++; holders <= 2 {
				c.Use(i, directory.CopilotUse, s.clock.now().AddDate(0, 0, -60*holders))
			}
		case p.Activity == sandbox.Idle && slices.Contains(p.Groups, "LIC-M365-E3") && p.Entra.EmployeeType == "Employee" && p.Entra.UserPrincipalName != "anna@contoso.example":
			c.SetMember(i, "LIC-M365-E3", false)
			c.SetMember(i, syncedGroup, true)
		}
	}
	s.passes(time.Hour) // within this time, the licenses of the groups arrive
}

var usageNights = []chapter{
	{"plan", func(s *tale) {
		p := s.plans("first")
		if s.golden {
			for rule, via := range map[string]plan.Via{"copilot-unused-45": plan.Direct, "salesforce-idle-45": plan.EntraGroup} {
				s.change(p, by(rule, via))
			}
			synced, n := s.change(p, by("m365-idle-60", plan.ADGroup))
			s.one, s.back = synced.User, n
		}
	}},
	{"begin", func(s *tale) { s.tell("apply", s.runs["first"], "--yes") }},
	{"finish", func(s *tale) {
		s.passes(time.Hour)
		s.until("apply", s.runs["first"])
	}},
	{"the same snapshot", func(s *tale) {
		s.tell("explain", s.one)
		s.plans("again", "--run", s.runs["first"])
	}},
	{"second night", func(s *tale) {
		s.nextDay(s.back)
		p := s.plans("second")
		if s.golden {
			s.change(p, func(c plan.Change) bool { return c.User == s.one && c.RestoreOf == s.runs["first"] })
		}
		s.until("apply", s.runs["second"])
	}},
	{"restored", func(s *tale) { s.until("restore", "--run", s.runs["first"]) }},
	{"third night", func(s *tale) {
		s.nextDay()
		s.plans("third")
		s.until("apply", s.runs["third"])
	}},
}
