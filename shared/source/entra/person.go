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

// wireUser has the properties of a Graph user that need their own decoding. wireWhole adds the other properties. A
// property that is null or absent has the zero value. Graph omits signInActivity for a user who never signed in.
type wireUser struct {
	Enabled   *bool           `json:"accountEnabled"`
	Created   time.Time       `json:"createdDateTime"`
	SignIn    wireSignIn      `json:"signInActivity"`
	Synced    bool            `json:"onPremisesSyncEnabled"`
	Extension wireExtension   `json:"onPremisesExtensionAttributes"`
	Licenses  []wireLicense   `json:"assignedLicenses"`
	States    []wireLicensing `json:"licenseAssignmentStates"`
}

// plainLines has the lines of the table of fields that describe strings and plain dates. Graph sends their values as
// strings and dates. wireUser has the dates with a special meaning.
var plainLines = slices.DeleteFunc(slices.Clone(directory.EntraProperties), func(p directory.Property[directory.EntraUser]) bool {
	return p.Kind == directory.Bool || p.Meaning != directory.Plain || p.Source == "" || strings.Contains(p.Source, "/")
})

// wireWhole is the type of a struct. The struct has one field for each line of plainLines, in order, and an embedded
// wireUser.
var wireWhole = func() reflect.Type {
	var fields []reflect.StructField
	for i, p := range plainLines {
		of := reflect.TypeFor[string]()
		if p.Kind == directory.Date {
			of = reflect.TypeFor[time.Time]()
		}
		fields = append(fields, reflect.StructField{
			Name: "Plain" + strconv.Itoa(i), Type: of, Tag: reflect.StructTag(fmt.Sprintf("json:%q", p.Source)),
		})
	}
	return reflect.StructOf(append(fields, reflect.StructField{Name: "Rest", Type: reflect.TypeFor[wireUser](), Tag: `json:",embed"`}))
}()

// wirePerson holds a decoded value of type wireWhole.
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
	return w.whole.Field(len(plainLines)).Addr().Interface().(*wireUser)
}

// wireHolding has only the properties with a user's licenses.
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

type wireExtension struct {
	A1  string `json:"extensionAttribute1"`
	A2  string `json:"extensionAttribute2"`
	A3  string `json:"extensionAttribute3"`
	A4  string `json:"extensionAttribute4"`
	A5  string `json:"extensionAttribute5"`
	A6  string `json:"extensionAttribute6"`
	A7  string `json:"extensionAttribute7"`
	A8  string `json:"extensionAttribute8"`
	A9  string `json:"extensionAttribute9"`
	A10 string `json:"extensionAttribute10"`
	A11 string `json:"extensionAttribute11"`
	A12 string `json:"extensionAttribute12"`
	A13 string `json:"extensionAttribute13"`
	A14 string `json:"extensionAttribute14"`
	A15 string `json:"extensionAttribute15"`
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

// userFields are the properties to request for users. olderFields are the properties to request from a Graph without
// agents. Such a Graph rejects a request for identityParentId.
var (
	userFields  = allUserFields()
	olderFields = slices.DeleteFunc(slices.Clone(userFields), func(name string) bool { return name == "identityParentId" })
)

// allUserFields returns the names of the properties in plainLines and in wireUser.
func allUserFields() (names []string) {
	for _, p := range plainLines {
		if !strings.HasPrefix(p.Source, "@") { // an annotation comes without a request and cannot be selected
			names = append(names, p.Source)
		}
	}
	return append(names, selectOf[wireUser]()...)
}

// selecting calls the function "ask" with all fields of users. If this Graph has no agents, selecting calls the
// function with olderFields.
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

// decodePeople decodes a page of users. It drops dates that are more than a day after the argument "now".
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
		Extension:          rest.Extension.array(),
	}
	for i := range plainLines {
		switch at := plainLines[i].At(&u).(type) {
		case *string:
			*at = w.whole.Field(i).String()
		case *time.Time:
			if t := *w.whole.Field(i).Addr().Interface().(*time.Time); t.Year() > 1 { // a date in year 1 means none
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

// assignments returns how the person holds each product. A product that is missing from licenseAssignmentStates has an
// empty State. It is then unknown how the person holds the product, so the license cannot be changed.
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

func (e *wireExtension) array() directory.ExtensionAttributes {
	return directory.ExtensionAttributes{
		e.A1, e.A2, e.A3, e.A4, e.A5, e.A6, e.A7, e.A8, e.A9, e.A10, e.A11, e.A12, e.A13, e.A14, e.A15,
	}
}

func flag(b *bool) directory.Flag {
	if b == nil {
		return directory.Unset
	}
	return directory.FlagOf(*b)
}

// date returns t, or the zero time if t is not a real date. Graph sends 0001-01-01 and similar dates for "none". A date
// in the future is not real either. The caller must mark a person with a future date. Without the mark, the person
// would look like a person who never signed in.
func date(t, now time.Time) time.Time {
	if t.Year() < 2000 || future(t, now) {
		return time.Time{}
	}
	return t.UTC()
}

// future reports whether t is more than a day after the argument "now". The day allows for differences between clocks.
func future(t, now time.Time) bool { return t.After(now.AddDate(0, 0, 1)) }
