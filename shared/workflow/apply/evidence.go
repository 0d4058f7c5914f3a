package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// A reading is the evidence about one person, as this call read it.
type reading struct {
	person *directory.Person // nil if the person was not found or could not be read
	why    string            // reason why person is nil
	gone   bool              // whether the account does not exist in the directory
	lost   bool              // whether Entra ID no longer has the account that the change names; gone is false if the person has another account

	leftOut *directory.ADUser // the account in Active Directory if the settings leave it out; person.AD is then nil

	latest time.Time // the latest possible last logon, if that is uncertain; zero: certain, or no limit is known
	// The field "adError" is the reason why Active Directory could not be read. Its values are then unknown. The field
	// is nil if Active Directory was read or is not set up.
	adError error
	// The field "read" is the time at which the reading began.
	read time.Time
}

// evidenceAge is the maximum age of the evidence on which a license may be taken. A limit is necessary because the
// person may come back while the process is suspended or waits for Graph.
const evidenceAge = 2 * time.Minute

// The status "aged" is for a pending change whose evidence is too old to take a license. The call then reads the person
// again and asks the rule again.
const aged runs.Status = "aged"

var errAged = errors.New("what was read of the person is too old by now to take anything")

// current returns errAged if the evidence is too old, and nil otherwise.
func (m *move) current() error {
	if m.Now().Sub(m.read) > evidenceAge {
		return errAged
	}
	return nil
}

func (j *job) again(ctx context.Context, c *plan.Change) reading {
	one, err := j.fresh(ctx, []plan.Change{*c})
	if err != nil {
		return reading{why: err.Error()}
	}
	return one[c.User]
}

// The method "fresh" reads the people of some changes from both directories. A key of the result is the field User of a
// change.
func (j *job) fresh(ctx context.Context, changes []plan.Change) (map[string]reading, error) {
	began := j.Now()
	all, err := j.accounts(ctx, changes)
	for user, e := range all {
		e.read = began
		all[user] = e
	}
	return all, err
}

func (j *job) accounts(ctx context.Context, changes []plan.Change) (map[string]reading, error) {
	if j.onlyGivesBack() {
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
	all := map[string]reading{}
	for _, c := range changes {
		if _, known := all[c.User]; known {
			continue
		}
		u, found := users[c.User]
		switch {
		case found:
			all[c.User] = j.both(ctx, &u, cmp.Or(u.SID, c.SID)) // no SID in Entra ID: the plan joined by the immutable id
		case isSID(c.User):
			all[c.User] = j.both(ctx, nil, c.User)
		case c.SID != "" && j.AD != nil: // the account in Active Directory, and what it holds there, may be left
			e := j.both(ctx, nil, c.SID)
			e.lost = true
			all[c.User] = e
		default:
			all[c.User] = reading{gone: true, why: goneFromEntra}
		}
	}
	return all, nil
}

// The method "bare" reads only what a restore or a rollback needs: the assignments, and the account in Active Directory
// if the change is made there or the account in Entra ID is gone. It does not check whether the two accounts belong
// together.
func (j *job) bare(ctx context.Context, changes []plan.Change) (map[string]reading, error) {
	all := map[string]reading{}
	for i := range changes {
		e, err := j.bareOf(ctx, &changes[i])
		if err != nil {
			return nil, err
		}
		user := changes[i].User
		if known, twice := all[user]; twice && e.person != nil && known.person != nil && e.person.AD == nil {
			e.person.AD, e.person.ADState, e.adError = known.person.AD, known.person.ADState, known.adError
		}
		all[user] = e
	}
	return all, nil
}

func (j *job) bareOf(ctx context.Context, c *plan.Change) (reading, error) {
	e := reading{person: &directory.Person{}}
	inAD := c.Via.WrittenIn() == directory.AD || isSID(c.User)
	if !isSID(c.User) {
		held, err := j.Entra.ReadLicenses(ctx, c.User)
		switch {
		case errors.Is(err, directory.ErrNoPerson) && (c.SID == "" || j.AD == nil):
			return reading{gone: true, why: goneFromEntra}, nil
		case errors.Is(err, directory.ErrNoPerson):
			e.lost, inAD = true, true
		case err != nil && ctx.Err() != nil:
			return e, err
		case err != nil:
			return reading{why: err.Error()}, nil
		default:
			e.person.Entra, e.person.EntraState = &directory.EntraUser{ID: c.User, SID: c.SID, Assignments: held}, directory.Present
		}
	}
	if inAD && j.AD != nil {
		account, err := evidence.ReadAccount(ctx, j.AD, cmp.Or(c.SID, c.User), nil)
		switch {
		case err != nil:
			e.adError = err
		case account.User == nil && account.LeftOut == nil:
			e.person.ADState = directory.NoAccount
		default: // the way back does not depend on where the account lies now
			e.person.AD, e.person.ADState = cmp.Or(account.User, account.LeftOut), directory.Present
		}
	}
	if e.lost { // a license that the Active Directory group gives goes to the new account
		u, err := evidence.InEntra(ctx, j.Entra, e.person.AD, j.run.Policy.Anchor)
		if err != nil {
			return reading{why: fmt.Sprintf("Entra ID could not be read: %v", err)}, nil
		}
		if e.person.Entra = u; u != nil {
			e.person.EntraState = directory.Present
		}
	}
	switch {
	case e.person.Entra != nil || e.person.AD != nil || e.adError != nil:
	case j.AD == nil:
		e = reading{why: "the account is in Active Directory alone, which is not set up here"}
	default:
		e = reading{gone: true, why: goneFromAD}
	}
	return e, nil
}

const leftOutNow = "IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves out the account in Active Directory; let them include it and plan again, or change the group by hand"

// isSID reports whether the key of a person is a SID. The key is a SID if the person has an account only in Active
// Directory.
func isSID(user string) bool { return len(user) > 4 && user[:4] == "S-1-" }

// The method "anchored" returns the SID of the Active Directory account whose anchor is the immutable id of an account
// without a SID. Otherwise it returns "": with an empty p.AD if there is no such account, or with p.Failed if the
// search failed. Other tools than Entra Connect also give accounts an immutable id, so the id alone proves no account
// there.
func (j *job) anchored(ctx context.Context, p *evidence.Person) (sid string) {
	sid, err := j.AD.FindAnchor(ctx, p.Entra.ImmutableID, j.run.Policy.Anchor)
	switch {
	case errors.Is(err, directory.ErrNoPerson):
		p.AD = new(evidence.Account)
	case err != nil:
		p.Failed = err
	}
	return sid
}

// The method "misspelt" returns an error if the account that was found by the immutable id has another anchor. Active
// Directory ignores the case of an employeeID, and Entra Connect does not (Microsoft Learn, "Microsoft Entra Connect:
// Design concepts", sourceAnchor). So nobody knows whether the accounts belong to one person.
func (j *job) misspelt(p *evidence.Person) error {
	found := p.AD.User
	if found == nil || j.run.Policy.Anchor.Fits(p.Entra.ImmutableID, found) {
		return nil
	}
	return fmt.Errorf("the immutable id %q finds the account %q, which spells it in another way: make both the same", p.Entra.ImmutableID, found.UserPrincipalName)
}

// The method "both" reads the person's accounts and joins them. If "u" is nil, the plan had no Entra account for the
// person. The method then looks for one, because it may be new, or the run may have missed it.
func (j *job) both(ctx context.Context, u *directory.EntraUser, sid string) reading {
	p, byAnchor := evidence.Person{Entra: u}, sid == ""
	if j.AD != nil && byAnchor && u.ImmutableID != "" {
		sid = j.anchored(ctx, &p)
	}
	if j.AD != nil && sid != "" {
		if p.ReadAD(ctx, j.AD, sid, j.memberQueries()); p.Failed == nil && byAnchor {
			p.Failed = j.misspelt(&p)
		}
		if p.Failed == nil {
			p.Failed = j.doubt(ctx, p.AD)
		}
	}
	if u == nil && p.Failed != nil {
		return reading{why: fmt.Sprintf("Active Directory could not be read: %v", p.Failed)}
	}
	var err error
	if u == nil && p.AD != nil {
		account := cmp.Or(p.AD.User, p.AD.LeftOut)
		if p.Entra, err = evidence.InEntra(ctx, j.Entra, account, j.run.Policy.Anchor); err != nil {
			return reading{why: fmt.Sprintf("Entra ID could not be read: %v", err)}
		}
	}
	if p.Entra != nil {
		j.run.KnowMailbox(p.Entra)
		j.reports.Tell(p.Entra)
		if p.Groups, err = j.entraGroups(ctx, p.Entra.ID); err != nil {
			return reading{why: fmt.Sprintf("groups in Entra ID could not be read: %v", err)}
		}
	}
	h := p.Accounts(j.run.Policy.Anchor)
	h.EntraState = directory.Present // this call looked for the account
	h.Unreadable = append(h.Unreadable, j.shrunk()...)
	if p.Entra != nil {
		copy(h.Stale[directory.Sources:], j.stale[directory.Sources:])
	}
	if err := j.run.Recall(ctx, h, j.Now()); err != nil {
		return reading{why: err.Error()}
	}
	var leftOut *directory.ADUser
	if p.AD != nil {
		leftOut = p.AD.LeftOut
	}
	for person := range h.Join() {
		return reading{person: person, leftOut: leftOut, latest: p.Latest(), adError: p.Failed}
	}
	if leftOut != nil {
		return reading{person: leftOutAlone(&p, h), leftOut: leftOut}
	}
	return reading{gone: true, why: goneFromAD}
}

// The function "leftOutAlone" returns a person whose only account is one that the settings leave out. The account is
// there, so a change that was begun goes on. The groups count, and all else that a rule asks is unknown.
func leftOutAlone(p *evidence.Person, h *directory.Accounts) *directory.Person {
	return &directory.Person{
		EntraState: directory.Missing, ADState: directory.Missing, Doubt: leftOutNow,
		Memberships: p.AD.In, Unreadable: h.Unreadable,
	}
}
