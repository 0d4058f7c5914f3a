package activedirectory

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

func TestStartTLS(t *testing.T) {
	t.Parallel()
	people := onSearch(func(request) []*ber.Packet { return found(person(1)) })
	agrees := newStartTLS(t, ldap.LDAPResultSuccess, people)
	if got, err := listSIDs(t.Context(), open(t, config(t, agrees.ca, agrees.url))); err != nil || len(got) != 1 {
		t.Errorf("%q, %v", got, err)
	}
	_, err := listSIDs(t.Context(), open(t, config(t, otherCA(t), agrees.url)))
	checkError(t, err, "not signed by the CA in ")

	refuses := newStartTLS(t, ldap.LDAPResultProtocolError, people)
	_, err = listSIDs(t.Context(), open(t, config(t, refuses.ca, refuses.url)))
	checkError(t, err, "connect: Protocol Error (2): because")
	if told := refuses.requests(); len(told) > 0 {
		t.Errorf("told without TLS: %+v", told)
	}

	c := config(t, agrees.ca, strings.Replace(stalled(t), "ldaps:", "ldap:", 1))
	c.Timeout = 100 * time.Millisecond
	_, err = listSIDs(t.Context(), open(t, c))
	checkError(t, err, "no answer within 100ms")
}

// newStartTLS starts a controller that uses plain LDAP until the client requests TLS. The argument "code" is the result
// code of its answer.
func newStartTLS(t *testing.T, code uint16, handle func(request) []*ber.Packet) *fake {
	t.Helper()
	f, config := newIdentity(t, home{name: "dc1.corp.test", servers: []string{"dc1.corp.test"}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.url = "ldap://" + l.Addr().String()
	serve(t, l, func(c net.Conn) {
		p, err := ber.ReadPacket(c)
		if err != nil {
			return
		}
		answer := result(ldap.ApplicationExtendedResponse, code, "because")[0]
		answer.Children[0] = ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, p.Children[0].Value, "")
		if _, err := c.Write(message(answer.Children...).Bytes()); err != nil {
			return
		}
		if code != ldap.LDAPResultSuccess {
			f.converse(c, handle) // from now on, the fake records requests
			return
		}
		f.converse(tls.Server(c, config), handle)
	})
	return f
}

func TestExpiredCertificate(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: from.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "expired.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l, func(c net.Conn) { _ = c.(*tls.Conn).Handshake() })
	_, err = listSIDs(t.Context(), open(t, config(t, file, "ldaps://"+l.Addr().String())))
	checkError(t, err, "its certificate for 127.0.0.1 is good from 2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z only, and now it is ")
}

func TestSmallerPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		most  uint32 // the largest number of entries in a page of the server
		want  []string
		fails string
	}{
		{pageSize, []string{"S-1-5-21-1", "S-1-5-21-2"}, ""},
		{300, []string{"S-1-5-21-1", "S-1-5-21-2"}, ""},
		{10, nil, "Admin Limit Exceeded (11)"},
	} {
		f := newFake(t, onSearch(func(r request) []*ber.Packet {
			switch {
			case r.page > c.most:
				return append([]*ber.Packet{person(7)}, searchDone(ldap.LDAPResultAdminLimitExceeded)...)
			case r.cookie == "":
				return append([]*ber.Packet{person(1)}, searchDone(0, "more")...)
			default:
				return append([]*ber.Packet{person(2)}, searchDone(0, "")...)
			}
		}))
		got, err := listSIDs(t.Context(), open(t, config(t, f.ca, f.url)))
		checkError(t, err, c.fails)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("pages of at most %d (-want +got):\n%s", c.most, diff)
		}
	}
}

func TestKilledOnPageThree(t *testing.T) {
	t.Parallel()
	f := newFake(t, onSearch(func(r request) []*ber.Packet {
		if r.cookie == "xx" {
			return []*ber.Packet{person(3), nil}
		}
		return append([]*ber.Packet{person(byte(1 + len(r.cookie)))}, searchDone(0, r.cookie+"x")...)
	}))
	got, err := listSIDs(t.Context(), open(t, config(t, f.ca, f.url)))
	checkError(t, err, "list people: ")
	if len(got) != 2 {
		t.Errorf("%q was handed on, want two whole pages", got)
	}
}

func TestBasesAndFilter(t *testing.T) {
	t.Parallel()
	f := newFake(t, onSearch(func(r request) []*ber.Packet {
		switch r.base {
		case "OU=a," + testBase:
			return found(person(1))
		case "OU=b," + testBase:
			return found(person(2))
		default:
			return found()
		}
	}))
	c := config(t, f.ca, f.url)
	c.Base, c.Filter = "OU=a,"+testBase+"; OU=b,"+testBase, "(employeeType=*)"
	d := open(t, c)
	got, err := listSIDs(t.Context(), d)
	if diff := cmp.Diff([]string{"S-1-5-21-1", "S-1-5-21-2"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if want := "(&" + isPerson + "(employeeType=*))"; f.last().filter != want {
		t.Errorf("filter %q, want %q", f.last().filter, want)
	}
	if _, err := d.FindPerson(t.Context(), "p"); err == nil || !strings.Contains(err.Error(), "more than one") {
		t.Errorf("somebody in each base: %v", err)
	}
}

func TestNoControllersInDNS(t *testing.T) {
	t.Parallel()
	d := open(t, config(t, otherCA(t)))
	_, err := listSIDs(t.Context(), d)
	checkError(t, err, "look for controllers of corp.example.test in DNS (_ldap._tcp.dc._msdcs.corp.example.test): ")
	if dns, ok := errors.AsType[*net.DNSError](err); !ok || dns.IsNotFound {
		t.Errorf("%v is no failure of the name server", err)
	}
}
