package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestAccount: if some domain controllers do not answer, Latest is the latest possible logon. Latest is zero if no such
// time is known, and if the account or its groups cannot be read.
func TestAccount(t *testing.T) {
	t.Parallel()
	late := &directory.PartialLogonError{Err: errDown, Latest: logon.Add(time.Hour)}
	for name, tc := range map[string]struct {
		sid     string
		fail    fails
		there   bool
		state   directory.Presence
		stale   bool
		latest  bool
		unknown []string // groups whose membership is unknown
		is      error
	}{
		"read":                      {egon.SID, nil, true, directory.Present, false, false, nil, nil},
		"nobody has the SID":        {"S-1-5-21-9", nil, false, directory.Present, false, false, nil, nil},
		"controllers not asked":     {egon.SID, fails{"ReadPerson": late}, true, directory.Present, true, true, nil, nil},
		"the same, wrapped":         {egon.SID, fails{"ReadPerson": fmt.Errorf("read: %w", late)}, true, directory.Present, true, true, nil, nil},
		"nothing is proven":         {egon.SID, fails{"ReadPerson": &directory.PartialLogonError{Err: errDown}}, true, directory.Present, true, false, nil, nil},
		"one controller lacks it":   {egon.SID, fails{"ReadPerson": &directory.PartialLogonError{Err: directory.ErrNoPerson}}, true, directory.Present, true, false, nil, nil},
		"it cannot be read":         {egon.SID, fails{"ReadPerson": errDown}, false, directory.NotRead, false, false, nil, errDown},
		"a group is gone":           {egon.SID, fails{"MemberOf CN=VIP,DC=corp": directory.ErrNoGroup}, true, directory.Present, false, false, []string{vip.Key()}, nil},
		"a group cannot be read":    {egon.SID, fails{"MemberOf CN=VIP,DC=corp": errDown}, false, directory.NotRead, false, false, nil, errDown},
		"the same, with a late one": {egon.SID, fails{"MemberOf CN=VIP,DC=corp": errDown, "ReadPerson": late}, false, directory.NotRead, true, false, nil, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ad := &fakeAD{people: []directory.ADUser{egon}, in: map[string][]string{"CN=Citrix,DC=corp*": {egon.SID}}, fail: tc.fail}
			var p Person
			p.ReadAD(t.Context(), ad, tc.sid, []directory.Question{exempt, citrix, vip})
			if !errors.Is(p.Failed, tc.is) || (p.Failed == nil) != (tc.is == nil) || !p.Latest().IsZero() != tc.latest {
				t.Errorf("%v, latest %s", p.Failed, p.Latest())
			}
			h := p.Accounts(directory.EitherGUID)
			if (len(h.AD) == 1) != tc.there || h.ADState != tc.state || (h.Stale[directory.AD] != "") != tc.stale {
				t.Errorf("%+v", h)
			}
			in := map[string][]string{}
			if tc.there {
				in[egon.SID] = []string{citrix.Key()}
			}
			if d := cmp.Diff(in, h.Memberships) + cmp.Diff(tc.unknown, h.Unreadable); d != "" {
				t.Errorf("groups (-want +got):\n%s", d)
			}
		})
	}
	nothing := new(Person)
	if h := nothing.Accounts(directory.EitherGUID); h.ADState != directory.NotRead || h.EntraState != directory.NotRead || !nothing.Latest().IsZero() {
		t.Errorf("nothing was read, and is: %+v", h)
	}
}

func TestAccountsOfBoth(t *testing.T) {
	t.Parallel()
	p := &Person{
		Entra: &inEntra, Groups: Belonging{In: []string{seats.Key()}, Unreadable: []string{exempt.Key()}},
		AD: &Account{User: &egon, Belonging: Belonging{In: []string{citrix.Key()}, Unreadable: []string{vip.Key()}}},
	}
	want := &directory.Accounts{
		Entra: []directory.EntraUser{inEntra}, AD: []directory.ADUser{egon}, EntraState: directory.Present, ADState: directory.Present, Sought: true, Anchor: directory.ObjectGUID,
		Memberships: map[string][]string{inEntra.ID: {seats.Key()}, egon.SID: {citrix.Key()}}, Unreadable: []string{exempt.Key(), vip.Key()},
	}
	if d := cmp.Diff(want, p.Accounts(directory.ObjectGUID), cmp.AllowUnexported(directory.Past{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Two accounts belong to one person if their SIDs match. If the Entra account has no SID, the immutable id must match.
func TestInEntra(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		user    directory.EntraUser
		account *directory.ADUser
		fail    fails
		anchor  directory.Anchor
		found   bool
		is      error
	}{
		"same SID":                    {inEntra, &egon, nil, "", true, nil},
		"another SID":                 {directory.EntraUser{ID: "id", UserPrincipalName: egon.UserPrincipalName, SID: "S-1-5-21-6", ImmutableID: egon.GUID}, &egon, nil, "", false, nil},
		"no SID, id fits":             {directory.EntraUser{ID: "id", UserPrincipalName: egon.UserPrincipalName, ImmutableID: egon.GUID}, &egon, nil, "", true, nil},
		"no SID, id of other anchors": {directory.EntraUser{ID: "id", UserPrincipalName: egon.UserPrincipalName, ImmutableID: egon.GUID}, &egon, nil, directory.ConsistencyGUID, false, nil},
		"no SID, no id":               {directory.EntraUser{ID: "id", UserPrincipalName: egon.UserPrincipalName}, &egon, nil, "", false, nil},
		"nobody of the name":          {directory.EntraUser{}, &egon, nil, "", false, nil},
		"no name":                     {inEntra, &directory.ADUser{SID: egon.SID}, nil, "", false, nil},
		"no account":                  {inEntra, nil, nil, "", false, nil},
		"Entra ID is down":            {inEntra, &egon, fails{"FindPerson egon@x.example": errDown}, "", false, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entra := &fakeEntra{user: tc.user, fail: tc.fail}
			got, err := InEntra(t.Context(), entra, tc.account, tc.anchor)
			if asked := tc.account != nil && tc.account.UserPrincipalName != ""; asked != (len(entra.calls) > 0) {
				t.Errorf("asked for %q", entra.calls)
			}
			if (got != nil) != tc.found || !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	type found struct {
		Entra, AD, Asked bool
		Failed           bool
	}
	for name, tc := range map[string]struct {
		name   string
		noAD   bool
		cloud  bool // the account has no SID
		fail   fails
		failAD fails
		want   found
		is     error
	}{
		"in both":                    {"egon@x.example", false, false, nil, nil, found{true, true, true, false}, nil},
		"in both, AD is down":        {"egon@x.example", false, false, nil, fails{"ReadPerson": errDown}, found{true, false, true, true}, nil},
		"in Entra ID alone":          {"egon@x.example", false, true, nil, nil, found{true, false, false, false}, nil},
		"AD is not set up":           {"egon@x.example", true, false, nil, nil, found{true, false, false, false}, nil},
		"by the name in AD":          {"egon", false, false, nil, nil, found{true, true, true, false}, nil},
		"the same, joined by anchor": {"egon", false, true, nil, nil, found{true, true, true, false}, nil},
		"nobody":                     {"fritz", false, false, nil, nil, found{}, directory.ErrNoPerson},
		"nobody, AD is not set up":   {"egon", true, false, nil, nil, found{}, directory.ErrNoPerson},
		"Entra ID is down":           {"egon", false, false, fails{"FindPerson egon": errDown}, nil, found{}, errDown},
		"Entra ID is down later":     {"egon", false, false, fails{"FindPerson egon@x.example": errDown}, nil, found{}, errDown},
		"two of the name in AD":      {"egon", false, false, nil, fails{"FindPerson egon": directory.ErrAmbiguousPerson}, found{}, directory.ErrAmbiguousPerson},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entra, ad := &fakeEntra{user: inEntra, fail: tc.fail}, NamedAD(&fakeAD{people: []directory.ADUser{egon}, fail: tc.failAD})
			if tc.cloud {
				entra.user.SID = ""
			}
			if tc.noAD {
				ad = nil
			}
			p, err := Find(t.Context(), entra, ad, tc.name, directory.EitherGUID)
			if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Fatalf("%v, want %v", err, tc.is)
			}
			if err != nil {
				return
			}
			got := found{p.Entra != nil, p.AD != nil && p.AD.User != nil, p.AD != nil, p.Failed != nil}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// If a group hides its members and memberOf does not show the group, ReadGroups reads the list of members. If it may
// not see the list, membership is unknown.
func TestGroups(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		members []string // members of the group "seats"
		hidden  bool     // the group hid its members when it was found
		alter   func(*Group)
		fail    fails
		want    Belonging
		calls   []string
		is      error
	}{
		"a member":                      {[]string{"id-egon"}, false, nil, nil, Belonging{In: []string{seats.Key()}}, []string{"DirectGroups id-egon"}, nil},
		"none":                          {nil, false, nil, nil, Belonging{}, []string{"DirectGroups id-egon"}, nil},
		"through another group":         {[]string{"id-egon*"}, false, nil, nil, Belonging{}, []string{"DirectGroups id-egon"}, nil},
		"hidden, a member":              {[]string{"id-bo", "id-egon"}, true, nil, nil, Belonging{In: []string{seats.Key()}}, []string{"DirectGroups id-egon", "ListMembers g-seats"}, nil},
		"hidden, through another group": {[]string{"id-egon*"}, true, nil, nil, Belonging{}, []string{"DirectGroups id-egon", "ListMembers g-seats"}, nil},
		"hidden, list is known": {nil, true, func(g *Group) { g.Listed = map[string]bool{"id-egon": true} }, nil,
			Belonging{In: []string{seats.Key()}}, []string{"DirectGroups id-egon"}, nil},
		"hidden, and memberOf shows it": {[]string{"id-egon", "shown"}, true, nil, nil, Belonging{In: []string{seats.Key()}}, []string{"DirectGroups id-egon"}, nil},
		"hidden, listed both ways":      {[]string{"id-egon", "id-egon*"}, true, nil, nil, Belonging{In: []string{seats.Key()}}, []string{"DirectGroups id-egon", "ListMembers g-seats"}, nil},
		"hidden from us": {nil, true, nil, fails{"ListMembers g-seats": directory.ErrHidden},
			Belonging{Unreadable: []string{seats.Key()}, Why: map[string]error{seats.Key(): directory.ErrHidden}}, []string{"DirectGroups id-egon", "ListMembers g-seats"}, nil},
		"hidden, cannot be listed": {nil, true, nil, fails{"ListMembers g-seats": errDown}, Belonging{}, []string{"DirectGroups id-egon", "ListMembers g-seats"}, errDown},
		"nobody sees it":           {nil, false, func(g *Group) { g.Unseen = true }, nil, Belonging{Unreadable: []string{seats.Key()}}, nil, nil},
		"not found":                {nil, false, func(g *Group) { g.Now.Unreadable = "no such group" }, nil, Belonging{Unreadable: []string{seats.Key()}}, nil, nil},
		"hidden, memberOf fails":   {nil, true, nil, fails{"DirectGroups id-egon": errDown}, Belonging{}, []string{"DirectGroups id-egon"}, errDown},
		"memberOf fails":           {nil, false, nil, fails{"DirectGroups id-egon": errDown}, Belonging{}, []string{"DirectGroups id-egon"}, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entra := &fakeEntra{user: inEntra, members: map[string][]string{"g-seats": tc.members}, fail: tc.fail}
			if tc.hidden {
				entra.hidden = []string{"g-seats"}
			}
			entra.shown = slices.Contains(tc.members, "shown")
			g := Group{Question: seats, Now: directory.Group{ID: "g-seats", Hidden: tc.hidden}}
			if tc.alter != nil {
				tc.alter(&g)
			}
			got, err := ReadGroups(t.Context(), entra, "id-egon", []Group{g})
			if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Errorf("%v, want %v", err, tc.is)
			}
			if d := cmp.Diff(tc.want, got, cmpopts.EquateErrors()) + cmp.Diff(tc.calls, entra.calls); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestWhyEachGroupIsWithheld(t *testing.T) {
	t.Parallel()
	groups := []Group{{Question: seats, Now: directory.Group{ID: "g-seats", Hidden: true}}, {Question: exempt, Now: directory.Group{ID: "g-exempt", Hidden: true}}}
	entra := &fakeEntra{fail: fails{"ListMembers g-seats": directory.ErrHidden, "ListMembers g-exempt": directory.ErrHidden}}
	got, err := ReadGroups(t.Context(), entra, "id-egon", groups)
	if err != nil || len(got.Why) != 2 || len(got.Unreadable) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// ReadGroups reads all groups of a person once and the direct groups once.
func TestGroupsAskOnce(t *testing.T) {
	t.Parallel()
	entra := &fakeEntra{members: map[string][]string{"g-1": {"id-egon"}, "g-2": {"id-egon*"}}}
	var groups []Group
	for _, id := range []string{"g-1", "g-2"} {
		for _, direct := range []bool{false, true} {
			groups = append(groups, Group{Question: directory.Question{Ref: directory.GroupRef{Name: id}, Direct: direct}, Now: directory.Group{ID: id}})
		}
	}
	got, err := ReadGroups(t.Context(), entra, "id-egon", groups)
	if err != nil {
		t.Fatal(err)
	}
	want := Belonging{In: []string{"entra:g-1", "entra/direct:g-1", "entra:g-2"}}
	if d := cmp.Diff(want, got) + cmp.Diff([]string{"GroupsOf id-egon", "DirectGroups id-egon"}, entra.calls); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Again sets Unseen if the group was deleted since the first reading, has too few members, or no longer shows its
// members to this application.
func TestAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		members     []string
		before, now bool // whether the group hides its members, in the first and in the second reading
		least       int  // members that the group must have
		fail        fails
		unseen      bool
		listed      map[string]bool
		pages       int // number of pages read
		is          error
	}{
		"members":             {[]string{"id-bo", "id-anna"}, false, false, 1, nil, false, nil, 1, nil},
		"on a later page":     {[]string{"", "id-bo", "", "id-anna"}, false, false, 1, nil, false, nil, 2, nil},
		"hidden, on one page": {[]string{"id-bo", ""}, true, true, 1, nil, false, map[string]bool{"id-bo": true}, 2, nil},
		"nobody, as before":   {nil, false, false, 0, nil, false, nil, 0, nil},
		"emptied":             {[]string{""}, false, false, 1, nil, true, nil, 1, nil},
		"enough":              {[]string{"", "id-bo", "id-eva", "id-anna"}, false, false, 2, nil, false, nil, 3, nil},
		"too few":             {[]string{"", "id-bo", "id-eva"}, false, false, 3, nil, true, nil, 3, nil},
		"hidden, too few":     {[]string{"id-bo"}, true, true, 2, nil, true, map[string]bool{"id-bo": true}, 1, nil},
		"gone":                {nil, false, false, 0, fails{"FindGroup g-exempt": directory.ErrNoGroup}, true, nil, 0, nil},
		"gone meanwhile":      {nil, false, false, 0, fails{"ListMembers g-exempt": directory.ErrNoGroup}, true, nil, 0, nil},
		"hidden from us":      {[]string{"id-bo"}, false, false, 0, fails{"ListMembers g-exempt": directory.ErrHidden}, true, nil, 0, nil},
		"cannot be found":     {nil, false, false, 0, fails{"FindGroup g-exempt": errDown}, false, nil, 0, errDown},
		"cannot be listed":    {nil, false, false, 0, fails{"ListMembers g-exempt": errDown}, false, nil, 0, errDown},
		"hidden now":          {[]string{"id-bo", "id-anna*"}, false, true, 1, nil, false, map[string]bool{"id-bo": true, "id-anna": true}, 2, nil},
		"hidden before":       {[]string{"id-bo"}, true, false, 1, nil, false, map[string]bool{"id-bo": true}, 1, nil},
		"hidden, emptied":     {nil, true, true, 1, nil, true, map[string]bool{}, 0, nil},
		"hidden, nobody":      {nil, true, true, 0, nil, false, map[string]bool{}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entra := &fakeEntra{members: map[string][]string{"g-exempt": tc.members}, fail: tc.fail}
			if tc.now {
				entra.hidden = []string{"g-exempt"}
			}
			g, err := Again(t.Context(), entra, Group{Question: exempt, Now: directory.Group{ID: "g-exempt", Hidden: tc.before}}, tc.least)
			if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Fatalf("%v, want %v", err, tc.is)
			}
			if entra.pages != tc.pages {
				t.Errorf("%d pages of members were read, want %d", entra.pages, tc.pages)
			}
			if hidden := g.Now.Hidden; !tc.unseen && hidden != (tc.before || tc.now) {
				t.Errorf("hidden %t", hidden)
			}
			if d := cmp.Diff(tc.listed, g.Listed); g.Unseen != tc.unseen || d != "" {
				t.Errorf("unseen %t, want %t; listed (-want +got):\n%s", g.Unseen, tc.unseen, d)
			}
		})
	}
}

// A sample stops reading the list when it has enough people. If the listing fails before the sample is complete,
// SampleAD returns the error.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 3, 7} {
		ad, seen := &fakeAD{people: make([]directory.ADUser, 5), fail: fails{"ListPeople": errDown}}, 0
		err := SampleAD(t.Context(), ad, n, func(*directory.ADUser) { seen++ })
		if want := min(n, 5); seen != want || ad.listed != want || errors.Is(err, errDown) != (n > 5) {
			t.Errorf("%d asked: %d seen, %d listed, %v", n, seen, ad.listed, err)
		}
	}
	seen := 0
	if err := SampleEntra(t.Context(), &fakeEntra{}, func(*directory.EntraUser) { seen++ }); err != nil || seen != 2 {
		t.Errorf("%d seen, which is not one page: %v", seen, err)
	}
	if err := SampleEntra(t.Context(), broken{}, func(*directory.EntraUser) {}); !errors.Is(err, errDown) {
		t.Errorf("a list that cannot be read: %v", err)
	}
}

type broken struct{}

func (broken) ListPeople(context.Context, string, func([]directory.EntraUser, string) error) error {
	return errDown
}
