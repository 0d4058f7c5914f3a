package directory

import (
	"slices"
	"strconv"
	"time"
)

// Source is where an account lives.
type Source uint8

// The two sources.
const (
	Entra Source = iota
	AD
)

// String is the word a policy uses for the source.
func (s Source) String() string {
	if s == AD {
		return "ad"
	}
	return "entra"
}

// name is the directory's name in a sentence.
func (s Source) name() string {
	if s == AD {
		return "Active Directory"
	}
	return "Entra ID"
}

// MarshalText writes the word a policy uses.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word a policy uses.
func (s *Source) UnmarshalText(b []byte) error {
	switch string(b) {
	case "entra":
		*s = Entra
	case "ad":
		*s = AD
	default:
		return errUnknownSource(b)
	}
	return nil
}

type errUnknownSource []byte

func (e errUnknownSource) Error() string { return "unknown source " + strconv.Quote(string(e)) }

// Kind is the type of a field's values.
type Kind uint8

// The kinds of fields.
const (
	Text Kind = iota
	Date
	Bool
)

// Meaning tells what a date says about a person.
type Meaning uint8

// The meanings of a field: plain data, a sign of use, or the account's birth.
const (
	Plain Meaning = iota
	Activity
	Creation
)

// Value is the value of a field for one person. A text without a value is
// Known and "".
type Value struct {
	State Knowledge
	Time  time.Time
	Text  string
	Bool  bool
	// Through is up to when a date of a usage report tells anything; zero: there is no
	// such bound.
	Through time.Time
}

// Knowledge says what is known of a value.
type Knowledge uint8

// The states of a value. Unknown was not read; None was read and has no value.
// NoneSince is a date of which the source proves that there is none from Time on, and
// does not tell whether there is an earlier one.
const (
	Unknown Knowledge = iota
	None
	Known
	NoneSince
)

// Field is one field of an account that a policy may map to an attribute.
type Field struct {
	Name    string // as a policy writes it, "entra.lastActivity"
	Source  Source
	Kind    Kind
	Meaning Meaning

	// Attribute is the LDAP name of the attribute that the field is read from. It is
	// empty for Entra. It is also empty for the name of the object itself: everybody
	// who sees the object sees its name.
	Attribute string

	account func(*Person) Value // of the account, which was read
	dates   []int               // of a date of activity: those that it is the newest of, in Past.Newest
	person  func(*Person) Value // of both accounts together

	report Signal // by whose report the field comes; zero: by none
	use    func(*EntraUser, *Use) Value
}

// Of is the field's value for a person. It is Unknown when its half was not read or is
// doubtful. It is also Unknown when the activity dates of this run or of this account
// cannot be trusted. A date that is earlier than a previous reading saw it cannot be
// trusted.
func (f *Field) Of(p *Person) Value {
	switch {
	case f.person != nil:
		return f.person(p)
	case f.report != 0:
		return f.reported(p)
	}
	if p.State(f.Source) != Present || f.Meaning == Activity && (p.Stale[f.Source] != "" || p.datesInDoubt(f.Source)) {
		return Value{}
	}
	v := f.read(p)
	if f.Meaning == Activity {
		if newest, _ := f.wentBack(p.Past(f.Source), v.Time); !newest.IsZero() {
			return Value{}
		}
	}
	return v
}

// read is the field's value as it was read.
func (f *Field) read(p *Person) Value {
	if f.Source == AD && p.AD.Hides(f.Attribute) {
		return Value{}
	}
	return f.account(p)
}

// ADAttributes are the LDAP names of everything that is read of a person and may be
// hidden, each once: what fields rest on, names and the anchor of Entra Connect.
func ADAttributes() []string { return slices.Clone(adAttributes) }

var adAttributes = allADAttributes()

func allADAttributes() []string {
	names := []string{consistencyGUID}
	for _, f := range fields {
		if f.Attribute != "" {
			names = append(names, f.Attribute)
		}
	}
	slices.Sort(names)
	return names
}

// datesInDoubt tells that no date of activity of the account says anything: one
// lies in the future, or all of them got lost.
func (p *Person) datesInDoubt(s Source) bool {
	if s == AD {
		return p.AD.DatesInDoubt || !p.AD.DatesLost.IsZero() && p.AD.LastLogonTimestamp.IsZero()
	}
	return p.Entra.DatesInDoubt || !p.Entra.DatesLost.IsZero() && p.Entra.LastActivity().IsZero() || p.Entra.Agent()
}

// DatesLost is when the dates of a person's account were first missing, as in
// EntraUser; zero when they are not, or the account was not read.
func (p *Person) DatesLost(s Source) time.Time {
	switch {
	case p.State(s) != Present:
		return time.Time{}
	case s == AD:
		return p.AD.DatesLost
	}
	return p.Entra.DatesLost
}

// FieldNamed finds a field by the name a policy uses.
func FieldNamed(name string) (*Field, bool) {
	f, ok := fields[name]
	return f, ok
}

// FieldNames lists every field a policy may name, sorted.
func FieldNames() []string {
	names := make([]string, 0, len(fields))
	for n := range fields {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

var fields = allFields()

func allFields() map[string]*Field {
	m := map[string]*Field{
		"kind": {Name: "kind", Source: Entra, Kind: Text, person: func(p *Person) Value {
			kind, _ := p.Kind()
			return text(kind)
		}},
		"entra.lastActivity": {Name: "entra.lastActivity", Source: Entra, Kind: Date, Meaning: Activity,
			account: func(p *Person) Value { return date(p.Entra.LastActivity()) }},
	}
	m[licenseChanged] = &Field{Name: licenseChanged, Source: Entra, Kind: Date, person: (*Person).licenseChanged}
	addFields(m, Entra, EntraProperties, func(p *Person) *EntraUser { return p.Entra })
	addFields(m, AD, ADProperties, func(p *Person) *ADUser { return p.AD })
	for name, dates := range map[string][]int{
		"entra.lastInteractiveSignIn": {interactive}, "entra.lastNonInteractiveSignIn": {nonInteractive}, "entra.lastSuccessfulSignIn": {successful},
		"entra.lastActivity": {interactive, nonInteractive, successful}, "ad.lastLogonTimestamp": {logon},
	} {
		m[name].dates = dates
	}
	addReported(m)
	return m
}

// addFields adds what a policy may name of a table.
func addFields[A any](m map[string]*Field, s Source, table []Property[A], account func(*Person) *A) {
	for i := range table {
		p := &table[i]
		if p.Name == "" {
			continue
		}
		f := &Field{Name: s.String() + "." + p.Name, Source: s, Kind: p.Kind, Meaning: p.Meaning,
			account: func(who *Person) Value { return p.of(account(who)) }}
		if s == AD {
			f.Attribute = p.Source
		}
		m[f.Name] = f
	}
}

const licenseChanged = "entra.licenseChanged"

// OfLicense tells whether the field is about a license, so that it has a value only while
// a rule is asked.
func (f *Field) OfLicense() bool { return f.Name == licenseChanged }

// licenseChanged is when the last change was of the ways by which the person holds the
// license that is asked about. It is not known where a way does not say.
func (p *Person) licenseChanged() Value {
	if p.License == "" || p.Entra == nil || p.EntraState != Present && p.EntraState != Contradictory {
		return Value{}
	}
	var newest time.Time
	for _, a := range p.Entra.Assignments {
		switch {
		case a.SKU != p.License:
		case a.Updated.IsZero():
			return Value{}
		case a.Updated.After(newest):
			newest = a.Updated
		}
	}
	return date(newest)
}

// LastActivity is the newest of the three sign-in dates. A failed attempt
// counts, which keeps a license rather than takes it.
func (u *EntraUser) LastActivity() time.Time {
	newest := u.LastInteractive
	for _, t := range []time.Time{u.LastNonInteractive, u.LastSuccessful} {
		if t.After(newest) {
			newest = t
		}
	}
	return newest
}

func text(s string) Value { return Value{State: Known, Text: s} }

func date(t time.Time) Value {
	if t.IsZero() {
		return Value{State: None}
	}
	return Value{State: Known, Time: t}
}

func flag(f Flag) Value {
	if f == Unset {
		return Value{}
	}
	return Value{State: Known, Bool: f == Yes}
}
