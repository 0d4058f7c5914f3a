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

// maxChanged is the largest number of changed people for a delta reading. With more changes, a full reading is hardly
// more expensive, and a delta reading keeps the SIDs of all changed people in memory.
const maxChanged = 100_000

// ListFull works like ListPeople. It also returns the watermark from which ListChanges can continue, or nil if the
// account may not read a watermark.
//
// The argument "rests" has the LDAP names of the attributes on which decisions rest. If a person has no value for such
// an attribute, the account may lack the right to read it. Unless the attribute is proven to be empty, ListFull adds
// its name to the person's field Unreadable.
func (d *Directory) ListFull(ctx context.Context, rests []string, each func(directory.ADUser) error) (watermark *directory.Watermark, err error) {
	err = d.ask(ctx, func(s *session) error {
		watermark = nil
		if m, err := s.watermark(rests); err == nil { // without a watermark, the next reading is a full reading
			watermark = &m
		}
		return s.list(rests, each)
	})
	return watermark, err
}

// ListChanges reads what changed since a watermark. It first calls the function "present" with the SID and DN of
// everybody who exists now, and then the function "changed" for everybody who may have changed (MS-ADTS 3.1.1.1.9,
// uSNChanged).
//
// Without "present", changes would be missing: a moved organizational unit or a removed right does not change the USN
// of the affected people, and only administrators see deleted people. A new lastLogon does not change the USN either.
// The caller must keep the field DatesInDoubt of each person who did not change.
//
// Only the controller that issued the watermark can answer. If it cannot list the changes exactly, the error is
// directory.ErrNoWatermark, and the caller must discard everything that it received.
func (d *Directory) ListChanges(ctx context.Context, since directory.Watermark, rests []string, present func(sid, dn string) error, changed func(directory.ADUser) error) (now directory.Watermark, err error) {
	err = d.ask(ctx, func(s *session) (err error) {
		if now, err = s.watermarkAfter(since, rests); err != nil {
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

// The method "watermark" returns the controller's current watermark. It uses the rootDSE from the beginning of the
// session, so later changes have a higher USN.
func (s *session) watermark(rests []string) (directory.Watermark, error) {
	const doing = "read its invocationId"
	m := directory.Watermark{Scope: s.scope(rests)}
	var err error
	if m.Controller, err = s.rootDSE("dnsHostName"); err != nil {
		return m, err
	}
	highest, err := s.rootDSE("highestCommittedUSN")
	if err != nil {
		return m, err
	}
	if m.USN, err = strconv.ParseInt(highest, 10, 64); err != nil || m.USN < 1 {
		return m, s.fault(doing, fmt.Errorf("%w: %q is no USN", directory.ErrNoWatermark, clean(highest)))
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
		return m, s.fault(doing, fmt.Errorf("%w: the account may not read it", directory.ErrNoWatermark))
	}
	return m, nil
}

// The method "scope" returns a hash of everything that decides what a reading finds: the account, the bases, the filter
// and the attributes. A watermark is valid only for readings with the same scope.
func (s *session) scope(rests []string) string {
	d := s.directory
	asked := slices.Concat([]string{d.bind, d.people}, s.bases, personAttributes, []string{"proven"}, rests)
	sum := sha256.Sum256([]byte(strings.Join(asked, "\x00")))
	return hex.EncodeToString(sum[:])
}

// watermarkAfter returns the controller's current watermark. It fails if the controller cannot list all changes since
// the watermark "since", or if the domain does not maintain lastLogonTimestamp.
func (s *session) watermarkAfter(since directory.Watermark, rests []string) (directory.Watermark, error) {
	const doing = "list changes"
	now, err := s.watermark(rests)
	if err != nil {
		return now, err
	}
	same := since
	same.USN = now.USN
	if now != same || now.USN < since.USN {
		return now, s.fault(doing, fmt.Errorf("%w: it was of another controller, of another database or of other settings", directory.ErrNoWatermark))
	}
	interval, err := s.syncInterval()
	if err == nil && interval == 0 {
		err = s.fault(doing, fmt.Errorf("%w: %w", directory.ErrNoWatermark, errNotKept))
	}
	return now, err
}

// listPresent calls the function "present" for everybody who exists, and returns the SIDs of the people whose USN is
// higher than "since". The caller checks that listChanged finds all of them: a filter on an attribute that the account
// may not read matches nobody and causes no error.
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
			return s.fault(doing, fmt.Errorf("%w: the account may not read uSNChanged of everybody", directory.ErrNoWatermark))
		}
		if usn > since {
			open[sid] = true
		}
		if len(open) > maxChanged {
			return s.fault(doing, fmt.Errorf("%w: more than %d people changed", directory.ErrNoWatermark, maxChanged))
		}
		s.committed = true
		return present(sid, text([]byte(e.DN)))
	})
	return open, err
}

// listChanged calls the function "changed" for everybody who changed. It fails if it does not find one of the people in
// "open", the result of listPresent.
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
		err = s.fault(doing, fmt.Errorf("%w: %d changed people were not found by their uSNChanged", directory.ErrNoWatermark, len(open)))
	}
	return err
}
