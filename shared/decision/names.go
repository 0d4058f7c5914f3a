package decision

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// Named is an account that the policy lists by name.
type Named struct {
	Entry    string `json:"entry"` // the name in the policy, in lower case
	ID       string `json:"id"`    // directory.Person.ID
	SID      string `json:"sid,omitempty"`
	Name     string `json:"name"`
	Followed bool   `json:"followed,omitempty"` // found by the id from an earlier run, and not by name
}

// Names returns the search for the people whom the run's policy lists. It also finds the accounts that earlier runs
// found by a listed name. The result is not safe for concurrent use.
func (r *Run) Names() *policy.Names { return r.Policy.Names(r.people()) }

func (r *Run) people() map[string][]directory.EarlierPerson {
	if r.Begin.Earlier == nil {
		return nil
	}
	return r.Begin.Earlier.People
}

// NamedAs returns the names under which the policy lists a person.
func NamedAs(names *policy.Names, p *directory.Person) (all []Named) {
	for _, hit := range names.Of(p) {
		all = append(all, Named{Entry: hit.Name, ID: p.ID(), SID: p.SID(), Name: p.UserPrincipalName(), Followed: hit.As == ""})
	}
	return all
}

// Listed is the result of a search for the names that the policy lists.
type Listed struct {
	People map[string][]directory.EarlierPerson // the accounts by name, for later runs
	Notes  []string                             // sentences for the plan
	Nobody []string                             // names that no account has ever had
}

// Listed compares the accounts that now have the names in the policy with those that earlier runs found.
func (r *Run) Listed(named []Named) *Listed {
	l := &Listed{People: map[string][]directory.EarlierPerson{}}
	maps.Copy(l.People, r.people())
	for _, key := range r.Policy.Listed(r.Begin.AsOf) {
		var now []Named
		for _, n := range named {
			if n.Entry == key && !slices.ContainsFunc(now, func(o Named) bool { return o.ID == n.ID }) {
				now = append(now, n)
			}
		}
		before := l.People[key]
		l.People[key] = r.seen(before, now)
		switch {
		case len(now) == 0 && len(before) == 0:
			delete(l.People, key)
			l.Nobody = append(l.Nobody, key)
		case len(now) == 0:
			l.Notes = append(l.Notes, r.gone(key, before))
		default:
			l.note(key, before, now)
		}
	}
	return l
}

func (r *Run) seen(before []directory.EarlierPerson, now []Named) []directory.EarlierPerson {
	next := slices.Clone(before)
	for _, n := range now {
		who := directory.EarlierPerson{SID: n.SID, Name: n.Name, Seen: r.Begin.Read}
		if n.ID != n.SID {
			who.ID = n.ID
		}
		i := slices.IndexFunc(next, func(p directory.EarlierPerson) bool { return p.Person(who.ID, who.SID) })
		if i < 0 {
			next = append(next, who)
		} else {
			next[i] = who
		}
	}
	return next
}

func (r *Run) gone(key string, before []directory.EarlierPerson) string {
	last := before[len(before)-1]
	id := last.ID
	if id == "" {
		id = last.SID
	}
	for source, f := range r.Feeds[:directory.Sources] {
		if f.Incomplete || f.State == plan.Absent && last.ID == "" { // an account of Active Directory alone may exist
			return fmt.Sprintf("the policy lists %q, whose account (%s) was not found; this run did not read all of %s", key, id, directory.Source(source))
		}
	}
	return fmt.Sprintf("the policy lists %q, whose account (%s) is gone since %s; take it out of the policy", key, id, dayOf(last.Seen))
}

func (l *Listed) note(key string, before []directory.EarlierPerson, now []Named) {
	byName := 0
	for _, n := range now {
		known := slices.ContainsFunc(before, func(p directory.EarlierPerson) bool { return p.Person(n.ID, n.SID) })
		switch {
		case n.Followed:
			l.Notes = append(l.Notes, fmt.Sprintf("the policy lists %q, who is named %q now and was followed by the id %s; correct the policy", key, n.Name, n.ID))
			continue
		case !known && len(before) > 0:
			l.Notes = append(l.Notes, fmt.Sprintf("the policy lists %q, a name that another account (%s) has now; both are exempt; name the right one by its id", key, n.ID))
		}
		byName++
	}
	if byName > 1 {
		l.Notes = append(l.Notes, fmt.Sprintf("the policy lists %q, a name that %d accounts have; all of them are exempt", key, byName))
	}
}

// Lookalikes returns a sentence for each name in "nobody", the names that no account has ever had. The sentence has the
// most similar name in the snapshot.
func (r *Run) Lookalikes(ctx context.Context, nobody []string) (sentences []string, err error) {
	if len(nobody) == 0 {
		return nil, nil
	}
	like, best := make([]string, len(nobody)), make([]int, len(nobody))
	err = r.everybody(ctx, func(p *directory.Person) {
		for i, name := range nobody {
			if own, letters := policy.Nearest(name, p); own != "" && (like[i] == "" || letters < best[i]) {
				like[i], best[i] = own, letters
			}
		}
	})
	for i, name := range nobody {
		text := fmt.Sprintf("the policy lists %q, and nobody has ever been found by that name", name)
		if like[i] != "" {
			text += fmt.Sprintf("; did you mean %q?", like[i])
		}
		if r.Feeds[directory.AD].Incomplete {
			text += "; Active Directory, which may know the name, was not read"
		}
		sentences = append(sentences, text)
	}
	return sentences, err
}

// Named returns the accounts in the snapshot that the policy lists by name.
func (r *Run) Named(ctx context.Context) (all []Named, err error) {
	names := r.Names()
	err = r.everybody(ctx, func(p *directory.Person) { all = append(all, NamedAs(names, p)...) })
	return all, err
}

func (r *Run) everybody(ctx context.Context, each func(*directory.Person)) error {
	var h directory.Accounts
	for n := range r.Begin.Partitions {
		if err := r.Read(ctx, n, &h); err != nil {
			return err
		}
		for p := range h.Join() {
			each(p)
		}
	}
	return nil
}
