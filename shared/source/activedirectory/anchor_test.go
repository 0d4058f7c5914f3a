package activedirectory

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestFindAnchor looks for an account by an immutable id, in the whole domain. It asks no controller about an id that
// no account can have.
func TestFindAnchor(t *testing.T) {
	t.Parallel()
	const id = "GGGGGGGGGGGGGGGG" // the bytes of the immutable id R0dH…Rw==
	for name, c := range map[string]struct {
		id     string
		anchor directory.Anchor
		there  byte     // number of people
		asked  []string // parts of the filter; nil: nobody is asked
		err    error
	}{
		"of either":         {"R0dHR0dHR0dHR0dHR0dHRw==", "", 1, []string{"(objectGUID=" + id + ")", "(mS-DS-ConsistencyGuid=" + id + ")"}, nil},
		"of the objectGUID": {"R0dHR0dHR0dHR0dHR0dHRw==", directory.ObjectGUID, 1, []string{"(|(objectGUID=" + id + "))"}, nil},
		"of the employeeID": {"17", directory.EmployeeIDAnchor, 1, []string{"(employeeID=17)"}, nil},
		"nobody":            {"R0dHR0dHR0dHR0dHR0dHRw==", "", 0, []string{"(objectGUID=" + id + ")"}, directory.ErrNoPerson},
		"two":               {"R0dHR0dHR0dHR0dHR0dHRw==", "", 2, []string{"(objectGUID=" + id + ")"}, directory.ErrAmbiguousPerson},
		"of another tool":   {"okta-17", "", 1, nil, directory.ErrNoPerson},
		"too short":         {"R0c=", directory.ObjectGUID, 1, nil, directory.ErrNoPerson},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, onSearch(func(request) []*ber.Packet {
				var people []*ber.Packet
				for n := range c.there {
					people = append(people, person(n+1))
				}
				return found(people...)
			}))
			k := config(t, f.ca, f.url)
			k.Base, k.Filter = "OU=People,"+testBase, "(employeeType=*)"
			for _, find := range []func() (string, error){
				func() (string, error) { return open(t, k).FindAnchor(t.Context(), c.id, c.anchor) },
				func() (string, error) {
					forest := &Forest{domains: []*Directory{open(t, k)}}
					return forest.FindAnchor(t.Context(), c.id, c.anchor)
				},
			} {
				if sid, err := find(); !errors.Is(err, c.err) || (err == nil) != (sid == "S-1-5-21-1") {
					t.Errorf("%q, %v", sid, err)
				}
			}
			filters := ""
			for _, r := range f.requests() {
				if r.op == ldap.ApplicationSearchRequest && r.base == testBase {
					filters += r.filter
				}
			}
			if slices.ContainsFunc(c.asked, func(part string) bool { return !strings.Contains(filters, part) }) || (filters == "") != (c.asked == nil) || strings.Contains(filters, "employeeType") {
				t.Errorf("filters %s", filters)
			}
		})
	}
	forest, _ := newForest(t, emeaHome)
	if _, err := forest.FindAnchor(t.Context(), "R0dHR0dHR0dHR0dHR0dHRw==", ""); !errors.Is(err, directory.ErrAmbiguousPerson) {
		t.Errorf("two domains with an account: %v", err)
	}
}

// TestFindAnchorAtEachController: FindAnchor returns ErrNoPerson only if every controller answers that it has no
// account with the immutable id. While a controller is silent, the account may exist.
func TestFindAnchorAtEachController(t *testing.T) {
	t.Parallel()
	has := onSearch(func(request) []*ber.Packet { return found(person(1)) })
	another := onSearch(func(request) []*ber.Packet { return found(person(2)) })
	lacks := onSearch(func(request) []*ber.Packet { return found() })
	silent := onSearch(func(request) []*ber.Packet { return cut })
	for name, c := range map[string]struct {
		answers []func(request) []*ber.Packet
		sid     string
		fails   string
		is      error // nil: unknown
	}{
		"the second has it":  {[]func(request) []*ber.Packet{lacks, has}, "S-1-5-21-1", "", nil},
		"the first has it":   {[]func(request) []*ber.Packet{has, silent}, "S-1-5-21-1", "", nil},
		"they differ":        {[]func(request) []*ber.Packet{has, another}, "", "more than one user", directory.ErrAmbiguousPerson},
		"none has it":        {[]func(request) []*ber.Packet{lacks, lacks}, "", "no such person", directory.ErrNoPerson},
		"the other is quiet": {[]func(request) []*ber.Packet{lacks, silent}, "", "make the controller answer", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var urls []string
			var ca string
			names := []string{"dc1.corp.test", "dc2.corp.test"}
			for i, answer := range c.answers {
				f := newController(t, home{name: names[i], servers: names}, answer)
				urls, ca = append(urls, f.url), f.ca
			}
			d := open(t, config(t, ca, urls...))
			d.now = func() time.Time { return testNow }
			sid, err := d.FindAnchor(t.Context(), "R0dHR0dHR0dHR0dHR0dHRw==", "")
			checkError(t, err, c.fails)
			if sid != c.sid || c.is != nil && !errors.Is(err, c.is) || c.is == nil && errors.Is(err, directory.ErrNoPerson) {
				t.Errorf("%q, %v", sid, err)
			}
		})
	}
}
