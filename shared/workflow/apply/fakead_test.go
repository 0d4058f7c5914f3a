package apply

import (
	"context"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// fakeAD is an Active Directory in memory. The members of groups are SIDs.
type fakeAD struct {
	script
	people map[string]*directory.ADUser // people by SID
	in     members
	deaf   bool                       // whether writes of members succeed without effect
	groups map[string]directory.Group // groups by DN and by objectGUID; nil: every DN is a group without an objectGUID

	leftOut  string // SID of an account that the settings leave out
	vanishes string // SID of an account that can be read only once
	misspelt string // SID of an account that FindAnchor finds by any immutable id

	beforeWrite func() // unless nil, RemoveMember calls it before the write
}

func (f *fakeAD) dn(name string) string {
	if g, there := f.groups[name]; there {
		return g.ID
	}
	return name
}

func (f *fakeAD) FindGroup(_ context.Context, name string) (directory.Group, error) {
	if err := f.read("FindGroup " + name); err != nil {
		return directory.Group{}, err
	}
	if f.groups == nil {
		return directory.Group{ID: name}, nil
	}
	if f.lacks(name) {
		return directory.Group{}, directory.ErrNoGroup
	}
	return f.groups[name], nil
}

func (f *fakeAD) ListPeople(_ context.Context, each func(directory.ADUser) error) error {
	for _, u := range f.people {
		if err := each(*u); err != nil {
			return err
		}
	}
	return f.read("ListPeople")
}

// ReadPerson returns the person even if it also returns a PartialLogonError, like the real directory.
func (f *fakeAD) ReadPerson(_ context.Context, sid string) (directory.ADUser, error) {
	err := f.read("ReadPerson " + sid)
	u := f.people[sid]
	if u == nil {
		return directory.ADUser{}, directory.ErrNoPerson
	}
	if f.vanishes == sid {
		delete(f.people, sid)
	}
	if f.leftOut == sid && err == nil {
		err = directory.ErrLeftOut
	}
	return *u, err
}

func (f *fakeAD) FindAnchor(_ context.Context, id string, anchor directory.Anchor) (string, error) {
	if err := f.read("FindAnchor " + id); err != nil {
		return "", err
	}
	for sid, u := range f.people {
		if anchor.Fits(id, u) || sid == f.misspelt {
			return sid, nil
		}
	}
	return "", directory.ErrNoPerson
}

// MemberOf returns ErrNoGroup for a DN that no group has. For an objectGUID, it answers even if the group cannot be
// read, like the real directory.
func (f *fakeAD) MemberOf(_ context.Context, sid, group string, _ bool) (bool, error) {
	if f.lacks(group) && !directory.IsGroupGUID(group) {
		return false, directory.ErrNoGroup
	}
	return slices.Contains(f.in[f.dn(group)], sid), f.read("MemberOf " + group + " " + sid)
}

func (f *fakeAD) HasMembers(_ context.Context, group string, least int) (bool, error) {
	if f.lacks(group) {
		return false, directory.ErrNoGroup
	}
	return len(f.in[f.dn(group)]) >= least, f.read("HasMembers " + group)
}

func (f *fakeAD) lacks(group string) bool {
	_, there := f.groups[group]
	return f.groups != nil && !there
}

func (f *fakeAD) change(call, group, guid string, change func(group, sid string)) error {
	if f.lacks(group) {
		return directory.ErrNoGroup
	}
	return f.do(call+" "+group+" "+guid, func() {
		for sid, u := range f.people {
			if u.GUID == guid && !f.deaf {
				change(f.dn(group), sid)
			}
		}
	})
}

func (f *fakeAD) AddMember(_ context.Context, group, guid string) error {
	return f.change("AddMember", group, guid, f.in.add)
}

func (f *fakeAD) RemoveMember(ctx context.Context, group, guid string) error {
	if f.beforeWrite != nil {
		f.beforeWrite()
	}
	if err := directory.Permit(ctx); err != nil {
		return err
	}
	return f.change("RemoveMember", group, guid, f.in.remove)
}

func (*fakeAD) CheckClock(context.Context, func() time.Time) error { return nil }
