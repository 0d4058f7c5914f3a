package premises

import (
	"context"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

// The type "access" passes the calls of a relay to Active Directory. The faults Both and Hangs happen immediately
// before or after one of these calls, and the fault HangsWriting immediately before the first write.
type access struct {
	*activedirectory.Forest
	r *relay
}

func (a *access) CheckClock(ctx context.Context, now func() time.Time) error {
	defer a.r.around()()
	return a.Forest.CheckClock(ctx, now)
}

func (a *access) ListFull(ctx context.Context, rests []string, each func(directory.ADUser) error) (*directory.Watermark, error) {
	defer a.r.around()()
	return a.Forest.ListFull(ctx, rests, each)
}

func (a *access) ListChanges(ctx context.Context, since directory.Watermark, rests []string, present func(sid, dn string) error, changed func(directory.ADUser) error) (directory.Watermark, error) {
	defer a.r.around()()
	return a.Forest.ListChanges(ctx, since, rests, present, changed)
}

func (a *access) ListMembers(ctx context.Context, groupDN string, direct bool, each func(sid string) error) error {
	defer a.r.around()()
	return a.Forest.ListMembers(ctx, groupDN, direct, each)
}

func (a *access) HasMembers(ctx context.Context, groupDN string, least int) (bool, error) {
	defer a.r.around()()
	return a.Forest.HasMembers(ctx, groupDN, least)
}

func (a *access) FindGroup(ctx context.Context, name string) (directory.Group, error) {
	defer a.r.around()()
	return a.Forest.FindGroup(ctx, name)
}

func (a *access) FindPerson(ctx context.Context, name string) (directory.ADUser, error) {
	defer a.r.around()()
	return a.Forest.FindPerson(ctx, name)
}

func (a *access) ReadPerson(ctx context.Context, sid string) (directory.ADUser, error) {
	defer a.r.around()()
	return a.Forest.ReadPerson(ctx, sid)
}

func (a *access) MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error) {
	defer a.r.around()()
	return a.Forest.MemberOf(ctx, sid, groupDN, direct)
}

func (a *access) AddMember(ctx context.Context, groupDN, personGUID string) error {
	a.r.beforeWrite()
	defer a.r.around()()
	return a.Forest.AddMember(ctx, groupDN, personGUID)
}

func (a *access) RemoveMember(ctx context.Context, groupDN, personGUID string) error {
	a.r.beforeWrite()
	defer a.r.around()()
	return a.Forest.RemoveMember(ctx, groupDN, personGUID)
}
