package sandbox

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

// TestEntriesOfEveryLength: a client can read values whose length field has one to five bytes.
func TestEntriesOfEveryLength(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 1, 127, 128, 255, 256, 65_535, 65_536, 300_000} {
		want := []attribute{{"cn", []string{strings.Repeat("x", length), "y"}}, {"none", nil}}
		b := appendEntry(nil, 70_000, "CN=a", want)
		b = appendResult(b, 70_000, ldap.ApplicationSearchResultDone, 4, strings.Repeat("d", length), []ldap.Control{&ldap.ControlPaging{Cookie: []byte("7 8")}})
		r := bytes.NewReader(b)
		entry, err := ber.ReadPacket(r)
		if err != nil {
			t.Fatalf("length %d: %v", length, err)
		}
		var got []attribute
		for _, a := range entry.Children[1].Children[1].Children {
			got = append(got, attribute{octets(a.Children[0]), (&fields{rest: a.Children[1:]}).texts()})
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(attribute{})); diff != "" || entry.Children[0].Value != int64(70_000) || octets(entry.Children[1].Children[0]) != "CN=a" {
			t.Errorf("length %d: %s", length, diff)
		}
		done, err := ber.ReadPacket(r)
		if err != nil || r.Len() > 0 {
			t.Fatalf("length %d: %v, %d bytes are left", length, err, r.Len())
		}
		var refused *ldap.Error
		if err := ldap.GetLDAPError(done); !errors.As(err, &refused) || refused.ResultCode != 4 || len(refused.Err.Error()) != length {
			t.Errorf("length %d: %v", length, err)
		}
		control, err := ldap.DecodeControl(done.Children[2].Children[0])
		if paging, isPaging := control.(*ldap.ControlPaging); err != nil || !isPaging || string(paging.Cookie) != "7 8" {
			t.Errorf("length %d: control %v, %v", length, control, err)
		}
	}
}

// TestOddRequests sends bytes that are not LDAP requests. The server must refuse them or close the connection, and
// keep all other connections open.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{})
	odd := func(body *ber.Packet) *ber.Packet {
		p := ber.NewSequence("")
		p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
		p.AppendChild(body)
		return p
	}
	operation := func(tag ber.Tag) *ber.Packet {
		return ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	}
	for name, tc := range map[string]struct {
		packet *ber.Packet
		code   uint16 // 0: the connection is closed
	}{
		"no operation":   {ber.NewSequence(""), 0},
		"no application": {odd(ber.NewSequence("")), 0},
		"unbind":         {odd(operation(ldap.ApplicationUnbindRequest)), 0},
		"empty bind":     {odd(operation(ldap.ApplicationBindRequest)), ldap.LDAPResultProtocolError},
		"empty search":   {odd(operation(ldap.ApplicationSearchRequest)), ldap.LDAPResultProtocolError},
		"empty modify":   {odd(operation(ldap.ApplicationModifyRequest)), ldap.LDAPResultProtocolError},
		"extended":       {odd(operation(ldap.ApplicationExtendedRequest)), ldap.LDAPResultUnwillingToPerform},
	} {
		raw := dialRaw(t, s)
		if _, err := raw.Write(tc.packet.Bytes()); err != nil {
			t.Fatal(err)
		}
		answer, err := ber.ReadPacket(raw)
		if (err != nil) != (tc.code == 0) || err == nil && !ldap.IsErrorWithCode(ldap.GetLDAPError(answer), tc.code) {
			t.Errorf("%s: %v, %v, want code %d", name, answer, err, tc.code)
		}
	}
	if found, err := conn.Search(request(s.Base, ldap.ScopeBaseObject, "(objectClass=*)")); err != nil || len(found.Entries) != 1 {
		t.Errorf("another connection: %v", err)
	}
}

// FuzzMessage parses any bytes. The parser must not panic.
func FuzzMessage(f *testing.F) {
	bind := ber.NewSequence("")
	bind.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, ""))
	bind.AppendChild(ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationBindRequest, nil, ""))
	f.Add(bind.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ber.DecodePacketErr(b)
		if err != nil {
			return
		}
		m, err := readMessage(p)
		if err != nil {
			return
		}
		_, _ = readBind(m)
		_, _ = readSearch(m)
		_, _ = readModify(m)
	})
}
