package directory

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// Anchor is the attribute from which Entra Connect makes onPremisesImmutableId, by its
// LDAP name. The empty one stands for either GUID: Entra Connect took objectGUID first,
// later copies it to mS-DS-ConsistencyGuid, which others may have filled before.
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

// Anchors lists those that a policy may name.
func Anchors() []string {
	return []string{string(ObjectGUID), string(ConsistencyGUID), string(ObjectSIDAnchor), string(EmployeeIDAnchor)}
}

// Attribute is the LDAP attribute that may hide the anchor, empty when none can.
func (a Anchor) Attribute() string {
	switch a {
	case EitherGUID, ConsistencyGUID:
		return consistencyGUID
	case EmployeeIDAnchor:
		return string(a)
	}
	return ""
}

// of are the values of onPremisesImmutableId that an account may have: base64 of raw
// bytes, and a text as it is.
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

// Fits tells whether an immutable id is that of an account.
func (a Anchor) Fits(immutableID string, u *ADUser) bool {
	own := a.of(u)
	return immutableID != "" && slices.Contains(own[:], immutableID)
}

// Of are the immutable ids that an account may have, without empty ones.
func (a Anchor) Of(u *ADUser) (ids []string) {
	for _, id := range a.of(u) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// rawSID is a SID as a directory keeps it (MS-DTYP 2.4.2.2); nil for what is none.
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
