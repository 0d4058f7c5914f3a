package activedirectory

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// maxChanged is how many people may have changed for a reading of the changes:
// beyond it, reading everybody costs little more, and their SIDs are held in
// memory.
const maxChanged = 100_000

// ListMarked is ListPeople with the mark from which ListChanges can go on. The
// mark is nil when the account may not read what makes one.
//
// rests are the LDAP names of attributes on which something rests. Somebody without a
// value of one of them has it in Unreadable, unless it is proven that there is none.
func (d *Directory) ListMarked(ctx context.Context, rests []string, each func(directory.ADUser) error) (mark *directory.Mark, err error) {
	err = d.ask(ctx, func(s *session) error {
		mark = nil
		if m, err := s.mark(rests); err == nil { // without one, everybody is read the next time too
			mark = &m
		}
		return s.list(rests, each)
	})
	return mark, err
}

// ListChanges reads what became of everybody since a mark: present is told the
// SID and the DN of everybody who is there now, then changed whoever may have
// changed (MS-ADTS 3.1.1.1.9, uSNChanged). Who is there is always listed, since
// neither a moved organizational unit nor a right that was taken away changes
// the people concerned, and deleted people are shown to administrators only.
// DatesInDoubt of somebody unchanged is as old as the mark. lastLogon moves no
// USN, so it is not to be had this way.
//
// Only the controller of the mark can answer. The error is directory.ErrNoMark
// when it cannot do so exactly; what was handed on is then of no use.
func (d *Directory) ListChanges(ctx context.Context, since directory.Mark, rests []string, present func(sid, dn string) error, changed func(directory.ADUser) error) (now directory.Mark, err error) {
	err = d.ask(ctx, func(s *session) (err error) {
		if now, err = s.markAfter(since, rests); err != nil {
			return err
		}
		open, err := s.listPresent(since.USN, present)
		if err != nil {
			return err
		}
		return s.listChanged(since.USN, rests, open, changed)
	})
	return now, err
}

// mark is where the controller is now. Its rootDSE was read when the session
// began, so before any people.
func (s *session) mark(rests []string) (directory.Mark, error) {
	const doing = "read its invocationId"
	m := directory.Mark{Scope: s.scope(rests)}
	var err error
	if m.Controller, err = s.rootDSE("dnsHostName"); err != nil {
		return m, err
	}
	highest, err := s.rootDSE("highestCommittedUSN")
	if err != nil {
		return m, err
	}
	if m.USN, err = strconv.ParseInt(highest, 10, 64); err != nil || m.USN < 1 {
		return m, s.fault(doing, fmt.Errorf("%w: %q is no USN", directory.ErrNoMark, clean(highest)))
	}
	settings, err := s.rootDSE("dsServiceName")
	if err != nil {
		return m, err
	}
	found, err := s.search(doing, settings, ldap.ScopeBaseObject, "(objectClass=*)", []string{"invocationId"})
	if err != nil {
		return m, err
	}
	for _, e := range found.Entries {
		m.Invocation = base64.StdEncoding.EncodeToString(e.GetEqualFoldRawAttributeValue("invocationId"))
	}
	if m.Invocation == "" {
		return m, s.fault(doing, fmt.Errorf("%w: the account may not read it", directory.ErrNoMark))
	}
	return m, nil
}

// scope tells readings apart that ask for something else, or as somebody else.
func (s *session) scope(rests []string) string {
	d := s.directory
	asked := slices.Concat([]string{d.bind, d.people}, s.bases, personAttributes, []string{"proven"}, rests)
	sum := sha256.Sum256([]byte(strings.Join(asked, "\x00")))
	return hex.EncodeToString(sum[:])
}

// markAfter is where the controller is now, if it can tell what changed since.
func (s *session) markAfter(since directory.Mark, rests []string) (directory.Mark, error) {
	const doing = "list changes"
	now, err := s.mark(rests)
	if err != nil {
		return now, err
	}
	same := since
	same.USN = now.USN
	if now != same || now.USN < since.USN {
		return now, s.fault(doing, fmt.Errorf("%w: it was of another controller, of another database or of other settings", directory.ErrNoMark))
	}
	interval, err := s.syncInterval()
	if err == nil && interval == 0 {
		err = s.fault(doing, fmt.Errorf("%w: %w", directory.ErrNoMark, errNotKept))
	}
	return now, err
}

// listPresent hands on who is there, and gives the SIDs of those whom a search
// for changes must find. A filter on an attribute that the account may not
// read finds nobody, without a word.
func (s *session) listPresent(since int64, present func(sid, dn string) error) (map[string]bool, error) {
	const doing = "list who is there"
	open := map[string]bool{}
	err := s.people(doing, "", []string{"objectSid", "uSNChanged"}, func(e *ldap.Entry) error {
		sid, err := SID(e.GetEqualFoldRawAttributeValue("objectSid"))
		if err != nil {
			return s.fault(doing, fmt.Errorf("%w %q: %w", errEntry, clean(e.DN), err))
		}
		usn, err := strconv.ParseInt(e.GetEqualFoldAttributeValue("uSNChanged"), 10, 64)
		if err != nil {
			return s.fault(doing, fmt.Errorf("%w: the account may not read uSNChanged of everybody", directory.ErrNoMark))
		}
		if usn > since {
			open[sid] = true
		}
		if len(open) > maxChanged {
			return s.fault(doing, fmt.Errorf("%w: more than %d people changed", directory.ErrNoMark, maxChanged))
		}
		s.committed = true
		return present(sid, text([]byte(e.DN)))
	})
	return open, err
}

// listChanged hands on who changed. Everybody who is open must be among them.
func (s *session) listChanged(since int64, rests []string, open map[string]bool, changed func(directory.ADUser) error) error {
	const doing = "list changes"
	now, filter := s.directory.now(), fmt.Sprintf("(uSNChanged>=%d)", since+1)
	proven, err := s.blanks(doing, filter, rests)
	if err != nil {
		return err
	}
	err = s.people(doing, filter, personAttributes, func(e *ldap.Entry) error {
		u, err := parsePerson(e, now)
		if err != nil {
			return s.fault(doing, err)
		}
		proven.note(&u, e)
		delete(open, u.SID)
		s.committed = true
		return changed(u)
	})
	if err == nil && len(open) > 0 {
		err = s.fault(doing, fmt.Errorf("%w: %d changed people were not found by their uSNChanged", directory.ErrNoMark, len(open)))
	}
	return err
}
