package activedirectory

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// A read gives the same answer for a deleted group and for one that the account may not see. A person's memberOf shows
// the difference. It names a group as long as the group lists the person, even if the account may not see the group
// (TestSambaUnseenGroup; University of Washington, "Group Member Privacy"). It never names a deleted group, because a
// search returns no links to deleted objects (MS-ADTS 3.1.1.3.4.1.25).

// isUnseen reports whether err means that no read finds a group that is named by its objectGUID. The argument "name" is
// the name of the group. With a DN, the error proves less, because the group may have another DN now.
func isUnseen(err error, name string) bool {
	return errors.Is(err, errNoGroup) && directory.IsGroupGUID(name)
}

// unseenLists reports whether a group that no read finds lists a person, or is the person's primary group. The argument
// "guid" has the form <GUID=…>. The error is directory.ErrNoGroup if idleseat's account may not read the attributes
// that show this.
func (s *session) unseenLists(guid, sid string) (bool, error) {
	doing := fmt.Sprintf("read whether %q is in group %q", sid, guid)
	person, e, err := s.anyone(sid)
	if err != nil {
		return false, err
	}
	seen, err := s.look()
	if err != nil {
		return false, err
	}
	unknown := func(what string) error {
		return s.fault(doing, fmt.Errorf("%w; %w", errNoGroup, &hiddenError{fmt.Sprintf("%s of %q", what, clean(person.DN))}))
	}
	if !seen.mayRead("memberOf", e.GetEqualFoldRawAttributeValue(descriptor)) {
		return false, unknown("memberOf")
	}
	listed := false
	err = s.values(doing, person.DN, "memberOf", func(value string) error {
		group, err := extendedGUID(value)
		if err != nil {
			return s.fault(doing, err)
		}
		listed = listed || strings.EqualFold(group, guid)
		return nil
	})
	if err != nil || listed {
		return listed, err
	}
	primary, err := s.primaryOf(person.SID, e)
	switch {
	case err != nil:
		return false, err
	case primary == "":
		return false, unknown("the primary group")
	}
	return strings.EqualFold(primary, guid), nil
}

// primaryOf returns the <GUID=…> of an account's primary group, or "" if the account of idleseat does not see the
// group.
func (s *session) primaryOf(sid string, e *ldap.Entry) (guid string, err error) {
	rid := e.GetEqualFoldAttributeValue("primaryGroupID")
	if rid == "" {
		return "", nil
	}
	const doing = "read the primary group"
	group, err := s.groupWithSID(doing, primaryGroupOf(sid, rid), "objectGUID")
	if err != nil || group == nil {
		return "", err
	}
	if guid, err = guidDN(group.GetEqualFoldRawAttributeValue("objectGUID")); err != nil {
		return "", s.fault(doing, fmt.Errorf("%w %q: %w", errEntry, clean(group.DN), err))
	}
	return guid, nil
}

// An extended DN contains the GUID of the object. extendedGUID returns it as <GUID=…> with dashes, even if the
// controller writes the GUID in hexadecimal without dashes.
func extendedGUID(value string) (string, error) {
	id, _, _ := strings.Cut(value, ">;")
	id, isGUID := strings.CutPrefix(id, "<GUID=")
	if !isGUID {
		return "", fmt.Errorf("%w %q: it should begin with its GUID", errEntry, clean(value))
	}
	if strings.Contains(id, "-") {
		return "<GUID=" + id + ">", nil
	}
	raw, err := hex.DecodeString(id)
	if err == nil {
		id, err = guidDN(raw)
	}
	if err != nil {
		return "", fmt.Errorf("%w %q: %w", errEntry, clean(value), err)
	}
	return id, nil
}
