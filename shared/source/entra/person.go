package entra

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/idleseat/idleseat/shared/directory"
)

// wireUser has the properties of a Graph user that need their own decoding. wireWhole adds the others. A property that
// is null or absent has the zero value. Graph omits signInActivity for a user who never signed in.
type wireUser struct {
	Enabled  *bool           `json:"accountEnabled"`
	Created  time.Time       `json:"createdDateTime"`
	SignIn   wireSignIn      `json:"signInActivity"`
	Synced   bool            `json:"onPremisesSyncEnabled"`
	Licenses []wireLicense   `json:"assignedLicenses"`
	States   []wireLicensing `json:"licenseAssignmentStates"`
}

// plainLine is a line of the table directory.EntraProperties whose value Graph sends as a string or a plain date.
type plainLine struct {
	directory.Property[directory.EntraUser]
	at []int // the index of the value in wireWhole, as in reflect.Value.FieldByIndex
}

// plainLines has the lines of directory.EntraProperties whose values wireUser does not decode. wireWhole is the type of
// a struct that decodes a whole user: it has a field for each property in plainLines, and then an embedded wireUser. A
// property with parts, such as employeeOrgData, is a struct of the parts.
var plainLines, wireWhole = layOut(directory.EntraProperties)

func layOut(table []directory.Property[directory.EntraUser]) (lines []plainLine, whole reflect.Type) {
	var (
		fields []reflect.StructField
		parts  = map[int][]reflect.StructField{} // the parts of a property, by the index of the property in fields
		own    = selectOf[wireUser]()
	)
	for _, p := range table {
		name, part, hasParts := strings.Cut(p.Source, "/")
		if p.Kind == directory.Bool || p.Meaning != directory.Plain || name == "" || slices.Contains(own, name) {
			continue
		}
		of := reflect.TypeFor[string]()
		if p.Kind == directory.Date {
			of = reflect.TypeFor[time.Time]()
		}
		at := slices.IndexFunc(fields, func(f reflect.StructField) bool { return jsonName(f) == name })
		if at < 0 {
			at, fields = len(fields), append(fields, wireField(len(fields), name, of))
		}
		line := plainLine{p, []int{at}}
		if hasParts {
			line.at = append(line.at, len(parts[at]))
			parts[at] = append(parts[at], wireField(len(parts[at]), part, of))
			fields[at].Type = reflect.StructOf(parts[at])
		}
		lines = append(lines, line)
	}
	return lines, reflect.StructOf(append(fields, reflect.StructField{Name: "Rest", Type: reflect.TypeFor[wireUser](), Tag: `json:",embed"`}))
}

func wireField(n int, name string, of reflect.Type) reflect.StructField {
	return reflect.StructField{Name: "Plain" + strconv.Itoa(n), Type: of, Tag: reflect.StructTag(fmt.Sprintf("json:%q", name))}
}

type wirePerson struct{ whole reflect.Value }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (w *wirePerson) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if !w.whole.IsValid() {
		w.whole = reflect.New(wireWhole).Elem()
	}
	licenses, states := w.rest().Licenses[:0], w.rest().States[:0]
	w.whole.SetZero()
	w.rest().Licenses, w.rest().States = licenses, states
	return json.UnmarshalDecode(dec, w.whole.Addr().Interface())
}

func (w *wirePerson) rest() *wireUser {
	return w.whole.Field(wireWhole.NumField() - 1).Addr().Interface().(*wireUser)
}

type wireHolding struct {
	ID       string          `json:"id"`
	Licenses []wireLicense   `json:"assignedLicenses"`
	States   []wireLicensing `json:"licenseAssignmentStates"`
}

type wireSignIn struct {
	Interactive    time.Time `json:"lastSignInDateTime"`
	NonInteractive time.Time `json:"lastNonInteractiveSignInDateTime"`
	Successful     time.Time `json:"lastSuccessfulSignInDateTime"`
}

type wireLicense struct {
	SKU           string   `json:"skuId"`
	DisabledPlans []string `json:"disabledPlans"`
}

type wireLicensing struct {
	SKU           string   `json:"skuId"`
	Group         string   `json:"assignedByGroup"`
	State         string   `json:"state"`
	Error         string   `json:"error"`
	DisabledPlans []string `json:"disabledPlans"`

	Updated time.Time `json:"lastUpdatedDateTime"` // a date in year 1 means none
}

// userFields are the properties to request for users. olderFields are for a Graph without agents, which rejects
// identityParentId.
var (
	userFields  = allUserFields()
	olderFields = slices.DeleteFunc(slices.Clone(userFields), func(name string) bool { return name == "identityParentId" })
)

func allUserFields() (names []string) {
	for field := range wireWhole.Fields() {
		if name := jsonName(field); name != "" && !strings.HasPrefix(name, "@") { // an annotation comes without a request and cannot be selected
			names = append(names, name)
		}
	}
	return append(names, selectOf[wireUser]()...)
}

// The method "selecting" calls "ask" with userFields. If Graph does not know identityParentId, it calls "ask" again
// with olderFields, which later calls use from the start.
func (c *Client) selecting(ask func(fields []string) error) error {
	if !c.older.Load() {
		err := ask(userFields)
		if !says(err, "identityparentid") {
			return err
		}
		c.older.Store(true)
	}
	return ask(olderFields)
}

// decodePeople decodes a page of users. It drops creation and sign-in dates before the year 2000, and those more than
// a day after "now".
func decodePeople(body []byte, now time.Time) ([]directory.EntraUser, envelope, error) {
	var (
		people = make([]directory.EntraUser, 0, pageSize)
		wire   wirePerson
	)
	head, err := readList(body, func(dec *jsontext.Decoder) error {
		if err := json.UnmarshalDecode(dec, &wire); err != nil {
			return err
		}
		person, err := wire.person(now)
		people = append(people, person)
		return err
	})
	if err != nil {
		return nil, head, err // a part of the page must not look like the whole page
	}
	return people, head, nil
}

func (w *wirePerson) person(now time.Time) (directory.EntraUser, error) {
	if !w.whole.IsValid() {
		return directory.EntraUser{}, errNoID
	}
	rest := w.rest()
	u := directory.EntraUser{
		Enabled:            flag(rest.Enabled),
		Created:            date(rest.Created, now),
		LastInteractive:    date(rest.SignIn.Interactive, now),
		LastNonInteractive: date(rest.SignIn.NonInteractive, now),
		LastSuccessful:     date(rest.SignIn.Successful, now),
		DatesInDoubt:       future(rest.SignIn.Interactive, now) || future(rest.SignIn.NonInteractive, now) || future(rest.SignIn.Successful, now),
		Synced:             rest.Synced,
	}
	for i := range plainLines {
		value := w.whole.FieldByIndex(plainLines[i].at)
		switch at := plainLines[i].At(&u).(type) {
		case *string:
			*at = value.String()
		case *time.Time:
			if t := *value.Addr().Interface().(*time.Time); t.Year() > 1 { // a date in year 1 means none
				*at = t.UTC()
			}
		}
	}
	if u.ID == "" {
		return directory.EntraUser{}, errNoID
	}
	u.Assignments = (&wireHolding{u.ID, rest.Licenses, rest.States}).assignments()
	return u, nil
}

var errNoID = errors.New("the person has no id")

// The method "assignments" returns how the person holds each product. A product that is missing from
// licenseAssignmentStates has an empty State. It is then unknown how the person holds it, so the license cannot be
// changed.
func (w *wireHolding) assignments() []directory.Assignment {
	if len(w.States)+len(w.Licenses) == 0 {
		return nil
	}
	held := make([]directory.Assignment, 0, max(len(w.States), len(w.Licenses)))
	for _, s := range w.States {
		if s.Error == "None" { // Graph sends "None" instead of the documented null
			s.Error = ""
		}
		if s.Updated.Year() < 2000 { // Graph sends a date in year 1 instead of null
			s.Updated = time.Time{}
		}
		held = append(held, directory.Assignment(s))
	}
	for _, l := range w.Licenses {
		known := slices.ContainsFunc(w.States, func(s wireLicensing) bool { return s.SKU == l.SKU })
		if !known {
			held = append(held, directory.Assignment{SKU: l.SKU, DisabledPlans: l.DisabledPlans})
		}
	}
	return held
}

func flag(b *bool) directory.Flag {
	if b == nil {
		return directory.Unset
	}
	return directory.FlagOf(*b)
}

// The function "date" returns t, or the zero time if t is before 2000 or in the future. Graph sends 0001-01-01 and
// similar dates for "none". The caller must mark a person with a future date, who would otherwise look like a person
// who never signed in.
func date(t, now time.Time) time.Time {
	if t.Year() < 2000 || future(t, now) {
		return time.Time{}
	}
	return t.UTC()
}

// The function "future" reports whether t is more than a day after "now". The day allows for differences between
// clocks.
func future(t, now time.Time) bool { return t.After(now.AddDate(0, 0, 1)) }
