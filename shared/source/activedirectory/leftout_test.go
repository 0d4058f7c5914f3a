package activedirectory

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

// TestLeftOut: an account outside the base is found by its SID, and as a member of a group. A name does not find it.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	f := newController(t, home{name: "dc1.corp.test", servers: []string{"dc1.corp.test"}}, func(r request) []*ber.Packet {
		if r.base == "OU=People,"+testBase {
			return found()
		}
		return corpAnswers(r)
	})
	c := config(t, f.ca, f.url)
	c.Base, c.Filter = "OU=People,"+testBase, "(employeeType=*)"
	d := open(t, c)
	for name, read := range map[string]func() (directory.ADUser, error){
		"read": func() (directory.ADUser, error) { return d.ReadPerson(t.Context(), "S-1-5-21-1") },
		"find": func() (directory.ADUser, error) { return d.FindPerson(t.Context(), "S-1-5-21-1") },
	} {
		if u, err := read(); !errors.Is(err, directory.ErrLeftOut) || u.SID != "S-1-5-21-1" || u.GUID == "" {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	if _, err := d.FindPerson(t.Context(), "anna"); !errors.Is(err, directory.ErrNoPerson) || errors.Is(err, directory.ErrLeftOut) {
		t.Errorf("by name: %v", err)
	}
	for _, direct := range []bool{true, false} {
		if in, err := d.MemberOf(t.Context(), "S-1-5-21-1", seats, direct); err != nil || !in {
			t.Errorf("in the group, direct %t: %t, %v", direct, in, err)
		}
	}
}

// TestOneControllerLeavesItOut: on one controller the account lies within the base, and on the other one it is already
// elsewhere. The person counts as found, with a last logon that is not proven.
func TestOneControllerLeavesItOut(t *testing.T) {
	t.Parallel()
	has := answer{user: directory.ADUser{SID: "S-1-5-21-1", LastLogonTimestamp: testNow}}
	left := answer{user: has.user, err: &fault{err: directory.ErrLeftOut, why: "moved"}}
	for _, answers := range [][]answer{{has, left}, {left, has}} {
		u, err := (&domain{interval: defaultInterval}).newest(answers, testNow)
		if _, partial := errors.AsType[*directory.PartialLogonError](err); !partial || errors.Is(err, directory.ErrLeftOut) || u.SID != has.user.SID {
			t.Errorf("%+v, %v", u, err)
		}
	}
}

// TestAnswerOfAControllerThatLeavesItOut: an account was moved at dc2, and dc1 still shows it within the base. What dc2
// says counts: the logon of today, its stamp, and the new type of the mailbox.
func TestAnswerOfAControllerThatLeavesItOut(t *testing.T) {
	t.Parallel()
	const user, shared = "2147483648", "34359738368"
	lately, today := testNow.Add(-30*time.Minute), testNow.Add(-5*time.Minute)
	has := answer{controller: controller{name: "dc1", invocation: "1"}, user: directory.ADUser{SID: "S-1-5-21-1", RecipientType: user, LastLogonTimestamp: testNow.AddDate(0, 0, -200)}}
	left := answer{controller: controller{name: "dc2", invocation: "2"}, err: &fault{err: directory.ErrLeftOut, why: "moved"}, user: has.user}
	with := func(change func(*answer)) answer { a := left; change(&a); return a }
	for name, tc := range map[string]struct {
		left         answer
		newest       time.Time
		latest       time.Time // zero: no latest time is known
		typeIsHidden bool
	}{
		"the same":          {left, has.user.LastLogonTimestamp, has.user.LastLogonTimestamp.Add(defaultInterval), false},
		"a newer stamp":     {with(func(a *answer) { a.user.LastLogonTimestamp = today }), today, today.Add(defaultInterval), false},
		"a newer lastLogon": {with(func(a *answer) { a.lastLogon = today }), today, today, false},
		"the stamp is hidden": {with(func(a *answer) {
			a.user.Unreadable = []string{"lastLogonTimestamp"}
			a.user.LastLogonTimestamp = time.Time{}
		}), has.user.LastLogonTimestamp, time.Time{}, false},
		"another type": {with(func(a *answer) { a.user.RecipientType = shared }), has.user.LastLogonTimestamp, has.user.LastLogonTimestamp.Add(defaultInterval), true},
	} {
		for _, answers := range [][]answer{{has, tc.left}, {tc.left, has}} {
			d := &domain{interval: defaultInterval, asked: "dc1", synced: map[string]time.Time{"2": lately.Add(-syncAge)}}
			u, err := d.newest(answers, testNow)
			partial, is := errors.AsType[*directory.PartialLogonError](err)
			if !is || errors.Is(err, directory.ErrNoPerson) || !u.LastLogonTimestamp.Equal(tc.newest) || !partial.Latest.Equal(tc.latest) {
				t.Errorf("%s: %+v, %v", name, u, err)
			}
			if u.Hides("msExchRecipientTypeDetails") != tc.typeIsHidden {
				t.Errorf("%s: type %q, unreadable %v", name, u.RecipientType, u.Unreadable)
			}
		}
	}
	other := with(func(a *answer) { a.user.RecipientType = shared })
	if u, err := (&domain{interval: defaultInterval}).newest([]answer{left, other}, testNow); !errors.Is(err, directory.ErrLeftOut) || !u.Hides("msExchRecipientTypeDetails") {
		t.Errorf("left out everywhere, with two types: %+v, %v", u, err)
	}
}

// TestLogonOutsideTheBase: dc2 has the account outside the base already, and it shows a newer lastLogon.
func TestLogonOutsideTheBase(t *testing.T) {
	t.Parallel()
	people, names := "OU=People,"+testBase, []string{"dc1.corp.test", "dc2.corp.test"}
	var urls []string
	var ca string
	for i, more := range [][]string{{"lastLogonTimestamp", tenth}, {"lastLogonTimestamp", tenth, "lastLogon", twelve}} {
		f := newController(t, home{name: names[i], servers: names}, onSearch(func(r request) []*ber.Packet {
			if i == 1 && r.base == people {
				return found()
			}
			return found(person(1, more...))
		}))
		urls, ca = append(urls, f.url), f.ca
	}
	c := config(t, ca, urls...)
	c.Base = people
	d := open(t, c)
	d.now = func() time.Time { return testNow }
	u, err := d.ReadPerson(t.Context(), "S-1-5-21-1")
	twelfthDay := time.Date(2026, 10, 12, 10, 0, 0, 0, time.UTC)
	if partial, is := errors.AsType[*directory.PartialLogonError](err); !is || !u.LastLogonTimestamp.Equal(twelfthDay) || !partial.Latest.Equal(twelfthDay.AddDate(0, 0, 12)) {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestNobodySays: usually, no account has a SID only if every controller says so. A controller may be silent if the
// controller that was asked has lately received its changes.
func TestNobodySays(t *testing.T) {
	t.Parallel()
	person := directory.ADUser{SID: "S-1-5-21-1", GUID: "g"}
	lacks := func(err error) answer { return answer{err: &fault{err: err, why: err.Error()}} }
	none, left, silent := lacks(directory.ErrNoPerson), lacks(directory.ErrLeftOut), answer{err: &fault{err: errNoAnswer, why: "no answer", elsewhere: true}}
	left.user = person
	damaged := answer{err: &fault{err: errEntry, why: "damaged"}}
	lately, once := testNow.Add(-time.Hour), testNow.Add(-syncAge-time.Hour)
	for name, tc := range map[string]struct {
		answers []answer
		synced  time.Time // when dc1 received the changes of dc2
		unnamed error
		is      error // nil: unknown
	}{
		"all say so":                      {[]answer{none, none}, once, nil, directory.ErrNoPerson},
		"left out":                        {[]answer{none, left}, once, nil, directory.ErrLeftOut},
		"one is silent":                   {[]answer{none, silent}, once, nil, nil},
		"one is silent, the other has it": {[]answer{left, silent}, once, nil, nil},
		"silent, and replicates":          {[]answer{none, silent}, lately, nil, directory.ErrNoPerson},
		"silent is the one that knows":    {[]answer{silent, none}, lately, nil, nil},
		"damaged":                         {[]answer{none, damaged}, lately, nil, nil},
		"more may exist":                  {[]answer{none, none}, lately, errors.New("without a name"), nil},
	} {
		d := &domain{interval: defaultInterval, asked: "dc1", unnamed: tc.unnamed, synced: map[string]time.Time{"2": tc.synced}}
		for i := range tc.answers {
			tc.answers[i].controller = controller{name: []string{"dc1", "dc2"}[i], invocation: []string{"1", "2"}[i]}
		}
		u, err := d.newest(tc.answers, testNow)
		switch {
		case err == nil:
			t.Errorf("%s: found %+v", name, u)
		case tc.is == nil && errors.Is(err, directory.ErrNoPerson), tc.is != nil && !errors.Is(err, tc.is):
			t.Errorf("%s: %v, want %v", name, err, tc.is)
		case tc.is == directory.ErrLeftOut && u.GUID != person.GUID:
			t.Errorf("%s: %+v", name, u)
		}
	}
}

// TestSambaLeftOut reads an account outside the base in a real domain: by its SID, by its anchor, and through a group.
func TestSambaLeftOut(t *testing.T) {
	seats := "CN=Seats," + samba.GroupsOU
	anna := samba.Person{ADUser: directory.ADUser{DN: samba.DN("anna", samba.PeopleOU), SAMAccount: "anna", Enabled: directory.Yes}}
	h := harden(t, []samba.Person{anna}, samba.Group{DN: seats, Members: []string{anna.DN}})
	known := listed(t, h.d)["anna"]
	h.d.pool.close()
	h.d.bases = []string{samba.GroupsOU}
	u, err := h.d.ReadPerson(t.Context(), known.SID)
	if !errors.Is(err, directory.ErrLeftOut) || u.GUID != known.GUID {
		t.Errorf("%+v, %v", u, err)
	}
	for _, direct := range []bool{true, false} {
		if in, err := h.d.MemberOf(t.Context(), known.SID, seats, direct); err != nil || !in {
			t.Errorf("in the group, direct %t: %t, %v", direct, in, err)
		}
	}
	for anchor, id := range map[directory.Anchor]string{directory.EitherGUID: known.GUID, directory.ObjectGUID: known.GUID, directory.ObjectSIDAnchor: sidAnchor(t, known.SID)} {
		if sid, err := h.d.FindAnchor(t.Context(), id, anchor); err != nil || sid != known.SID {
			t.Errorf("by %q: %q, %v", anchor, sid, err)
		}
	}
	if sid, err := h.d.FindAnchor(t.Context(), "R0dHR0dHR0dHR0dHR0dHRw==", directory.EitherGUID); !errors.Is(err, directory.ErrNoPerson) {
		t.Errorf("nobody's: %q, %v", sid, err)
	}
}

// sidAnchor returns the immutable id of an account whose anchor is its objectSid.
func sidAnchor(t *testing.T, sid string) string {
	t.Helper()
	ids := directory.ObjectSIDAnchor.Of(&directory.ADUser{SID: sid})
	if len(ids) != 1 {
		t.Fatalf("%s has the anchors %v", sid, ids)
	}
	return ids[0]
}

// TestPrimaryGroupLeftOut: people belong to a group if it is their primary group, even if they are outside of the
// configured base. The answer is the same with one configured domain and with two.
func TestPrimaryGroupLeftOut(t *testing.T) {
	t.Parallel()
	const sid = "S-1-5-21-1"
	corp := newController(t, home{name: "dc1.corp.test", servers: []string{"dc1.corp.test"}}, onSearch(func(r request) []*ber.Packet {
		switch {
		case r.base == "OU=People,"+testBase, strings.HasPrefix(r.base, "<GUID=67676767"): // the group lists nobody
			return found()
		case r.base == seats && len(r.attributes) == 1 && strings.HasPrefix(r.attributes[0], "member"):
			return found(seatsEntry())
		case strings.Contains(r.filter, sid+")"), strings.Contains(r.filter, "(primaryGroupID=100)"):
			return found(person(1, "primaryGroupID", "100", "objectClass", "user"))
		case strings.Contains(r.filter, "memberOf"):
			return found()
		}
		return corpAnswers(r)
	}))
	emea := emeaHome
	emea.base = emeaBase
	second := newController(t, emea, emeaAnswers)
	people := "OU=People," + testBase
	for name, c := range map[string]struct {
		base string
		urls []string
	}{"one domain": {people, []string{corp.url}}, "two domains": {people + ";" + emeaBase, []string{corp.url, second.url}}} {
		k := config(t, corp.ca, c.urls...)
		k.Base = c.base
		forest, err := NewForest(k, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range forest.domains {
			d.dialer.Resolver = noNames
		}
		for _, direct := range []bool{true, false} {
			var listed []string
			err := forest.ListMembers(t.Context(), seats, direct, func(sid string) error { listed = append(listed, sid); return nil })
			in, failed := forest.MemberOf(t.Context(), sid, seats, direct)
			if err != nil || failed != nil || !in || !slices.Equal(listed, []string{sid}) {
				t.Errorf("%s, direct %t: in the group %t, %v; listed %q, %v", name, direct, in, failed, listed, err)
			}
		}
	}
}
