package sandbox

import (
	"slices"
	"time"
)

// The type "replica" is a copy of Entra ID that answers one request. Graph is eventually consistent: for seconds to
// minutes after a write, some reads show the old state and others the new state (terraform-provider-azuread#283, #793,
// PR#1918). In the sandbox, each object that a request reads has its own random age up to Options.Lag. Accounts and
// their dates do not lag.
type replica struct {
	c       *Company
	request uint64
}

// The type "past" is a former value, which reads that lag still show. The field "until" is when a write replaced it.
type past[T any] struct {
	until time.Time
	was   T
}

// The method "at" returns the instant, up to Options.Lag ago, whose state a read of an object shows. The zero time
// means the current state.
func (r replica) at(object uint64) time.Time {
	if r.c.options.Lag <= 0 {
		return time.Time{}
	}
	d := dice{r.c.options.Seed ^ r.request<<32 ^ object}
	return r.c.now().Add(-time.Duration(d.next() % uint64(r.c.options.Lag+1)))
}

// pastAt returns the value at an instant from a list of former values. The result "found" is false if the instant is
// zero, or if the value is the current one.
func pastAt[T any](list []past[T], at time.Time) (was T, found bool) {
	if at.IsZero() {
		return was, false
	}
	n := slices.IndexFunc(list, func(p past[T]) bool { return p.until.After(at) })
	if n < 0 {
		return was, false
	}
	return list[n].was, true
}

// The kinds of objects. In one request, objects of different kinds have different ages.
const (
	objectUser uint64 = (iota + 1) << 56
	objectMemberOf
	objectMembers
)

func (r replica) user(i int) *entraUser {
	t := r.c.profile(i)
	u := r.c.entraUser(i, t)
	if ch := r.c.changes[i]; ch != nil {
		if was, found := pastAt(ch.earlier, r.at(objectUser|uint64(i))); found {
			r.c.show(u, was)
		}
	}
	return u
}

func (r replica) isMember(g, i int, t profile, at time.Time) bool {
	if in, found := pastAt(r.c.earlier[membership{g, i}], at); found {
		return in
	}
	return r.c.isMember(g, i, t)
}

// isTransitiveMember reports whether a person was in a group at an instant, directly or through a nested group.
func (r replica) isTransitiveMember(g, i int, t profile, at time.Time) bool {
	return r.isMember(g, i, t, at) ||
		slices.ContainsFunc(r.c.group(g).nested, func(n int) bool { return r.c.group(n).lists() && r.isTransitiveMember(n, i, t, at) })
}

// The method "odd" decides at random for each request which of two forms an answer has: false means the documented
// form, and true another one that clients have recorded. Without Options.Lag, the result is always false.
func (r replica) odd() bool {
	d := dice{r.c.options.Seed ^ r.request}
	return r.c.options.Lag > 0 && d.below(2) == 1
}
