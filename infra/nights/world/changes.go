package world

import (
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The type "change" is a kind of event that may happen to a person on a day.
type change struct {
	kind   string
	chance float64 // probability per day
	fits   func(w *World, i int, p sandbox.Truth) bool
	make   func(w *World, i int)
}

func inEntra(_ *World, _ int, p sandbox.Truth) bool { return p.EntraID != "" }
func inAD(_ *World, _ int, p sandbox.Truth) bool    { return p.SID != "" }
func inBoth(_ *World, _ int, p sandbox.Truth) bool  { return p.EntraID != "" && p.SID != "" }

// mayJoinCitrix reports whether an administrator can add a person to the Citrix group. If the group is the person's
// primary group, Active Directory refuses.
func mayJoinCitrix(_ *World, _ int, p sandbox.Truth) bool {
	return p.SID != "" && !slices.Contains(p.Citrix, sandbox.Way{Group: groupCitrix, Primary: true})
}

// The function "linked" reports whether the tool can know that the person's accounts belong together, so that an
// exemption of one account also exempts the other. It returns false if an account was created again, if the accounts
// were separated, or if there is no account in Entra ID.
func linked(w *World, i int, p sandbox.Truth) bool {
	return p.EntraID != "" && !w.touched[i] && !w.people[i].split
}

// The variable "changes" contains the kinds of events that may happen to people. The kinds that are about leaves are in
// changesOfLeave. In a company of 300 people, most kinds happen several times in 120 nights.
var changes = []change{
	{"leaves", 0.003, func(w *World, i int, p sandbox.Truth) bool { return p.Exists && w.people[i].daily > 0.1 },
		func(w *World, i int) { w.people[i].daily = 0 }},
	{"comes back", 0.001, func(w *World, i int, p sandbox.Truth) bool { return p.Exists && w.people[i].daily == 0 },
		func(w *World, i int) { w.people[i].daily = 0.5 }},
	{"hired", 0.02, func(w *World, i int, p sandbox.Truth) bool { return w.people[i].id == "" }, (*World).hire},
	{"renamed in Entra ID", 0.0004, inEntra, func(w *World, i int) {
		w.box.Company.SetUPN(i, fmt.Sprintf("renamed.%d.%d@contoso.example", i, w.night))
	}},
	{"renamed in Active Directory", 0.0004, inAD, func(w *World, i int) {
		w.box.Company.Rename(i, fmt.Sprintf("Renamed %d %d", i, w.night))
	}},
	{"another display name", 0.0004, inEntra, func(w *World, i int) {
		w.box.Company.SetDisplayName(i, "\u202eNew \x1b[31mName "+fmt.Sprint(w.night))
	}},
	{"another department", 0.001, inEntra, func(w *World, i int) {
		w.box.Company.SetDepartment(i, []string{"Legal", "Sales", "Research"}[w.night%3])
	}},
	{"another role", 0.0006, inEntra, func(w *World, i int) { w.box.Company.SetEmployeeType(i, "Contractor") }},
	{"employee again", 0.01, func(_ *World, _ int, p sandbox.Truth) bool { return p.EntraID != "" && p.Role == "Contractor" },
		func(w *World, i int) { w.box.Company.SetEmployeeType(i, "Employee") }},
	{"usage location lost", 0.0003, func(w *World, i int, p sandbox.Truth) bool { return p.EntraID != "" && !w.people[i].nowhere },
		func(w *World, i int) { w.box.Company.SetUsageLocation(i, ""); w.people[i].nowhere = true }},
	{"usage location again", 0.05, func(w *World, i int, _ sandbox.Truth) bool { return w.people[i].nowhere },
		func(w *World, i int) { w.box.Company.SetUsageLocation(i, "SE"); w.people[i].nowhere = false }},
	{"blocked", 0.0006, func(_ *World, _ int, p sandbox.Truth) bool { return p.Exists && p.Enabled },
		func(w *World, i int) { w.box.Company.SetEnabled(i, false) }},
	{"enabled again", 0.02, func(w *World, i int, p sandbox.Truth) bool {
		return p.Exists && !p.Enabled && w.people[i].kind != sandbox.SharedMailbox
	},
		func(w *World, i int) { w.box.Company.SetEnabled(i, true) }},
	{"deleted in Entra ID", 0.0005, func(_ *World, _ int, p sandbox.Truth) bool { return p.EntraID != "" },
		func(w *World, i int) { w.box.Company.SetInBin(i, true); w.binned[i] = true }},
	{"restored in Entra ID", 0.2, func(w *World, i int, _ sandbox.Truth) bool { return w.binned[i] },
		func(w *World, i int) { w.box.Company.SetInBin(i, false); delete(w.binned, i) }},
	{"deleted in Active Directory", 0.0004, inBoth,
		func(w *World, i int) { w.box.Company.SetInADBin(i, true); w.adBinned[i] = true }},
	{"restored in Active Directory", 0.2, func(w *World, i int, _ sandbox.Truth) bool { return w.adBinned[i] },
		func(w *World, i int) { w.box.Company.SetInADBin(i, false); delete(w.adBinned, i) }},
	{"made again in Active Directory", 0.0002, func(w *World, i int, p sandbox.Truth) bool { return inBoth(w, i, p) && !w.exempt(i, p) }, func(w *World, i int) { w.box.Company.Replace(i); w.touched[i] = true }},
	{"made again in Entra ID", 0.0002, func(w *World, i int, p sandbox.Truth) bool {
		return p.EntraID != "" && p.SID == "" && w.people[i].kind == sandbox.CloudOnly
	},
		func(w *World, i int) { w.box.Company.ReplaceInEntra(i); w.touched[i] = true }},
	{"made again in both", 0.0002, func(w *World, i int, p sandbox.Truth) bool {
		return p.EntraID != "" && p.SID != "" && w.people[i].kind == sandbox.Synced
	},
		func(w *World, i int) { w.box.Company.ReplaceInBoth(i); w.touched[i] = true }},
	{"becomes a guest", 0.0002, func(w *World, i int, p sandbox.Truth) bool { return linked(w, i, p) && !p.Guest },
		func(w *World, i int) { w.box.Company.MakeGuest(i) }},
	{"becomes an agent", 0.0001, func(w *World, i int, p sandbox.Truth) bool {
		return p.EntraID != "" && !w.people[i].agent && w.people[i].kind == sandbox.CloudOnly
	},
		func(w *World, i int) { w.agent(i) }},
	{"becomes cloud-only", 0.0002, func(w *World, i int, p sandbox.Truth) bool {
		return inBoth(w, i, p) && w.people[i].kind == sandbox.Synced && !w.people[i].split && !w.exempt(i, p)
	}, func(w *World, i int) {
		w.box.Company.MakeCloudOnly(i, w.night%2 == 0)
		w.people[i].split = true
		w.hear(judge.Event{What: judge.Parted, At: w.clock.Now(), Person: w.people[i].id, License: citrix})
	}},
	{"Citrix becomes the primary group", 0.0002, inAD, func(w *World, i int) { w.box.Company.SetPrimaryGroup(i, sandbox.CitrixGroup) }},
	{"given E3 directly besides", 0.0004, inEntra, func(w *World, i int) { w.box.Company.AssignDirectly(i, "SPE_E3") }},
	{"put into the group of E3", 0.0004, inEntra, func(w *World, i int) { w.box.Company.SetMember(i, groupE3, true) }},
	{"taken off the group of E3", 0.0003, inEntra, func(w *World, i int) { w.box.Company.SetMember(i, groupE3, false) }},
	{"put into Citrix", 0.0005, mayJoinCitrix, func(w *World, i int) { w.box.Company.SetMember(i, groupCitrix, true) }},
	{"taken off Citrix", 0.0003, inAD, func(w *World, i int) { w.box.Company.SetMember(i, groupCitrix, false) }},
	{"exempt by group", 0.0008, linked, func(w *World, i int) { w.box.Company.SetMember(i, "LIC-Exempt", true) }},
	{"exempt by a nested group", 0.0004, linked, func(w *World, i int) { w.box.Company.SetMember(i, "LIC-Exempt-Leave", true) }},
	{"exempt by group no more", 0.02, leavesList, func(w *World, i int) {
		w.box.Company.SetMember(i, "LIC-Exempt", false)
		w.box.Company.SetMember(i, "LIC-Exempt-Leave", false)
	}},
	{"exempt by name", 0.0004, linked, func(w *World, i int) { w.except(i, true) }},
	{"exempt by name no more", 0.02, func(w *World, i int, _ sandbox.Truth) bool { return i != breakglass && w.policy.users[i] != "" }, func(w *World, i int) { w.except(i, false) }},
	{"uses Teams without a sign-in", 0.004, mayUseTeams, (*World).usesTeams},
	{"put into the application", 0.0005, inApps, func(w *World, i int) { w.box.Company.SetMember(i, groupApp, true) }},
	{"taken off the application", 0.0003, inApps, func(w *World, i int) { w.box.Company.SetMember(i, groupApp, false) }},
	{"put into the second group of E3", 0.0006, severalGroups, func(w *World, i int) { w.box.Company.SetMember(i, groupLab, true) }},
	{"taken off the second group of E3", 0.0006, severalGroups, func(w *World, i int) { w.box.Company.SetMember(i, groupLab, false) }},
	{"moved to the other group of E3", 0.0008, func(w *World, i int, p sandbox.Truth) bool {
		return severalGroups(w, i, p) && len(p.E3) == 1 && p.E3[0].Group != ""
	}, (*World).changesGroup},
	{"put into the synced group", 0.0008, syncedGroup, func(w *World, i int) { w.box.Company.SetMember(i, groupOnPrem, true) }},
	{"taken off the synced group", 0.0004, syncedGroup, func(w *World, i int) { w.box.Company.SetMember(i, groupOnPrem, false) }},
	{"given Entra ID P2 directly besides", 0.0006, syncedGroup, func(w *World, i int) { w.box.Company.AssignDirectly(i, partP2) }},
	{"no longer given Entra ID P2 directly", 0.01, func(w *World, i int, p sandbox.Truth) bool {
		return syncedGroup(w, i, p) && slices.Contains(p.P2, sandbox.Way{})
	}, func(w *World, i int) { w.box.Company.RemoveDirectly(i, partP2) }},
	{"attributes hidden", 0.0003, func(w *World, i int, p sandbox.Truth) bool { return p.SID != "" && !w.people[i].hidden },
		func(w *World, i int) {
			w.box.Company.Hide(i, "lastLogon", "lastLogonTimestamp")
			w.people[i].hidden = true
		}},
	{"attributes shown again", 0.1, func(w *World, i int, p sandbox.Truth) bool { return w.people[i].hidden },
		func(w *World, i int) { w.box.Company.Hide(i); w.people[i].hidden = false }},
}

// The variable "allChanges" contains all kinds of events that may happen to people.
var allChanges = slices.Concat(changes, changesOfLeave)

// The method "changes" makes the events of a day happen to a person.
func (w *World) changes(i int) {
	p := w.box.Company.Truth(i)
	for _, c := range allChanges {
		if c.fits(w, i, p) && w.happens(c.kind, i, c.chance) {
			c.make(w, i)
			w.observe(i)
			p = w.box.Company.Truth(i)
		}
	}
}

// The method "hire" hires a person. Two of three hired people use their accounts from then on.
func (w *World) hire(i int) {
	w.box.Company.Hire(i)
	h := &w.people[i]
	h.daily = []float64{0, 0.5, 0.5}[throw(w.options.Seed, "new", i).IntN(3)]
}

// The method "agent" turns a person's account into an agent's account.
func (w *World) agent(i int) {
	w.box.Company.MakeAgent(i)
	w.people[i].agent = true
}
