package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// evidence is one person as read a moment ago.
type evidence struct {
	person *directory.Person // nil when the person was not found or could not be read
	why    string            // then why
	gone   bool              // the account was looked for and is not there

	// latest is the latest instant that a last logon which could not be read may have, as far as that is proven. It is
	// zero when nothing is proven.
	latest time.Time
	// adError is why Active Directory could not be read. It is nil when Active Directory was read or is not set up.
	// With an error everything in Active Directory is unknown.
	adError error
	// read is when the reading began.
	read time.Time
}

// evidenceAge is how old a reading of a person may be when something is taken from them. The person may have come back
// since. The process may also have slept meanwhile, or waited as long as Graph asked for.
const evidenceAge = 2 * time.Minute

// aged is runs.Pending for a change whose evidence is too old to take anything. The person is then read again, and
// the rule is asked again.
const aged runs.Status = "aged"

var errAged = errors.New("what was read of the person is too old by now to take anything")

// current is errAged when the evidence is too old.
func (m *move) current() error {
	if m.Now().Sub(m.read) > evidenceAge {
		return errAged
	}
	return nil
}

// again reads the evidence of one change anew.
func (j *job) again(ctx context.Context, c *plan.Change) evidence {
	one, err := j.fresh(ctx, []plan.Change{*c})
	if err != nil {
		return evidence{why: err.Error()}
	}
	return one[c.User]
}

// fresh reads the people of some changes from both directories.
func (j *job) fresh(ctx context.Context, changes []plan.Change) (map[string]evidence, error) {
	began := j.Now()
	all, err := j.accounts(ctx, changes)
	for user, e := range all {
		e.read = began
		all[user] = e
	}
	return all, err
}

func (j *job) accounts(ctx context.Context, changes []plan.Change) (map[string]evidence, error) {
	if j.plan.Restores != "" {
		return j.bare(ctx, changes)
	}
	var ids []string
	for _, c := range changes {
		if !isSID(c.User) && !slices.Contains(ids, c.User) {
			ids = append(ids, c.User)
		}
	}
	users := map[string]directory.EntraUser{}
	if len(ids) > 0 {
		var err error
		if users, err = j.Entra.ReadPeople(ctx, ids); err != nil {
			return nil, err
		}
	}
	all := map[string]evidence{}
	for _, c := range changes {
		if _, known := all[c.User]; known {
			continue
		}
		u, found := users[c.User]
		switch {
		case found:
			all[c.User] = j.both(ctx, &u, cmp.Or(u.SID, c.SID)) // the plan joined both accounts by the immutable id
		case isSID(c.User):
			all[c.User] = j.both(ctx, nil, c.User)
		default:
			all[c.User] = evidence{gone: true, why: "the account is no longer in Entra ID"}
		}
	}
	return all, nil
}

// bare reads only what a restore or a rollback needs: how people hold licenses, and their accounts in Active Directory.
// It also works while sign-in dates cannot be read, and when the join of a person's two accounts is in doubt.
func (j *job) bare(ctx context.Context, changes []plan.Change) (map[string]evidence, error) {
	all := map[string]evidence{}
	for _, c := range changes {
		e := evidence{person: &directory.Person{}}
		if !isSID(c.User) {
			held, err := j.Entra.ReadLicenses(ctx, c.User)
			if errors.Is(err, directory.ErrNoPerson) {
				all[c.User] = evidence{gone: true, why: "the account is no longer in Entra ID"}
				continue
			}
			if err != nil {
				if ctx.Err() != nil {
					return nil, err
				}
				all[c.User] = evidence{why: err.Error()}
				continue
			}
			e.person.Entra, e.person.EntraState = &directory.EntraUser{ID: c.User, SID: c.SID, Assignments: held}, directory.Present
		}
		if (c.Via.InAD() || isSID(c.User)) && j.AD != nil {
			account, err := j.AD.ReadPerson(ctx, cmp.Or(c.SID, c.User))
			unasked := (*directory.PartialLogonError)(nil)
			switch {
			case err == nil, errors.As(err, &unasked):
				e.person.AD, e.person.ADState = &account, directory.Present
			case errors.Is(err, directory.ErrNoPerson):
				e.person.ADState = directory.NoAccount
			default:
				e.adError = err
			}
		}
		switch {
		case e.person.Entra != nil || e.person.AD != nil || e.adError != nil:
		case j.AD == nil:
			e = evidence{why: "the account is in Active Directory alone, which is not set up here"}
		default:
			e = evidence{gone: true, why: "the account is no longer in Active Directory"}
		}
		if known, twice := all[c.User]; twice && e.person != nil && known.person != nil && e.person.AD == nil {
			e.person.AD, e.person.ADState, e.adError = known.person.AD, known.person.ADState, known.adError
		}
		all[c.User] = e
	}
	return all, nil
}

// isSID reports whether a key is the SID of a person who exists only in Active Directory.
func isSID(user string) bool { return len(user) > 4 && user[:4] == "S-1-" }

// both joins the fresh accounts of Entra ID and Active Directory. u is nil for a person who was planned without an
// account in Entra ID.
func (j *job) both(ctx context.Context, u *directory.EntraUser, sid string) evidence {
	h := directory.Accounts{EntraState: directory.Present, Memberships: map[string][]string{}, Anchor: j.run.Policy.Anchor}
	e := evidence{}
	if j.AD != nil && sid != "" {
		e.latest, e.adError = j.adAccount(ctx, sid, &h)
	}
	if u == nil && e.adError != nil {
		return evidence{why: fmt.Sprintf("Active Directory could not be read: %v", e.adError)}
	}
	if u == nil {
		var err error
		if u, err = j.meanwhileInEntra(ctx, &h); err != nil {
			return evidence{why: fmt.Sprintf("Entra ID could not be read: %v", err)}
		}
	}
	if u != nil {
		j.run.KnowMailbox(u)
		j.tellUse(u, &h)
		h.Entra = []directory.EntraUser{*u}
		if err := j.entraGroups(ctx, u, &h); err != nil {
			return evidence{why: fmt.Sprintf("groups in Entra ID could not be read: %v", err)}
		}
	}
	if err := j.run.Recall(ctx, &h, j.Now()); err != nil {
		return evidence{why: err.Error()}
	}
	for p := range h.Join() {
		e.person = p
		return e
	}
	return evidence{gone: true, why: "the account is no longer in Active Directory"}
}

// meanwhileInEntra looks in Entra ID for a person whom the plan knew only from Active Directory. The account may exist
// by now, or the list that the plan read may have been short.
func (j *job) meanwhileInEntra(ctx context.Context, h *directory.Accounts) (*directory.EntraUser, error) {
	if len(h.AD) == 0 || h.AD[0].UserPrincipalName == "" {
		return nil, nil
	}
	u, err := j.Entra.FindPerson(ctx, h.AD[0].UserPrincipalName)
	switch {
	case errors.Is(err, directory.ErrNoPerson):
		return nil, nil
	case err != nil:
		return nil, err
	case u.SID != h.AD[0].SID && (u.SID != "" || !h.Anchor.Fits(u.ImmutableID, &h.AD[0])):
		return nil, nil
	}
	return &u, nil
}

// adAccount reads the account in Active Directory. When the last logon is not known, latest is the latest that it can be.
// With an error h stays without the account, which means that it was not read.
func (j *job) adAccount(ctx context.Context, sid string, h *directory.Accounts) (latest time.Time, err error) {
	account, err := j.AD.ReadPerson(ctx, sid)
	var unasked *directory.PartialLogonError
	switch {
	case errors.As(err, &unasked):
		h.Stale[directory.AD], latest = unasked.Error(), unasked.Latest
	case errors.Is(err, directory.ErrNoPerson):
		h.ADState = directory.Present
		return latest, nil
	case err != nil:
		return time.Time{}, err
	}
	var unreadable, in []string
	for _, q := range j.memberQueries() {
		if q.Ref.Source != directory.AD {
			continue
		}
		key := q.Ref.Key(q.Direct)
		member, err := j.AD.MemberOf(ctx, sid, q.Ref.Name, q.Direct)
		switch {
		case errors.Is(err, directory.ErrNoGroup):
			unreadable = append(unreadable, key)
		case err != nil:
			return time.Time{}, err
		case member:
			in = append(in, key)
		}
	}
	h.AD, h.ADState, h.Memberships[sid] = []directory.ADUser{account}, directory.Present, in
	h.Unreadable = append(h.Unreadable, unreadable...)
	return latest, nil
}
