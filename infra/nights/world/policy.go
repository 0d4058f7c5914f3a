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
	file   string
	text   string         // text with placeholders for the edited parts
	users  map[int]string // names of exempt people in the policy, by index of the person; a person may have another name now
	idle   map[string]int // days without use, by license
	notice int            // days of notice; 0: removals are not announced
	anna   string         // Anna's name as written in the policy
	leave  time.Time      // end of Anna's leave
}

// newRules returns the company's policy with an addition: the rules also restore licenses to people who return. If the
// parameter "notice" is not 0, the rules also announce each removal, this number of days before the removal.
func newRules(file, text string, notice int) *rules {
	r := &rules{file: file, anna: "anna@contoso.example", users: map[int]string{breakglass: "breakglass@contoso.example"}, idle: map[string]int{e3: 60, citrix: 90, salesforce: appIdle, copilot: appIdle, premium: appIdle}, notice: notice}
	_, until, _ := strings.Cut(text, "until: ")
	r.leave, _ = time.Parse(time.DateOnly, until[:len(time.DateOnly)])
	extra := "onReturn: restore"
	if notice > 0 {
		extra += fmt.Sprintf(", notice: %d", notice)
	}
	r.text = strings.NewReplacer("then: {changeTo: exchange-online}", "then: {changeTo: exchange-online, "+extra+"}",
		"anna@contoso.example", "{anna}", "then: remove", "then: {remove: true, "+extra+"}", "[breakglass@contoso.example]", "[{users}]",
		"days(60)", "days({e3})", "LastlogonTimestamp.earlierThan(now - days(90))", "LastlogonTimestamp.earlierThan(now - days({citrix}))").Replace(text)
	return r
}

// The method "publish" writes the current policy to its file, which each run of the product reads.
func (r *rules) publish() {
	text := strings.NewReplacer("{users}", strings.Join(slices.Sorted(maps.Values(r.users)), ", "), "{anna}", r.anna,
		"{e3}", fmt.Sprint(r.idle[e3]), "{citrix}", fmt.Sprint(r.idle[citrix])).Replace(r.text)
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		panic(err) // the disk of the test machine is full
	}
}

// The people whom the company's policy exempts: breakglass permanently, and anna until the end of her leave.
const (
	breakglass = 0
	anna       = 1
)

// The method "exempts" reports whether the policy exempts a person by name at an instant. An exemption stays in force
// when the person gets another name.
func (r *rules) exempts(i int, at time.Time) bool {
	return i == anna && at.Before(r.leave) || r.users[i] != ""
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
	}
}

// The method "span" sets the number of days without use after which the rule takes a license.
func (w *World) span(license string, days int) {
	w.policy.idle[license] = days
	w.policy.publish()
	w.hear(judge.Event{What: judge.Ruled, At: w.clock.Now(), Rule: w.policy.judged(license)})
}

// The method "correct" replaces names in the policy by the current names of the people, as administrators do after some
// nights on hold. A plan is on hold if a name in the policy has never been the name of a person in a run. The cause is
// that the person was renamed before any run read the name.
func (w *World) correct(p plan.Plan) {
	never := func(reason string) bool { return strings.Contains(reason, "have never been anybody's") }
	if w.held < patient || !slices.ContainsFunc(p.HoldReasons, never) || !w.happens("an administrator corrects a name", -1, 1) {
		return
	}
	if upn := w.upn(anna); upn != "" {
		w.policy.anna = upn
	}
	for i := range w.policy.users {
		if upn := w.upn(i); upn != "" {
			w.policy.users[i] = upn
		}
	}
	w.policy.publish()
}

// The method "except" starts or ends an exemption by name, as an administrator does on request. The exemption covers
// only the account with the name if the person's accounts no longer belong together.
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
