// Package sample invents the results of a run in a company of any size, for tests of pages. The same seed gives the
// same results.
package sample

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/story/reason"
)

// Rows is the maximum number of rows of each list, except the list of changes, which has no maximum.
const Rows = 2000

var (
	given       = []string{"Anna", "Erik", "Maria", "Lars", "Karin", "Åsa", "Johan", "Ingrid", "Olof", "Zoë", "Wei", "Fatima", "José", "Siobhán", "Kwame", "Noor"}
	family      = []string{"Berg", "Lindqvist", "Öberg", "Nilsson", "Dahl", "Ekström", "García", "O'Neill", "Zhang", "Haddad", "Mensah", "Sjögren", "Wallin", "Åkesson"}
	departments = []string{"Sales", "Finance", "Legal", "Care North", "Care South", "IT", "Human Resources", "Production", "Research"}
)

// AsOf is the time of the run in every sample.
var AsOf = time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC)

type maker struct{ *rand.Rand }

// Night returns invented results of a run in a company of "people" people. The parameter "changes" is the number of
// changes of the plan.
func Night(seed uint64, people, changes int) *report.Night {
	m := maker{rand.New(rand.NewPCG(seed, 16))}
	n := &report.Night{
		Run: "20261129T020000Z-1a2b3c4d", Tenant: "11111111-2222-3333-4444-555555555555", AsOf: AsOf, Made: AsOf.Add(4 * time.Minute),
		Expires: AsOf.Add(7 * 24 * time.Hour), Mode: policy.Review, Verdict: plan.Hold, Overridable: true,
		PlanHash:    "9f2c4d1e7a60b3558ce0fd1b2a4796e85d3c0f9b7a8e6d5c4b3a291807f6e5d4",
		HoldReasons: []string{fmt.Sprintf("rule m365-idle-60 matches %d of %d holders (14.2 %%), more than limits.stopAbove.percent 10", people/8, people)},
		Notes:       []string{"the mailbox usage report conceals names; sizes of mailboxes are unknown"},
		People:      people, Kinds: map[string]int{"guest": people / 20, "shared": people / 90, "room": people / 400, "service": people / 300}, Deferred: changes / 3,
	}
	n.Signals = m.signals(people)
	n.Rules = []report.Rule{m.rule("m365-idle-60", "m365-e3", "exchange-online", 60, people, 39), m.rule("citrix-idle-90", "citrix", "", 90, people*2/5, 18)}
	n.Changes = m.rows(changes, changes, m.change)
	n.Notices = m.rows(people/200, Rows, m.change)
	n.Undecided = m.rows(people/25, Rows, m.undecided)
	n.Refused = m.rows(people/80, Rows, m.refused)
	n.Returned = m.rows(people/700, Rows, m.returned)
	n.Pending = m.rows(people/2000, Rows, m.pending)
	n.Reasons = counted(n)
	m.history(n, people)
	m.money(n)
	n.Backtest = Backtest(people).Kept()
	for i := range n.Backtest.Rules { // the backtest has the same rules as the night
		r, now := &n.Backtest.Rules[i], &n.Rules[i]
		r.License, r.Days, r.Words = now.License, now.Threshold, now.Words
	}
	return n
}

func (m maker) pick(from []string) string { return from[m.IntN(len(from))] }

func (m maker) signals(people int) []report.Signal {
	return []report.Signal{
		{Name: "entra.lastActivity", State: plan.Healthy, Newest: AsOf.Add(-3 * time.Hour), Dated: people * 94 / 100, Accounts: people, Named: true},
		{Name: "ad.lastLogonTimestamp", State: plan.Healthy, Newest: AsOf.Add(-26 * time.Hour), Dated: people * 81 / 100, Accounts: people * 9 / 10, Named: true},
		{Name: "usage.exchange", State: plan.Unhealthy, Reason: "the newest date is 9 days old, and the report is never more than 3 days late", Newest: AsOf.Add(-9 * 24 * time.Hour), Dated: people * 77 / 100, Accounts: people, Named: true},
		{Name: "usage.teams", State: plan.Absent, Reason: "the report conceals names"},
	}
}

// The method "rule" returns invented results of a rule, in which most holders were active recently.
func (m maker) rule(name, license, to string, threshold, holders int, price float64) report.Rule {
	r := report.Rule{Name: name, License: license, To: to, Threshold: threshold, MonthlyPrice: price, Holders: holders, Idled: make([]int, 366)}
	r.Words = []string{`for: accountEnabled && systemRole == "Employee"`, fmt.Sprintf("when: AzureAdSistaLogon.earlierThan(now - days(%d)) || AzureAdSistaLogon.hasNoValue()", threshold)}
	r.Never, r.NotKnown = holders/90, holders/40
	for range holders - r.Never - r.NotKnown {
		days := int(m.ExpFloat64() * 4)
		if m.IntN(7) == 0 {
			days = int(m.ExpFloat64() * 110)
		}
		r.Idled[min(days, 365)]++
	}
	r.Asked = holders * 92 / 100
	for d := threshold; d < len(r.Idled); d++ {
		r.Idle += r.Idled[d]
	}
	r.Idle = min(r.Idle, r.Asked/2)
	r.Exempt, r.Undecided = holders/100, holders/35
	r.UndecidedHolders, r.UndecidedAsked = r.Undecided, r.Undecided*3/4
	r.Keep = max(0, r.Asked-r.Idle-r.Exempt-r.Undecided)
	r.Refused, r.Deferred, r.Announced = r.Idle/9, r.Idle/4, r.Idle/12
	r.Changed = r.Idle - r.Refused - r.Deferred - r.Announced
	r.Turns = [3]int{holders / 300, holders / 140, holders / 60}
	return r
}

func (m maker) rows(total, most int, make func(i int) report.Row) (list report.List[report.Row]) {
	list.Total = total
	for i := range min(total, most) {
		list.Rows = append(list.Rows, make(i))
	}
	return list
}

func (m maker) person() report.Row {
	first, last := m.pick(given), m.pick(family)
	number := m.IntN(1_000_000)
	return report.Row{
		User:              fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", m.Uint32(), m.IntN(1<<16), m.IntN(1<<12), m.IntN(1<<12), m.Uint64()&(1<<48-1)),
		UserPrincipalName: fmt.Sprintf("%s.%s%d@contoso.example", first, last, number), DisplayName: first + " " + last, Department: m.pick(departments),
	}
}

func (m maker) change(i int) report.Row {
	r := m.person()
	since := AsOf.Add(-time.Duration(61+m.IntN(700))*24*time.Hour - time.Duration(m.IntN(86400))*time.Second)
	r.Rule, r.License, r.To, r.Via, r.MonthlySaving = "m365-idle-60", "m365-e3", "exchange-online", plan.EntraGroup, 35
	if i%3 == 0 {
		r.Rule, r.License, r.To, r.Via, r.MonthlySaving = "citrix-idle-90", "citrix", "", plan.ADGroup, 18
	}
	r.Created = since.Add(-1000 * 24 * time.Hour)
	r.Reason = "AzureAdSistaLogon is earlier than " + AsOf.Add(-60*24*time.Hour).Format(time.DateOnly)
	r.Evidence = []string{"AzureAdSistaLogon = " + since.Format(time.RFC3339), "systemRole = Employee"}
	if m.IntN(12) == 0 {
		r.Reason, r.Evidence = "AzureAdSistaLogon has no value", []string{"AzureAdSistaLogon = no value", "systemRole = Employee"}
	} else {
		r.IdleSince = &since
	}
	return r
}

func (m maker) reasoned(reasons []string) report.Row {
	r := m.change(m.IntN(9))
	r.Evidence, r.MonthlySaving = nil, 0
	r.Reason = m.pick(reasons)
	_, r.Remedy = reason.Of(r.Reason)
	return r
}

func (m maker) undecided(int) report.Row {
	return m.reasoned([]string{"undecided: AzureAdSistaLogon cannot be trusted: the newest sign-in date of anybody is 2026-11-20T02:00:00Z, 9 days before the planning instant: the feed has stalled", "undecided: LastlogonTimestamp is not known: no account in Active Directory", "undecided: exemption is not known: group entra:LIC-Exempt could not be read"})
}

func (m maker) refused(int) report.Row {
	return m.reasoned([]string{"the group entra:LIC-M365-E3 is dynamic: its rule decides who is in it", "the mailbox would be left without a license", "no free seat of exchange-online is left for it, beside the 5 that are kept free; buy some, or free some first"})
}

func (m maker) returned(int) report.Row {
	r := m.reasoned([]string{"active again since the license was taken"})
	r.Status = runs.Done
	return r
}

func (m maker) pending(int) report.Row {
	r := m.reasoned([]string{"begun by run 20261128T020000Z-0f0f0f0f"})
	r.Status, r.Note = runs.Pending, "the directory does not show the change yet"
	return r
}

func counted(n *report.Night) (all []report.ReasonCount) {
	for _, list := range []struct {
		rows    []report.Row
		outcome policy.Outcome
	}{{n.Undecided.Rows, policy.Undecided}, {n.Refused.Rows, policy.Reclaim}} {
		for _, r := range list.rows {
			at := slices.IndexFunc(all, func(c report.ReasonCount) bool {
				return c.Rule == r.Rule && c.Reason == r.Reason && c.Outcome == list.outcome
			})
			if at < 0 {
				at = len(all)
				all = append(all, report.ReasonCount{Rule: r.Rule, Outcome: list.outcome, Reason: r.Reason, Remedy: r.Remedy})
			}
			all[at].People++
		}
	}
	slices.SortStableFunc(all, func(a, b report.ReasonCount) int { return b.People - a.People })
	return all
}

func (m maker) history(n *report.Night, people int) {
	n.Turning.Total = people / 60
	for i := range min(n.Turning.Total, Rows) {
		p := m.person()
		n.Turning.Rows = append(n.Turning.Rows, report.Turn{User: p.User, UserPrincipalName: p.UserPrincipalName, Rule: "m365-idle-60", License: "m365-e3", On: AsOf.Add(time.Duration(1+30*i/Rows) * 24 * time.Hour)})
	}
	n.Earlier.Total = people / 30
	for i := range min(n.Earlier.Total, Rows) {
		p := m.person()
		past := report.Past{User: p.User, UserPrincipalName: p.UserPrincipalName, Rule: "citrix-idle-90", License: "citrix", Run: "20261101T020000Z-77777777", At: AsOf.Add(-time.Duration(1+i/20) * 24 * time.Hour)}
		if m.IntN(40) == 0 {
			past.Returned, past.How = past.At.Add(12*time.Hour), []string{report.ByOperator, report.ByRule, report.ByOtherHand}[i%3]
		}
		n.Earlier.Rows = append(n.Earlier.Rows, past)
	}
	for i := range 30 {
		level := float64(people) / 9 * (1 - 0.3*float64(i)/30)
		n.Trend = append(n.Trend, report.Point{
			Run: fmt.Sprintf("202611%02dT020000Z-00000000", i+1), AsOf: AsOf.Add(time.Duration(i-29) * 24 * time.Hour), Verdict: plan.Apply,
			Idle: int(level * (1 + 0.02*m.NormFloat64())), Undecided: int(float64(people) / 30 * math.Exp(m.NormFloat64()/8)), Done: m.IntN(people/100 + 2), Restored: m.IntN(people/2000 + 2),
		})
	}
}

func (m maker) money(n *report.Night) {
	sums := &n.Money
	sums.AsOf, sums.Currency = AsOf, "USD"
	for i, d := range append(slices.Clone(departments), "", money.Unknown) {
		line := money.Line{License: "m365-e3", Department: d}
		if i < len(departments) {
			line.CostCenter = fmt.Sprint(4000 + i)
		}
		if i%2 == 0 {
			line.Renews = AsOf.Add(90 * 24 * time.Hour)
		}
		f := &line.Figures
		f.Seats = (len(n.Changes.Rows) + i) / (len(departments) + 2)
		f.SeatsFreed = f.Seats * 7 / 3
		f.SeatsNet = f.SeatsFreed - f.SeatsFreed/31
		f.CouldFree, f.Freed, f.FreedNet = money.Cents(3507*f.Seats), money.Cents(3507*f.SeatsFreed), money.Cents(3507*f.SeatsNet)
		f.Returned, f.Saved, f.Waiting, f.Unproven = f.Freed-f.FreedNet, f.FreedNet*7/2, f.FreedNet/5, f.FreedNet/9
		sums.Lines = append(sums.Lines, line)
		sums.Seats, sums.SeatsFreed, sums.SeatsNet = sums.Seats+f.Seats, sums.SeatsFreed+f.SeatsFreed, sums.SeatsNet+f.SeatsNet
		sums.CouldFree, sums.Freed, sums.FreedNet, sums.Returned = sums.CouldFree+f.CouldFree, sums.Freed+f.Freed, sums.FreedNet+f.FreedNet, sums.Returned+f.Returned
		sums.Saved, sums.Waiting, sums.Unproven = sums.Saved+f.Saved, sums.Waiting+f.Waiting, sums.Unproven+f.Unproven
	}
}
