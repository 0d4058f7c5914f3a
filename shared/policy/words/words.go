// Package words explains a policy in plain English or Swedish. The words come from the compiled policy and from the
// syntax trees of its conditions. A part without words is quoted as code, so that the text omits and simplifies
// nothing.
package words

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Text is a policy in words. Each string is one or more sentences.
type Text struct {
	Language Language `json:"language"`
	Purpose  []string `json:"purpose"` // the tenant, and what a run may do with its plan
	Licenses []Part   `json:"licenses"`
	Rules    []Part   `json:"rules"` // in the order of the file
	LeftOut  []string `json:"leftOut"`
	Grace    []string `json:"grace"`
	Limits   []string `json:"limits"`
	Notes    []string `json:"notes"` // notes about every condition
}

// Named replaces names in the text, such as the object id of a group by its displayName.
func (t *Text) Named(names map[string]string) {
	var pairs []string
	for from, to := range names {
		pairs = append(pairs, from, to)
	}
	r := strings.NewReplacer(pairs...)
	lists := [][]string{t.Purpose, t.LeftOut, t.Grace, t.Limits, t.Notes}
	for _, p := range slices.Concat(t.Licenses, t.Rules) {
		lists = append(lists, p.Lines)
	}
	for _, list := range lists {
		for i := range list {
			list[i] = r.Replace(list[i])
		}
	}
}

// Part has the sentences about one license or one rule.
type Part struct {
	Name  string   `json:"name"`
	Lines []string `json:"lines"`
}

// ruleWords has the sentences about a rule. Most fields are format strings. The comment beside a field names the values
// of its format, in order.
type ruleWords struct {
	take   string // a license, a condition
	change string // a license, another license, a condition
	asks   string // a condition
	notice string // a span
	back   string // a license
	listed string
	mail   string
}

// policyWords has the sentences about a policy. Most fields are format strings. The comment beside a field names the
// values of its format, in order.
type policyWords struct {
	tenant             string
	modes              map[policy.Mode]string
	product, member    string // the meaning of a license: a product, or a group and a directory
	byGroup            string // a group and a directory
	price              string // an amount and a currency
	renewsOn           string // a day, a month and a year
	renewsYearly       string // a day and a month
	renewsMonthly      string
	keepSeats          string
	quota, needs       string
	models             map[policy.Model]string
	anchor             string
	user, group, leave string // a person; a group and a directory; a person, and the end of the leave
	reason             string // a leave, and its reason
	when               string // a condition
	endOf              string // a day, a month and a year
	allKinds, onlyKind string
	kinds              map[string]string
	neverUsed, holder  string // grace: a span, also for enabledAgain
	enabledAgain       string
	afterLeave         string
	stop               string // a percentage, a count
	everyone, perRun   string
	called             string // a title
	from, copied       string // notices: an address for from, and no value for copied
	fallback, ownText  string // a language; a language, a subject and a text
	notes              []string
}

// Rule returns the words for a rule. A line has one or more sentences.
func Rule(l Language, p *policy.Policy, r *policy.Rule) ([]string, error) {
	t := l.tongue()
	when, err := Condition(l, p, r.WhenSource)
	if err != nil {
		return nil, fmt.Errorf("rule %s, when: %w", r.Name, err)
	}
	lines := []string{fmt.Sprintf(t.rule.take, r.License.Name, when)}
	if r.ChangeTo != nil {
		lines = []string{fmt.Sprintf(t.rule.change, r.License.Name, r.ChangeTo.Name, when)}
	}
	if r.ForSource != "" {
		asked, err := Condition(l, p, r.ForSource)
		if err != nil {
			return nil, fmt.Errorf("rule %s, for: %w", r.Name, err)
		}
		lines = append(lines, fmt.Sprintf(t.rule.asks, asked))
	}
	if r.Notice > 0 {
		lines = append(lines, fmt.Sprintf(t.rule.notice, t.nDays(r.Notice)))
	}
	if r.MailboxLost {
		lines = append(lines, t.rule.mail)
	}
	if r.Restore {
		return append(lines, fmt.Sprintf(t.rule.back, r.License.Name)), nil
	}
	return append(lines, t.rule.listed), nil
}

// Policy returns the words for a whole policy. It omits a leave of absence that ended at the time "now" or before.
func Policy(l Language, p *policy.Policy, now time.Time) (*Text, error) {
	t := l.tongue()
	text := &Text{
		Language: l, Purpose: []string{fmt.Sprintf(t.whole.tenant, p.Tenant), t.whole.modes[p.Mode]},
		Grace: t.graceOf(p), Limits: t.limitsOf(p.Limits), Notes: slices.Clone(t.whole.notes),
	}
	for _, license := range p.Licenses {
		text.Licenses = append(text.Licenses, Part{license.Name, t.licenseOf(license, p.Currency)})
	}
	for _, r := range p.Rules {
		lines, err := Rule(l, p, r)
		if err != nil {
			return nil, err
		}
		text.Rules = append(text.Rules, Part{r.Name, lines})
	}
	text.Notes = append(text.Notes, t.noticesOf(p.Notices)...)
	var err error
	text.LeftOut, err = leftOut(l, p, now)
	if anchor := string(p.Anchor); anchor != "" {
		text.Notes = append(text.Notes, fmt.Sprintf(t.whole.anchor, anchor))
	}
	return text, err
}

func (t *tongue) nDays(n int) string { return counted(t.days, strconv.Itoa(n)) }

func (t *tongue) group(form string, ref directory.GroupRef) string {
	return fmt.Sprintf(form, fmt.Sprintf(t.quote, ref.Name), t.directories[ref.Source.String()])
}

func (t *tongue) licenseOf(l *policy.License, currency string) (lines []string) {
	if l.SKU == "" {
		lines = append(lines, t.group(t.whole.member, *l.Group))
	} else {
		lines = append(lines, fmt.Sprintf(t.whole.product, l.SKU))
		for _, ref := range l.Groups() {
			lines = append(lines, t.group(t.whole.byGroup, ref))
		}
	}
	if l.Title != "" {
		lines = append(lines, fmt.Sprintf(t.whole.called, l.Title))
	}
	if l.MonthlyPrice > 0 {
		lines = append(lines, fmt.Sprintf(t.whole.price, number(l.MonthlyPrice), currency))
	}
	if l.Renews != nil {
		lines = append(lines, t.renewal(l.Renews))
	}
	if l.KeepSeats > 0 {
		lines = append(lines, fmt.Sprintf(t.whole.keepSeats, strconv.Itoa(l.KeepSeats)))
	}
	if l.MailboxQuota > 0 {
		lines = append(lines, fmt.Sprintf(t.whole.quota, number(l.MailboxQuota)))
	}
	if len(l.Needs) > 0 {
		lines = append(lines, fmt.Sprintf(t.whole.needs, strings.Join(l.Needs, ", ")))
	}
	if l.SKU == "" {
		lines = append(lines, t.whole.models[l.Model])
	}
	return lines
}

func (t *tongue) renewal(r *policy.Renewal) string {
	switch {
	case !r.Date.IsZero():
		return fmt.Sprintf(t.whole.renewsOn, r.Date.Day(), t.months[r.Date.Month()-1], r.Date.Year())
	case r.Month != 0:
		return fmt.Sprintf(t.whole.renewsYearly, r.Day, t.months[r.Month-1])
	}
	return t.whole.renewsMonthly
}

func (t *tongue) noticesOf(n *policy.Notices) (lines []string) {
	if n == nil {
		return nil
	}
	lines = append(lines, fmt.Sprintf(t.whole.from, n.From))
	if n.Manager {
		lines = append(lines, t.whole.copied)
	}
	lines = append(lines, fmt.Sprintf(t.whole.fallback, n.Texts.Language))
	for _, tag := range slices.Sorted(maps.Keys(n.Texts.Own)) {
		own := n.Texts.Own[tag]
		lines = append(lines, fmt.Sprintf(t.whole.ownText, tag, own.Subject.Source, own.Body.Source))
	}
	return lines
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func leftOut(l Language, p *policy.Policy, now time.Time) (lines []string, err error) {
	t := l.tongue()
	for _, user := range p.Exempt.Users {
		lines = append(lines, fmt.Sprintf(t.whole.user, user))
	}
	for _, leave := range p.Exempt.Leave {
		if !now.Before(leave.Until) {
			continue
		}
		text := fmt.Sprintf(t.whole.leave, leave.User, t.until(leave.Until))
		if leave.Reason != "" {
			text = fmt.Sprintf(t.whole.reason, text, leave.Reason)
		}
		lines = append(lines, text)
	}
	for _, ref := range p.Exempt.Groups {
		lines = append(lines, t.group(t.whole.group, ref))
	}
	if p.Exempt.When != "" {
		condition, err := Exemption(l, p, p.Exempt.When)
		if err != nil {
			return nil, fmt.Errorf("exempt.when: %w", err)
		}
		lines = append(lines, fmt.Sprintf(t.whole.when, condition))
	}
	var kinds []string
	for _, kind := range directory.AccountKinds {
		if !slices.Contains(p.Kinds, kind) {
			kinds = append(kinds, t.whole.kinds[kind])
		}
	}
	if len(kinds) == 0 {
		return append(lines, t.whole.allKinds), nil
	}
	s := &speaker{tongue: t}
	return append(lines, fmt.Sprintf(t.whole.onlyKind, s.list(kinds, t.both))), nil
}

func (t *tongue) until(end time.Time) string {
	end = end.UTC()
	if !end.Equal(end.Truncate(24 * time.Hour)) {
		return t.clock(end)
	}
	last := end.AddDate(0, 0, -1)
	return fmt.Sprintf(t.whole.endOf, last.Day(), t.months[last.Month()-1], last.Year())
}

func (t *tongue) graceOf(p *policy.Policy) (lines []string) {
	g := p.Grace
	for _, one := range []struct {
		form string
		days int
	}{{t.whole.neverUsed, g.NeverSignedIn}, {t.whole.holder, g.NewHolder}, {t.whole.enabledAgain, g.EnabledAgain}} {
		if one.days > 0 {
			lines = append(lines, fmt.Sprintf(one.form, t.nDays(one.days)))
		}
	}
	if len(p.Exempt.Leave) > 0 {
		lines = append(lines, t.whole.afterLeave)
	}
	return lines
}

func (t *tongue) limitsOf(l policy.Limits) []string {
	return []string{
		fmt.Sprintf(t.whole.stop, number(l.StopAbovePercent), strconv.Itoa(l.StopAboveCount)), t.whole.everyone,
		fmt.Sprintf(t.whole.perRun, strconv.Itoa(l.PerRun)),
	}
}

// Sentence returns a clause as a sentence, with a capital and a full stop.
func Sentence(clause string) string {
	first, size := utf8.DecodeRuneInString(clause)
	if size == 0 {
		return clause
	}
	return string(unicode.ToUpper(first)) + clause[size:] + "."
}

// String returns the text with headings. A line break inside a text becomes a space.
func (t *Text) String() string {
	heads := t.Language.tongue().heads
	var b strings.Builder
	list := func(head string, lines []string) {
		if len(lines) == 0 {
			return
		}
		b.WriteString(head + "\n")
		for _, line := range lines {
			b.WriteString("  " + strings.ReplaceAll(line, "\n", " ") + "\n")
		}
	}
	b.WriteString(strings.Join(t.Purpose, "\n") + "\n")
	for _, section := range []struct {
		head  string
		parts []Part
	}{{heads.licenses, t.Licenses}, {heads.rules, t.Rules}} {
		b.WriteString("\n" + section.head + "\n")
		for _, part := range section.parts {
			list("  "+part.Name, indented(part.Lines))
		}
	}
	for _, section := range []struct {
		head  string
		lines []string
	}{{heads.leftOut, t.LeftOut}, {heads.grace, t.Grace}, {heads.limits, t.Limits}, {heads.notes, t.Notes}} {
		list("\n"+section.head, section.lines)
	}
	return b.String()
}

func indented(lines []string) []string {
	in := make([]string, len(lines))
	for i, line := range lines {
		in[i] = "  " + line
	}
	return in
}
