package draft

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
)

func (c *choice) note(told []string, now time.Time) []byte {
	l, p := &lines{}, &c.seen.People
	l.add("# What idleseat init saw on %s", now.Format(time.DateOnly))
	l.add("")
	for _, sentence := range told {
		l.add("- %s", sentence)
	}
	l.add("")
	l.add("## Products")
	l.add("")
	l.add("| product | seats | taken | in the policy |")
	l.add("|---|---|---|---|")
	for _, sku := range c.seen.SKUs {
		l.add("| %s | %d | %d | %s |", cell(sku.PartNumber), sku.Enabled, sku.Consumed, c.use(sku))
	}
	if p.Unread != "" || p.Enabled == 0 {
		return []byte(l.String())
	}
	l.add("")
	l.add("## Attributes of %d enabled people", p.Enabled)
	l.add("")
	l.add("| attribute | filled |")
	l.add("|---|---|")
	l.add("| a sign-in date | %s |", percent(p.SignedIn, p.Enabled))
	for _, field := range descriptive {
		if n := p.Filled[field.Name]; n > 0 {
			l.add("| %s | %s |", field.Name, percent(n, p.Enabled))
		}
	}
	return []byte(l.String())
}

// The function "cell" makes directory text safe in a cell of a Markdown table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", "`", "'", "[", "(", "]", ")").Replace(shown(text))
}

// The method "use" returns the name of the policy's license for a product, or the reason why there is none.
func (c *choice) use(sku directory.SKU) string {
	for _, l := range c.licenses() {
		if l.citrix == "" && l.sku.ID == sku.ID {
			return l.name
		}
	}
	switch {
	case c.seen.Trials[sku.ID]:
		return "no: a trial"
	case free.MatchString(sku.PartNumber):
		return "no: it looks free of charge"
	case sku.Consumed == 0:
		return "no: nobody holds it"
	}
	return "no"
}

func (c *choice) told(w Wishes) (all []string) {
	s, p := c.seen, &c.seen.People
	tell := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	c.tellProducts(tell, w)
	c.tellGroups(tell)
	if p.Unread != "" {
		tell("The people of Entra ID are unread, so nothing is known about their attributes and sign-ins: %s.", shown(p.Unread))
		tell("A plan needs this reading, so no plan can be made before it works.")
	} else {
		c.tellPeople(tell)
	}
	c.tellAD(tell)
	if c.citrix != nil {
		tell("A rule removes Citrix from people without a logon for 90 days. Its license is membership of %s.", shown(c.citrix.citrix))
		if w.Model == "" {
			tell("How seats of Citrix are counted is not known, so none counts as saved. Enter the model.")
		}
	}
	switch users := c.exemptions(w); {
	case len(users) > len(w.Exempt):
		tell("Exempt, because the names look like accounts for an emergency: %s. Check exempt.users.", first(users[len(w.Exempt):]))
	case len(users) == 0 && p.Unread == "":
		tell("No account looks like one for an emergency. If you have one, list it under exempt.users.")
	case len(users) == 0:
		tell("Accounts for an emergency were not looked for. If you have one, list it under exempt.users.")
	}
	if len(c.licenses()) > 0 {
		then := "{remove: true, notice: 14}"
		if c.target != nil {
			then = fmt.Sprintf("{changeTo: %s, notice: 14}", c.target.name)
		}
		tell("The rules take a license without telling the person before. To announce a change 14 days before it is made, write then: %s in the rule.", then)
		tell("With the line notices: {from: MAILBOX} in the policy, the announcement is a mail from that mailbox. Without it, the announcement is in the plan and the ledger alone. idleseat doctor shows the commands that let the application send from this one mailbox.")
	}
	if s.TrialsUnread != "" {
		tell("Which products are only tried is unread: %s.", shown(s.TrialsUnread))
	}
	return all
}

func (c *choice) tellProducts(tell func(string, ...any), w Wishes) {
	switch {
	case c.product == nil:
		tell("Nobody holds a product of Entra ID that costs money, so no rule asks about one.")
	case c.target != nil:
		tell("The rule is about %s: it changes idle seats to %s.", shown(c.product.sku.PartNumber), shown(c.target.sku.PartNumber))
	case c.mailbox:
		tell("The rule is about %s: it removes idle seats. The product may give a mailbox, and the tenant has no Exchange Online (Plan 1) that could keep it. The plan refuses to leave a mailbox without a license. %s", shown(c.product.sku.PartNumber), c.keepers())
	default:
		tell("The rule is about %s, which has most seats taken: it removes idle seats.", shown(c.product.sku.PartNumber))
	}
	if c.product != nil {
		tell("%s", c.why())
	}
	if len(w.Prices) < len(c.licenses()) {
		tell("Licenses without a monthlyPrice show no saving. Enter what you pay.")
	}
}

// The method "keepers" returns a sentence about other products that could keep the mailboxes when c.product is taken.
func (c *choice) keepers() string {
	var others []string
	for _, sku := range c.seen.SKUs {
		if sku.ID != c.product.sku.ID && sku.PlansRead && givesMailbox(sku) && !c.seen.Trials[sku.ID] && !free.MatchString(sku.PartNumber) {
			others = append(others, sku.PartNumber)
		}
	}
	if len(others) == 0 {
		return "Buy Exchange Online (Plan 1) and run init again, or write then: {remove: true, mailbox: lost} where mailboxes may go."
	}
	return fmt.Sprintf("Other products of the tenant with a mailbox: %s. If one of them is enough and cheaper, add it under licenses, and write it as {changeTo: NAME} under then.", first(others))
}

func (c *choice) tellGroups(tell func(string, ...any)) {
	if c.seen.GroupsUnread != "" {
		tell("Groups that give licenses are unread, at least some of them: %s. Add them under licenses; a license that comes from a group which the policy does not name stays.", shown(c.seen.GroupsUnread))
	}
	var hidden []string
	for _, g := range c.seen.Groups {
		if g.Hidden {
			hidden = append(hidden, shown(g.Name))
		}
	}
	if len(hidden) > 0 {
		tell("%s hides its members. Grant Member.Read.Hidden, or nobody is moved into or out of it, and exemptions by it stay undecided.", first(hidden))
	}
	for _, l := range c.licenses() {
		for _, why := range l.left {
			tell("%s: %s.", l.name, why)
		}
	}
}

func (c *choice) tellPeople(tell func(string, ...any)) {
	p := &c.seen.People
	if p.Read >= MostPeople {
		of := "more"
		if p.Total > 0 {
			of = fmt.Sprint(p.Total)
		}
		tell("The first %d accounts of %s were looked at: %d enabled people, %d disabled, %d guests.", p.Read, of, p.Enabled, p.Disabled, p.Guests)
	} else {
		tell("%d accounts were looked at: %d enabled people, %d disabled, %d guests.", p.Read, p.Enabled, p.Disabled, p.Guests)
	}
	if p.Enabled > 0 && p.SignedIn == 0 {
		tell("Nobody has a sign-in date. Then nothing can be decided: the tenant needs Entra ID P1 or P2, and the application AuditLog.Read.All.")
	}
	if domains := sorted(p.Domains); len(domains) > 1 {
		for i, d := range domains {
			domains[i] = fmt.Sprintf("%s (%s)", shown(d), percent(p.Domains[d], p.Enabled))
		}
		tell("People have names in %d domains: %s. The rules ask about all of them. For one domain alone, add && userPrincipalName.endsWith(\"@DOMAIN\") to the for of a rule.", len(domains), first(domains))
	}
}

func (c *choice) tellAD(tell func(string, ...any)) {
	a, p := &c.seen.AD, &c.seen.People
	switch {
	case !a.Configured && p.Synced > 0:
		tell("%s of the enabled people are synced from Active Directory, which is not set up here. Rules about its logons would leave them undecided; set IDLESEAT_AD_URLS and run init again.", percent(p.Synced, p.Enabled))
		return
	case !a.Configured:
		tell("Active Directory is not set up here, so no rule asks about its logons.")
		return
	case a.Unread != "":
		tell("Active Directory is unread: %s.", shown(a.Unread))
	case a.Hidden > 0:
		tell("The account of idleseat may not read the last logon of %d of %d people of Active Directory. They stay undecided.", a.Hidden, a.Read)
	default:
		tell("Active Directory answers: %d people looked at, %s with a logon.", a.Read, percent(a.LogOns, a.Read))
	}
	if a.Unread == "" && a.Read < MostPeople {
		foreign := slices.Sorted(maps.Keys(p.ADDomains))
		foreign = slices.DeleteFunc(foreign, func(sid string) bool { return a.Domains[sid] > 0 })
		if len(foreign) > 0 {
			tell("Synced people come from %d more domains of Active Directory than were read. Name all domains in IDLESEAT_AD_BASE, or these people stay undecided.", len(foreign))
		}
	}
	switch {
	case c.citrix != nil:
	case a.CitrixUnread != "":
		tell("Groups of Citrix were not looked for: %s.", shown(a.CitrixUnread))
	case len(a.Citrix) > 1:
		quoted := make([]string, len(a.Citrix))
		for i, dn := range a.Citrix {
			quoted[i] = shown(dn)
		}
		tell("Several groups have Citrix in their name, so none is in the policy: %s. Name the right one:  idleseat init --force --citrix %s", strings.Join(quoted, "; "), plain.Word(shown(a.Citrix[0])))
	case a.Unread == "":
		tell("No group of Active Directory has Citrix in its name. If a group gives Citrix, name it with --citrix.")
	}
}

// The function "first" joins the first three texts and gives the number of the others.
func first(all []string) string {
	const most = 3
	shownAll := make([]string, 0, most+1)
	for i, text := range all {
		if i == most {
			shownAll = append(shownAll, fmt.Sprintf("%d more", len(all)-most))
			break
		}
		shownAll = append(shownAll, shown(text))
	}
	return strings.Join(shownAll, ", ")
}
