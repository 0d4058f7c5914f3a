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
// objectGUID to mS-DS-ConsistencyGuid. The two attributes may differ, because another program may have filled
// mS-DS-ConsistencyGuid before.
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

// Attribute returns the LDAP name of the anchor if the directory may hide the anchor, and "" otherwise.
func (a Anchor) Attribute() string {
	switch a {
	case EitherGUID, ConsistencyGUID:
		return consistencyGUID
	case EmployeeIDAnchor:
		return string(a)
	}
	return ""
}

// of returns the values of onPremisesImmutableId that the account may have. Binary attributes are encoded in base64.
// Text is unchanged.
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

// Fits reports whether the immutable id belongs to the account.
func (a Anchor) Fits(immutableID string, u *ADUser) bool {
	own := a.of(u)
	return immutableID != "" && slices.Contains(own[:], immutableID)
}

// Of returns the immutable ids that the account may have, without empty ids.
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
