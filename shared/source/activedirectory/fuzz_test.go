package activedirectory

import (
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// FuzzDescriptor parses any bytes as an access control list. The parser must reject them, or return at most one entry
// for every eight bytes. A SID that no entry names must have no right to read, unless the object has no list.
func FuzzDescriptor(f *testing.F) {
	everyone := []byte("\x01\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00")
	head := []byte("\x01\x00\x04\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x14\x00\x00\x00")
	allow := append([]byte("\x00\x00\x14\x00\x10\x00\x00\x80"), everyone...)
	acl := func(count byte, entries ...byte) []byte {
		return append(append(append([]byte{}, head...), 4, 0, byte(8+len(entries)), 0, count, 0, 0, 0), entries...)
	}
	f.Add(acl(1, allow...))
	f.Add(acl(2, append([]byte("\x05\x00\x38\x00\x10\x00\x00\x00\x03\x00\x00\x00"), make([]byte, 44)...)...))
	f.Add(acl(255, allow...))
	f.Add(head)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parseDACL(raw)
		if err != nil {
			return
		}
		if len(d.entries) > len(raw)/8 {
			t.Errorf("%d entries in %d bytes", len(d.entries), len(raw))
		}
		a := &guard{guid: strings.Repeat("g", 16), set: strings.Repeat("s", 16)}
		if !d.all && d.mayRead(map[string]bool{"nobody's SID": true}, a) {
			t.Errorf("somebody reads by no entry: %x", raw)
		}
		for _, e := range d.entries {
			if len(e.sid) < 8 || len(e.of) != 0 && len(e.of) != 16 {
				t.Errorf("entry %+v", e)
			}
		}
	})
}

var sidText = regexp.MustCompile(`^S-1-\d+(-\d+)*$`)

// FuzzIdentifiers: an id is rejected or returned in its canonical form. No value may change the meaning of the filter
// or DN that contains it.
func FuzzIdentifiers(f *testing.F) {
	f.Add([]byte(rawSID(7)), "CN=Anna,DC=corp", "member;range=0-1499")
	f.Add([]byte("0123456789abcdef"), "*)(objectClass=*", "member;range=0-*")
	f.Add([]byte{1, 255}, "\x00", "member;range=-1-2")
	f.Fuzz(func(t *testing.T, raw []byte, value, name string) {
		if sid, err := SID(raw); err == nil && !sidText.MatchString(sid) {
			t.Errorf("%x is the SID %q", raw, sid)
		}
		if dn, err := guidDN(raw); err == nil {
			plain := strings.NewReplacer("<GUID=", "", "-", "", ">", "").Replace(dn)
			b, err := hex.DecodeString(plain)
			if err != nil || len(b) != 16 || binary.BigEndian.Uint32(b) != binary.LittleEndian.Uint32(raw) {
				t.Errorf("%x is %s", raw, dn)
			}
		}
		for _, filter := range []string{sidFilter(value), memberOf(value, true), memberOf(value, false)} {
			packet, err := ldap.CompileFilter(filter)
			if err != nil {
				t.Errorf("%q makes the filter %q: %v", value, filter, err)
				continue
			}
			if n := len(packet.Children); packet.Tag == ldap.FilterAnd || packet.Tag == ldap.FilterOr || packet.Tag == ldap.FilterPresent || n == 0 {
				t.Errorf("%q makes the filter %q of the kind %d", value, filter, packet.Tag)
			}
		}
		if last, more, err := span(name, "member", 3); err == nil && (more && last < 3 || last > 0 && !more) {
			t.Errorf("%q: %d, %t", name, last, more)
		}
	})
}
