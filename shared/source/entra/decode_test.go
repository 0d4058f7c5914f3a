package entra

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestDecodePage(t *testing.T) {
	t.Parallel()
	people, head, err := decodePeople(graphPage(2), today)
	if err != nil {
		t.Fatal(err)
	}
	given := time.Date(2025, 4, 2, 8, 12, 44, 0, time.UTC)
	want := directory.EntraUser{
		ID: "00000001-aaaa-4bbb-8ccc-000000000000", UserPrincipalName: "person.1@contoso.example",
		DisplayName: "Person Number 1", Mail: "person.1@contoso.example", UserType: "Member", Department: "Research",
		EmployeeType: "Employee", EmployeeID: "E000001", JobTitle: "Engineer", CompanyName: "Contoso",
		Country: "Norway", UsageLocation: "NO", Enabled: directory.Yes,
		Created:            time.Date(2019, 5, 6, 7, 8, 9, 0, time.UTC),
		LastInteractive:    time.Date(2026, 9, 12, 16, 24, 34, 0, time.UTC),
		LastNonInteractive: time.Date(2026, 10, 12, 16, 24, 34, 0, time.UTC),
		LastSuccessful:     time.Date(2026, 10, 12, 16, 24, 34, 0, time.UTC),
		Synced:             true, SID: "S-1-5-21-1004336348-1177238915-682003330-1",
		ImmutableID: "qJ5nWQ0h90ePbXk0bZ3L0001==", SAMAccount: "p1",
		Extension: directory.ExtensionAttributes{"cost-4711"},
		Assignments: []directory.Assignment{
			{SKU: skuE3, Group: groupA, State: "Active", DisabledPlans: []string{plan}, Updated: given},
			{SKU: "078d2b04-f1bd-4111-bbd4-b4b1b354cef4", State: "Active", DisabledPlans: []string{}, Updated: given},
		},
	}
	if len(people) != 2 {
		t.Fatalf("%d people, want 2", len(people))
	}
	if diff := cmp.Diff(want, people[1]); diff != "" {
		t.Error(diff)
	}
	if people[0].Assignments[0].DisabledPlans[0] != plan || people[0].ID == people[1].ID {
		t.Error("the second person spoilt the first")
	}
	if !strings.HasSuffix(head.next, "$skiptoken=m~AQAnO2") {
		t.Errorf("next link %q", head.next)
	}
}

// TestDecodePageKeepsPeopleApart: a person who has only an id does not get values of the person before.
func TestDecodePageKeepsPeopleApart(t *testing.T) {
	t.Parallel()
	people, _, err := decodePeople([]byte(`{"value":[`+graphUser(0)+`,{"id":"a"},`+graphUser(1)+`]}`), today)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(directory.EntraUser{ID: "a"}, people[1]); diff != "" {
		t.Error(diff)
	}
	if len(people[0].Assignments) != 2 || len(people[2].Assignments) != 2 {
		t.Errorf("assignments %v and %v, want two each", people[0].Assignments, people[2].Assignments)
	}
}

func TestDecodePerson(t *testing.T) {
	t.Parallel()
	direct := directory.Assignment{SKU: skuE3, State: "Active"}
	tests := map[string]struct {
		body string
		want directory.EntraUser
	}{
		"nothing known":     {`{"id":"a"}`, directory.EntraUser{}},
		"all null":          {`{"id":"a","accountEnabled":null,"signInActivity":null,"assignedLicenses":null,"displayName":null,"onPremisesExtensionAttributes":null,"createdDateTime":null,"onPremisesSyncEnabled":null}`, directory.EntraUser{}},
		"disabled":          {`{"id":"a","accountEnabled":false}`, directory.EntraUser{Enabled: directory.No}},
		"no date":           {`{"id":"a","createdDateTime":"0001-01-01T00:00:00Z","signInActivity":{"lastSignInDateTime":"1999-12-31T23:59:59Z","lastSuccessfulSignInDateTime":null}}`, directory.EntraUser{}},
		"a date to come":    {`{"id":"a","signInActivity":{"lastSignInDateTime":"2026-11-20T12:00:00Z","lastNonInteractiveSignInDateTime":"2026-11-24T12:00:01Z"}}`, directory.EntraUser{LastInteractive: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), DatesInDoubt: true}},
		"just a date":       {`{"id":"a","createdDateTime":"2000-01-01T00:00:00Z","signInActivity":{"lastSignInDateTime":"2026-11-24T12:00:00Z"}}`, directory.EntraUser{Created: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), LastInteractive: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}},
		"another zone":      {`{"id":"a","createdDateTime":"2020-01-01T01:30:00.25+01:30"}`, directory.EntraUser{Created: time.Date(2020, 1, 1, 0, 0, 0, 250e6, time.UTC)}},
		"half a surrogate":  {`{"id":"a","displayName":"x\ud83d"}`, directory.EntraUser{DisplayName: "x\ufffd"}},
		"last extension":    {`{"id":"a","onPremisesExtensionAttributes":{"extensionAttribute15":"z"}}`, directory.EntraUser{Extension: directory.ExtensionAttributes{14: "z"}}},
		"license by a path": {`{"id":"a","assignedLicenses":[{"skuId":"` + skuE3 + `"}],"licenseAssignmentStates":[{"skuId":"` + skuE3 + `","assignedByGroup":null,"state":"Active","error":null}]}`, directory.EntraUser{Assignments: []directory.Assignment{direct}}},
		"path in error":     {`{"id":"a","assignedLicenses":[],"licenseAssignmentStates":[{"skuId":"` + skuE3 + `","assignedByGroup":"g","state":"Error","error":"CountViolation"}]}`, directory.EntraUser{Assignments: []directory.Assignment{{SKU: skuE3, Group: "g", State: "Error", Error: "CountViolation"}}}},
		"path unknown":      {`{"id":"a","assignedLicenses":[{"skuId":"` + skuE3 + `","disabledPlans":["p"]}],"licenseAssignmentStates":[]}`, directory.EntraUser{Assignments: []directory.Assignment{{SKU: skuE3, DisabledPlans: []string{"p"}}}}},
		"one path unknown":  {`{"id":"a","assignedLicenses":[{"skuId":"` + skuE3 + `"},{"skuId":"` + skuEXO + `"}],"licenseAssignmentStates":[{"skuId":"` + skuE3 + `","state":"Active"}]}`, directory.EntraUser{Assignments: []directory.Assignment{direct, {SKU: skuEXO}}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			people, _, err := decodePeople([]byte(`{"value":[`+tt.body+`]}`), today)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.ID = "a"
			if diff := cmp.Diff([]directory.EntraUser{tt.want}, people); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEveryLineIsDecoded: each line of the table of fields gets its value from Graph. A value that is not decoded
// would look like an empty value.
func TestEveryLineIsDecoded(t *testing.T) {
	t.Parallel()
	for _, p := range directory.EntraProperties {
		if p.Source == "" {
			continue
		}
		body := map[directory.Kind]string{directory.Text: `"x"`, directory.Date: `"2020-01-02T03:04:05Z"`, directory.Bool: "true"}[p.Kind]
		for _, name := range slices.Backward(strings.Split(p.Source, "/")) {
			body = fmt.Sprintf(`{%q:%s}`, name, body)
		}
		if p.Source != "id" {
			body = `{"id":"a",` + body[1:]
		}
		people, _, err := decodePeople([]byte(`{"value":[`+body+`]}`), today)
		if err != nil {
			t.Errorf("%s: %v", p.Source, err)
		} else if reflect.ValueOf(p.At(&people[0])).Elem().IsZero() {
			t.Errorf("%s of Graph does not become %s", p.Source, p.Name)
		}
	}
}

// TestLayOut: two lines of the table of fields read two parts of one property, employeeOrgData. Each line gets its own
// part.
func TestLayOut(t *testing.T) {
	t.Parallel()
	lines, whole := layOut([]directory.Property[directory.EntraUser]{
		{Source: "employeeOrgData/costCenter", Kind: directory.Text}, {Source: "jobTitle", Kind: directory.Text}, {Source: "employeeOrgData/division", Kind: directory.Text},
	})
	value := reflect.New(whole)
	if err := json.Unmarshal([]byte(`{"jobTitle":"cook","employeeOrgData":{"division":"north","costCenter":"0815"}}`), value.Interface()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		got = append(got, value.Elem().FieldByIndex(l.at).String())
	}
	if diff := cmp.Diff([]string{"0815", "cook", "north"}, got); diff != "" {
		t.Error(diff)
	}
}

// The map "damaged" has answers that the package must reject, with a part of the error.
var damaged = map[string]struct{ body, want string }{
	"nothing":              {``, "is empty"},
	"blank":                {"  \n", "is empty"},
	"HTML":                 {"<!DOCTYPE html><html>Sign in</html>", `begins "<!DOCTYPE`},
	"text":                 {"OK", `begins "OK"`},
	"null":                 {`null`, "not a JSON object"},
	"array":                {`[{"id":"a"}]`, "not a JSON object"},
	"no value":             {`{"@odata.context":"x"}`, "no value"},
	"an error with 200":    {`{"error":{"code":"x"}}`, "no value"},
	"value null":           {`{"value":null}`, "value is a null"},
	"value object":         {`{"value":{"id":"a"}}`, "value is a {"},
	"value text":           {`{"value":"a"}`, "value is a string"},
	"null among people":    {`{"value":[{"id":"a"},null,{"id":"b"}]}`, "entry 1 of value is a null"},
	"text among people":    {`{"value":["a"]}`, "entry 0 of value is a string"},
	"list among people":    {`{"value":[[]]}`, "entry 0"},
	"person without id":    {`{"value":[{"id":"a"},{"displayName":"b"}]}`, "entry 1 of value: the person has no id"},
	"empty id":             {`{"value":[{"id":""}]}`, "no id"},
	"wrong type":           {`{"value":[{"id":"a","accountEnabled":"yes"}]}`, "accountEnabled"},
	"no date":              {`{"value":[{"id":"a","signInActivity":{"lastSignInDateTime":"yesterday"}}]}`, "lastSignInDateTime"},
	"licenses not a list":  {`{"value":[{"id":"a","assignedLicenses":{}}]}`, "assignedLicenses"},
	"value twice":          {`{"value":[{"id":"a"}],"value":[]}`, "duplicate"},
	"id twice":             {`{"value":[{"id":"a","id":"b"}]}`, "duplicate"},
	"half a page":          {`{"value":[{"id":"a"},{"id":"b","disp`, "cut off"},
	"half, at a person":    {`{"value":[{"id":"a"}`, "cut off"},
	"half, after a comma":  {`{"value":[{"id":"a"},`, "cut off"},
	"half, after the list": {`{"value":[{"id":"a"}]`, "cut off"},
	"half, at the link":    {`{"@odata.nextLink":"http`, "cut off"},
	"link not a text":      {`{"@odata.nextLink":5,"value":[]}`, "nextLink"},
	"count not a number":   {`{"@odata.count":"5","value":[]}`, "count"},
	"two answers":          {`{"value":[]}{"value":[{"id":"a"}]}`, "follows its end"},
	"rest":                 {`{"value":[]}<!-- -->`, "damaged"},
	"no comma":             {`{"value":[{"id":"a"}{"id":"b"}]}`, "damaged"},
}

func TestDecodePageDamaged(t *testing.T) {
	t.Parallel()
	for name, tt := range damaged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			people, _, err := decodePeople([]byte(tt.body), today)
			if err == nil || people != nil {
				t.Fatalf("%d people and error %v, want only an error", len(people), err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q lacks %q", err, tt.want)
			}
		})
	}
}

// FuzzDecodePage: a page fails, or is a list of people with ids and without dates before 2000 or in the future.
func FuzzDecodePage(f *testing.F) {
	f.Add(graphPage(2))
	f.Add([]byte(`{"value":[]}`))
	for _, tt := range damaged {
		f.Add([]byte(tt.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		people, _, err := decodePeople(body, today)
		if err != nil && people != nil {
			t.Fatal("people beside an error")
		}
		for _, p := range people {
			if p.ID == "" {
				t.Fatal("a person without id")
			}
			for _, d := range []time.Time{p.Created, p.LastActivity()} {
				if !d.IsZero() && (d.Year() < 2000 || d.After(today.AddDate(0, 0, 1))) {
					t.Fatalf("date %s", d)
				}
			}
		}
	})
}

func BenchmarkDecodePage(b *testing.B) {
	page := graphPage(pageSize)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	people := 0
	for b.Loop() {
		list, _, err := decodePeople(page, today)
		if err != nil {
			b.Fatal(err)
		}
		people += len(list)
	}
	b.ReportMetric(float64(people)/b.Elapsed().Seconds(), "people/s")
}
