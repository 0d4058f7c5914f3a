package activedirectory

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

func TestSyncTimes(t *testing.T) {
	t.Parallel()
	const seconds, ticks = 13439898000, 134398980000000000 // testNow in the units of DSTIME and of FILETIME
	number := func(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
	id, vector := schemaGUID("dc2"), vectorOf(map[string]time.Time{"dc2": testNow})
	source := func(at uint64) string { return strings.Repeat("x", 16) + number(at) + strings.Repeat("x", 176-24) + id }
	for name, c := range map[string]struct {
		vector, source string
		want           map[string]time.Time
	}{
		"seconds":           {vector, "", map[string]time.Time{id: testNow}},
		"FILETIME":          {vector[:40] + number(ticks), "", map[string]time.Time{id: testNow}},
		"never":             {vector[:40] + number(0), "", map[string]time.Time{id: {}}},
		"1970, as Samba":    {vector[:40] + number(116444736000000000), source(seconds), map[string]time.Time{id: testNow}},
		"too large":         {vector[:40] + number(1<<64-1), "", map[string]time.Time{id: {}}},
		"no cursor":         {vector[:16], "", map[string]time.Time{}},
		"cut":               {vector[:47], source(seconds)[:191], map[string]time.Time{}},
		"only a head":       {vector[:15], source(seconds)[:15], map[string]time.Time{}},
		"version 1":         {"\x01" + vector[1:], "", map[string]time.Time{}},
		"source is later":   {vector, source(seconds + 60), map[string]time.Time{id: testNow.Add(time.Minute)}},
		"source is earlier": {vector, source(seconds - 60), map[string]time.Time{id: testNow}},
		"not readable":      {"", "", map[string]time.Time{}},
	} {
		f := newController(t, home{mute: true}, onSearch(func(r request) []*ber.Packet {
			if r.base == "" {
				return found(entry("", "defaultNamingContext", testBase))
			}
			return found(entry(testBase, "replUpToDateVector", c.vector, "repsFrom", c.source))
		}))
		err := open(t, config(t, f.ca, f.url)).ask(t.Context(), func(s *session) error {
			got, err := s.syncTimes()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSambaIsolatedController: a person logs on again at a controller that then does not answer. The old replicated
// date must not count once the last replication is too old.
func TestSambaIsolatedController(t *testing.T) {
	const password = "Pa55w.rd-of-anna"
	old := time.Now().UTC().Truncate(time.Second).AddDate(0, 0, -110)
	h := hardenWith(t, samba.Options{Replicating: true, People: []samba.Person{{
		ADUser: directory.ADUser{DN: samba.DN("anna", samba.PeopleOU), SAMAccount: "anna", Enabled: directory.Yes, LastLogonTimestamp: old}, Password: password,
	}}})
	sid := listed(t, h.d)["anna"].SID
	if err := h.domain.Replicate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.domain.LogOn(1, "anna", password); err != nil {
		t.Fatal(err)
	}
	if u, err := h.d.ReadPerson(t.Context(), sid); err != nil || time.Since(u.LastLogonTimestamp) > time.Hour {
		t.Fatalf("before the second controller stops: last logon %v, %v", u.LastLogonTimestamp, err)
	}
	h.domain.Stop(1)
	for _, c := range []struct {
		later  time.Duration // time since the last replication
		latest time.Time
	}{{0, old.Add(defaultInterval)}, {syncAge + time.Hour, time.Time{}}} {
		h.d.now = func() time.Time { return time.Now().Add(c.later) }
		u, err := h.d.ReadPerson(t.Context(), sid)
		partial, ok := errors.AsType[*directory.PartialLogonError](err)
		if !ok || !u.LastLogonTimestamp.Equal(old) || !partial.Latest.Equal(c.latest) {
			t.Errorf("%v later: last logon %v, %v, want the latest possible one %v", c.later, u.LastLogonTimestamp, err, c.latest)
		}
		if c.latest.IsZero() {
			checkError(t, err, "dc1.corp.example.test last received the changes of dc2.corp.example.test at ")
		}
	}
}
