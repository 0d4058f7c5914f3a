package directory

import (
	"slices"
	"strconv"
	"time"
)

// Source is a directory with accounts.
type Source uint8

const (
	Entra Source = iota
	AD
)

// String returns the name of the source in policies.
func (s Source) String() string {
	if s == AD {
		return "ad"
	}
	return "entra"
}

// The method "name" returns the name of the directory in sentences.
func (s Source) name() string {
	if s == AD {
		return "Active Directory"
	}
	return "Entra ID"
}

// MarshalText returns the name of the source in policies.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText parses the name of the source in policies.
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

const (
	Text Kind = iota
	Date
	Bool
)

// Meaning says what a date means for a person.
type Meaning uint8

// The meanings of a date. A field that is no date has the meaning Plain.
const (
	Plain Meaning = iota
	Activity
	Creation
)

// Value is the value of a field for one person. An empty text has the state Known.
type Value struct {
	State Knowledge
	Time  time.Time
	Text  string
	Bool  bool
	// Through is the start of the last day that the usage report covers, or zero for a value from elsewhere.
	Through time.Time
}

// Knowledge says what is known about a value.
type Knowledge uint8

// The states of a value. Unknown was not read. None was read and is empty. NoneSince is for a date from a usage report:
// there was no activity after Time, and the time before is unknown.
const (
	Unknown Knowledge = iota
	None
	Known
	NoneSince
)

// Field is a value of a person that a policy may read, such as entra.lastActivity.
type Field struct {
	Name    string // the name in policies, such as "entra.lastActivity"
	Source  Source
	Kind    Kind
	Meaning Meaning

	// Attribute is the LDAP name of the attribute that has the value, and that the directory may hide. It is empty for
	// the DN, which cannot be hidden, and for a field of Entra ID.
	Attribute string

	hides string // the name that stands for the field in ADUser.Unreadable; empty for a field of Entra ID

	account func(*Person) Value // reads the field from the account
	dates   []int               // for an activity date: indexes into Past.Newest; the field is the newest of these dates
	person  func(*Person) Value // reads the field from both accounts together

	report Signal // the signal whose usage report has the field; zero if no report has the field
	use    func(*EntraUser, *Use) Value
}

// Of returns the value of the field for a person. It is Unknown if the account was not read or is in doubt. An activity
// date is also Unknown if the dates of this run or account cannot be trusted, or if an earlier reading saw a later
// date. The last logon to Active Directory is never earlier than Past.LoggedOn.
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
	if f.Meaning != Activity {
		return v
	}
	past := p.Past(f.Source)
	if newest, _ := f.wentBack(past, v.Time); !newest.IsZero() {
		return Value{}
	}
	if v.State != Unknown && past.LoggedOn.After(v.Time) {
		return Value{State: Known, Time: past.LoggedOn}
	}
	return v
}

// The method "read" returns the value from this reading. Unlike Of, it does not check whether dates can be trusted.
func (f *Field) read(p *Person) Value {
	if f.Source == AD && p.AD.Hides(f.hides) {
		return Value{}
	}
	return f.account(p)
}

// ADAttributes returns the LDAP names of the attributes that are read for a person and that the directory may hide:
// those of the fields, and mS-DS-ConsistencyGuid, which can be the anchor.
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

// datesInDoubt reports whether the activity dates cannot be used: a date is in the future, a date came late, the account
// had dates and has none now, or the account is an agent's.
func (p *Person) datesInDoubt(s Source) bool {
	if !p.Past(s).Late.IsZero() {
		return true
	}
	if s == AD {
		return p.AD.DatesInDoubt || !p.AD.DatesLost.IsZero() && p.AD.LastLogonTimestamp.IsZero()
	}
	return p.Entra.DatesInDoubt || !p.Entra.DatesLost.IsZero() && p.Entra.LastActivity().IsZero() || p.Entra.Agent()
}

// DatesLost returns the first reading in which an activity date was missing or earlier than in Past. It is zero if no
// date is lost, or if the state of the account is not Present.
func (p *Person) DatesLost(s Source) time.Time {
	switch {
	case p.State(s) != Present:
		return time.Time{}
	case s == AD:
		return p.AD.DatesLost
	}
	return p.Entra.DatesLost
}

// DatesLate returns Past.Late of the account in s. It is zero if the state of the account is not Present.
func (p *Person) DatesLate(s Source) time.Time {
	if p.State(s) != Present {
		return time.Time{}
	}
	return p.Past(s).Late
}

// FieldNamed returns the field with this name in policies.
func FieldNamed(name string) (*Field, bool) {
	f, ok := fields[name]
	return f, ok
}

// FieldNames returns the names of all fields, sorted.
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
		KindName: {Name: KindName, Source: Entra, Kind: Text, person: func(p *Person) Value {
			kind, _ := p.Kind()
			if p.KindHidden() || kind == KindPerson && p.KindOpen() {
				return Value{State: Unknown}
			}
			return text(kind)
		}},
		"entra.lastActivity": {Name: "entra.lastActivity", Source: Entra, Kind: Date, Meaning: Activity,
			account: func(p *Person) Value { return date(p.Entra.LastActivity()) }},
	}
	m[licenseChanged] = &Field{Name: licenseChanged, Source: Entra, Kind: Date, person: (*Person).licenseChanged}
	addFields(m, Entra, EntraProperties, func(p *Person) *EntraUser { return p.Entra })
	m[Hired].account = func(p *Person) Value {
		if p.Entra.HiredInDoubt {
			return Value{}
		}
		return date(p.Entra.Hired)
	}
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

// addFields adds a field for each property in the table that a policy may name.
func addFields[A any](m map[string]*Field, s Source, table []Property[A], account func(*Person) *A) {
	for i := range table {
		p := &table[i]
		if p.Name == "" {
			continue
		}
		f := &Field{Name: s.String() + "." + p.Name, Source: s, Kind: p.Kind, Meaning: p.Meaning,
			account: func(who *Person) Value { return p.of(account(who)) }}
		if s == AD {
			f.Attribute, f.hides = p.Source, p.unreadable()
		}
		m[f.Name] = f
	}
}

const licenseChanged = "entra.licenseChanged"

// Hired is the name of the field with the hire date.
const Hired = "entra.hired"

// OfLicense reports whether the field describes how the person holds a license. Such a field has a value only while a
// rule about a license is evaluated.
func (f *Field) OfLicense() bool { return f.Name == licenseChanged }

// licenseChanged returns when an assignment of p.License last changed. The value is Unknown if one assignment has no
// date, and None if the person has no assignment.
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

// LastActivity returns the newest of the three sign-in dates. Failed sign-ins count, because somebody who tries to sign
// in may need the license.
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
