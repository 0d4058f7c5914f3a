package decision

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot/known"
)

// sinceNight returns the value of MemberSince for an account that is in one group since the given night. The night -1
// stands for an unknown time, or for no member.
func sinceNight(key string, night int) map[string]time.Time {
	if night < 0 {
		return nil
	}
	return map[string]time.Time{key: asOf.AddDate(0, 0, night)}
}

// MemberSince is the first reading that saw the account in a group that gives a license.
func TestMemberSince(t *testing.T) {
	t.Parallel()
	ref := directory.GroupRef{Source: directory.AD, Name: citrixDN}
	key := ref.Key(true)
	const graced = "grace: {newHolder: 14}" + text
	for name, tc := range map[string]struct {
		policy string
		// Each string is the reading of one night. The account is a member ("in"), is no member ("out") or is missing
		// ("gone"), or the group could not be read ("unread"). The number in "in 1" stands for the objectGUID of the
		// group.
		nights []string
		want   int // index of the night, or -1 if there is none
	}{
		"always":                   {graced, []string{"in", "in", "in"}, -1},
		"given later":              {graced, []string{"out", "in", "in"}, 1},
		"given tonight":            {graced, []string{"out", "out", "in"}, 2},
		"given to a new account":   {graced, []string{"gone", "gone", "in"}, 2},
		"taken and given":          {graced, []string{"in", "out", "in"}, 2},
		"not a member":             {graced, []string{"in", "in", "out"}, -1},
		"never a member":           {graced, []string{"out", "out"}, -1},
		"given, and taken":         {graced, []string{"out", "in", "out"}, -1},
		"given while unread":       {graced, []string{"out", "unread", "in"}, 2},
		"unread for long":          {graced, []string{"out", "unread", "unread", "in", "in"}, 3},
		"a member while unread":    {graced, []string{"in", "unread", "in"}, -1},
		"unread after it is given": {graced, []string{"out", "in", "unread", "in"}, 1},
		"in a group made again":    {graced, []string{"in 1", "unread 2", "in 2"}, 2},
		"made again, long unread":  {graced, []string{"in 1", "unread 2", "unread 2", "in 2", "in 2"}, 3},
		"made again, unnoticed":    {graced, []string{"in 1", "in 2"}, 1},
		"another one for a night":  {graced, []string{"in 1", "unread 2", "in 1"}, -1},
		"an older table":           {graced, []string{"in", "in 1"}, -1},
		"an older one, then again": {graced, []string{"in", "in 1", "in 2"}, 2},
		"the GUID is not read":     {graced, []string{"in 1", "in"}, -1},
		"never read before":        {graced, []string{"unread", "in", "in"}, -1},
		"the policy has no grace":  {text, []string{"out", "out", "in"}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			var err error
			if r.Policy, err = policy.Load("p", []byte(tc.policy)); err != nil {
				t.Fatal(err)
			}
			var h *directory.Accounts
			for night, state := range tc.nights {
				if night > 0 {
					r = r.nextNight(night)
				}
				state, guid, _ := strings.Cut(state, " ")
				m := *r.Manifest
				m.Readings[directory.AD].Groups = map[string]string{ref.Key(false): guid}
				r.Manifest = &m
				h = accountsIn([]directory.EntraUser{{ID: "busy", LastSuccessful: daysAgo(0)}}, directory.ADUser{SID: "S-busy", LastLogonTimestamp: daysAgo(0)}, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)})
				h.Memberships = map[string][]string{"S-busy": {key, "ad:other"}}
				switch state {
				case "in":
					h.Memberships["S-a"] = []string{"ad:other", key}
				case "unread":
					h.Memberships, h.Unreadable = nil, []string{key}
				case "gone":
					h.AD = h.AD[:1]
				}
				r.read(t, h)
			}
			if d := cmp.Diff(sinceNight(key, tc.want), h.AD[1].Past.MemberSince); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestMemberSinceInEntra(t *testing.T) {
	t.Parallel()
	const graced = "grace: {newHolder: 14}" + text
	p, err := policy.Load("p", []byte(strings.Replace(graced, "exempt:", "  app: {group: {entra: APP}}\nexempt:", 1)+"  - {name: app, license: app, when: created.hasValue(), then: remove}\n"))
	if err != nil {
		t.Fatal(err)
	}
	key := directory.GroupRef{Name: "APP"}.Key(true)
	for name, tc := range map[string]struct {
		nights []string // a number after the word stands for the object id of the group
		want   int      // index of the night, or -1 if there is none
	}{
		"in a group made again": {[]string{"in 1", "in 2", "in 2"}, 1},
		"in the same group":     {[]string{"in 1", "in 1", "in 1"}, -1},
		"always":                {[]string{"in", "in", "in"}, -1},
		"given later":           {[]string{"out", "in", "in"}, 1},
		"taken and given":       {[]string{"in", "out", "in"}, 2},
		"given while unread":    {[]string{"out", "unread", "in"}, 2},
		"a member while unread": {[]string{"in", "unread", "in"}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			r.Policy = p
			var h *directory.Accounts
			for night, state := range tc.nights {
				if night > 0 {
					r = r.nextNight(night)
				}
				state, id, _ := strings.Cut(state, " ")
				r.Begin.Groups = []directory.Group{{Ref: directory.GroupRef{Name: "OTHER"}, ID: "other"}, {Ref: directory.GroupRef{Name: "APP"}, ID: id}}
				h = accountsIn([]directory.EntraUser{{ID: "busy", LastSuccessful: daysAgo(0)}, {ID: "a", Created: daysAgo(900), LastSuccessful: daysAgo(1)}}, directory.ADUser{SID: "S-busy", LastLogonTimestamp: daysAgo(0)})
				h.Memberships = map[string][]string{"busy": {key}}
				switch state {
				case "in":
					h.Memberships["a"] = []string{key}
				case "unread":
					h.Memberships, h.Unreadable = nil, []string{key}
				}
				r.read(t, h)
			}
			if d := cmp.Diff(sinceNight(key, tc.want), h.Entra[1].Past.MemberSince); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// The policy names a group in another way than in the night before: with its object id, in other case, or with the DN
// after a move. The membership is as old as before, because the id of the group is the same.
func TestMemberSinceOfAGroupWithAnotherName(t *testing.T) {
	t.Parallel()
	const graced = "grace: {newHolder: 14}" + text
	const guid = "0ee33cb9-7c5b-4b0e-8e43-d2b7ea8d0000"
	of := func(group string) *policy.Policy {
		p, err := policy.Load("p", []byte(strings.Replace(graced, "exempt:", "  app: {group: "+group+"}\nexempt:", 1)+"  - {name: app, license: app, when: created.hasValue(), then: remove}\n"))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	entra, ad := "{entra: APP}", `{ad: "CN=App,DC=corp"}`
	for name, tc := range map[string]struct {
		first, then string
		ids         [2]string // of the group in the first night, and from the second night on
		nights      string    // "i": a member, "o": none, "?": the group cannot be read
		want        int       // index of the night, or -1 if there is none
	}{
		"Entra ID, in other case":         {entra, "{entra: App}", [2]string{guid, guid}, "oiii", 1},
		"Entra ID, by the object id":      {entra, "{entra: " + guid + "}", [2]string{guid, guid}, "oiii", 1},
		"Entra ID, always":                {entra, "{entra: App}", [2]string{guid, guid}, "iiii", -1},
		"Entra ID, new since":             {entra, "{entra: App}", [2]string{guid, guid}, "ooii", 2},
		"Entra ID, another group":         {entra, "{entra: App}", [2]string{"another", guid}, "oiii", -1},
		"Entra ID, unread for a night":    {entra, "{entra: App}", [2]string{guid, guid}, "oi?i", 1},
		"Active Directory, moved":         {ad, `{ad: "CN=App,OU=New,DC=corp"}`, [2]string{guid, guid}, "oiii", 1},
		"Active Directory, in other case": {ad, `{ad: "cn=app,dc=CORP"}`, [2]string{guid, guid}, "oiii", 1},
		"Active Directory, always":        {ad, `{ad: "CN=App,OU=New,DC=corp"}`, [2]string{guid, guid}, "iiii", -1},
		"Active Directory, unread":        {ad, `{ad: "CN=App,OU=New,DC=corp"}`, [2]string{guid, guid}, "oi?i", 1},
		"Active Directory, without an id": {ad, `{ad: "CN=App,OU=New,DC=corp"}`, [2]string{"", ""}, "oiii", -1},
		"made again by its first name":    {entra, entra, [2]string{"another", guid}, "iiii", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, refs := firstNight(t), [2]*policy.Policy{of(tc.first), of(tc.then)}
			var h *directory.Accounts
			var key string
			for night, state := range tc.nights {
				if night > 0 {
					r = r.nextNight(night)
				}
				now := min(night/2, 1) // the policy changes before the third night
				r.Policy = refs[now]
				ref := r.Policy.LicenseNamed("app").Group
				key = ref.Key(true)
				m := *r.Manifest
				m.Readings[directory.AD].Groups = map[string]string{}
				if r.Begin.Groups = nil; ref.Source == directory.AD {
					m.Readings[directory.AD].Groups[ref.Key(false)] = tc.ids[now]
				} else {
					r.Begin.Groups = []directory.Group{{Ref: *ref, ID: tc.ids[now]}}
				}
				r.Manifest = &m
				h = accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastSuccessful: daysAgo(1)}}, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)})
				h.Memberships = map[string][]string{}
				switch {
				case state == 'i':
					h.Memberships["a"], h.Memberships["S-a"] = []string{key}, []string{key}
				case state == '?':
					h.Unreadable = []string{key}
				}
				r.read(t, h)
			}
			past := h.Entra[0].Past
			if strings.Contains(key, "dc=corp") {
				past = h.AD[0].Past
			}
			if d := cmp.Diff(sinceNight(key, tc.want), past.MemberSince); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// On some nights, a group cannot be read. The table of known accounts still has each group and each membership once.
// When the group is read again, its memberships are as old as before.
func TestGroupsReadAndUnread(t *testing.T) {
	t.Parallel()
	p, err := policy.Load("p", []byte("grace: {newHolder: 14}"+strings.Replace(text, "exempt:", "  lite: {group: {ad: \"CN=Lite,DC=corp\"}}\nexempt:", 1)+"  - {name: lite, license: lite, when: created.hasValue(), then: remove}\n"))
	if err != nil {
		t.Fatal(err)
	}
	citrix, lite := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true), directory.GroupRef{Source: directory.AD, Name: "CN=Lite,DC=corp"}.Key(true)
	for name, unread := range map[string][][]string{
		"all are read":        {nil, nil, nil},
		"one is not":          {nil, {lite}, nil},
		"the other is not":    {nil, {citrix}, nil},
		"none is read":        {nil, {lite, citrix}, nil},
		"none, and then some": {nil, {lite, citrix}, {citrix}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			r.Policy = p
			for night, unread := range unread {
				if night > 0 {
					r = r.nextNight(night)
				}
				h := accountsIn(nil, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)})
				h.Unreadable = slices.Clone(unread)
				in := []string{"ad:other"}
				for _, key := range []string{citrix, lite} {
					if !slices.Contains(unread, key) {
						in = append(in, key)
					}
				}
				h.Memberships = map[string][]string{"S-a": in}
				if r.read(t, h); len(h.AD[0].Past.MemberSince) > 0 {
					t.Errorf("night %d: a member since %v", night, h.AD[0].Past.MemberSince)
				}
				table, err := known.Get(t.Context(), r.store, r.Begin.Run, 0)
				if err != nil {
					t.Fatal(err)
				}
				if slices.Sort(table.Groups); len(table.Members) != 2 || !slices.Equal(table.Groups, []string{citrix, lite}) {
					t.Errorf("night %d: the table has the groups %v and %d members", night, table.Groups, len(table.Members))
				}
			}
		})
	}
}

// A run reads the members of a license's group only if a rule is about the license. If the policy gets its first rule
// about the license, the members of the group do not count as new holders.
func TestMemberSinceOfALicenseWithoutARule(t *testing.T) {
	t.Parallel()
	ref := directory.GroupRef{Source: directory.AD, Name: citrixDN}
	r := firstNight(t)
	of := func(rules string) (p *policy.Policy) {
		p, err := policy.Load("p", []byte("grace: {newHolder: 14}"+rules))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	without, _, _ := strings.Cut(text, "  - {name: citrix,")
	user := directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)}
	r.Policy = of(without)
	r.read(t, accountsIn(nil, user))
	r = r.nextNight(1)
	r.Policy = of(text)
	h := accountsIn(nil, user)
	h.Memberships = map[string][]string{"S-a": {ref.Key(true)}}
	if r.read(t, h); len(h.AD[0].Past.MemberSince) > 0 {
		t.Errorf("a member since %v", h.AD[0].Past.MemberSince)
	}
}

// A group could not be read, so its members come from tables of an earlier run. Accounts.Remembered has the group once,
// even if the tables of several partitions have it.
func TestGroupIsRememberedOnce(t *testing.T) {
	t.Parallel()
	key := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)
	on := directory.ADUser{SID: "S-on", Created: daysAgo(900), LastLogonTimestamp: daysAgo(2)}
	first := world{partitions: 2, entra: []directory.EntraUser{accountOf("busy", 1)}, ad: []directory.ADUser{on}}.seal(t)
	var err error
	if first.Policy, err = policy.Load("p", []byte("grace: {newHolder: 14}"+text)); err != nil {
		t.Fatal(err)
	}
	all := accountsIn(nil)
	all.Memberships = map[string][]string{}
	for n := range 2 {
		h := accountsIn(nil)
		h.Memberships = all.Memberships
		for i := range 9 {
			a := directory.ADUser{SID: fmt.Sprint("S-1-5-21-", i), Created: daysAgo(900), LastLogonTimestamp: daysAgo(30)}
			if all.Memberships[a.SID] = []string{key}; directory.Partition(a.SID, 2) == n {
				h.AD = append(h.AD, a)
			}
		}
		if err := first.Remember(t.Context(), n, h); err != nil {
			t.Fatal(err)
		}
		if all.AD = append(all.AD, h.AD...); len(h.AD) == 0 {
			t.Fatalf("nobody is in partition %d", n)
		}
	}
	next := night(first, "next", asOf.AddDate(0, 0, 1))
	all.Memberships, all.Unreadable = nil, []string{key}
	if err := next.recall(t.Context(), all, next.lastReadings(), next.Begin.Read, false); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{key}, all.Remembered); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, a := range all.AD {
		if _, was := a.Past.MemberBefore[key]; !was {
			t.Errorf("%s is no member of before", a.SID)
		}
	}
}
