package collect

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

type fakeAD struct {
	usn     int64              // USN of the watermarks that fakeAD returns; 0: none
	changed []directory.ADUser // people whom ListChanges reports as changed
	people  []directory.ADUser
	in      map[string][]string // SIDs by DN of the group
	fail    fails
	calls   []string
}

func newAD() *fakeAD {
	return &fakeAD{people: []directory.ADUser{annaAD, cidAD}, in: map[string][]string{citrixDN: {annaAD.SID, cidAD.SID}}}
}

func (f *fakeAD) call(method string) error {
	f.calls = append(f.calls, method)
	return f.fail[method]
}

func (f *fakeAD) ListPeople(_ context.Context, each func(directory.ADUser) error) error {
	for _, u := range f.people {
		if err := each(u); err != nil {
			return err
		}
	}
	return f.call("ListPeople")
}

func (f *fakeAD) mark() directory.Watermark {
	return directory.Watermark{Controller: "dc1", USN: f.usn}
}

func (f *fakeAD) ListFull(ctx context.Context, _ []string, each func(directory.ADUser) error) (*directory.Watermark, error) {
	if f.usn == 0 {
		return nil, f.ListPeople(ctx, each)
	}
	m := f.mark()
	return &m, f.ListPeople(ctx, each)
}

func (f *fakeAD) ListChanges(_ context.Context, since directory.Watermark, _ []string, present func(sid, dn string) error, changed func(directory.ADUser) error) (directory.Watermark, error) {
	for _, u := range f.people {
		if err := present(u.SID, u.DN); err != nil {
			return since, err
		}
	}
	for _, u := range f.changed {
		if err := changed(u); err != nil {
			return since, err
		}
	}
	return f.mark(), f.call(fmt.Sprintf("ListChanges since %d", since.USN))
}

func (f *fakeAD) ListMembers(_ context.Context, dn string, direct bool, each func(string) error) error {
	for _, sid := range f.in[dn] {
		if err := each(sid); err != nil {
			return err
		}
	}
	return f.call(fmt.Sprintf("ListMembers %s direct=%t", dn, direct))
}

func (f *fakeAD) FindGroup(_ context.Context, name string) (directory.Group, error) {
	return directory.Group{ID: name, GUID: "guid of " + name}, nil
}

func (f *fakeAD) FindPerson(_ context.Context, name string) (directory.ADUser, error) {
	return f.find("FindPerson "+name, func(u directory.ADUser) bool { return u.UserPrincipalName == name || u.SAMAccount == name })
}

func (f *fakeAD) ReadPerson(_ context.Context, sid string) (directory.ADUser, error) {
	return f.find("ReadPerson "+sid, func(u directory.ADUser) bool { return u.SID == sid })
}

// The method "find" may return both a person and the error of the call, as the real source does.
func (f *fakeAD) find(call string, fits func(directory.ADUser) bool) (directory.ADUser, error) {
	err := f.call(call)
	i := slices.IndexFunc(f.people, fits)
	if i < 0 && err == nil {
		err = directory.ErrNoPerson
	}
	if i < 0 {
		return directory.ADUser{}, err
	}
	return f.people[i], err
}

func (f *fakeAD) MemberOf(_ context.Context, sid, dn string, _ bool) (bool, error) {
	return slices.Contains(f.in[dn], sid), f.call("MemberOf " + sid)
}

func (*fakeAD) CheckClock(context.Context, func() time.Time) error { return nil }

func (*fakeAD) ListPrimary(context.Context, string, func(sid string) error) error { return nil }

func (*fakeAD) ListNested(context.Context, string, func(sid string) error) error { return nil }
