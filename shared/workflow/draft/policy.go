package draft

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
)

type lines struct{ strings.Builder }

func (l *lines) add(format string, args ...any) { fmt.Fprintf(l, format+"\n", args...) }

// The function "shown" returns directory text as one line of at most 100 characters, so that a line break in the text
// cannot end a comment or a line of the note.
func shown(text string) string {
	const most = 100
	text = strings.Join(strings.Fields(plain.Line(text)), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return text
}

// The expression "bare" matches texts that YAML reads unchanged without quotes.
var bare = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9._@-]*[A-Za-z0-9]|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// yamlWords are words that some version of YAML reads as another type than text (yaml.org/type/bool.html, null.html).
var yamlWords = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"}

// The function "scalar" returns a text as a YAML scalar. A text that needs quotes becomes a JSON string, because JSON
// strings are YAML scalars (YAML 1.2.2, 1.3). The function also escapes the runes that YAML forbids or reads as line
// breaks.
func scalar(text string) string {
	if bare.MatchString(text) && !slices.Contains(yamlWords, strings.ToLower(text)) {
		return text
	}
	quoted, _ := json.Marshal(text) // Marshal of a string cannot fail
	var b strings.Builder
	for _, r := range string(quoted) {
		switch {
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	return b.String()
}

func (c *choice) policy(w Wishes, file string, now time.Time) []byte {
	l := &lines{}
	l.add("# The first policy of this tenant, written by idleseat init on %s from what the tenant has.", now.Format(time.DateOnly))
	l.add("# Nothing is written to a directory while the mode is audit. Check the file after each edit:")
	l.add("#   idleseat policy check %s", plain.Word(file))
	l.add("#   idleseat policy test %s", plain.Word(file))
	l.add("tenant: %s", scalar(c.seen.Tenant))
	l.add("mode: audit                # audit: plans only; review: after approval; enforce: the schedule applies its plans")
	if w.Currency != "" {
		l.add("currency: %s", scalar(w.Currency))
	}
	l.add("")
	c.licensesText(l, w)
	l.add("")
	if !c.seen.AD.Configured && c.citrix == nil {
		l.add("# Active Directory is not set up, so nothing is asked of it. Leave this out when it is.")
		l.add("attributes: {created: entra.created}")
		l.add("")
	}
	l.add("# Days for which a rule leaves a person alone: after the creation of an account that was never used, after the")
	l.add("# license was given, and after the account was enabled again.")
	l.add("grace: {neverSignedIn: 14, newHolder: 14, enabledAgain: 14}")
	l.add("")
	c.exemptText(l, w)
	l.add("")
	l.add("# A rule that matches more holders than either number of stopAbove puts the whole run on hold. The first plan of a")
	l.add("# tenant usually matches more than 10 %%. Look at the plan first. Raise the percentage when the people in it are")
	l.add("# the right ones. A small perRun is good for the first weeks.")
	l.add("limits: {stopAbove: {percent: 10, count: 500}, perRun: 20}")
	l.add("")
	c.rulesText(l)
	return []byte(l.String())
}

func (c *choice) licensesText(l *lines, w Wishes) {
	l.add("licenses:")
	for _, one := range c.licenses() {
		price, priced := w.Prices[one.name]
		if one.citrix != "" {
			l.add("  %s:", one.name)
			l.add("    group: {ad: %s}", scalar(one.citrix))
			if w.Model != "" {
				l.add("    model: %s", scalar(w.Model))
			} else {
				l.add("    # model: user           # write it if a person who leaves the group frees a seat; also device, concurrent")
			}
		} else {
			l.add("  %s: # %d seats, %d of them taken", one.name, one.sku.Enabled, one.sku.Consumed)
			name := ""
			if one.ref != one.sku.PartNumber {
				name = " # " + shown(one.sku.PartNumber)
			}
			l.add("    sku: %s%s", scalar(one.ref), name)
			groupsText(l, one.groups)
		}
		for _, why := range one.left {
			l.add("    # %s", why)
		}
		if priced {
			l.add("    monthlyPrice: %s", strconv.FormatFloat(price, 'f', -1, 64))
		} else {
			l.add("    # monthlyPrice: 0       # what a seat costs in a month; without it the plan tells no saving")
		}
	}
}

func groupsText(l *lines, groups []directory.Group) {
	switch len(groups) {
	case 0:
	case 1:
		l.add("    group: {entra: %s} # %s", scalar(groups[0].ID), shown(groups[0].Name))
	default:
		l.add("    groups:               # a change to this license joins the first one")
		for _, g := range groups {
			l.add("      - {entra: %s} # %s", scalar(g.ID), shown(g.Name))
		}
	}
}

// The method "exemptions" returns the people from whom no rule takes a license, without duplicates.
func (c *choice) exemptions(w Wishes) (all []string) {
	all = slices.Clone(w.Exempt) // policy.Load checks these names
	for _, user := range c.seen.People.Emergency {
		same := func(other string) bool { return strings.EqualFold(user, other) }
		if !strings.ContainsAny(user, `*?\`) && strings.TrimSpace(user) == user && !slices.ContainsFunc(all, same) {
			all = append(all, user)
		}
	}
	return all
}

func (c *choice) exemptText(l *lines, w Wishes) {
	l.add("# People from whom no rule takes a license. List the accounts that are kept for an emergency, because nobody signs")
	l.add("# in with them. People who are away for months can be listed under leave, each until a day.")
	l.add("exempt:")
	if users := c.exemptions(w); len(users) == 0 {
		l.add("  # users: [breakglass@contoso.example]")
	} else {
		l.add("  users:")
		for _, user := range users {
			l.add("    - %s", scalar(user))
		}
	}
	l.add("  # groups: [{entra: LIC-Exempt}]        # everybody in it, through nested groups, too")
	l.add(`  when: userType == "Guest"`)
}

func (l *license) ruleName() string {
	if l.citrix != "" {
		return "citrix-idle-90"
	}
	return l.name + "-idle-60"
}

func (c *choice) rulesText(l *lines) {
	l.add("rules:")
	if c.product != nil {
		l.add("  - name: %s", c.product.ruleName())
		l.add("    license: %s", c.product.name)
		asked := "accountEnabled"
		if c.role != "" {
			asked += ` && systemRole == "` + c.role + `"`
		}
		l.add("    # %s", c.why())
		l.add("    for: %s", asked)
		l.add("    when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()")
		switch {
		case c.target != nil:
			l.add("    then: {changeTo: %s}", c.target.name)
		case c.mailbox:
			l.add("    # The plan refuses to leave a mailbox without a license. A product like Exchange Online (Plan 1) could keep it.")
			fallthrough
		default:
			l.add("    then: remove")
		}
	}
	if c.citrix != nil {
		l.add("  - name: %s", c.citrix.ruleName())
		l.add("    license: %s", c.citrix.name)
		l.add("    when: |")
		l.add("      LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90))")
		l.add("                                    : created.value() <= now - days(90)")
		l.add("    then: remove")
	}
}

// The method "why" returns a sentence that explains which people the rule asks.
func (c *choice) why() string {
	p := &c.seen.People
	switch {
	case p.Unread != "":
		return "Which attributes are filled is unread, so the rule asks accountEnabled only."
	case p.Enabled == 0:
		return "No enabled person was seen, so the rule asks accountEnabled only."
	case c.role != "":
		return fmt.Sprintf("systemRole is employeeType, which %s of the enabled people have; most are %s.", percent(p.Filled["employeeType"], p.Enabled), c.role)
	case float64(p.Filled["employeeType"]) < mostlyFilled*float64(p.Enabled):
		return fmt.Sprintf("employeeType is empty for %s, so the rule asks accountEnabled only.", percent(p.Enabled-p.Filled["employeeType"], p.Enabled))
	}
	return "employeeType has many different values, so the rule asks accountEnabled only."
}

// The function "percent" returns a share as text. The text is 0 % or 100 % only if the share is exactly 0 or 1.
func percent(part, all int) string {
	switch share := 100 * float64(part) / float64(max(all, 1)); {
	case part > 0 && share < 1:
		return "less than 1 %"
	case part < all && share > 99:
		return "more than 99 %"
	default:
		return fmt.Sprintf("%.0f %%", share)
	}
}
