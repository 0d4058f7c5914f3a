package activedirectory

import (
	"errors"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

const (
	tenth  = "134361000000000000" // 2026-10-10T10:00:00Z
	twelve = "134362728000000000" // 2026-10-12T10:00:00Z
)

func TestReadPerson(t *testing.T) {
	t.Parallel()
	knows := func(more ...string) func(request) []*ber.Packet {
		return onSearch(func(request) []*ber.Packet { return found(person(1, more...)) })
	}
	unknown := onSearch(func(request) []*ber.Packet { return found() })
	cutAtSearch := onSearch(func(request) []*ber.Packet { return cut })
	tenthDay, twelfthDay := time.Date(2026, 10, 10, 10, 0, 0, 0, time.UTC), time.Date(2026, 10, 12, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		answers []func(request) []*ber.Packet
		want    time.Time
		partial []int
		err     error // set if no controller has the person
		fails   string
	}{
		{name: "never logged on", answers: []func(request) []*ber.Packet{knows(), knows("lastLogon", "0")}},
		{name: "lastLogon of the second", want: twelfthDay, answers: []func(request) []*ber.Packet{
			knows("lastLogon", "0", "lastLogonTimestamp", tenth), knows("lastLogon", twelve, "lastLogonTimestamp", tenth)}},
		{name: "lastLogon of the first", want: twelfthDay, answers: []func(request) []*ber.Packet{
			knows("lastLogon", twelve), knows("lastLogonTimestamp", tenth)}},
		{name: "lastLogonTimestamp is newest", want: twelfthDay, answers: []func(request) []*ber.Packet{
			knows("lastLogon", tenth, "lastLogonTimestamp", twelve), knows("lastLogon", tenth)}},
		{name: "second cannot be asked", want: tenthDay, partial: []int{1}, answers: []func(request) []*ber.Packet{knows("lastLogon", tenth), cutAtSearch}},
		{name: "first cannot be asked", want: tenthDay, partial: []int{0}, answers: []func(request) []*ber.Packet{cutAtSearch, knows("lastLogon", tenth)}},
		{name: "one does not know the person", want: tenthDay, partial: []int{0}, answers: []func(request) []*ber.Packet{unknown, knows("lastLogon", tenth)}},
		{name: "one answers nonsense", want: tenthDay, partial: []int{1},
			answers: []func(request) []*ber.Packet{knows("lastLogon", tenth), knows("lastLogon", "soon")}},
		{name: "nobody knows the person", err: directory.ErrNoPerson, fails: "no such person", answers: []func(request) []*ber.Packet{unknown, unknown}},
		{name: "nobody can be asked", fails: "read person", answers: []func(request) []*ber.Packet{
			cutAtSearch, cutAtSearch}},
		{name: "two of one SID", err: directory.ErrAmbiguousPerson, fails: "more than one", answers: []func(request) []*ber.Packet{
			onSearch(func(request) []*ber.Packet { return found(person(1), person(1)) })}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var urls, partial []string
			var ca string
			names := []string{"dc1.corp.test", "dc2.corp.test"}[:len(c.answers)]
			for i, answer := range c.answers {
				f := newController(t, home{name: names[i], servers: names}, answer)
				urls, ca = append(urls, f.url), f.ca
			}
			for _, i := range c.partial {
				partial = append(partial, urls[i])
			}
			d := open(t, config(t, ca, urls...))
			d.now = func() time.Time { return testNow }
			u, err := d.ReadPerson(t.Context(), "S-1-5-21-1")
			if !u.LastLogonTimestamp.Equal(c.want) {
				t.Errorf("last logon %v, want %v", u.LastLogonTimestamp, c.want)
			}
			var got []string
			if e, ok := errors.AsType[*directory.PartialLogonError](err); ok {
				got = e.Controllers
			}
			if diff := cmp.Diff(partial, got); diff != "" {
				t.Errorf("partial (-want +got):\n%s", diff)
			}
			if len(partial) > 0 && c.fails == "" {
				c.fails = "lastLogon was not read from every controller: " + partial[0]
			}
			checkError(t, err, c.fails)
			if c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("%v is not %q", err, c.err)
			}
			if errors.Is(err, directory.ErrNoPerson) != (c.err == directory.ErrNoPerson) {
				t.Errorf("%v: does it say that nobody has the SID?", err)
			}
			if c.fails == "" && u.SID != "S-1-5-21-1" || c.partial != nil && u.SID == "" {
				t.Errorf("person %+v", u)
			}
		})
	}
}

// TestControllersOfTheDomain reads a person, and the directory may list other controllers than the configured ones. If
// a listed controller does not answer, ReadPerson fails, because that controller may know a later logon. The error has
// the latest possible logon if the controller that answered has lately received the changes of the other one.
func TestControllersOfTheDomain(t *testing.T) {
	t.Parallel()
	tenthDay, fourteen := time.Date(2026, 10, 10, 10, 0, 0, 0, time.UTC), 14*24*time.Hour
	logonAt := func(more ...string) func(request) []*ber.Packet {
		return onSearch(func(request) []*ber.Packet { return found(person(1, more...)) })
	}
	stamped := logonAt("lastLogonTimestamp", tenth)
	two, lately := []string{"dc1.corp.test", "dc2.corp.test"}, map[string]time.Time{"dc2.corp.test": testNow.Add(-5 * time.Hour)}
	for _, c := range []struct {
		name    string
		home    home
		answer  func(request) []*ber.Packet
		partial []string
		latest  time.Time
		fails   string // a part of the error; empty if the date is proven
	}{
		{name: "only one", home: home{servers: []string{"DC1.corp.test"}}, answer: stamped},
		{name: "another is listed", home: home{servers: two, synced: lately}, answer: stamped,
			partial: []string{"ldaps://dc2.corp.test"}, latest: tenthDay.Add(fourteen), fails: "ldaps://dc2.corp.test: connect: "},
		{name: "another does not replicate", home: home{servers: two, synced: map[string]time.Time{"dc2.corp.test": testNow.Add(-7 * time.Hour)}}, answer: stamped,
			partial: []string{"ldaps://dc2.corp.test"}, fails: "dc1.corp.test last received the changes of dc2.corp.test at 2026-11-23T02:00:00Z; "},
		{name: "a clock is ahead", home: home{servers: two, synced: map[string]time.Time{"dc2.corp.test": testNow.Add(7 * time.Hour)}}, answer: stamped,
			partial: []string{"ldaps://dc2.corp.test"}, fails: "dc1.corp.test last received the changes of dc2.corp.test at "},
		{name: "one of two does not replicate", home: home{servers: append(two, "rodc.corp.test"), synced: lately}, answer: stamped,
			partial: []string{"ldaps://dc2.corp.test", "ldaps://rodc.corp.test"}, fails: "dc1.corp.test does not tell when it last received the changes of rodc.corp.test; so "},
		{name: "longer interval", home: home{servers: two, synced: lately, interval: []string{"msDS-LogonTimeSyncInterval", "30"}},
			answer: stamped, partial: []string{"ldaps://dc2.corp.test"}, latest: tenthDay.Add(30 * 24 * time.Hour), fails: "dc2"},
		{name: "a later lastLogon", home: home{servers: two, synced: lately, interval: []string{"msDS-LogonTimeSyncInterval", "1"}},
			answer: logonAt("lastLogonTimestamp", tenth, "lastLogon", twelve), partial: []string{"ldaps://dc2.corp.test"},
			latest: tenthDay.AddDate(0, 0, 2), fails: "dc2"},
		{name: "never logged on is not proven", home: home{servers: two, synced: lately}, answer: logonAt("lastLogon", "0"),
			partial: []string{"ldaps://dc2.corp.test"}, fails: "dc2"},
		{name: "one has no name", home: home{servers: []string{"dc1.corp.test", "dc2="}}, answer: stamped,
			partial: []string{"without a name"}, fails: "has no dNSHostName"},
		{name: "none is listed", answer: stamped, partial: []string{"without a name"}, fails: "none holds " + testBase},
		{name: "none is listed, never logged on", answer: logonAt(), partial: []string{"without a name"}, fails: "none holds " + testBase},
		{name: "dates are not kept", home: home{servers: []string{"dc1.corp.test"}, interval: []string{"msDS-LogonTimeSyncInterval", "0"}},
			answer: stamped, fails: "msDS-LogonTimeSyncInterval of the domain is 0"},
		{name: "nonsense interval", home: home{servers: []string{"dc1.corp.test"}, interval: []string{"msDS-LogonTimeSyncInterval", "-1"}},
			answer: stamped, fails: `"-1" is no number of days`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.home.name = "dc1.corp.test"
			f := newController(t, c.home, c.answer)
			d := open(t, config(t, f.ca, f.url))
			d.now = func() time.Time { return testNow }
			_, err := d.ReadPerson(t.Context(), "S-1-5-21-1")
			checkError(t, err, c.fails)
			var got directory.PartialLogonError
			if e, ok := errors.AsType[*directory.PartialLogonError](err); ok {
				got = *e
			}
			if diff := cmp.Diff(c.partial, got.Controllers); diff != "" || !got.Latest.Equal(c.latest) {
				t.Errorf("latest %v, want %v; partial (-want +got):\n%s", got.Latest, c.latest, diff)
			}
		})
	}
}

// TestListOfControllersLost: the first controller returns msDS-LogonTimeSyncInterval, and its connection breaks before
// it lists the controllers of the domain. The connection to the second controller breaks earlier. The interval from the
// first controller must remain known: if it is 0, the logon dates mean nothing. With another interval, the last logon
// stays unknown, because the domain may have controllers that no answer has listed.
func TestListOfControllersLost(t *testing.T) {
	t.Parallel()
	for interval, fails := range map[string]string{"0": "msDS-LogonTimeSyncInterval of the domain is 0", "14": "list the domain's controllers"} {
		breaksAt := func(base, filter string) *fake {
			known := home{name: "dc1.corp.test", servers: []string{"dc1.corp.test"}, interval: []string{"msDS-LogonTimeSyncInterval", interval}}
			return newController(t, home{mute: true}, onSearch(func(r request) []*ber.Packet {
				if r.base == base && strings.Contains(r.filter, filter) {
					return cut
				}
				if answer := known.answer(r); answer != nil {
					return answer
				}
				return found(person(1, "lastLogonTimestamp", tenth))
			}))
		}
		first, second := breaksAt("CN=Sites,"+testConfiguration, ""), breaksAt(testBase, "(objectClass=*)")
		d := open(t, config(t, first.ca, first.url, second.url))
		d.now = func() time.Time { return testNow }
		_, err := d.ReadPerson(t.Context(), "S-1-5-21-1")
		checkError(t, err, fails)
		if partial, ok := errors.AsType[*directory.PartialLogonError](err); !ok || !partial.Latest.IsZero() {
			t.Errorf("%v, want a *directory.PartialLogonError without a latest date", err)
		}
	}
}

func TestListPeopleWithoutDates(t *testing.T) {
	t.Parallel()
	h := home{name: "dc1.corp.test", servers: []string{"dc1.corp.test"}, interval: []string{"msDS-LogonTimeSyncInterval", "0"}}
	f := newController(t, h, onSearch(func(request) []*ber.Packet { return found(person(1), person(2)) }))
	got, err := listSIDs(t.Context(), open(t, config(t, f.ca, f.url)))
	if _, partial := errors.AsType[*directory.PartialLogonError](err); !partial || len(got) != 2 {
		t.Errorf("%d people, %v; want everybody and *directory.PartialLogonError", len(got), err)
	}
}

func TestFindPerson(t *testing.T) {
	t.Parallel()
	const configuration = "CN=Configuration,DC=example,DC=test"
	f := newController(t, home{mute: true}, onSearch(func(r request) []*ber.Packet {
		switch r.base {
		case "":
			return found(entry("", "defaultNamingContext", testBase, "configurationNamingContext", configuration,
				"schemaNamingContext", testSchema, "tokenGroups", rawSID(99)))
		case testSchema:
			return schemaOf()
		case "CN=Partitions," + configuration:
			return found(entry("CN=CORP,"+r.base, "nETBIOSName", "CORP"))
		case testBase:
			return found(person(1))
		default:
			return found()
		}
	}))
	d := open(t, config(t, f.ca, f.url))
	for _, c := range []struct {
		name, filter string
		err          error
	}{
		{"anna@corp.test", "(|(userPrincipalName=anna@corp.test)(sAMAccountName=anna@corp.test))", nil},
		{"anna", "(|(userPrincipalName=anna)(sAMAccountName=anna))", nil},
		{`corp\Anna`, "(sAMAccountName=Anna)", nil},
		{"S-1-5-21-1", "(objectSid=S-1-5-21-1)", nil},
		{"s-1-5-21-1", "(objectSid=s-1-5-21-1)", nil},
		{"S-1-5-", "(|(userPrincipalName=S-1-5-)(sAMAccountName=S-1-5-))", nil},
		{"*)(cn=*", `(|(userPrincipalName=\2a\29\28cn=\2a)(sAMAccountName=\2a\29\28cn=\2a))`, nil},
		{`CORP\*`, `(sAMAccountName=\2a)`, nil},
		{`OTHER\anna`, "", directory.ErrNoPerson},
	} {
		u, err := d.FindPerson(t.Context(), c.name)
		if !errors.Is(err, c.err) || (err == nil) != (u.SID != "") {
			t.Errorf("FindPerson(%q) = %+v, %v; want %v", c.name, u, err, c.err)
		}
		if c.err != nil {
			continue
		}
		if diff := cmp.Diff("(&"+isPerson+c.filter+")", f.last().filter); diff != "" {
			t.Errorf("filter for %q (-want +got):\n%s", c.name, diff)
		}
	}
}
