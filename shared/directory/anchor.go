package directory

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// Anchor is the LDAP name of the attribute from which Entra Connect makes onPremisesImmutableId. The empty Anchor
// stands for objectGUID and mS-DS-ConsistencyGuid together. Entra Connect uses objectGUID at first and later copies
// objectGUID to mS-DS-ConsistencyGuid. The two attributes differ if another program filled mS-DS-ConsistencyGuid before
// Entra Connect copied objectGUID to it.
type Anchor string

// The anchors that a policy may name.
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

// Attribute returns the LDAP name of the anchor attribute that Active Directory may hide: employeeID, or
// mS-DS-ConsistencyGuid, which is also the result for the empty Anchor. It returns "" for an anchor that cannot be
// hidden.
func (a Anchor) Attribute() string {
	switch a {
	case EitherGUID, ConsistencyGUID:
		return consistencyGUID
	case EmployeeIDAnchor:
		return string(a)
	}
	return ""
}

// The method "of" returns the values that onPremisesImmutableId may have in the Entra account that belongs to u. The
// value of a binary attribute is encoded in base64. The value of a text attribute is unchanged.
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

// Fits reports whether immutableID, the onPremisesImmutableId of an Entra account, belongs to the Active Directory
// account u.
func (a Anchor) Fits(immutableID string, u *ADUser) bool {
	own := a.of(u)
	return immutableID != "" && slices.Contains(own[:], immutableID)
}

// Of returns the values that onPremisesImmutableId may have in the Entra account that belongs to u. Empty values are
// left out.
func (a Anchor) Of(u *ADUser) (ids []string) {
	for _, id := range a.of(u) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// rawSID returns the bytes in which a directory stores a SID (MS-DTYP 2.4.2.2), or nil if text is not a SID.
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

// Search returns the raw value that each LDAP attribute has in the Active Directory account whose Entra account has the
// immutable id. At least one of the attributes has its value. The result is empty if no account can have the immutable
// id: an id of another tool than Entra Connect need not be the base64 of a value.
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
