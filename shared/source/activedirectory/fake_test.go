package activedirectory

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

type request struct {
	op       ber.Tag // 0 bind, 3 search, 6 modify
	base     string  // base of a search, or DN of a modified group
	filter   string
	password string
	cookie   string
	page     uint32
	// The attributes that a search with controls requests.
	attributes []string
}

// The type "fake" is a domain controller with answers from a test. It listens with TLS on loopback.
type fake struct {
	url, ca string
	home    home

	mu    sync.Mutex
	asked []request
}

// The answer "cut" ends the connection. The answer "silent" sends nothing.
var cut, silent = []*ber.Packet{nil}, []*ber.Packet(nil)

func (f *fake) requests() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *fake) last() request {
	asked := f.requests()
	return asked[len(asked)-1]
}

// The type "home" describes the domain of a fake controller. The fake answers questions about the domain itself, and
// passes other requests to the handler of the test.
type home struct {
	name     string
	servers  []string // the names in all server objects; "name=" stands for a server without dNSHostName
	interval []string // values of msDS-LogonTimeSyncInterval; empty if the attribute is not set
	mute     bool     // whether the handler gets every request, including questions about the domain
	base     string   // DN of the domain; empty for testBase
	// The field "synced" has the names of other controllers. For each of them, it has the time at which this controller
	// last received changes.
	synced map[string]time.Time
}

const (
	testConfiguration = "CN=Configuration," + testBase
	testSchema        = "CN=Schema," + testConfiguration
	testServers       = "CN=Servers,CN=One,CN=Sites," + testConfiguration
)

// The method "answer" returns the answer to a question about the domain itself, or nil.
func (h home) answer(r request) []*ber.Packet {
	base := cmp.Or(h.base, testBase)
	switch {
	case h.mute || r.op != ldap.ApplicationSearchRequest:
		return nil
	case r.base == "":
		return found(entry("", "defaultNamingContext", base, "configurationNamingContext", testConfiguration, "dnsHostName", h.name,
			"schemaNamingContext", testSchema, "tokenGroups", rawSID(99)))
	case r.base == testSchema:
		return schemaOf()
	case r.base == base && r.filter == "(objectClass=*)":
		return found(entry(base, append(h.interval, "objectSid", domainSID(base), "replUpToDateVector", vectorOf(h.synced))...))
	case r.base != "CN=Sites,"+testConfiguration:
		return nil
	}
	var list []*ber.Packet
	for _, s := range h.servers {
		name, unnamed := strings.CutSuffix(s, "=")
		switch dn := "CN=" + name + "," + testServers; {
		case strings.Contains(r.filter, "nTDSDSA"):
			list = append(list, entry("CN=NTDS Settings,"+strings.ToLower(dn), "invocationId", schemaGUID(name)))
		case unnamed:
			list = append(list, entry(dn))
		default:
			list = append(list, entry(dn, "dNSHostName", name))
		}
	}
	return found(list...)
}

func vectorOf(synced map[string]time.Time) string {
	b := binary.LittleEndian.AppendUint32(nil, 2)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(synced))<<32)
	b = binary.LittleEndian.AppendUint32(b, 0)
	for name, at := range synced {
		const unixEpoch = 11644473600 // seconds from 1601 to 1970
		b = append(append(b, schemaGUID(name)...), make([]byte, 8)...)
		b = binary.LittleEndian.AppendUint64(b, uint64(at.Unix()+unixEpoch))
	}
	return string(b)
}

// schemaOf returns an entry for every attribute that the package requests.
func schemaOf() []*ber.Packet {
	var list []*ber.Packet
	for _, a := range append([]string{"lastLogon", "member", "memberOf"}, personAttributes...) {
		list = append(list, entry("CN="+a+","+testSchema, "lDAPDisplayName", a, "schemaIDGUID", schemaGUID(a)))
	}
	return found(list...)
}

func schemaGUID(attribute string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(attribute)))
	return string(sum[:16])
}

// newFake starts the only controller of a domain. It accepts any password, answers questions about its domain, and
// calls the function "handle" for other requests.
func newFake(t *testing.T, handle func(request) []*ber.Packet) *fake {
	t.Helper()
	return newController(t, home{name: "dc1.corp.test", servers: []string{"dc1.corp.test"}}, handle)
}

func newController(t *testing.T, h home, handle func(request) []*ber.Packet) *fake {
	t.Helper()
	f, config := newIdentity(t, h)
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	f.url = "ldaps://" + l.Addr().String()
	serve(t, l, func(c net.Conn) { f.converse(c, handle) })
	return f
}

func newIdentity(t *testing.T, h home) (*fake, *tls.Config) {
	t.Helper()
	// The fake controller listens on 127.0.0.1. The test server of the standard library has a certificate for this
	// address.
	web := httptest.NewTLSServer(nil)
	web.Close()
	f := &fake{home: h, ca: filepath.Join(t.TempDir(), "ca.pem")}
	block := pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}
	if err := os.WriteFile(f.ca, pem.EncodeToMemory(&block), 0o600); err != nil {
		t.Fatal(err)
	}
	return f, &tls.Config{Certificates: web.TLS.Certificates}
}

func serve(t *testing.T, l net.Listener, handle func(net.Conn)) {
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			// At the end of the test, the server disconnects a client that still waits for an answer.
			stop := context.AfterFunc(t.Context(), func() { c.Close() })
			running.Go(func() {
				defer stop()
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
}

func (f *fake) converse(c net.Conn, handle func(request) []*ber.Packet) {
	for {
		p, err := ber.ReadPacket(c)
		if err != nil || len(p.Children) < 2 {
			return
		}
		r := decode(p)
		f.mu.Lock()
		f.asked = append(f.asked, r)
		f.mu.Unlock()
		answer := f.home.answer(r)
		if answer == nil {
			answer = handle(r)
		}
		if answer == nil && r.op == ldap.ApplicationBindRequest {
			answer = result(ldap.ApplicationBindResponse, ldap.LDAPResultSuccess, "")
		}
		for _, a := range answer {
			if a == nil {
				return
			}
			// The first child of a message is the message ID.
			a.Children[0] = ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, p.Children[0].Value, "")
			whole := message(a.Children...)
			if _, err := c.Write(whole.Bytes()); err != nil {
				return
			}
		}
	}
}

func decode(p *ber.Packet) request {
	op := p.Children[1]
	r := request{op: op.Tag}
	switch op.Tag {
	case ldap.ApplicationBindRequest:
		r.password = op.Children[2].Data.String()
	case ldap.ApplicationSearchRequest:
		r.base, _ = op.Children[0].Value.(string)
		r.filter, _ = ldap.DecompileFilter(op.Children[6])
		if len(p.Children) > 2 {
			if c, err := ldap.DecodeControl(p.Children[2].Children[0]); err == nil {
				if paging, ok := c.(*ldap.ControlPaging); ok {
					r.cookie, r.page = string(paging.Cookie), paging.PagingSize
				}
			}
			for _, a := range op.Children[7].Children {
				r.attributes = append(r.attributes, a.Data.String())
			}
		}
	case ldap.ApplicationModifyRequest:
		r.base, _ = op.Children[0].Value.(string)
	}
	return r
}

func message(children ...*ber.Packet) *ber.Packet {
	m := ber.NewSequence("")
	for _, c := range children {
		m.AppendChild(c)
	}
	return m
}

// The function "result" returns the message that ends an answer. A cookie announces another page.
func result(op ber.Tag, code uint16, said string, cookie ...string) []*ber.Packet {
	body := ber.Encode(ber.ClassApplication, ber.TypeConstructed, op, nil, "")
	body.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, uint64(code), ""))
	body.AppendChild(octets(""))
	body.AppendChild(octets(said))
	m := message(octets(""), body)
	if len(cookie) > 0 {
		controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		controls.AppendChild((&ldap.ControlPaging{PagingSize: pageSize, Cookie: []byte(cookie[0])}).Encode())
		m.AppendChild(controls)
	}
	return []*ber.Packet{m}
}

func found(entries ...*ber.Packet) []*ber.Packet {
	return append(entries, result(ldap.ApplicationSearchResultDone, ldap.LDAPResultSuccess, "")...)
}

// In the argument "attributes", a value follows each name.
func entry(dn string, attributes ...string) *ber.Packet {
	list := ber.NewSequence("")
	for i := 0; i < len(attributes); i += 2 {
		values := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		values.AppendChild(octets(attributes[i+1]))
		list.AppendChild(message(octets(attributes[i]), values))
	}
	body := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	body.AppendChild(octets(dn))
	body.AppendChild(list)
	return message(octets(""), body)
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

// The function "person" returns the entry of a person with a SID that ends in "rid".
func person(rid byte, more ...string) *ber.Packet {
	attributes := []string{"objectSid", rawSID(rid), "objectGUID", string(bytes.Repeat([]byte{rid}, 16)), "sAMAccountName", "p"}
	return entry("CN=p,"+testBase, slices.Concat(attributes, more, readable)...)
}

// openDescriptor is a descriptor without an access control list. Such a descriptor allows everybody to read everything.
var openDescriptor = "\x01\x00\x04\x80" + strings.Repeat("\x00", 16)

// The list "readable" has the attributes that every account has, and a descriptor that allows everybody to read the
// others.
var readable = []string{
	"userAccountControl", "512", "whenCreated", "20200101000000.0Z", "primaryGroupID", "513",
	descriptor, openDescriptor,
}

func domainSID(base string) string {
	if base == testBase {
		return "\x01\x01\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00"
	}
	return "\x01\x01\x00\x00\x00\x00\x00\x05\x16\x00\x00\x00" // S-1-5-22
}

func rawSID(rid byte) string {
	return "\x01\x02\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00" + string(rid) + "\x00\x00\x00"
}

const testBase = "DC=corp,DC=example,DC=test"

func stalled(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	return "ldaps://" + l.Addr().String()
}

func config(t *testing.T, ca string, urls ...string) Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{URLs: urls, Base: testBase, Bind: `CORP\idleseat`, PasswordFile: file, CAFile: ca, Timeout: time.Minute}
}

func open(t *testing.T, c Config) *Directory {
	t.Helper()
	d, err := New(c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	d.dialer.Resolver = noNames
	return d
}

var errNoNames = errors.New("no names are looked up here")

// noNames is a resolver without any names, so that tests do not ask a real name server.
var noNames = &net.Resolver{
	PreferGo: true,
	Dial:     func(context.Context, string, string) (net.Conn, error) { return nil, errNoNames },
}
