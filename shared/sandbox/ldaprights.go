package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

const bindRID = 1104

// Hide removes idleseat's right to read attributes of a person's Active Directory account. Answers then lack the
// attributes, and filters treat them as absent (MS-ADTS 3.1.1.4.3: "does not exist"). A later call replaces the
// attributes. Without attributes, it restores the right.
func (c *Company) Hide(i int, attributes ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).hidden = lowered(attributes)
	c.touched(object{accountObject, i})
}

// HideMembers removes idleseat's right to read the members of an Active Directory group.
func (c *Company) HideMembers(groupDN string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, e := range c.fixed {
		if strings.EqualFold(e.dn, groupDN) {
			hiding := *e
			hiding.hidden = []string{"member"}
			c.fixed[n] = &hiding
			c.grouped++
		}
	}
}

// SetPrimaryGroup makes a group the primary group of a person. It removes the person from the attribute member of the
// group, because the directory stores a primary group in primaryGroupID.
func (c *Company) SetPrimaryGroup(i int, groupDN string) {
	c.byHand(func() {
		if g, found := c.adGroup(groupDN); found {
			c.changeOf(i).primary = c.group(g).rid
			c.setMember(g, i, false)
			c.move(i)
		}
	})
}

func lowered(names []string) (lower []string) {
	for _, n := range names {
		lower = append(lower, strings.ToLower(n))
	}
	return lower
}

// primaryOf returns the RID of a person's primary group. The default is Domain Users.
func (c *Company) primaryOf(i int) int {
	if ch := c.changes[i]; ch != nil && ch.primary != 0 {
		return ch.primary
	}
	return 513
}

// The method "hides" reports whether idleseat may not read an attribute. The name may have any letter case.
func (e *entry) hides(name string) bool {
	return len(e.hidden) > 0 && slices.Contains(e.hidden, strings.ToLower(name))
}

// A search returns descriptorAttribute if it requests the attribute by name and has the control descriptorFlags. The
// control must exclude the audit part, because an ordinary account may not read this part (MS-ADTS 3.1.1.3.4.1.11).
const (
	descriptorAttribute = "nTSecurityDescriptor"
	descriptorFlags     = "1.2.840.113556.1.4.801"
	systemAuditFlag     = 0x8
)

// The method "descriptor" returns a security descriptor in binary form, with only the discretionary access control
// list. The list denies idleseat's account the hidden attributes, and allows all authenticated accounts to read the
// others.
func (e *entry) descriptor() string {
	const (
		revision, self, present   = 1, 0x8000, 0x4
		allow, denyObject, guidIs = 0x0, 0x6, 0x1
		read, all                 = 0x10, 0x20094
	)
	ace := func(kind byte, mask uint32, object []byte, sid string) []byte {
		body := binary.LittleEndian.AppendUint32(nil, mask)
		if object != nil {
			body = append(binary.LittleEndian.AppendUint32(body, guidIs), object...)
		}
		body = append(body, sid...)
		head := binary.LittleEndian.AppendUint16([]byte{kind, 0}, uint16(len(body)+4))
		return append(head, body...)
	}
	var entries []byte
	for _, name := range e.hidden {
		entries = append(entries, ace(denyObject, read, []byte(schemaGUID(name)), sidBytes(bindRID))...)
	}
	entries = append(entries, ace(allow, all, nil, authenticatedUsers)...)
	sd := binary.LittleEndian.AppendUint16([]byte{revision, 0}, self|present)
	sd = append(sd, make([]byte, 12)...)
	sd = binary.LittleEndian.AppendUint32(sd, 20)
	list := binary.LittleEndian.AppendUint16([]byte{4, 0}, uint16(len(entries)+8))
	list = binary.LittleEndian.AppendUint16(list, uint16(len(e.hidden)+1))
	list = append(list, 0, 0)
	return string(append(append(sd, list...), entries...))
}

const authenticatedUsers = "\x01\x01\x00\x00\x00\x00\x00\x05\x0b\x00\x00\x00"

// schemaGUID returns the schemaIDGUID of an attribute. It differs from the GUID in a real schema.
func schemaGUID(name string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(name)))
	return string(sum[:16])
}

func schemaEntries() []*entry {
	list := []*entry{plain(schemaDN, configDN, []string{"top", "dMD"})}
	names := slices.Concat(directory.ADAttributes(), []string{"objectSid", "objectGUID", "lastLogon", "primaryGroupID", "member", "memberOf"})
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "msExch") }) // the forest lacks Exchange's schema
	for _, name := range names {
		list = append(list, plain("CN="+name+","+schemaDN, schemaDN, []string{"top", "attributeSchema"},
			attribute{"lDAPDisplayName", []string{name}}, attribute{"schemaIDGUID", []string{schemaGUID(name)}}, attribute{"searchFlags", []string{"0"}}))
	}
	return list
}
