package evidence

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

var (
	errDown = errors.New("down")
	logon   = time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC)
	egon    = directory.ADUser{SID: "S-1-5-21-5", GUID: "guid-egon", UserPrincipalName: "egon@x.example", SAMAccount: "egon", LastLogonTimestamp: logon}
	inEntra = directory.EntraUser{ID: "id-egon", UserPrincipalName: "egon@x.example", SID: egon.SID, ImmutableID: egon.GUID, Synced: true}

	citrix = directory.Question{Ref: directory.GroupRef{Source: directory.AD, Name: "CN=Citrix,DC=corp"}, Direct: true}
	vip    = directory.Question{Ref: directory.GroupRef{Source: directory.AD, Name: "CN=VIP,DC=corp"}}
	exempt = directory.Question{Ref: directory.GroupRef{Name: "LIC-Exempt"}}
	seats  = directory.Question{Ref: directory.GroupRef{Name: "APP-Seats"}, Direct: true}
)

// The type "fails" has the errors of calls that fail, by the name of the call and its argument.
type fails map[string]error

// fakeAD is a directory with a few accounts. The map "in" has the SIDs of a group's members. Its key is the DN of the
// group, with a star at the end for the direct members.
type fakeAD struct {
	people []directory.ADUser
	in     map[string][]string
	fail   fails
	gone   bool // whether MemberOf returns ErrNoPerson for a SID that is not in people
	listed int
}

func (f *fakeAD) FindPerson(_ context.Context, name string) (directory.ADUser, error) {
	if err := f.fail["FindPerson "+name]; err != nil {
		return directory.ADUser{}, err
	}
	i := slices.IndexFunc(f.people, func(u directory.ADUser) bool { return u.SAMAccount == name || u.UserPrincipalName == name })
	if i < 0 {
		return directory.ADUser{}, directory.ErrNoPerson
	}
	return f.people[i], nil
}

func (f *fakeAD) ReadPerson(_ context.Context, sid string) (directory.ADUser, error) {
	i := slices.IndexFunc(f.people, func(u directory.ADUser) bool { return u.SID == sid })
	if i < 0 {
		return directory.ADUser{}, directory.ErrNoPerson
	}
	return f.people[i], f.fail["ReadPerson"]
}

func (f *fakeAD) MemberOf(_ context.Context, sid, dn string, direct bool) (bool, error) {
	if !strings.HasPrefix(dn, "CN=") {
		return false, errors.New("not the name of a group of Active Directory: " + dn)
	}
	if direct {
		dn += "*"
	}
	if f.gone && !slices.ContainsFunc(f.people, func(u directory.ADUser) bool { return u.SID == sid }) {
		return false, directory.ErrNoPerson
	}
	return slices.Contains(f.in[dn], sid), f.fail["MemberOf "+dn]
}

func (f *fakeAD) ListPeople(_ context.Context, each func(directory.ADUser) error) error {
	for _, u := range f.people {
		f.listed++
		if err := each(u); err != nil {
			return err
		}
	}
	return f.fail["ListPeople"]
}

// fakeEntra is a tenant with one account. memberOf omits hidden groups.
type fakeEntra struct {
	user    directory.EntraUser
	hidden  []string            // object ids of groups
	shown   bool                // whether memberOf shows hidden groups, too
	members map[string][]string // object ids by group, one on each page; a star marks a nested member; an empty id makes an empty page
	pages   int                 // number of pages of members listed
	fail    fails
	calls   []string
}

func (f *fakeEntra) call(name, of string) error {
	f.calls = append(f.calls, name+" "+of)
	return f.fail[name+" "+of]
}

func (f *fakeEntra) FindPerson(_ context.Context, name string) (directory.EntraUser, error) {
	if err := f.call("FindPerson", name); err != nil {
		return directory.EntraUser{}, err
	}
	if name != f.user.UserPrincipalName {
		return directory.EntraUser{}, directory.ErrNoPerson
	}
	return f.user, nil
}

func (f *fakeEntra) FindGroup(_ context.Context, id string) (directory.Group, error) {
	return directory.Group{ID: id, Hidden: slices.Contains(f.hidden, id)}, f.call("FindGroup", id)
}

func (f *fakeEntra) ListMembers(_ context.Context, g directory.Group, _ string, page func([]directory.Member, string) error) error {
	if err := f.call("ListMembers", g.ID); err != nil {
		return err
	}
	for i, id := range f.members[g.ID] {
		next := "more"
		if i == len(f.members[g.ID])-1 {
			next = ""
		}
		f.pages++
		id, nested := strings.CutSuffix(id, "*")
		listed := []directory.Member{{ID: id, Direct: !nested}}
		if id == "" {
			listed = nil
		}
		if err := page(listed, next); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeEntra) GroupsOf(_ context.Context, id string) ([]string, error) {
	return f.of(id, true), f.call("GroupsOf", id)
}

func (f *fakeEntra) DirectGroups(_ context.Context, id string) ([]string, error) {
	return f.of(id, false), f.call("DirectGroups", id)
}

func (f *fakeEntra) of(id string, nested bool) (groups []string) {
	for g, members := range f.members {
		if (f.shown || !slices.Contains(f.hidden, g)) && (slices.Contains(members, id) || nested && slices.Contains(members, id+"*")) {
			groups = append(groups, g)
		}
	}
	return groups
}

func (f *fakeEntra) ListPeople(_ context.Context, _ string, page func([]directory.EntraUser, string) error) error {
	for _, next := range []string{"2", "3", ""} {
		if err := page([]directory.EntraUser{f.user, f.user}, next); err != nil {
			return err
		}
	}
	return f.fail["ListPeople"]
}
