package weather

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

func (r *rig) ad(t *testing.T) *activedirectory.Directory {
	t.Helper()
	d, err := activedirectory.New(activedirectory.Config{URLs: []string{r.ADURL}, Base: r.Base, Bind: r.Bind,
		PasswordFile: r.PasswordFile, CAFile: r.CAFile, Timeout: 20 * time.Second}, r.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type adRead func(ctx context.Context, d *activedirectory.Directory, who directory.ADUser) (any, error)

// adReads has the reads of the product's client for Active Directory. Lists are collected without repetitions, so an
// entry that the controller sends twice does not change the result.
var adReads = map[string]adRead{
	"people": func(ctx context.Context, d *activedirectory.Directory, _ directory.ADUser) (any, error) {
		all := map[string]directory.ADUser{}
		_, err := d.ListFull(ctx, []string{"lastLogonTimestamp"}, func(u directory.ADUser) error { all[u.SID] = u; return nil })
		return all, err
	},
	"members": func(ctx context.Context, d *activedirectory.Directory, _ directory.ADUser) (any, error) {
		all := map[string]bool{}
		err := d.ListMembers(ctx, sandbox.CitrixGroup, false, func(sid string) error { all[sid] = true; return nil })
		return all, err
	},
	"person": func(ctx context.Context, d *activedirectory.Directory, who directory.ADUser) (any, error) {
		return d.ReadPerson(ctx, who.SID)
	},
	"found": func(ctx context.Context, d *activedirectory.Directory, who directory.ADUser) (any, error) {
		return d.FindPerson(ctx, who.SAMAccount)
	},
	"member": func(ctx context.Context, d *activedirectory.Directory, who directory.ADUser) (any, error) {
		return d.MemberOf(ctx, who.SID, sandbox.CitrixGroup, false)
	},
	"writable": func(ctx context.Context, d *activedirectory.Directory, _ directory.ADUser) (any, error) {
		return d.CanWrite(ctx, sandbox.CitrixGroup)
	},
	"group": func(ctx context.Context, d *activedirectory.Directory, _ directory.ADUser) (any, error) {
		return d.FindGroup(ctx, sandbox.CitrixGroup)
	},
}

type adReader struct {
	client *activedirectory.Directory
	who    directory.ADUser
	calm   map[string]any
}

func newADReader(t *testing.T, r *rig) *adReader {
	t.Helper()
	x := &adReader{client: r.ad(t), calm: map[string]any{}}
	for i := range r.Company.Size() {
		if p := r.Company.Person(i); p.AD != nil && slices.Contains(p.ADGroups, sandbox.CitrixGroup) {
			x.who = *p.AD
		}
	}
	for name, read := range adReads {
		var err error
		if x.calm[name], err = read(t.Context(), x.client, x.who); err != nil {
			t.Fatalf("%s on a calm night: %v", name, err)
		}
	}
	return x
}

func (x *adReader) rightOrFail(t *testing.T, when string) (right int) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(adReads)) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		got, err := adReads[name](ctx, x.client, x.who)
		if ctx.Err() != nil {
			t.Errorf("%s: %s hangs", when, name)
		}
		cancel()
		if errors.Is(err, directory.ErrNoPerson) || errors.Is(err, directory.ErrNoGroup) {
			t.Errorf("%s: %s is said not to be there: %v", when, name, err)
		}
		if err != nil {
			continue
		}
		right++
		if d := cmp.Diff(x.calm[name], got); d != "" {
			t.Errorf("%s: %s (-calm +got):\n%s", when, name, d)
		}
	}
	return right
}

// TestADReadsAreRightOrFail: under each fault of a search, each read in adReads returns the result of a calm night or
// an error. The error must not say that the person or the group does not exist.
func TestADReadsAreRightOrFail(t *testing.T) {
	t.Parallel()
	for _, kind := range ldapSearches {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 0, 120)
			x := newADReader(t, r)
			right := 0
			for seed := range uint64(seeds) {
				r.reseed(seed)
				for _, often := range []float64{0.1, 1} {
					r.Begin(Plan{Night: 1, Often: often, Kinds: []Kind{kind}})
					right += x.rightOrFail(t, fmt.Sprintf("seed %d, rate %g", seed, often))
				}
				if len(r.Faults()) == 0 {
					t.Errorf("seed %d has no fault", seed)
				}
			}
			if right == 0 {
				t.Error("no read came through")
			}
		})
	}
}

// TestADWritesAreMadeOrFail: if the client reports a write as made, Active Directory has made it. If the client reports
// a write as refused, Active Directory has not.
func TestADWritesAreMadeOrFail(t *testing.T) {
	t.Parallel()
	for _, kind := range ldapBefore {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 0, 40)
			for seed := range uint64(seeds) {
				r.reseed(seed)
				for _, often := range []float64{0.1, 1} {
					tryADWrites(t, r, kind, fmt.Sprintf("seed %d, rate %g", seed, often), often)
				}
			}
		})
	}
}

func tryADWrites(t *testing.T, r *rig, kind Kind, when string, often float64) {
	t.Helper()
	d := r.ad(t)
	for i := range r.Company.Size() {
		p := r.Company.Person(i)
		if p.AD == nil || i%3 != 0 {
			continue
		}
		in := func() bool { return slices.Contains(r.Company.Person(i).ADGroups, sandbox.CitrixGroup) }
		before := in()
		r.Begin(Plan{Night: i, Often: often, Kinds: []Kind{kind}})
		write := d.AddMember
		if before {
			write = d.RemoveMember
		}
		err := write(t.Context(), sandbox.CitrixGroup, p.AD.GUID)
		_, isRefusal := errors.AsType[*directory.Refusal](err)
		switch after := in(); {
		case err == nil && after == before:
			t.Errorf("%s, person %d: called made, and is not", when, i)
		case isRefusal && after != before:
			t.Errorf("%s, person %d: called refused, and is made: %v", when, i, err)
		}
	}
	r.Begin(Plan{})
}

// TestADPagesAreAllOrFail: with faults on some of several pages, the client returns the whole list or an error.
func TestADPagesAreAllOrFail(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0, 1150)
	d := r.ad(t)
	list := func() (any, error) { return adReads["people"](t.Context(), d, directory.ADUser{}) }
	calm, err := list()
	if n := r.Count("SEARCH", r.Base); err != nil || n < 3 {
		t.Fatalf("%d searches: %v", n, err)
	}
	for _, kind := range []Kind{LDAPDropped, LDAPAnswerLost, LDAPSizeLimit, LDAPTimeLimit, LDAPEntryTwice, LDAPShuffled} {
		for seed := range uint64(2) {
			r.reseed(seed)
			r.Begin(Plan{Night: 1, Often: 0.3, Kinds: []Kind{kind}})
			got, err := list()
			if err != nil {
				continue
			}
			if d := cmp.Diff(calm, got); d != "" {
				t.Errorf("%s, seed %d (-calm +got):\n%s", kind, seed, d)
			}
		}
	}
}

// TestADPeopleOfANight: an LDAP fault about people hides logon dates or makes them older, and changes nothing else.
// The client reports a hidden date as hidden.
func TestADPeopleOfANight(t *testing.T) {
	t.Parallel()
	for _, kind := range ldapPeople {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 4, 200)
			x := newADReader(t, r)
			r.Begin(storm(kind))
			got, err := adReads["people"](t.Context(), x.client, x.who)
			if err != nil {
				t.Fatal(err)
			}
			calm, people, touched := x.calm["people"].(map[string]directory.ADUser), got.(map[string]directory.ADUser), 0
			if len(calm) != len(people) {
				t.Errorf("%d people, want %d", len(people), len(calm))
			}
			for sid, u := range people {
				was := calm[sid]
				hides := u.Hides("lastLogonTimestamp")
				switch {
				case kind != LDAPDatesOlder && hides && u.LastLogonTimestamp.IsZero():
					touched++
				case kind == LDAPDatesOlder && u.LastLogonTimestamp.Before(was.LastLogonTimestamp) && !u.LastLogonTimestamp.IsZero() && !hides:
					touched++
				case !u.LastLogonTimestamp.Equal(was.LastLogonTimestamp) || hides:
					t.Errorf("%s: %v, was %v, hidden %v", sid, u.LastLogonTimestamp, was.LastLogonTimestamp, hides)
				}
			}
			if touched == 0 || touched == len(calm) != (kind == LDAPAllDatesHidden) {
				t.Errorf("%d of %d people are touched", touched, len(calm))
			}
			one, err := x.client.ReadPerson(t.Context(), x.who.SID)
			who := people[x.who.SID]
			if hidden := who.Hides("lastLogonTimestamp"); hidden != (err != nil) || one.SID != x.who.SID {
				t.Errorf("one: %+v, %v", one, err)
			}
			r.Begin(Plan{})
			after, err := adReads["people"](t.Context(), x.client, x.who)
			if d := cmp.Diff(x.calm["people"], after); err != nil || d != "" {
				t.Errorf("the night after: %v (-calm +got):\n%s", err, d)
			}
		})
	}
}

// TestADClock: in a night with LDAPClock, the client refuses the controller's clock if it is too wrong. In the calm
// night afterwards, it accepts the clock.
func TestADClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0, 30)
	d := r.ad(t)
	wrong := 0
	for night := range 12 {
		r.Begin(Plan{Night: night, Often: 1, Kinds: []Kind{LDAPClock}})
		if errors.Is(d.CheckClock(t.Context(), r.clock.Now), directory.ErrClock) {
			wrong++
		}
	}
	if wrong == 0 || wrong == 12 {
		t.Errorf("the clock is refused in %d of 12 nights", wrong)
	}
	r.Begin(Plan{Night: 12})
	if err := d.CheckClock(t.Context(), r.clock.Now); err != nil {
		t.Errorf("on a calm night: %v", err)
	}
}

// TestADOfAKilledProcess: KillAt kills the process at its nth operation. This operation is carried out only if "after"
// is set. No later operation is carried out.
func TestADOfAKilledProcess(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		r := newRig(t, 0, 40)
		x := newADReader(t, r)
		r.Process.set(0, false, 0)
		operations := 0
		in := func() bool {
			for i := range r.Company.Size() {
				if p := r.Company.Person(i); p.AD != nil && p.AD.SID == x.who.SID {
					return slices.Contains(p.ADGroups, sandbox.CitrixGroup)
				}
			}
			return false
		}
		remove := func() error { return x.client.RemoveMember(t.Context(), sandbox.CitrixGroup, x.who.GUID) }
		if err := remove(); err != nil || in() {
			t.Fatalf("remove: %v", err)
		}
		operations = r.Operations() // the last operation is a write
		if err := x.client.AddMember(t.Context(), sandbox.CitrixGroup, x.who.GUID); err != nil {
			t.Fatal(err)
		}
		r.KillAt(operations, after)
		if err := remove(); err == nil || !r.Dead() || in() == after {
			t.Errorf("after %v: %v, dead %v, still a member %v", after, err, r.Dead(), in())
		}
		if _, err := x.client.FindPerson(t.Context(), x.who.SAMAccount); err == nil {
			t.Error("a dead process is answered")
		}
		r.Revive()
		r.FreezeAt(1, true, time.Hour)
		began := r.clock.Now()
		if _, err := x.client.FindPerson(t.Context(), x.who.SAMAccount); err != nil || r.clock.Now().Sub(began) != time.Hour {
			t.Errorf("frozen: %v after %v", err, r.clock.Now().Sub(began))
		}
	}
}
