package sandbox

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// entryOf returns the object with a DN, or nil. DNs are case-insensitive. The form <GUID=…> is accepted too.
func (c *Company) entryOf(dn string) *entry {
	if guid, found := strings.CutPrefix(dn, "<GUID="); found {
		return c.entryOfGUID(strings.TrimSuffix(guid, ">"))
	}
	if e := c.entryAsWritten(dn); e != nil {
		return e
	}
	for _, e := range c.fixed {
		if !e.gone && strings.EqualFold(e.dn, dn) {
			return e
		}
	}
	parsed, err := ldap.ParseDN(dn)
	if err != nil || len(parsed.RDNs) == 0 {
		return nil
	}
	if e := c.fixedEntry(parsed); e != nil {
		return e
	}
	cn := parsed.RDNs[0].Attributes[0].Value
	open := strings.LastIndexByte(cn, '(')
	i, found := c.byAccountName(strings.TrimSuffix(cn[open+1:], ")"))
	if t := c.profile(i); found && c.inAD(i, t) {
		e := c.personEntry(i, t)
		if own, err := ldap.ParseDN(e.dn); err == nil && own.EqualFold(parsed) {
			return e
		}
	}
	return nil
}

// entryAsWritten returns the object of a person without parsing the DN, because parsing is slow. It returns nil for a
// DN that is not spelled as the sandbox spells it.
func (c *Company) entryAsWritten(dn string) *entry {
	cn, _, _ := strings.Cut(dn, "),")
	i, found := c.byAccountName(cn[strings.LastIndexByte(cn, '(')+1:])
	if !found {
		return nil
	}
	if t := c.profile(i); c.inAD(i, t) {
		if e := c.personEntry(i, t); e.dn == dn {
			return e
		}
	}
	return nil
}

// entryOfGUID returns the object with a GUID, or nil. The text of the GUID has dashes.
func (c *Company) entryOfGUID(text string) *entry {
	if !isGUID(text) {
		return nil
	}
	var g guid
	_, _ = hex.Decode(g[:], []byte(strings.ReplaceAll(text, "-", ""))) // isGUID has checked the digits
	raw := g.raw()
	for _, e := range c.fixed {
		if !e.gone && slices.Contains(e.get("objectGUID"), raw) {
			return e
		}
	}
	if i, found := c.byRawGUID(raw, streamObjectGUID); found && c.inAD(i, c.profile(i)) {
		return c.personEntry(i, c.profile(i))
	}
	return nil
}

// fixedEntry returns the object with a DN in any spelling, if the object is not a person. Otherwise it returns nil.
func (c *Company) fixedEntry(parsed *ldap.DN) *entry {
	for _, e := range c.fixed {
		if !e.gone && e.parsed.EqualFold(parsed) {
			return e
		}
	}
	return nil
}
