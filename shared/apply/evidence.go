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
	"github.com/idleseat/idleseat/shared/report"
)

// evidence is one person as read a moment ago.
type evidence struct {
	person *directory.Person // nil when the person was not found or not readable
	why    string            // then why
	gone   bool              // the account was looked for and is not there

	// latest is the latest instant of a last logon that is not known, as far
	// as it is proven; zero when nothing is.
	latest time.Time
	// adError is why Active Directory could not be read; nil when it could, or
	// is not set up. Everything there is then unknown.
	adError error
	// read is when the reading began.
	read time.Time
}

// evidenceAge is how old what was read of a person may be when something is taken
// from them: they may have come back since. A machine may have slept meanwhile, or
// waited as long as Graph asked for.
const evidenceAge = 2 * time.Minute

// aged is report.Pending for a change whose evidence is too old to take anything: it
// is read again, and the rule asked again.
const aged report.Status = "aged"

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
	all, err := j.halves(ctx, changes)
	for user, e := range all {
		e.read = began
		all[user] = e
	}
	return all, err
}

func (j *job) halves(ctx context.Context, changes []plan.Change) (map[string]evidence, error) {
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
			all[c.User] = j.both(ctx, &u, cmp.Or(u.SID, c.SID)) // planned together by the immutable id
		case isSID(c.User):
			all[c.User] = j.both(ctx, nil, c.User)
		default:
			all[c.User] = evidence{gone: true, why: "the account is no longer in Entra ID"}
		}
	}
	return all, nil
}

// bare reads of people only what putting back needs: how they hold licenses, and
// their account in Active Directory. It works also while sign-in dates cannot be
// read, and whoever put their halves in doubt.
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
			unasked := (*directory.UnaskedError)(nil)
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

// isSID tells the key of somebody who exists in Active Directory only.
func isSID(user string) bool { return len(user) > 4 && user[:4] == "S-1-" }

// both joins the fresh Entra half, nil for somebody planned without one, with
// the fresh AD half.
func (j *job) both(ctx context.Context, u *directory.EntraUser, sid string) evidence {
	h := directory.Halves{EntraState: directory.Present, Memberships: map[string][]string{}, Anchor: j.run.Policy.Anchor}
	e := evidence{}
	if j.AD != nil && sid != "" {
		e.latest, e.adError = j.adHalf(ctx, sid, &h)
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

// meanwhileInEntra looks in Entra ID for somebody who was planned as known to
// Active Directory only: by now, or for a list that was short, there may be an
// account.
func (j *job) meanwhileInEntra(ctx context.Context, h *directory.Halves) (*directory.EntraUser, error) {
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

// adHalf reads the AD half, and how late its last logon can be when that is not
// known. With an error h stays without it: not read.
func (j *job) adHalf(ctx context.Context, sid string, h *directory.Halves) (latest time.Time, err error) {
	account, err := j.AD.ReadPerson(ctx, sid)
	var unasked *directory.UnaskedError
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
