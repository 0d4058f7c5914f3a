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
	"github.com/idleseat/idleseat/shared/source/entra"
)

const seeds = 4

var rates = []float64{0.3, 1}

// The map "reads" has the reads of the product's client for Graph. Lists are collected without repetitions, so an entry
// that Graph sends twice does not change the result.
var reads = map[string]func(ctx context.Context, c *entra.Client, group directory.Group, person string) (any, error){
	"people": func(ctx context.Context, c *entra.Client, _ directory.Group, _ string) (any, error) {
		all := map[string]directory.EntraUser{}
		err := c.ListPeople(ctx, "", func(page []directory.EntraUser, _ string) error {
			for _, u := range page {
				all[u.ID] = u
			}
			return nil
		})
		return all, err
	},
	"members": func(ctx context.Context, c *entra.Client, group directory.Group, _ string) (any, error) {
		all := map[string]directory.Member{}
		err := c.ListMembers(ctx, group, "", func(page []directory.Member, _ string) error {
			for _, m := range page {
				all[m.ID] = m
			}
			return nil
		})
		return all, err
	},
	"tenant": func(ctx context.Context, c *entra.Client, _ directory.Group, _ string) (any, error) {
		id, skus, err := c.Tenant(ctx)
		return fmt.Sprint(id, skus), err
	},
	"count": func(ctx context.Context, c *entra.Client, _ directory.Group, _ string) (any, error) {
		return c.CountPeople(ctx)
	},
	"mailboxes": func(ctx context.Context, c *entra.Client, _ directory.Group, _ string) (any, error) {
		all := map[string]directory.Mailbox{}
		err := c.Mailboxes(ctx, func(m directory.Mailbox) error { all[m.UserPrincipalName] = m; return nil })
		return all, err
	},
	"group": func(ctx context.Context, c *entra.Client, _ directory.Group, _ string) (any, error) {
		return c.FindGroup(ctx, "LIC-Exempt")
	},
	"license groups": func(ctx context.Context, c *entra.Client, _ directory.Group, _ string) (any, error) {
		found, err := c.LicenseGroups(ctx)
		all := map[string]directory.Group{}
		for _, g := range found {
			all[g.ID] = g
		}
		return all, err
	},
	"groups of a person": func(ctx context.Context, c *entra.Client, _ directory.Group, person string) (any, error) {
		ids, err := c.GroupsOf(ctx, person)
		return slices.Compact(slices.Sorted(slices.Values(ids))), err
	},
	"person": func(ctx context.Context, c *entra.Client, _ directory.Group, person string) (any, error) {
		return c.FindPerson(ctx, person)
	},
	"licenses": func(ctx context.Context, c *entra.Client, _ directory.Group, person string) (any, error) {
		return c.ReadLicenses(ctx, person)
	},
}

// TestReadsAreRightOrFail: under each fault of Graph's answers, each read in "reads" returns the result of a calm night
// or an error. Faults of the data about people are tested elsewhere.
func TestReadsAreRightOrFail(t *testing.T) {
	t.Parallel()
	var told []Kind
	for _, k := range graphKinds {
		if !slices.Contains(graphPeople, k) { // the result of a read with such a fault can look correct
			told = append(told, k)
		}
	}
	for _, kind := range told {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			right := 0
			r := newRig(t, 0, 140)
			x := newReader(t, r)
			for seed := range uint64(seeds) {
				r.reseed(seed)
				for _, often := range rates {
					r.Begin(Plan{Night: 1, Often: often, Kinds: []Kind{kind}})
					right += x.rightOrFail(t, fmt.Sprintf("seed %d, rate %g", seed, often))
				}
			}
			if right == 0 {
				t.Error("no read came through")
			}
		})
	}
}

type reader struct {
	client *entra.Client
	group  directory.Group
	person string
	calm   map[string]any
}

func newReader(t *testing.T, r *rig) *reader {
	t.Helper()
	x := &reader{client: r.entra(t), calm: map[string]any{}}
	var err error
	if x.group, err = x.client.FindGroup(t.Context(), "LIC-M365-E3"); err != nil {
		t.Fatal(err)
	}
	x.person = r.Company.Person(3).Entra.ID
	for name, read := range reads {
		if x.calm[name], err = read(t.Context(), x.client, x.group, x.person); err != nil {
			t.Fatalf("%s on a calm night: %v", name, err)
		}
	}
	return x
}

// rightOrFail fails the test if a read returns a wrong result without an error. It returns how many reads had no error.
func (x *reader) rightOrFail(t *testing.T, when string) (right int) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(reads)) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		got, err := reads[name](ctx, x.client, x.group, x.person)
		if ctx.Err() != nil {
			t.Errorf("%s: %s hangs", when, name)
		}
		cancel()
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

// TestPeopleOfANight: a fault of the data about people removes certain properties, makes dates older, or leaves out
// people. It changes nothing else.
func TestPeopleOfANight(t *testing.T) {
	t.Parallel()
	noDates := func(u *directory.EntraUser) {
		u.LastInteractive, u.LastNonInteractive, u.LastSuccessful = time.Time{}, time.Time{}, time.Time{}
	}
	tests := map[Kind]func(u *directory.EntraUser){ // removes the properties that may differ
		GraphDatesLost: noDates, GraphAllDatesLost: noDates, GraphDatesOlder: noDates,
		GraphPropertyLost: func(u *directory.EntraUser) {
			u.SAMAccount, u.SID, u.ImmutableID, u.UsageLocation = "", "", "", ""
			u.Created, u.Enabled, u.Assignments = time.Time{}, directory.Unset, nil
		},
		GraphPeopleMissing: func(*directory.EntraUser) {},
	}
	for kind, blank := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 2, 300)
			x := newReader(t, r)
			r.Begin(storm(kind))
			got, err := reads["people"](t.Context(), x.client, x.group, x.person)
			if err != nil {
				t.Fatal(err)
			}
			calm, people := x.calm["people"].(map[string]directory.EntraUser), got.(map[string]directory.EntraUser)
			touched := len(calm) - len(people)
			if (touched > 0) != (kind == GraphPeopleMissing) {
				t.Errorf("%d people are missing", touched)
			}
			for id, u := range people {
				was := calm[id]
				if cmp.Equal(was, u) {
					continue
				}
				touched++
				if kind == GraphDatesOlder && !u.LastInteractive.Before(was.LastInteractive) && !u.LastNonInteractive.Before(was.LastNonInteractive) && !u.LastSuccessful.Before(was.LastSuccessful) {
					t.Errorf("%s: no date is older: %v, %v", id, was.LastInteractive, u.LastInteractive)
				}
				blank(&was)
				blank(&u)
				if d := cmp.Diff(was, u); d != "" {
					t.Errorf("%s (-calm +got):\n%s", id, d)
				}
			}
			if touched == 0 || touched == len(calm) && kind != GraphAllDatesLost {
				t.Errorf("%d of %d people are touched", touched, len(calm))
			}
		})
	}
}

// TestWritesAreMadeOrFail: if the client reports a write as made, Graph has made it. If the client reports a write as
// refused, Graph has not.
func TestWritesAreMadeOrFail(t *testing.T) {
	t.Parallel()
	for _, kind := range graphWrites {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 0, 40)
			for seed := range uint64(seeds) {
				r.reseed(seed)
				for _, often := range rates {
					tryWrites(t, r, kind, fmt.Sprintf("seed %d, rate %g", seed, often), often)
				}
			}
		})
	}
}

func tryWrites(t *testing.T, r *rig, kind Kind, when string, often float64) {
	t.Helper()
	r.Begin(Plan{})
	c := r.entra(t)
	group := r.groupID(t, "LIC-M365-E3")
	for i := range r.Company.Size() {
		p := r.Company.Person(i)
		if p.Entra == nil || i%3 != 0 {
			continue
		}
		in := func() bool {
			r.Begin(Plan{})
			ids, err := c.DirectGroups(t.Context(), p.Entra.ID)
			if err != nil {
				t.Fatal(err)
			}
			return slices.Contains(ids, group)
		}
		before := in()
		r.Begin(Plan{Night: i, Often: often, Kinds: []Kind{kind}})
		var err error
		if before {
			err = c.RemoveMember(t.Context(), group, p.Entra.ID)
		} else {
			err = c.AddMember(t.Context(), group, p.Entra.ID)
		}
		refused, isRefusal := errors.AsType[*directory.Refusal](err)
		switch after := in(); {
		case err == nil && after == before:
			t.Errorf("%s, person %d: called made, and is not", when, i)
		case isRefusal && after != before:
			t.Errorf("%s, person %d: called refused, and is made: %v", when, i, refused)
		}
	}
}
