package world

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
)

// rules is the policy as the administrators of the company edit it.
type rules struct {
	file   string
	text   string // with places for what is edited
	users  []string
	idle   map[string]int // days, by license
	notice int            // days; 0: removals are not announced
	leave  time.Time      // the end of Anna's
}

// newRules edits the company's own policy: what is taken from people who come back is
// given back.
func newRules(file, text string, notice int) *rules {
	r := &rules{file: file, users: []string{"breakglass@contoso.example"}, idle: map[string]int{e3: 60, citrix: 90}, notice: notice}
	_, until, _ := strings.Cut(text, "until: ")
	r.leave, _ = time.Parse(time.DateOnly, until[:len(time.DateOnly)])
	extra := "onReturn: restore"
	if notice > 0 {
		extra += fmt.Sprintf(", notice: %d", notice)
	}
	r.text = strings.NewReplacer("then: {changeTo: exchange-online}", "then: {changeTo: exchange-online, "+extra+"}",
		"then: remove", "then: {remove: true, "+extra+"}", "[breakglass@contoso.example]", "[{users}]",
		"days(60)", "days({e3})", "LastlogonTimestamp.earlierThan(now - days(90))", "LastlogonTimestamp.earlierThan(now - days({citrix}))").Replace(text)
	return r
}

// publish puts the policy into force as it now is.
func (r *rules) publish() {
	text := strings.NewReplacer("{users}", strings.Join(r.users, ", "),
		"{e3}", fmt.Sprint(r.idle[e3]), "{citrix}", fmt.Sprint(r.idle[citrix])).Replace(r.text)
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		panic(err) // the machine of the test has no room: nothing can be learnt here
	}
}

// anna is on leave until a day that the company's own policy names.
const anna = "anna@contoso.example"

// exempts tells whether the policy exempts somebody by name on a day.
func (r *rules) exempts(upn string, at time.Time) bool {
	return upn != "" && (upn == anna && at.Before(r.leave) || slices.Contains(r.users, upn))
}

// judged is a rule as the judge has it.
func (r *rules) judged(license string) *judge.Rule {
	grace := 14 * day
	if license == citrix {
		grace = 90 * day
	}
	return &judge.Rule{
		License: license, Idle: time.Duration(r.idle[license]) * day, Grace: grace, NewHolder: 14 * day, EnabledAgain: 14 * day,
		Notice: time.Duration(r.notice) * day,
	}
}

// span edits the span of a rule.
func (w *World) span(license string, days int) {
	w.policy.idle[license] = days
	w.policy.publish()
	w.hear(judge.Event{What: judge.Ruled, At: w.clock.Now(), Rule: w.policy.judged(license)})
}

// except exempts somebody by name, as an administrator does on request, or no longer.
func (w *World) except(i int, exempt bool) {
	upn := w.upn(i)
	if upn == "" || slices.Contains(w.policy.users, upn) == exempt {
		return
	}
	if exempt {
		w.policy.users = append(w.policy.users, upn)
	} else {
		w.policy.users = slices.DeleteFunc(w.policy.users, func(u string) bool { return u == upn })
	}
	w.policy.publish()
	w.observe(i)
}
