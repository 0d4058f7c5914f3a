package activedirectory

import (
	"errors"
	"slices"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

const ntdsSettings = "CN=NTDS Settings,CN=DC1," + testServers

// The type "counting" is a fake controller with a USN for each change, so ListChanges can list the changes since a USN.
type counting struct {
	invocation string
	interval   []string
	present    func() []*ber.Packet
	changed    func() []*ber.Packet
}

func (c counting) answer(r request) []*ber.Packet {
	switch {
	case r.base == "":
		return found(entry("", "defaultNamingContext", testBase, "dnsHostName", "dc1.corp.test", "dsServiceName", ntdsSettings, "highestCommittedUSN", "200", "schemaNamingContext", testSchema, "tokenGroups", rawSID(99)))
	case r.base == testSchema:
		return schemaOf()
	case r.base == ntdsSettings && c.invocation != "":
		return found(entry(ntdsSettings, "invocationId", c.invocation))
	case r.base == ntdsSettings:
		return found(entry(ntdsSettings))
	case r.filter == "(objectClass=*)":
		return found(entry(testBase, c.interval...))
	case r.filter == "(&"+isPerson+")":
		return found(c.present()...)
	case r.filter == "(&"+isPerson+"(uSNChanged>=101))":
		return found(c.changed()...)
	default:
		return found()
	}
}

func none() []*ber.Packet { return nil }

func usual() counting {
	return counting{
		invocation: "0123456789abcdef",
		present: func() []*ber.Packet {
			return []*ber.Packet{person(1, "uSNChanged", "100"), person(2, "uSNChanged", "101")}
		},
		changed: func() []*ber.Packet { return []*ber.Packet{person(2), person(3)} },
	}
}

func changesSince(t *testing.T, d *Directory, since directory.Watermark) (got [2][]string, now directory.Watermark, err error) {
	t.Helper()
	now, err = d.ListChanges(t.Context(), since, nil,
		func(sid, dn string) error { got[0] = append(got[0], sid+" "+dn); return nil },
		func(u directory.ADUser) error { got[1] = append(got[1], u.SID); return nil })
	return got, now, err
}

func TestListChanges(t *testing.T) {
	t.Parallel()
	f := newController(t, home{mute: true}, onSearch(usual().answer))
	d := open(t, config(t, f.ca, f.url))
	watermark, err := d.ListFull(t.Context(), nil, func(directory.ADUser) error { return nil })
	if err != nil || watermark == nil {
		t.Fatalf("watermark %v, %v", watermark, err)
	}
	asked := f.requests()
	root := slices.IndexFunc(asked, func(r request) bool { return r.base == "" && r.filter != "" })
	people := slices.IndexFunc(asked, func(r request) bool { return strings.Contains(r.filter, isPerson) })
	if root < 0 || root > people {
		t.Errorf("the USN was read after the people: %+v", asked)
	}
	since := *watermark
	since.USN = 100
	got, now, err := changesSince(t, d, since)
	want := [2][]string{{"S-1-5-21-1 CN=p," + testBase, "S-1-5-21-2 CN=p," + testBase}, {"S-1-5-21-2", "S-1-5-21-3"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff(*watermark, now); diff != "" || now.USN != 200 {
		t.Errorf("watermark (-want +got):\n%s", diff)
	}
}

func TestNoMark(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*counting, *Config, *directory.Watermark)
		want  string
	}{
		{"other controller", func(_ *counting, _ *Config, m *directory.Watermark) { m.Controller = "dc2.corp.test" }, "another controller"},
		{"database restored", func(c *counting, _ *Config, _ *directory.Watermark) { c.invocation = "fedcba9876543210" }, "another database"},
		{"USN gone back", func(_ *counting, _ *Config, m *directory.Watermark) { m.USN = 201 }, "another database"},
		{"other filter", func(_ *counting, c *Config, _ *directory.Watermark) { c.Filter = "(mail=*)" }, "other settings"},
		{"other account", func(_ *counting, c *Config, _ *directory.Watermark) { c.Bind = `CORP\other` }, "other settings"},
		{"invocationId hidden", func(c *counting, _ *Config, _ *directory.Watermark) { c.invocation = "" }, "may not read"},
		{"dates are not kept", func(c *counting, _ *Config, _ *directory.Watermark) {
			c.interval = []string{"msDS-LogonTimeSyncInterval", "0"}
		}, "is 0"},
		{"uSNChanged hidden", func(c *counting, _ *Config, _ *directory.Watermark) {
			c.present = func() []*ber.Packet { return []*ber.Packet{person(1)} }
		}, "uSNChanged of everybody"},
		{"changes not found", func(c *counting, _ *Config, _ *directory.Watermark) { c.changed = none }, "1 changed people were not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			answers := usual()
			var conf Config
			f := newController(t, home{mute: true}, onSearch(func(r request) []*ber.Packet { return answers.answer(r) }))
			conf = config(t, f.ca, f.url)
			watermark, err := open(t, conf).ListFull(t.Context(), nil, func(directory.ADUser) error { return nil })
			if err != nil || watermark == nil {
				t.Fatalf("watermark %v, %v", watermark, err)
			}
			watermark.USN = 100
			c.spoil(&answers, &conf, watermark)
			_, _, err = changesSince(t, open(t, conf), *watermark)
			checkError(t, err, c.want)
			if !errors.Is(err, directory.ErrNoWatermark) {
				t.Errorf("%v, want directory.ErrNoWatermark", err)
			}
		})
	}
}

// TestWatermarkElsewhere: if the database of the first controller is not the one of the watermark, because it has
// another invocationId, ListChanges reads from the second controller.
func TestWatermarkElsewhere(t *testing.T) {
	t.Parallel()
	other := usual()
	other.invocation = "fedcba9876543210"
	first := newController(t, home{mute: true}, onSearch(other.answer))
	second := newController(t, home{mute: true}, onSearch(usual().answer))
	watermark, err := open(t, config(t, second.ca, second.url)).ListFull(t.Context(), nil, func(directory.ADUser) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	watermark.USN = 100
	got, _, err := changesSince(t, open(t, config(t, first.ca, first.url, second.url)), *watermark)
	if err != nil || len(got[0]) != 2 {
		t.Errorf("%q, %v", got, err)
	}
}

// TestUnmarked: a controller does not show its invocationId, so no watermark can be made. ListFull still reads
// everybody, and returns no watermark.
func TestUnmarked(t *testing.T) {
	t.Parallel()
	hidden := usual()
	hidden.invocation = ""
	f := newController(t, home{mute: true}, onSearch(hidden.answer))
	read := 0
	watermark, err := open(t, config(t, f.ca, f.url)).ListFull(t.Context(), nil, func(directory.ADUser) error { read++; return nil })
	if watermark != nil || err != nil || read != 2 {
		t.Errorf("watermark %v, %d people, %v", watermark, read, err)
	}
}

// testChanges lists the changes since two watermarks. Since the newest watermark, nobody has changed. Since a watermark
// with the USN 1, everybody has.
func testChanges(t *testing.T, d *Directory, people map[string]directory.ADUser) {
	watermark, err := d.ListFull(t.Context(), nil, func(directory.ADUser) error { return nil })
	if err != nil || watermark == nil {
		t.Fatalf("watermark %v, %v", watermark, err)
	}
	got, now, err := changesSince(t, d, *watermark)
	if err != nil || now.USN < watermark.USN || len(got[0]) != len(people) || len(got[1]) != 0 {
		t.Errorf("%d of %d people are there, %d changed, watermark %+v, %v", len(got[0]), len(people), len(got[1]), now, err)
	}
	watermark.USN = 1
	all := map[string]directory.ADUser{}
	_, err = d.ListChanges(t.Context(), *watermark, nil, func(string, string) error { return nil },
		func(u directory.ADUser) error { all[u.SAMAccount] = u; return nil })
	if diff := cmp.Diff(people, all); diff != "" || err != nil {
		t.Errorf("since the beginning: %v (-want +got):\n%s", err, diff)
	}
}
