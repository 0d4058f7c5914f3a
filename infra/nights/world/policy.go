package world

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/plan"
)

// The type "rules" is the policy of the company. Administrators edit the policy.
type rules struct {
	named
	file   string
	text   string         // text with placeholders for the edited parts
	users  map[int]string // names of exempt people in the policy, by index of the person; the policy keeps the name after a rename
	idle   map[string]int // days without use, by license
	notice int            // days of notice; 0: removals are not announced
	leaves map[int]*leave // by index of the person
}

// newRules makes the company's policy from a text. It adds onReturn to the rules, so that they restore licenses to
// people who return. If "notice" is not 0, it also adds a notice: the rules announce each change this number of days
// before.
func newRules(file, text string, notice int) *rules {
	r := &rules{
		file: file, users: map[int]string{breakglass: "breakglass@contoso.example"}, leaves: map[int]*leave{}, notice: notice,
		idle:  map[string]int{e3: 60, citrix: 90, exchange: 60, salesforce: appIdle, copilot: appIdle, premium: appIdle},
		named: named{map[string]string{}, map[string]string{}, map[string]int{}},
	}
	r.call(e3, e3, -renameEvery)
	r.call(citrix, citrix, -renameEvery)
	before, leaves, _ := strings.Cut(text, "leave:  [")
	_, after, _ := strings.Cut(leaves, "]")
	text = withNames(before + "leave:  [{leaves}]" + after)
	extra := "onReturn: restore"
	if notice > 0 {
		extra += fmt.Sprintf(", notice: %d", notice)
	}
	r.text = strings.NewReplacer("then: {changeTo: exchange-online}", "then: {changeTo: exchange-online, "+extra+"}",
		"then: remove", "then: {remove: true, "+extra+"}", "[breakglass@contoso.example]", "[{users}]",
		"days(60)", "days({e3})", "LastlogonTimestamp.earlierThan(now - days(90))", "LastlogonTimestamp.earlierThan(now - days({citrix}))").Replace(text)
	return r
}

// The method "publish" writes the current policy to its file, which each run of the product reads.
func (r *rules) publish() {
	text := strings.NewReplacer("{users}", strings.Join(slices.Sorted(maps.Values(r.users)), ", "), "{leaves}", r.lines(),
		"{e3}", fmt.Sprint(r.idle[e3]), "{citrix}", fmt.Sprint(r.idle[citrix]), "{exchange}", fmt.Sprint(r.idle[exchange]),
		"{name "+e3+"}", r.name[e3], "{name "+citrix+"}", r.name[citrix]).Replace(r.text)
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		panic(err) // the disk of the test machine is full
	}
}

// The constant "breakglass" is the person whom the company's policy exempts permanently.
const breakglass = 0

// The method "exempts" reports whether the policy exempts a person at an instant, by name or by a leave. An exemption
// stays in force when the person gets another name.
func (r *rules) exempts(i int, at time.Time) bool {
	l := r.leaves[i]
	return l != nil && at.Before(l.ends) || r.users[i] != ""
}

// The method "judged" returns the rule for a license in the form that package judge needs.
func (r *rules) judged(license string) *judge.Rule {
	grace := 14 * day
	if license == citrix {
		grace = 90 * day
	}
	return &judge.Rule{
		License: license, Idle: time.Duration(r.idle[license]) * day, Grace: grace, NewHolder: 14 * day, EnabledAgain: 14 * day,
		Undated: license == citrix || license == salesforce, // the license is membership in a group, which has no date
		Notice:  time.Duration(r.notice) * day, Limit: 0.1,  // stopAbove in the company's own policy: 10 percent
		Mailbox: license == e3 || license == exchange,
	}
}

// The method "span" changes the rule for a license: from now on, the rule takes the license after this number of days
// without use.
func (w *World) span(license string, days int) {
	w.policy.idle[license] = days
	w.policy.publish()
	w.hear(judge.Event{What: judge.Ruled, At: w.clock.Now(), Rule: w.policy.judged(license)})
}

// The method "correct" replaces names in the policy by the current names of the people, as administrators do after some
// nights on hold. A plan is on hold if the policy has a name that no run has ever read. This happens when a person is
// renamed before any run reads the name.
func (w *World) correct(p plan.Plan) {
	never := func(reason string) bool { return strings.Contains(reason, "have never been anybody's") }
	if w.held < patient || !slices.ContainsFunc(p.HoldReasons, never) || !w.happens("an administrator corrects a name", -1, 1) {
		return
	}
	for i, l := range w.policy.leaves {
		if upn := w.upn(i); upn != "" {
			l.name = upn
		}
	}
	for i := range w.policy.users {
		if upn := w.upn(i); upn != "" {
			w.policy.users[i] = upn
		}
	}
	w.policy.publish()
}

// The method "except" starts or ends an exemption by name, as an administrator does on request. If the person's two
// accounts no longer belong together, the exemption covers only the account with the name.
func (w *World) except(i int, exempt bool) {
	upn := w.upn(i)
	switch {
	case exempt == (w.policy.users[i] != ""), exempt && upn == "":
		return
	case exempt:
		w.policy.users[i] = upn
	default:
		delete(w.policy.users, i)
	}
	w.policy.publish()
	w.observe(i)
}
