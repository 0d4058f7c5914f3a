package activedirectory

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// ListPeople calls the function "each" with every person below the base, in pages. An error ends the reading early,
// even if it comes from "each". There is one exception: if the domain does not maintain lastLogonTimestamp, ListPeople
// returns a *directory.PartialLogonError after the last person, because the dates are meaningless.
func (d *Directory) ListPeople(ctx context.Context, each func(directory.ADUser) error) error {
	return d.ask(ctx, func(s *session) error { return s.list(nil, each) })
}

func (s *session) list(rests []string, each func(directory.ADUser) error) error {
	now := s.directory.now()
	interval, err := s.syncInterval()
	if err != nil {
		return err
	}
	proven, err := s.blanks("look for people without a value", "", rests)
	if err != nil {
		return err
	}
	err = s.people("list people", "", personAttributes, func(e *ldap.Entry) error {
		u, err := parsePerson(e, now)
		if err != nil {
			return s.fault("list people", err)
		}
		proven.note(&u, e)
		s.committed = true
		return each(u)
	})
	if err == nil && interval == 0 {
		return &directory.PartialLogonError{Err: errNotKept}
	}
	return err
}

// ReadPerson reads one person by SID from all controllers of the domain concurrently. LastLogonTimestamp of the result
// is the newest lastLogonTimestamp or lastLogon of all controllers. Controllers do not replicate lastLogon. Any other
// attribute in which the controllers differ is in Unreadable.
//
// If that date may not be the newest, for example because a controller does not answer, ReadPerson returns the person
// together with a *directory.PartialLogonError. The error is directory.ErrNoPerson if every controller answers and none
// has the SID, and directory.ErrLeftOut if the account lies outside the bases or does not match the filter.
func (d *Directory) ReadPerson(ctx context.Context, sid string) (directory.ADUser, error) {
	domain, answers, err := d.everywhere(ctx, func(a *answer) { d.evidence(ctx, a, sid) })
	if err != nil {
		return directory.ADUser{}, fmt.Errorf("read person %q: %w", sid, err)
	}
	return domain.newest(answers, d.now())
}

// The method "everywhere" calls the function "read" for each controller of the domain, concurrently.
func (d *Directory) everywhere(ctx context.Context, read func(*answer)) (*domain, []answer, error) {
	domain, err := d.domainNow(ctx)
	if err != nil {
		return nil, nil, err
	}
	answers := make([]answer, len(domain.controllers))
	var asked sync.WaitGroup
	for i, c := range domain.controllers {
		answers[i].controller = c
		asked.Go(func() { read(&answers[i]) })
	}
	asked.Wait()
	return domain, answers, context.Cause(ctx)
}

// errHidden is the error if the account may not read the last logon of a person.
var errHidden = errors.New("the account of idleseat may not read lastLogon and lastLogonTimestamp of this person: give it the right to")

type answer struct {
	controller controller
	user       directory.ADUser // the person on this controller, with the replicated lastLogonTimestamp
	lastLogon  time.Time        // lastLogon on this controller
	future     bool             // whether pwdLastSet lies in the future on this controller
	err        error
}

// The method "evidence" reads the person on one controller. If the settings leave the account out there, the answer is
// as complete as another one, and its error is directory.ErrLeftOut.
func (d *Directory) evidence(ctx context.Context, a *answer, sid string) {
	a.err = d.do(ctx, a.controller, func(s *session) (err error) {
		var e *ldap.Entry
		var leftOut error
		a.user, e, leftOut = s.withSID(sid, "lastLogon")
		if leftOut != nil && !errors.Is(leftOut, directory.ErrLeftOut) {
			return leftOut
		}
		a.future = a.user.Hides("pwdLastSet") && e.GetEqualFoldAttributeValue("pwdLastSet") != ""
		lastLogon := e.GetEqualFoldAttributeValue("lastLogon")
		if lastLogon != "" {
			if a.lastLogon, err = Time(lastLogon, d.now()); err != nil {
				return s.fault(fmt.Sprintf("read lastLogon of %q", sid), err)
			}
		}
		if leftOut != nil {
			return leftOut
		}
		hidden := lastLogon == "" && !s.sight.mayRead("lastLogon", e.GetEqualFoldRawAttributeValue(descriptor))
		if hidden || a.user.Hides("lastLogonTimestamp") {
			return s.fault(fmt.Sprintf("read the last logon of %q", sid), errHidden)
		}
		return nil
	})
}

// The method "within" reports whether the controller has the person within the bases and the filter.
func (a *answer) within() bool { return a.err == nil || errors.Is(a.err, errHidden) }

// The method "leftOut" reports whether the controller has the person outside the bases, or against the filter.
func (a *answer) leftOut() bool { return errors.Is(a.err, directory.ErrLeftOut) }

// The method "newest" merges the answers into one person, with the newest date of all controllers. An attribute in
// which they differ is unreadable. If the account was moved, some controllers may leave it out already. What they say
// counts, too, because they may have a newer logon or a newer value.
func (d *domain) newest(answers []answer, now time.Time) (directory.ADUser, error) {
	first := slices.IndexFunc(answers, func(a answer) bool { return a.within() })
	if first < 0 {
		return d.nobody(answers, now)
	}
	found := &answers[first].user
	var partial directory.PartialLogonError
	var why faults
	var stamp, newest time.Time
	for i := range answers {
		a := &answers[i]
		if a.err != nil {
			partial.Controllers = append(partial.Controllers, a.controller.url)
			why = append(why, a.unproven())
		}
		if !a.within() && !a.leftOut() {
			continue
		}
		if i != first {
			found.Agree(&a.user)
		}
		stamp = later(stamp, a.user.LastLogonTimestamp)
		newest = later(newest, later(a.user.LastLogonTimestamp, a.lastLogon))
	}
	// If one controller shows a pwdLastSet in the future, the method "Agree" takes the date of another controller. This
	// date may be older than the last change of the password, so pwdLastSet counts as unreadable, too.
	if !found.Hides("pwdLastSet") && slices.ContainsFunc(answers, func(a answer) bool { return a.future }) {
		found.Unreadable = append(found.Unreadable, "pwdLastSet")
	}
	found.LastLogonTimestamp = newest
	if d.unnamed != nil {
		partial.Controllers = append(partial.Controllers, "without a name")
		why = append(why, d.unnamed)
	}
	switch {
	case d.interval == 0:
		return *found, &directory.PartialLogonError{Err: errNotKept}
	case len(why) == 0:
		return *found, nil
	}
	if !stamp.IsZero() && d.unnamed == nil {
		doubts := d.doubts(answers, (*answer).stamped, now)
		if len(doubts) > 0 {
			why = append(append(why, doubts...), errors.New("so the replicated date may lack a logon there; "+reachIt))
		} else {
			partial.Latest = later(newest, stamp.Add(d.interval))
		}
	}
	partial.Err = why
	return *found, &partial
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// FindPerson finds one person by user principal name, sAMAccountName, DOMAIN\sAMAccountName or SID. The error is
// directory.ErrNoPerson if nobody has the name, and directory.ErrAmbiguousPerson if two people have it. For a SID, it
// is directory.ErrLeftOut if the account lies outside the bases or does not match the filter.
func (d *Directory) FindPerson(ctx context.Context, name string) (directory.ADUser, error) {
	var found directory.ADUser
	err := d.ask(ctx, func(s *session) (err error) {
		if err := s.isDomainOf(name); err != nil {
			return err
		}
		if sidPattern.MatchString(name) {
			found, _, err = s.withSID(name)
		} else {
			found, _, err = s.person(name, nameFilter(name))
		}
		return err
	})
	return found, err
}

// isDomainOf returns an error for DOMAIN\account if DOMAIN is not the session's domain. In the session's domain,
// another person may have the same account name.
func (s *session) isDomainOf(name string) error {
	domain, _, ok := strings.Cut(name, `\`)
	if !ok {
		return nil
	}
	here, err := s.netBIOSName()
	if err != nil {
		return err
	}
	if !strings.EqualFold(domain, here) {
		return s.fault(fmt.Sprintf("read person %q", name), fmt.Errorf("%w: the domain here is %q", directory.ErrNoPerson, text([]byte(here))))
	}
	return nil
}

var sidPattern = regexp.MustCompile(`^(?i:S)-1(-[0-9]+)+$`)

func nameFilter(name string) string {
	if _, account, ok := strings.Cut(name, `\`); ok {
		return "(sAMAccountName=" + ldap.EscapeFilter(account) + ")"
	}
	escaped := ldap.EscapeFilter(name)
	return "(|(userPrincipalName=" + escaped + ")(sAMAccountName=" + escaped + "))"
}

func sidFilter(sid string) string { return "(objectSid=" + ldap.EscapeFilter(sid) + ")" }
