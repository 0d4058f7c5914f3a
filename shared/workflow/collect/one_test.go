package collect

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/snapshot"
)

var onOther = directory.EntraUser{ID: "id-cid", UserPrincipalName: "cid@x.example", SID: cidAD.SID, ImmutableID: "guid-cid", Synced: true}

type found struct {
	Entra, AD   []string // object ids and SIDs
	Memberships map[string][]string
	Failed      [2]string
	Unasked     string
	Sampled     [2]int
	LastLogon   time.Time
}

func (b *bench) found(t *testing.T) found {
	t.Helper()
	m, _, err := snapshot.GetManifest(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	h := b.accounts(t)
	f := found{Memberships: h.Memberships, Unasked: m.Readings[directory.AD].PartialLogon}
	for i, r := range m.Readings {
		f.Failed[i], f.Sampled[i] = r.Failed, r.Sampled
	}
	for _, u := range h.Entra {
		f.Entra = append(f.Entra, u.ID)
	}
	for _, u := range h.AD {
		f.AD = append(f.AD, u.SID)
		f.LastLogon = u.LastLogonTimestamp
	}
	return f
}

func TestOne(t *testing.T) {
	t.Parallel()
	const nobodyNamed = `nobody in Entra ID is named "cid", and the account found in Active Directory may belong to somebody named otherwise there`
	unasked := &directory.PartialLogonError{Controllers: []string{"ldaps://dc2"}, Err: errDown}
	tests := map[string]struct {
		user   string
		change func(*bench)
		want   found
	}{
		"by name in Entra, by SID in AD": {"anna@x.example", nil, found{
			Entra: []string{anna.ID}, AD: []string{anna.SID}, Memberships: map[string][]string{anna.SID: {citrixKey}}, Sampled: [2]int{2, 3},
		}},
		"in any spelling": {"Anna@X.example", nil, found{
			Entra: []string{anna.ID}, AD: []string{anna.SID}, Memberships: map[string][]string{anna.SID: {citrixKey}}, Sampled: [2]int{2, 3},
		}},
		"in Entra alone": {bo.ID, nil, found{
			Entra: []string{bo.ID}, Memberships: map[string][]string{bo.ID: {exemptKey}}, Sampled: [2]int{2, 2},
		}},
		"synced, gone from AD": {"anna@x.example", func(b *bench) {
			b.ad.people = b.ad.people[1:]
			b.ad.fail = fails{"MemberOf " + anna.SID: directory.ErrNoPerson}
		}, found{
			Entra: []string{anna.ID}, Sampled: [2]int{2, 1},
		}},
		"synced, and not read in AD": {"anna@x.example", func(b *bench) { b.ad.people = b.ad.people[1:] }, found{
			Entra: []string{anna.ID}, Memberships: map[string][]string{anna.SID: {citrixKey}}, Sampled: [2]int{2, 1},
		}},
		"synced, and left out in AD": {"anna@x.example", func(b *bench) { b.ad.fail = fails{"ReadPerson " + anna.SID: directory.ErrLeftOut} }, found{
			Entra: []string{anna.ID}, Memberships: map[string][]string{anna.SID: {citrixKey}}, Sampled: [2]int{2, 2},
		}},
		"by account name in AD, by UPN in Entra": {"cid", func(b *bench) { b.entra.pages[0] = append(b.entra.pages[0], onOther) }, found{
			Entra: []string{"id-cid"}, AD: []string{cidAD.SID}, Memberships: map[string][]string{cidAD.SID: {citrixKey}}, Sampled: [2]int{3, 3},
		}},
		"by account name in AD, by UPN and immutable id in Entra": {"cid", func(b *bench) {
			joined := onOther
			joined.SID = ""
			b.entra.pages[0] = append(b.entra.pages[0], joined)
		}, found{
			Entra: []string{"id-cid"}, AD: []string{cidAD.SID}, Memberships: map[string][]string{cidAD.SID: {citrixKey}}, Sampled: [2]int{3, 3},
		}},
		"in AD alone": {"cid", nil, found{
			AD: []string{cidAD.SID}, Memberships: map[string][]string{cidAD.SID: {citrixKey}}, Failed: [2]string{nobodyNamed, ""}, Sampled: [2]int{1, 3},
		}},
		"in AD alone, without UPN": {"cid", func(b *bench) { b.ad.people[1].UserPrincipalName = "" }, found{
			AD: []string{cidAD.SID}, Memberships: map[string][]string{cidAD.SID: {citrixKey}}, Failed: [2]string{nobodyNamed, ""}, Sampled: [2]int{1, 3},
		}},
		"another person has the UPN in Entra": {"cid", func(b *bench) {
			other := onOther
			other.SID = "S-1-5-21-9"
			b.entra.pages[1] = append(b.entra.pages[1], other)
		}, found{
			AD: []string{cidAD.SID}, Memberships: map[string][]string{cidAD.SID: {citrixKey}}, Failed: [2]string{nobodyNamed, ""}, Sampled: [2]int{1, 3},
		}},
		"a controller was not asked": {"anna@x.example", func(b *bench) { b.ad.fail = fails{"ReadPerson " + anna.SID: unasked} }, found{
			Entra: []string{anna.ID}, AD: []string{anna.SID}, Memberships: map[string][]string{anna.SID: {citrixKey}}, Unasked: unasked.Error(), Sampled: [2]int{2, 3},
		}},
		"AD down": {"anna@x.example", func(b *bench) { b.ad.fail = fails{"ReadPerson " + anna.SID: errDown} }, found{
			Entra: []string{anna.ID}, Failed: [2]string{"", "down"}, Sampled: [2]int{2, 0},
		}},
		"AD fails on the sample": {"anna@x.example", func(b *bench) { b.ad.fail = fails{"ListPeople": errDown} }, found{
			Entra: []string{anna.ID}, Failed: [2]string{"", "read ad: down"}, Sampled: [2]int{2, 0},
		}},
		"AD fails on the group": {"anna@x.example", func(b *bench) { b.ad.fail = fails{"MemberOf " + anna.SID: errDown} }, found{
			Entra: []string{anna.ID}, Failed: [2]string{"", "read ad: down"}, Sampled: [2]int{2, 0},
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if tc.change != nil {
				tc.change(b)
			}
			if err := b.One(t.Context(), start(t, tc.user)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, b.found(t), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(found{}, "LastLogon")); d != "" {
				t.Errorf("run (-want +got):\n%s", d)
			}
		})
	}
}

func TestOneWithoutGroupsOrAD(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	delete(b.entra.groups, "LIC-Exempt")
	b.ad.fail = fails{"MemberOf " + anna.SID: directory.ErrNoGroup}
	if err := b.One(t.Context(), start(t, "anna@x.example")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{exemptKey, citrixKey}, b.accounts(t).Unreadable); d != "" {
		t.Errorf("unreadable (-want +got):\n%s", d)
	}
	b = newBench(t)
	b.AD = nil
	if err := b.One(t.Context(), start(t, "anna@x.example")); err != nil {
		t.Fatal(err)
	}
	if h := b.accounts(t); h.ADState != directory.NotRead || len(h.Entra) != 1 {
		t.Errorf("without Active Directory: %+v", h)
	}
}

// TestLastLogonNotAsked: a controller does not answer, so only the latest possible time of the last logon is known. If
// a rule matches even with this time, the person is certainly idle, and the snapshot has this time as the last logon.
// Otherwise the last logon is unknown.
func TestLastLogonNotAsked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		latest    time.Time
		lastLogon time.Time // last logon in the snapshot
		proven    bool
	}{
		"proven":            {daysAgo(91), daysAgo(91), true},
		"not long enough":   {daysAgo(90), annaAD.LastLogonTimestamp, false},
		"nothing is proven": {time.Time{}, annaAD.LastLogonTimestamp, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			unasked := &directory.PartialLogonError{Controllers: []string{"ldaps://dc2"}, Err: errDown, Latest: tc.latest}
			b.ad.fail = fails{"ReadPerson " + anna.SID: unasked}
			if err := b.One(t.Context(), start(t, "anna@x.example")); err != nil {
				t.Fatal(err)
			}
			got, want := b.found(t), unasked.Error()
			if tc.proven {
				want = ""
			}
			if got.Unasked != want || !got.LastLogon.Equal(tc.lastLogon) {
				t.Errorf("last logon %s, unasked %q; want %s, %q", got.LastLogon, got.Unasked, tc.lastLogon, want)
			}
		})
	}
}

// TestEveryLastLogonUnknown: if a domain does not maintain the logon date, a run reads its people but does not trust
// their logon dates.
func TestEveryLastLogonUnknown(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	unasked := &directory.PartialLogonError{Err: errDown}
	b.ad.fail = fails{"ListPeople": unasked}
	got, err := b.ReadAD(t.Context(), b.begin(t), load(t, text))
	if err != nil || got.PartialLogon != unasked.Error() || got.People != 2 {
		t.Errorf("reading %+v, error %v", got, err)
	}
	b = newBench(t)
	b.ad.fail = fails{"ListPeople": unasked}
	if err := b.One(t.Context(), start(t, "anna@x.example")); err != nil {
		t.Fatal(err)
	}
	if f := b.found(t); f.Unasked != unasked.Error() || len(f.AD) != 1 {
		t.Errorf("one person: %+v", f)
	}
}

// TestOneFails: if no source has the person, there is no run. If Entra ID fails, there is no snapshot.
func TestOneFails(t *testing.T) {
	t.Parallel()
	begun := []string{"runs/run/begin.json"}
	tests := map[string]struct {
		user   string
		change func(*bench)
		is     error
		left   []string
	}{
		"nobody":                  {"nobody", nil, directory.ErrNoPerson, nil},
		"nobody, no AD":           {"cid", func(b *bench) { b.AD = nil }, directory.ErrNoPerson, nil},
		"two of the name":         {"anna@x.example", func(b *bench) { b.entra.fail = fails{"FindPerson anna@x.example": directory.ErrAmbiguousPerson} }, directory.ErrAmbiguousPerson, nil},
		"two of the name in AD":   {"cid", func(b *bench) { b.ad.fail = fails{"FindPerson cid": directory.ErrAmbiguousPerson} }, directory.ErrAmbiguousPerson, nil},
		"Entra down":              {"anna@x.example", func(b *bench) { b.entra.fail = fails{"FindPerson anna@x.example": errDown} }, errDown, nil},
		"Entra down for the UPN":  {"cid", func(b *bench) { b.entra.fail = fails{"FindPerson cid@x.example": errDown} }, errDown, nil},
		"another tenant":          {"anna@x.example", func(b *bench) { b.entra.tenant = "other" }, ErrPolicy, nil},
		"the sample fails":        {"anna@x.example", func(b *bench) { b.entra.fail = fails{"ListPeople page 1": errDown} }, errDown, begun},
		"groups cannot be read":   {"anna@x.example", func(b *bench) { b.entra.fail = fails{"GroupsOf " + anna.ID: errDown} }, errDown, begun},
		"the run cannot be begun": {"anna@x.example", func(b *bench) { b.Store = brokenStore{b.Store, "begin.json"} }, errDown, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if tc.change != nil {
				tc.change(b)
			}
			err := b.One(t.Context(), start(t, tc.user))
			if !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.is.Error()) {
				t.Errorf("error %v, want %v", err, tc.is)
			}
			if d := cmp.Diff(tc.left, b.keys(t)); d != "" {
				t.Errorf("objects (-want +got):\n%s", d)
			}
		})
	}
}

// TestOneSamplesOnePage: a run for one person does not list everybody. To judge the health of the dates, it reads one
// page of people from Entra ID, and not many more than evidence.Enough people from Active Directory.
func TestOneSamplesOnePage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ad.people = append(b.ad.people, make([]directory.ADUser, 2*evidence.Enough)...)
	if err := b.One(t.Context(), start(t, "anna@x.example")); err != nil {
		t.Fatal(err)
	}
	want := []string{"Tenant", "FindGroup LIC-E3", "FindGroup LIC-EXO", "FindGroup LIC-Exempt", "LicenseGroups", "FindPerson anna@x.example", "ListPeople page 1", "GroupsOf id-anna"}
	if d := cmp.Diff(want, b.entra.calls); d != "" {
		t.Errorf("calls to Entra (-want +got):\n%s", d)
	}
	if n := b.found(t).Sampled[directory.AD]; n != evidence.Enough+1 {
		t.Errorf("%d of Active Directory were sampled, want %d and Anna", n, evidence.Enough)
	}
}

// TestOneWithoutSID: the Entra account has the immutable id of an Active Directory account, but no SID, because another
// tool than Entra Connect created it. The run does not find the Active Directory account, and must not say that there
// is none.
func TestOneWithoutSID(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.entra.pages[0] = append(b.entra.pages[0], directory.EntraUser{ID: "id-cid", UserPrincipalName: "cid@x.example", ImmutableID: "guid-cid"})
	if err := b.One(t.Context(), start(t, "cid@x.example")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([2]string{"", noSID}, b.found(t).Failed); d != "" {
		t.Errorf("failed (-want +got):\n%s", d)
	}
}
