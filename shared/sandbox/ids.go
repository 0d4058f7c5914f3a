package sandbox

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

// The type "guid" is a GUID in the byte order of its text.
type guid [16]byte

// guidOf returns one of the GUIDs of a person. The argument "stream" says which one. The last twelve digits are the
// person's number, by which the sandbox and readers of logs recognize the person.
func (c *Company) guidOf(i, stream int) (g guid) {
	d := c.dice(i, stream)
	binary.BigEndian.PutUint64(g[:], d.next())
	binary.BigEndian.PutUint64(g[8:], uint64(i))
	g[6] = g[6]&0x0f | 0x40
	g[8], g[9] = 0x80|byte(stream), byte(d.next())
	return g
}

func (g guid) String() string {
	var s [36]byte
	hex.Encode(s[:], g[:4])
	hex.Encode(s[9:], g[4:6])
	hex.Encode(s[14:], g[6:8])
	hex.Encode(s[19:], g[8:10])
	hex.Encode(s[24:], g[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// The method "raw" returns the 16 bytes in Active Directory's order.
func (g guid) raw() string {
	g[0], g[1], g[2], g[3] = g[3], g[2], g[1], g[0]
	g[4], g[5] = g[5], g[4]
	g[6], g[7] = g[7], g[6]
	return string(g[:])
}

func (g guid) base64() string { return base64.StdEncoding.EncodeToString([]byte(g.raw())) }

// isGUID reports whether s is a GUID in the form that Graph uses.
func isGUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	_, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	return err == nil
}

func (c *Company) byID(id string) (int, bool) {
	if !isGUID(id) {
		return 0, false
	}
	i, err := strconv.ParseInt(id[24:], 16, 64)
	if err != nil || int(i) >= c.Size() {
		return 0, false
	}
	return int(i), strings.EqualFold(c.userID(int(i)), id)
}

// byRawGUID returns the person whose objectGUID or mS-DS-ConsistencyGuid has the bytes in "raw". The argument "stream"
// says which attribute.
func (c *Company) byRawGUID(raw string, stream int) (int, bool) {
	if len(raw) != 16 {
		return 0, false
	}
	i := int(binary.BigEndian.Uint64([]byte(raw[8:])) & (1<<48 - 1))
	if i >= c.Size() {
		return 0, false
	}
	if stream == streamObjectGUID {
		return i, c.objectGUID(i).raw() == raw
	}
	return i, c.guidOf(i, stream).raw() == raw
}

func (c *Company) objectGUID(i int) guid {
	if n := c.replacedOf(i); n > 0 {
		return c.guidOf(i, streamReplaced+2*(n-1))
	}
	return c.guidOf(i, streamObjectGUID)
}

func (c *Company) userID(i int) string {
	if ch := c.changes[i]; ch != nil && ch.again > 0 {
		return c.guidOf(i, streamReplaced+2*(ch.again-1)+1).String()
	}
	return c.guidOf(i, streamUserID).String()
}

// domainSID is the SID of the domain. The SID of an account is domainSID, a dash and the RID.
const domainSID = "S-1-5-21-1004336348-1177238915-682003330"

var domainAuthorities = [4]uint32{21, 1004336348, 1177238915, 682003330}

const firstRID = 10000

// The method "rid" returns the RID of the person's current account. No two accounts share a RID.
func (c *Company) rid(i int) int { return firstRID + i + c.Size()*c.replacedOf(i) }

func sidText(rid int) string { return domainSID + "-" + strconv.Itoa(rid) }

func sidBytes(rid int) string {
	b := []byte{1, 5, 0, 0, 0, 0, 0, 5}
	for _, a := range domainAuthorities {
		b = binary.LittleEndian.AppendUint32(b, a)
	}
	return string(binary.LittleEndian.AppendUint32(b, uint32(rid)))
}

// bySID returns the person whose account has a SID, in text or binary form.
func (c *Company) bySID(sid string) (int, bool) {
	rid := 0
	if text, ok := strings.CutPrefix(sid, domainSID+"-"); ok {
		rid, _ = strconv.Atoi(text)
	} else if len(sid) == 28 && sid[:24] == sidBytes(0)[:24] {
		rid = int(binary.LittleEndian.Uint32([]byte(sid[24:])))
	}
	if rid < firstRID {
		return 0, false
	}
	i := (rid - firstRID) % c.Size()
	return i, c.rid(i) == rid
}
