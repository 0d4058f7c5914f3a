package directory

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// Anchor is the LDAP name of the attribute from which Entra Connect makes onPremisesImmutableId. The empty Anchor
// stands for objectGUID and mS-DS-ConsistencyGuid together: Entra Connect copies the first to the second. They differ
// if another program filled mS-DS-ConsistencyGuid before.
type Anchor string

// The anchors. A policy that names no anchor has EitherGUID.
const (
	EitherGUID       Anchor = ""
	ObjectGUID       Anchor = "objectGUID"
	ConsistencyGUID  Anchor = consistencyGUID
	ObjectSIDAnchor  Anchor = "objectSid"
	EmployeeIDAnchor Anchor = "employeeID"
)

const consistencyGUID = "mS-DS-ConsistencyGuid"

// Anchors returns the LDAP names that a policy may give as the anchor.
func Anchors() []string {
	return []string{string(ObjectGUID), string(ConsistencyGUID), string(ObjectSIDAnchor), string(EmployeeIDAnchor)}
}

// Attribute returns the LDAP name of the anchor if Active Directory may hide the attribute from idleseat. For the empty
// Anchor, it returns mS-DS-ConsistencyGuid. It returns "" for an anchor that cannot be hidden.
func (a Anchor) Attribute() string {
	switch a {
	case EitherGUID, ConsistencyGUID:
		return consistencyGUID
	case EmployeeIDAnchor:
		return string(a)
	}
	return ""
}

// The method "of" returns the values that onPremisesImmutableId may have for u. A binary attribute is in base64. A
// value may be "".
func (a Anchor) of(u *ADUser) [2]string {
	switch a {
	case ObjectGUID:
		return [2]string{u.GUID}
	case ConsistencyGUID:
		return [2]string{u.ConsistencyGUID}
	case ObjectSIDAnchor:
		return [2]string{base64.StdEncoding.EncodeToString(rawSID(u.SID))}
	case EmployeeIDAnchor:
		return [2]string{u.EmployeeID}
	}
	return [2]string{u.GUID, u.ConsistencyGUID}
}

// Fits reports whether the onPremisesImmutableId of an Entra account belongs to u.
func (a Anchor) Fits(immutableID string, u *ADUser) bool {
	own := a.of(u)
	return immutableID != "" && slices.Contains(own[:], immutableID)
}

// Of returns the values that onPremisesImmutableId may have for u, without empty ones.
func (a Anchor) Of(u *ADUser) (ids []string) {
	for _, id := range a.of(u) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// rawSID returns the bytes of a SID (MS-DTYP 2.4.2.2), or nil if text is no SID.
func rawSID(text string) []byte {
	parts := strings.Split(text, "-")
	if len(parts) < 4 || parts[0] != "S" || parts[1] != "1" {
		return nil
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return nil
	}
	raw := binary.BigEndian.AppendUint64(nil, authority)
	raw[0], raw[1] = 1, byte(len(parts)-3)
	for _, p := range parts[3:] {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return nil
		}
		raw = binary.LittleEndian.AppendUint32(raw, uint32(n))
	}
	return raw
}

// Search returns what to look for in Active Directory to find the account of an onPremisesImmutableId: a raw value for
// each LDAP attribute that may hold it. The account has at least one of these values. The result is empty if no account
// can have the id, for example because the id is not base64.
func (a Anchor) Search(immutableID string) map[string][]byte {
	const guid = 16 // bytes of an objectGUID
	values := map[string][]byte{}
	if a == EmployeeIDAnchor {
		if immutableID != "" {
			values[string(a)] = []byte(immutableID)
		}
		return values
	}
	raw, err := base64.StdEncoding.DecodeString(immutableID)
	if err != nil || len(raw) == 0 {
		return values
	}
	anchors := []Anchor{a}
	if a == EitherGUID {
		anchors = []Anchor{ObjectGUID, ConsistencyGUID}
	}
	for _, name := range anchors {
		if name != ObjectGUID || len(raw) == guid {
			values[string(name)] = raw
		}
	}
	return values
}
