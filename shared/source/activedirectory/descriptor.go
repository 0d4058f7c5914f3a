package activedirectory

import (
	"encoding/binary"
	"errors"
)

// The rights in an access control entry (MS-ADTS 5.1.3.2).
const (
	readProperty  = 0x10
	controlAccess = 0x100
	genericAll    = 0x10000000
	genericRead   = 0x80000000
)

// dacl is the access control list of an object. The field "all" is set if the object has no list, which allows
// everything to everybody.
type dacl struct {
	all     bool
	entries []accessEntry
}

// accessEntry allows or denies rights. SID and GUID are raw bytes.
type accessEntry struct {
	deny   bool
	rights uint32
	of     string // GUID of an attribute or property set; empty for the whole object
	sid    string
}

var errDescriptor = errors.New("no security descriptor")

// parseDACL reads a self-relative security descriptor (MS-DTYP 2.4.6).
func parseDACL(raw []byte) (*dacl, error) {
	const head, daclPresent = 20, 0x4
	if len(raw) < head || raw[0] != 1 {
		return nil, errDescriptor
	}
	at := int(binary.LittleEndian.Uint32(raw[16:]))
	if at == 0 {
		present := binary.LittleEndian.Uint16(raw[2:])&daclPresent != 0
		if !present { // the search did not request the list, or the account may not read the list
			return nil, errDescriptor
		}
		return &dacl{all: true}, nil
	}
	if at < head || at+8 > len(raw) {
		return nil, errDescriptor
	}
	d := &dacl{}
	rest, count := raw[at+8:], int(binary.LittleEndian.Uint16(raw[at+4:]))
	for range count {
		if len(rest) < 8 {
			return nil, errDescriptor
		}
		size := int(binary.LittleEndian.Uint16(rest[2:]))
		if size < 8 || size > len(rest) {
			return nil, errDescriptor
		}
		e, counts, err := parseEntry(rest[:size])
		if err != nil {
			return nil, err
		}
		if counts {
			d.entries = append(d.entries, e)
		}
		rest = rest[size:]
	}
	return d, nil
}

// parseEntry reads one entry (MS-DTYP 2.4.4). The result "counts" is false for an entry that applies only to objects
// below. parseEntry ignores a conditional entry that allows rights, and treats one that denies rights as unconditional.
// So an account never seems to have more rights than it has.
func parseEntry(raw []byte) (e accessEntry, counts bool, err error) {
	const (
		allowed, denied, allowedObject, deniedObject   = 0x0, 0x1, 0x5, 0x6
		deniedIf, deniedObjectIf                       = 0xa, 0xc
		inheritOnly, objectPresent, inheritedIsPresent = 0x8, 0x1, 0x2
	)
	kind, flags := raw[0], raw[1]
	e.rights = binary.LittleEndian.Uint32(raw[4:])
	rest, object := raw[8:], false
	switch kind {
	case allowed:
	case allowedObject:
		object = true
	case denied, deniedIf:
		e.deny = true
	case deniedObject, deniedObjectIf:
		e.deny, object = true, true
	default:
		return e, false, nil
	}
	if object {
		if len(rest) < 4 {
			return e, false, errDescriptor
		}
		present := binary.LittleEndian.Uint32(rest)
		rest = rest[4:]
		for _, part := range []uint32{objectPresent, inheritedIsPresent} {
			if present&part == 0 {
				continue
			}
			if len(rest) < 16 {
				return e, false, errDescriptor
			}
			if part == objectPresent {
				e.of = string(rest[:16])
			}
			rest = rest[16:]
		}
	}
	if len(rest) < 8 || len(rest) < 8+4*int(rest[1]) {
		return e, false, errDescriptor
	}
	e.sid = string(rest[:8+4*int(rest[1])])
	return e, flags&inheritOnly == 0, nil
}

// mayRead reports whether an account with the SIDs in the argument "token" may read an attribute. For each necessary
// right, the first matching entry decides (MS-ADTS 5.1.3.3.4).
func (d *dacl) mayRead(token map[string]bool, a *guard) bool {
	return d.grants(token, readProperty, a) && (!a.confidential || d.grants(token, controlAccess, a))
}

func (d *dacl) grants(token map[string]bool, right uint32, a *guard) bool {
	if right == readProperty {
		right |= genericRead
	}
	for _, e := range d.entries {
		about := e.of == "" || e.of == a.guid || e.of == a.set
		if about && e.rights&(right|genericAll) != 0 && token[e.sid] {
			return !e.deny
		}
	}
	return d.all
}
