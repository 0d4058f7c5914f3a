package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// The type "attribute" is a name that conditions may use. Its value is the value of one field, the newest date of
// several fields, or the membership of the person in a group.
type attribute struct {
	name    string
	source  string // the mapping, as the policy writes it
	kind    directory.Kind
	fields  []*directory.Field
	group   *MemberQuery
	unknown *types.Unknown // CEL's value for an attribute that was not read
	as      readAs
}

// defaultMapping lists the attributes that every policy has unless the policy maps these names itself.
var defaultMapping = [][2]string{
	{"AzureAdSistaLogon", "entra.lastActivity"},
	{"LastlogonTimestamp", "ad.lastLogonTimestamp"},
	{"created", "newest(entra.created, ad.created)"},
	{"systemRole", "entra.employeeType"},
}

// builtinAttributes returns the attributes that a policy has without a mapping of its own. The result "mapped" has only
// those of the default mapping.
func builtinAttributes() (all map[string]*attribute, mapped []*attribute) {
	all = map[string]*attribute{}
	for _, name := range directory.FieldNames() {
		f, _ := directory.FieldNamed(name)
		if bare, entra := strings.CutPrefix(name, "entra."); entra && f.Kind != directory.Date {
			all[bare] = fieldAttribute(bare, name, f)
		}
	}
	kind, _ := directory.FieldNamed("kind")
	all["kind"] = fieldAttribute("kind", "kind", kind)
	for _, d := range defaultMapping {
		a, _ := parseMapping(d[0], d[1])
		all[a.name] = a
		mapped = append(mapped, a)
	}
	return all, mapped
}

func fieldAttribute(name, source string, fields ...*directory.Field) *attribute {
	return &attribute{name: name, source: source, kind: fields[0].Kind, fields: fields}
}

func groupAttribute(name string, q MemberQuery) *attribute {
	return &attribute{name: name, source: "memberOf " + q.Ref.String(), kind: directory.Bool, group: &q}
}

// parseMapping parses a field name or newest(field, field, …). It returns a fault for the author if the text is
// neither.
func parseMapping(name, source string) (a *attribute, fault string) {
	inner, isNewest := strings.CutPrefix(source, "newest(")
	if !isNewest {
		f, ok := directory.FieldNamed(source)
		if !ok {
			return nil, unknownField(source, "")
		}
		return fieldAttribute(name, source, f), ""
	}
	inner, closed := strings.CutSuffix(inner, ")")
	if !closed {
		return nil, "newest( lacks its closing parenthesis; write newest(entra.created, ad.created)"
	}
	var fields []*directory.Field
	for part := range strings.SplitSeq(inner, ",") {
		part = strings.TrimSpace(part)
		f, ok := directory.FieldNamed(part)
		switch {
		case !ok:
			return nil, unknownField(part, " in newest")
		case f.Kind != directory.Date:
			return nil, "newest takes dates, and " + part + " is none"
		}
		fields = append(fields, f)
	}
	return fieldAttribute(name, source, fields...), ""
}

func unknownField(name, where string) string {
	return fmt.Sprintf("unknown field %q%s%s", name, where, cmp.Or(didYouMean(name, directory.FieldNames()), "; a field begins with entra., ad., m365. or copilot., like entra.department; docs/policy.md lists them all"))
}

func (a *attribute) of(p *directory.Person) directory.Value {
	v := a.found(p)
	if a.as != plainly {
		return a.asRead(p, v)
	}
	return v
}

func (a *attribute) found(p *directory.Person) directory.Value {
	switch {
	case a.group != nil:
		flag := a.group.has(p)
		if flag == directory.Unset {
			return directory.Value{}
		}
		return directory.Value{State: directory.Known, Bool: flag == directory.Yes}
	case len(a.fields) == 1:
		return a.fields[0].Of(p)
	}
	return newest(a.fields, p)
}

// The function "newest" returns the latest of several dates. It skips accounts that do not exist. The result is Unknown
// if one of the dates is unknown, because that date may be the latest.
func newest(fields []*directory.Field, p *directory.Person) directory.Value {
	var found directory.Value
	for _, f := range fields {
		if absent(p, f.Source) {
			continue
		}
		v := f.Of(p)
		if v.State == directory.Unknown {
			return v
		}
		found = later(found, v)
	}
	return found
}

// The function "later" returns the later of two dates. For example, one date is April 3, and the other is "none since
// May 25": there is no date after May 25, and an earlier one is possible. The later of the two is between April 3 and
// May 25. The function then returns the end of this span, May 25, as a known date.
func later(a, b directory.Value) directory.Value {
	through := a.Through
	if through.IsZero() || !b.Through.IsZero() && b.Through.Before(through) {
		through = b.Through
	}
	switch {
	case a.State == directory.Unknown: // a has no date yet
		return b
	case a.State == directory.None, b.State != directory.None && b.Time.After(a.Time):
		a, b = b, a
	}
	if b.State == directory.Known { // then a is a date, too, or NoneSince
		a.State = directory.Known
	}
	a.Through = through
	return a
}

// The method "activity" reports whether all dates of the attribute are signs of use.
func (a *attribute) activity() bool {
	return a.group == nil && !slices.ContainsFunc(a.fields, func(f *directory.Field) bool {
		return f.Meaning != directory.Activity
	})
}

func (a *attribute) signals() (list []directory.Signal) {
	for _, f := range a.fields {
		if s, dated := f.Signal(); dated && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// ofLicense reports whether the attribute describes the license of the rule that is being evaluated.
func (a *attribute) ofLicense() bool {
	return slices.ContainsFunc(a.fields, (*directory.Field).OfLicense)
}

// The method "bounded" reports whether a date of the attribute comes from a usage report. Such a date is days late and
// has a horizon. So a condition may test it, for example with earlierThan, but must not read its value.
func (a *attribute) bounded() bool {
	return slices.ContainsFunc(a.signals(), directory.Signal.Reported)
}

func (a *attribute) celType() *cel.Type {
	switch a.kind {
	case directory.Date:
		return optionalDate
	case directory.Bool:
		return cel.BoolType
	}
	return cel.StringType
}

// celValue returns the value for CEL. Text is folded, so that comparisons ignore case. A date from a usage report is
// unknown to CEL.
func (a *attribute) celValue(p *directory.Person) ref.Val {
	v := a.of(p)
	switch {
	// The time of a NoneSince is not a date of use. Such a value always has a Through, so the last condition would be
	// enough. NoneSince is named all the same, to be safe if it ever lacks a Through.
	case v.State == directory.Unknown, v.State == directory.NoneSince, !v.Through.IsZero():
		return a.unknown // the type dateTest evaluates the dates of reports
	case a.kind == directory.Text:
		return types.String(fold(v.Text))
	case a.kind == directory.Bool:
		return types.Bool(v.Bool)
	case v.State == directory.None:
		return types.OptionalNone
	}
	return types.OptionalOf(types.Timestamp{Time: v.Time})
}

// Evidence is one value on which a verdict rests.
type Evidence struct {
	Attribute string `json:"attribute"`
	Field     string `json:"field"` // the origin of the value, as the policy writes it
	Value     string `json:"value"` // a time in UTC, a text, true, false, "no value", "none since" and a day, "no account" or "not read"
	// Note tells the age and the span of the usage report from which the value comes. It is empty for other values.
	Note string `json:"note,omitempty"`
}

const notRead = "not read"

func (a *attribute) evidence(p *directory.Person) Evidence {
	value := show(a.kind, a.of(p))
	if value == notRead && a.noAccount(p) {
		value = "no account"
	}
	return Evidence{Attribute: a.name, Field: a.source, Value: value, Note: a.note(p)}
}

func (a *attribute) note(p *directory.Person) string {
	v := a.found(p)
	if v.Through.IsZero() {
		return ""
	}
	var names []string
	var horizon time.Duration
	for _, s := range a.signals() {
		if s.Reported() {
			names, horizon = append(names, s.String()), s.Horizon()
		}
	}
	return fmt.Sprintf("signal %s, by a usage report that tells of %s to %s", strings.Join(names, ", "), dayOf(v.Through.Add(-horizon)), dayOf(v.Through))
}

func show(kind directory.Kind, v directory.Value) string {
	switch {
	case v.State == directory.Unknown:
		return notRead
	case v.State == directory.None, kind == directory.Text && v.Text == "":
		return "no value"
	case v.State == directory.NoneSince:
		return "none since " + dayOf(v.Time)
	case kind == directory.Text:
		return v.Text
	case kind == directory.Date:
		return v.Time.UTC().Format(time.RFC3339)
	case v.Bool:
		return "true"
	}
	return "false"
}
