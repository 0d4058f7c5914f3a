package client

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
)

const (
	anna   = "S-1-5-21-1"
	bo     = "S-1-5-21-2"
	broken = "S-1-5-21-3"
	moved  = "S-1-5-21-6"
	seats  = "CN=Seats,DC=x"
	other  = "CN=Other,DC=x"
	gone   = "CN=Gone,DC=x"
	// The constants "safe" and "bare" are groups whose members the policy exempts. Nobody is in the group "bare".
	safe = "CN=Safe,DC=x"
	bare = "CN=Bare,DC=x"
	// The constant "unread" is a license group that the relay could not read.
	unread = "CN=Unread,DC=x"
	// The constant "deleted" is a group that no read finds.
	deleted = "<GUID=guid-deleted>"
)

var now = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

var seen = protocol.Seen{Facts: "anna", Dated: true}

func evidence() *protocol.Evidence {
	key := func(dn string) string { return protocol.Group{DN: dn, Direct: true}.Key() }
	return &protocol.Evidence{
		Read: now.Add(-time.Minute), Groups: []string{key(seats), key(other), key(gone), protocol.Group{DN: safe}.Key(), protocol.Group{DN: bare}.Key()},
		Failed:     map[string]string{key(unread): "the domain is down"},
		Unreadable: []string{key(gone)}, Empty: []string{protocol.Group{DN: bare}.Key()},
		Sample: []time.Time{now, {}}, Found: map[string]directory.Group{seats: {ID: seats, GUID: "guid-seats"}},
		People: []protocol.Account{
			{SID: anna, Name: "anna@x.example", User: &directory.ADUser{SID: anna, GUID: "g-anna"}, Groups: []string{key(seats)}, Seen: &seen},
			{SID: bo, User: &directory.ADUser{SID: bo, GUID: "g-bo"}, PartialLogon: "DC2 did not answer", Latest: now},
			{SID: broken, Failed: "it broke"},
			{SID: "S-1-5-21-4"},
			{ImmutableID: "id-none"},
			{ImmutableID: "id-broken", Failed: "it broke"},
			{SID: moved, ImmutableID: "id-moved", LeftOut: &directory.ADUser{SID: moved, GUID: "g-moved"}, Groups: []string{key(seats)}},
		},
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	d := New(evidence(), now)
	for name, tt := range map[string]struct {
		ask  func() error
		is   error
		want string // a part of the error; empty if there is no error
	}{
		"read":           {ask: func() error { _, err := d.ReadPerson(t.Context(), anna); return err }},
		"find by name":   {ask: func() error { _, err := d.FindPerson(t.Context(), "ANNA@x.example"); return err }},
		"nobody":         {ask: func() error { _, err := d.ReadPerson(t.Context(), "S-1-5-21-4"); return err }, is: directory.ErrNoPerson, want: "S-1-5-21-4"},
		"not asked":      {ask: func() error { _, err := d.ReadPerson(t.Context(), "S-1-5-21-9"); return err }, want: "was not asked about"},
		"not readable":   {ask: func() error { _, err := d.ReadPerson(t.Context(), broken); return err }, want: "it broke"},
		"other group":    {ask: func() error { _, err := d.MemberOf(t.Context(), anna, "CN=New,DC=x", true); return err }, want: "not asked about the group"},
		"nested":         {ask: func() error { _, err := d.MemberOf(t.Context(), anna, seats, false); return err }, want: "not asked about the group"},
		"other GUID":     {ask: func() error { _, err := d.MemberOf(t.Context(), anna, "<GUID=guid-x>", true); return err }, want: "not asked about the group"},
		"group unread":   {ask: func() error { _, err := d.FindGroup(t.Context(), unread); return err }, want: `the relay could not read the group "CN=Unread,DC=x": the domain is down`},
		"member unread":  {ask: func() error { _, err := d.MemberOf(t.Context(), anna, unread, true); return err }, want: `the relay could not read the group "CN=Unread,DC=x": the domain is down`},
		"group gone":     {ask: func() error { _, err := d.MemberOf(t.Context(), anna, gone, true); return err }, is: directory.ErrNoGroup, want: "Gone"},
		"member unknown": {ask: func() error { _, err := d.MemberOf(t.Context(), broken, seats, true); return err }, want: "it broke"},
		"members":        {ask: func() error { _, err := d.HasMembers(t.Context(), seats, 1); return err }, want: "not asked about the group"},
		"find a group":   {ask: func() error { _, err := d.FindGroup(t.Context(), "CN=New,DC=x"); return err }, want: "not asked about the group"},
		"immutable id":   {ask: func() error { _, err := d.FindAnchor(t.Context(), "id-moved", ""); return err }},
		"of nobody":      {ask: func() error { _, err := d.FindAnchor(t.Context(), "id-none", ""); return err }, is: directory.ErrNoPerson, want: "id-none"},
		"id not read":    {ask: func() error { _, err := d.FindAnchor(t.Context(), "id-broken", ""); return err }, want: "it broke"},
		"id not asked":   {ask: func() error { _, err := d.FindAnchor(t.Context(), "id-new", ""); return err }, want: "was not asked about"},
		"write nobody":   {ask: func() error { return d.AddMember(t.Context(), seats, "g-none") }, want: "was not asked about"},
	} {
		if err := tt.ask(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	var partial *directory.PartialLogonError
	if u, err := d.ReadPerson(t.Context(), bo); !errors.As(err, &partial) || u.GUID != "g-bo" || !partial.Latest.Equal(now) {
		t.Errorf("not asked everywhere: %+v, %v", u, err)
	}
	if g, err := d.FindGroup(t.Context(), "<GUID=guid-seats>"); err != nil || g.ID != seats {
		t.Errorf("a group by its GUID: %+v, %v", g, err)
	}
	if u, err := d.ReadPerson(t.Context(), moved); !errors.Is(err, directory.ErrLeftOut) || u.GUID != "g-moved" {
		t.Errorf("left out: %+v, %v", u, err)
	}
	if sid, _ := d.FindAnchor(t.Context(), "id-moved", ""); sid != moved {
		t.Errorf("found by the immutable id: %q", sid)
	}
	if in, err := d.MemberOf(t.Context(), moved, seats, true); err != nil || !in {
		t.Errorf("left out, and in the group: %t, %v", in, err)
	}
	for dn, want := range map[string]bool{seats: true, other: false, "<GUID=guid-seats>": true} {
		if got, err := d.MemberOf(t.Context(), anna, dn, true); got != want || err != nil {
			t.Errorf("%s: %t, %v", dn, got, err)
		}
	}
	for dn, want := range map[string]bool{safe: true, bare: false} {
		if got, err := d.HasMembers(t.Context(), dn, 1); got != want || err != nil {
			t.Errorf("members of %s: %t, %v", dn, got, err)
		}
	}
	if g, err := d.FindGroup(t.Context(), safe); err != nil || g.ID != safe {
		t.Errorf("an exempt group: %+v, %v", g, err)
	}
	var dates []time.Time
	if err := d.ListPeople(t.Context(), func(u directory.ADUser) error { dates = append(dates, u.LastLogonTimestamp); return nil }); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(evidence().Sample, dates); diff != "" {
		t.Errorf("sample (-want +got):\n%s", diff)
	}
}

// TestPendingWrites: a person who must join one group and leave another leaves only after joining. Two additions belong
// to two licenses. So does a removal that does not come directly after an addition of the person.
func TestPendingWrites(t *testing.T) {
	t.Parallel()
	d := New(evidence(), now)
	for _, err := range []error{d.AddMember(t.Context(), other, "g-anna"), d.RemoveMember(t.Context(), seats, "g-anna"), d.RemoveMember(t.Context(), seats, "g-bo"), d.AddMember(t.Context(), other, "g-moved"), d.AddMember(t.Context(), safe, "g-moved"), d.RemoveMember(t.Context(), other, "g-anna")} {
		if !errors.Is(err, directory.ErrDeferred) {
			t.Errorf("%v", err)
		}
	}
	list := d.PendingWrites().Changes
	want := []protocol.Change{
		{SID: anna, GUID: "g-anna", Group: other, Action: protocol.Add},
		{SID: anna, GUID: "g-anna", Group: seats, Action: protocol.Remove, After: list[0].ID, Seen: &seen},
		{SID: bo, GUID: "g-bo", Group: seats, Action: protocol.Remove},
		{SID: moved, GUID: "g-moved", Group: other, Action: protocol.Add},
		{SID: moved, GUID: "g-moved", Group: safe, Action: protocol.Add},
		{SID: anna, GUID: "g-anna", Group: other, Action: protocol.Remove, Seen: &seen},
	}
	for i := range want {
		want[i].ID = list[i].ID
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("pending writes (-want +got):\n%s", diff)
	}
	// Each outcome gives a different error.
	var refusal *directory.Refusal
	for outcome, check := range map[protocol.Outcome]func(error) bool{
		protocol.Done:    func(err error) bool { return err == nil },
		protocol.Refused: func(err error) bool { return errors.As(err, &refusal) },
		protocol.Missing: func(err error) bool { return errors.As(err, &refusal) },
		protocol.Failed:  func(err error) bool { return err != nil && !errors.As(err, &refusal) },
		protocol.Outdated: func(err error) bool {
			return err != nil && !errors.As(err, &refusal) && !errors.Is(err, directory.ErrDeferred)
		},
		protocol.Skipped: func(err error) bool { return errors.Is(err, directory.ErrDeferred) },
	} {
		later := New(evidence(), now, protocol.Results{Results: []protocol.Result{{ID: list[2].ID, GUID: "g-bo", Outcome: outcome, Note: "said"}}})
		if err := later.RemoveMember(t.Context(), seats, "g-bo"); !check(err) {
			t.Errorf("%s: %v", outcome, err)
		}
	}
}

// TestAskedTwice: a write that one step asks for twice is sent once, because the relay takes no list that has a write
// twice. Each removal still follows the addition that was asked for directly before it.
func TestAskedTwice(t *testing.T) {
	t.Parallel()
	for name, asked := range map[string][]string{ // an addition to the group "other", or the group that is left
		"one change is tried again":       {other, other, seats, other, seats},
		"two licenses for the same group": {other, seats, other, safe},
	} {
		d := New(evidence(), now)
		for _, group := range asked {
			write := d.RemoveMember
			if group == other {
				write = d.AddMember
			}
			if err := write(t.Context(), group, "g-anna"); !errors.Is(err, directory.ErrDeferred) {
				t.Errorf("%s: %v", name, err)
			}
		}
		left := map[string]string{} // the id of the write that a removal follows, by group
		for _, c := range d.PendingWrites().Changes[1:] {
			if left[c.Group] != "" || c.Action != protocol.Remove {
				t.Errorf("%s: %+v", name, c)
			}
			left[c.Group] = c.After
		}
		for _, group := range asked {
			if join := writeID(protocol.Add, other, "g-anna"); group != other && left[group] != join {
				t.Errorf("%s: the removal from %s follows %q, want %q", name, group, left[group], join)
			}
		}
	}
}

// TestRefusedElsewhere: the directory refused a write of Bo to one group. That says nothing about an addition to
// another group, which the relay has made, has skipped, or does not know yet.
func TestRefusedElsewhere(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[protocol.Outcome]error{protocol.Done: nil, protocol.Skipped: directory.ErrDeferred, "": directory.ErrDeferred} {
		for _, action := range []protocol.Action{protocol.Add, protocol.Remove} {
			d := New(evidence(), now, protocol.Results{Results: []protocol.Result{
				{ID: writeID(protocol.Add, other, "g-bo"), GUID: "g-bo", Outcome: outcome},
				{ID: writeID(action, seats, "g-bo"), GUID: "g-bo", Outcome: protocol.Refused, Note: "may not write Seats"},
			}})
			if err := d.AddMember(t.Context(), other, "g-bo"); !errors.Is(err, want) {
				t.Errorf("%q, and a refused %s: %v", outcome, action, err)
			}
		}
	}
}

// TestNoEvidence: without evidence, or with old evidence, every answer is an error, and never "no".
func TestNoEvidence(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*Directory{"failed": Failed("it is down"), "old": New(evidence(), now.Add(2*Fresh))} {
		_, read := d.ReadPerson(t.Context(), anna)
		_, member := d.MemberOf(t.Context(), anna, seats, true)
		_, some := d.HasMembers(t.Context(), safe, 1)
		for _, err := range []error{read, member, some, d.ListPeople(t.Context(), nil), d.AddMember(t.Context(), seats, "g-anna")} {
			if err == nil || errors.Is(err, directory.ErrNoPerson) || errors.Is(err, directory.ErrDeferred) || !strings.Contains(err.Error(), "the relay did not answer") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := len(d.PendingWrites().Changes); n != 0 {
			t.Errorf("%s: %d pending writes", name, n)
		}
	}
	e := evidence()
	e.Sample, e.Unsampled = nil, "dates are not kept"
	if err := New(e, now).ListPeople(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "dates are not kept") {
		t.Errorf("no sample: %v", err)
	}
}

// TestFindGroup: FindGroup returns the ids of a group from the relay. If an older relay sent none, it returns only the
// name.
func TestFindGroup(t *testing.T) {
	t.Parallel()
	e := evidence()
	e.Found = map[string]directory.Group{seats: {ID: seats, GUID: "guid-of-seats"}}
	key := protocol.Group{DN: deleted, Direct: true}.Key()
	e.Groups, e.Gone, e.People[0].Groups = append(e.Groups, key), []string{key}, append(e.People[0].Groups, key)
	d := New(e, now)
	if g, err := d.FindGroup(t.Context(), seats); err != nil || g.GUID != "guid-of-seats" {
		t.Errorf("%+v, %v", g, err)
	}
	if g, err := d.FindGroup(t.Context(), other); err != nil || g.ID != other || g.GUID != "" {
		t.Errorf("of an older relay: %+v, %v", g, err)
	}
	if g, err := d.FindGroup(t.Context(), gone); !errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("gone: %+v, %v", g, err)
	}
	if g, err := d.FindGroup(t.Context(), deleted); !errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("deleted: %+v, %v", g, err)
	}
	if in, err := d.MemberOf(t.Context(), bo, deleted, true); err != nil || in {
		t.Errorf("in a deleted group: %v, %v", in, err)
	}
	if in, err := d.MemberOf(t.Context(), anna, deleted, true); err != nil || !in {
		t.Errorf("in a group that is hidden: %v, %v", in, err)
	}
	if g, err := d.FindGroup(t.Context(), "CN=New,DC=x"); err == nil || errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("not asked: %+v, %v", g, err)
	}
	if g, err := Failed("it is down").FindGroup(t.Context(), seats); err == nil {
		t.Errorf("no evidence: %+v", g)
	}
}

// TestClock: evidence by a clock that is ahead of the cloud's clock gives no answer, because it would look fresh for
// longer than it is.
func TestClock(t *testing.T) {
	t.Parallel()
	for ahead, wrong := range map[time.Duration]bool{0: false, 10 * time.Minute: false, 11 * time.Minute: true, 72 * time.Hour: true} {
		e := evidence()
		e.Read = now.Add(ahead)
		_, err := New(e, now).ReadPerson(t.Context(), anna)
		if (err != nil) != wrong || wrong && !strings.Contains(err.Error(), "the clocks disagree: the relay says") {
			t.Errorf("%s ahead: %v", ahead, err)
		}
	}
}
