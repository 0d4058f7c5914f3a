package activedirectory

import (
	"errors"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
)

func testWrite(t *testing.T, e env, d *Directory, people map[string]directory.ADUser) {
	for _, sam := range e.outside {
		someone := people[sam]
		for _, step := range []struct {
			name string
			do   func() error
			want bool
		}{
			{"add", func() error { return d.AddMember(t.Context(), e.writable, someone.GUID) }, true},
			{"add again", func() error { return d.AddMember(t.Context(), e.writable, someone.GUID) }, true},
			{"remove", func() error { return d.RemoveMember(t.Context(), e.writable, someone.GUID) }, false},
			{"remove again", func() error { return d.RemoveMember(t.Context(), e.writable, someone.GUID) }, false},
		} {
			if err := step.do(); err != nil {
				t.Errorf("%s %s: %v", step.name, someone.DN, err)
			}
			got, err := d.MemberOf(t.Context(), someone.SID, e.writable, true)
			if err != nil || got != step.want {
				t.Errorf("%s %s: member %v, %v; want %v", step.name, someone.DN, got, err, step.want)
			}
		}
	}
}

func testNested(t *testing.T, e env, d *Directory, people map[string]directory.ADUser) {
	someone := people[e.nested[0]]
	err := d.RemoveMember(t.Context(), e.group, someone.GUID)
	if _, refused := errors.AsType[*directory.Refusal](err); !refused {
		t.Errorf("%v, want a refusal", err)
	}
	if may, err := d.CanWrite(t.Context(), e.writable); err != nil || !may {
		t.Errorf("CanWrite = %v, %v", may, err)
	}
}

// testMeanwhile changes memberships of people after they were renamed, or deleted and created again.
func testMeanwhile(t *testing.T, e env, d *Directory, people map[string]directory.ADUser) {
	renamed, gone := people[e.outside[0]], people[e.outside[1]]
	for _, u := range []directory.ADUser{renamed, gone} {
		if err := d.AddMember(t.Context(), e.writable, u.GUID); err != nil {
			t.Fatal(err)
		}
	}
	e.rename(t, renamed.DN)
	e.replace(t, gone.DN)
	now := listed(t, d)
	testRenamed(t, e, d, renamed, now[renamed.SAMAccount])
	testReplaced(t, e, d, gone, now[gone.SAMAccount])
}

func testRenamed(t *testing.T, e env, d *Directory, before, after directory.ADUser) {
	if after.SID != before.SID || after.GUID != before.GUID || after.DN == before.DN {
		t.Errorf("renamed: %+v before, %+v after", before, after)
	}
	isMember(t, e, d, after, true)
	if err := d.RemoveMember(t.Context(), e.writable, before.GUID); err != nil {
		t.Errorf("remove %s: %v", before.DN, err)
	}
	isMember(t, e, d, after, false)
}

// testReplaced: a change for a deleted account must not reach a new account with the same names.
func testReplaced(t *testing.T, e env, d *Directory, gone, now directory.ADUser) {
	if now.SID == gone.SID || now.GUID == gone.GUID || canonical(t, now.DN) != canonical(t, gone.DN) {
		t.Errorf("replaced: %+v before, %+v after", gone, now)
	}
	ctx := t.Context()
	untouched := func(want bool) {
		t.Helper()
		for what, err := range map[string]error{"add": d.AddMember(ctx, e.writable, gone.GUID), "remove": d.RemoveMember(ctx, e.writable, gone.GUID)} {
			if !errors.Is(err, directory.ErrNoPerson) {
				t.Errorf("%s who was deleted: %v, want directory.ErrNoPerson", what, err)
			}
		}
		isMember(t, e, d, now, want)
	}
	untouched(false)
	if err := d.AddMember(ctx, e.writable, now.GUID); err != nil {
		t.Error(err)
	}
	untouched(true)
	if got, err := d.FindPerson(ctx, gone.SID); !errors.Is(err, directory.ErrNoPerson) {
		t.Errorf("FindPerson of the SID that is gone = %s, %v", got.DN, err)
	}
	if got, err := d.FindPerson(ctx, gone.SAMAccount); err != nil || got.SID != now.SID {
		t.Errorf("FindPerson(%q) = %s, %v; want %s", gone.SAMAccount, got.SID, err, now.SID)
	}
	if !now.LastLogonTimestamp.IsZero() {
		t.Errorf("the new account logged on at %v", now.LastLogonTimestamp)
	}
}

func isMember(t *testing.T, e env, d *Directory, u directory.ADUser, want bool) {
	t.Helper()
	if in, err := d.MemberOf(t.Context(), u.SID, e.writable, true); err != nil || in != want {
		t.Errorf("MemberOf(%s) = %v, %v; want %v", u.DN, in, err, want)
	}
}
