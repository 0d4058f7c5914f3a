package world

import (
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// In some companies, most people with E3 hold Exchange Online, too, and each of the two licenses gives the mailbox
// (Exchange Team Blog, "Introducing Support for Concurrent Exchange Online License Assignments"). One rule removes E3,
// and another rule removes Exchange Online. The product must leave one of them.
const (
	exchange      = "exchange-online"
	partExchange  = "EXCHANGESTANDARD"
	skuExchange   = "4b9405b0-7788-4568-add1-99614e613b69"
	mailboxShare  = 0.2 // share of the companies with two licenses for a mailbox
	exchangeShare = 0.7 // share of the holders of E3 who hold Exchange Online, too
)

// withMailboxes replaces the rule for E3 in the text of a policy by two rules that remove E3 and Exchange Online.
func withMailboxes(text string) string {
	return strings.Replace(text, "then: {changeTo: exchange-online}", "then: remove", 1) + `  - name: exchange-idle
    license: exchange-online
    for: accountEnabled && systemRole == "Employee"
    when: AzureAdSistaLogon.earlierThan(now - days({exchange})) || AzureAdSistaLogon.hasNoValue()
    then: remove
`
}

// The method "doubles" gives Exchange Online to most people who hold E3. Half of them get it from the group, and the
// others directly.
func (w *World) doubles() {
	for i := range w.people {
		d := throw(w.options.Seed, "exchange", i)
		if len(w.box.Company.Truth(i).E3) > 0 && d.chance(exchangeShare) {
			w.givesExchange(i, d)
		}
		w.people[i].wanted[exchange] = w.holdsExchange(i, w.box.Company.Truth(i))
	}
}

// The method "givesExchange" gives Exchange Online to a person by hand.
func (w *World) givesExchange(i int, d dice) {
	if d.chance(0.5) {
		w.box.Company.SetMember(i, groupTarget, true)
	} else {
		w.box.Company.AssignDirectly(i, partExchange)
	}
	w.observe(i)
}

// helpDeskExchange sometimes gives Exchange Online back to a working person.
func (w *World) helpDeskExchange(i int) {
	p := w.box.Company.Truth(i)
	lacks := w.mailboxes && w.people[i].wanted[exchange] && p.EntraID != "" && !w.holdsExchange(i, p) && !w.closed(e3)
	if lacks && w.happens("the help desk gives Exchange Online", i, 0.15) {
		w.givesExchange(i, throw(w.options.Seed, "gives exchange", w.night, i))
	}
}

// losesExchange sometimes takes Exchange Online by hand from a person whose change is planned, before the apply. E3 is
// then the only license for the mailbox, and the product must notice this.
func (w *World) losesExchange(i int) {
	if w.mailboxes && w.holdsExchange(i, w.box.Company.Truth(i)) && w.happens("Exchange Online is taken by hand before the write", i, 0.05) {
		w.box.Company.SetMember(i, groupTarget, false)
		w.box.Company.RemoveDirectly(i, partExchange)
		w.observe(i)
	}
}

// holdsExchange reports whether a person holds Exchange Online. For the group groupTarget, the membership counts, and
// not the license: the product changes the membership, and the license follows later.
func (w *World) holdsExchange(i int, p sandbox.Truth) bool {
	return w.inGroup(i, groupTarget) || slices.ContainsFunc(p.Exchange, func(way sandbox.Way) bool { return way.Group != groupTarget })
}

// stuckExchange reports whether the product cannot take Exchange Online from a person now. The person must keep E3,
// which also gives a mailbox, and must hold Exchange Online in one way only: from the group groupTarget, or directly. A
// person with a direct license also needs a usage location.
func (w *World) stuckExchange(i int, p sandbox.Truth) bool {
	if w.closed(e3) || len(p.E3) == 0 || len(p.Exchange) != 1 {
		return true
	}
	way := p.Exchange[0].Group
	return way == "" && w.people[i].nowhere || way != "" && way != groupTarget
}

// tellExchange does for Exchange Online what the method "tell" does for E3: it tells the judge what has changed.
func (w *World) tellExchange(i int, p sandbox.Truth, at time.Time) {
	if !w.mailboxes {
		return
	}
	h := &w.people[i]
	w.state(judge.Outside, h, h.told.outside, map[string]bool{exchange: w.outsideE3(i, p)}, at)
	w.state(judge.Stuck, h, h.told.stuck, map[string]bool{exchange: w.stuckExchange(i, p)}, at)
	w.holds(h, exchange, w.holdsExchange(i, p), at)
}
