package activedirectory

import (
	"context"
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

	"github.com/idleseat/idleseat/shared/directory"
)

func listSIDs(ctx context.Context, d *Directory) (sids []string, err error) {
	err = d.ListPeople(ctx, func(u directory.ADUser) error {
		sids = append(sids, u.SID)
		return nil
	})
	return sids, err
}

func searchDone(code uint16, cookie ...string) []*ber.Packet {
	return result(ldap.ApplicationSearchResultDone, code, "because\x00", cookie...)
}

// onSearch returns a handler that accepts every bind and answers every search with "answer".
func onSearch(answer func(request) []*ber.Packet) func(request) []*ber.Packet {
	return func(r request) []*ber.Packet {
		if r.op == ldap.ApplicationSearchRequest {
			return answer(r)
		}
		return nil
	}
}

func TestListPeoplePages(t *testing.T) {
	t.Parallel()
	elsewhere := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultReference, nil, "")
	elsewhere.AppendChild(octets("ldaps://other.example/DC=other"))
	f := newFake(t, onSearch(func(r request) []*ber.Packet {
		switch {
		case r.cookie == "":
			return append([]*ber.Packet{person(1), message(octets(""), elsewhere), person(2)}, searchDone(0, "more")...)
		default:
			return append([]*ber.Packet{person(3)}, searchDone(0, "")...)
		}
	}))
	c := config(t, f.ca, f.url)
	c.Base = ""
	got, err := listSIDs(t.Context(), open(t, c))
	if diff := cmp.Diff([]string{"S-1-5-21-1", "S-1-5-21-2", "S-1-5-21-3"}, got); err != nil || diff != "" {
		t.Errorf("ListPeople: %v (-want +got):\n%s", err, diff)
	}
	if last := f.last(); last.base != testBase || last.filter != "(&"+isPerson+")" || last.cookie != "more" {
		t.Errorf("asked %+v", last)
	}
}

func TestFailover(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		first  func(request) []*ber.Packet
		second bool // whether the second controller must be asked
		want   []string
		fails  string
	}{
		{"connection ends at bind", func(request) []*ber.Packet { return cut }, true, []string{"S-1-5-21-9"}, ""},
		{"bind refused for its own trouble", func(request) []*ber.Packet {
			return result(ldap.ApplicationBindResponse, ldap.LDAPResultOperationsError, "")
		}, true, []string{"S-1-5-21-9"}, ""},
		{"connection ends before an answer", onSearch(func(request) []*ber.Packet { return cut }), true, []string{"S-1-5-21-9"}, ""},
		{"busy", onSearch(func(request) []*ber.Packet { return searchDone(ldap.LDAPResultBusy) }), true, []string{"S-1-5-21-9"}, ""},
		{"wrong password", func(request) []*ber.Packet {
			return result(ldap.ApplicationBindResponse, ldap.LDAPResultInvalidCredentials, "80090308: LdapErr: AcceptSecurityContext error, data 775, v1db1\x00")
		}, false, nil, `bind as CORP\idleseat: Invalid Credentials (49): the account is locked: 80090308`},
		{"refused search", onSearch(func(request) []*ber.Packet { return searchDone(ldap.LDAPResultInsufficientAccessRights) }),
			false, nil, "Insufficient Access Rights (50): because; give the account"},
		{"cut off by a limit", onSearch(func(request) []*ber.Packet {
			return append([]*ber.Packet{person(1)}, searchDone(ldap.LDAPResultSizeLimitExceeded)...)
		}), false, nil, "Size Limit Exceeded (4)"},
		{"connection ends after a page", onSearch(func(r request) []*ber.Packet {
			if r.cookie == "" {
				return append([]*ber.Packet{person(1)}, searchDone(0, "more")...)
			}
			return cut
		}), false, []string{"S-1-5-21-1"}, "list people: "},
		{"damaged entry", onSearch(func(request) []*ber.Packet { return found(entry("CN=x")) }), false, nil, `damaged entry "CN=x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			first := newFake(t, c.first)
			second := newFake(t, onSearch(func(request) []*ber.Packet { return found(person(9)) }))
			got, err := listSIDs(t.Context(), open(t, config(t, first.ca, first.url, second.url)))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("people (-want +got):\n%s", diff)
			}
			checkError(t, err, c.fails)
			if err != nil && !strings.HasPrefix(err.Error(), first.url+": ") {
				t.Errorf("%v does not begin with the controller, %s", err, first.url)
			}
			if asked := len(second.requests()) > 0; asked != c.second {
				t.Errorf("second controller asked: %v", asked)
			}
		})
	}
}

// checkError checks that err contains the text "want", or is nil if "want" is empty. No error may contain the password.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want an error with %q", err, want)
	case err != nil && strings.Contains(err.Error(), "s3cret"):
		t.Errorf("the password is in %v", err)
	case err != nil && strings.ContainsAny(err.Error(), "\n\x00"):
		t.Errorf("not one line: %q", err)
	}
}

func TestCallersErrorEndsTheList(t *testing.T) {
	t.Parallel()
	people := onSearch(func(request) []*ber.Packet { return found(person(1), person(2)) })
	first, second := newFake(t, people), newFake(t, people)
	// After an error of the package, another controller may be asked. This error comes from the caller's function, so
	// no other controller is asked.
	mine := &fault{why: "caller", elsewhere: true}
	calls := 0
	err := open(t, config(t, first.ca, first.url, second.url)).ListPeople(t.Context(), func(directory.ADUser) error {
		calls++
		return mine
	})
	if err != error(mine) || calls != 1 {
		t.Errorf("got %v after %d calls, want the caller's error after one", err, calls)
	}
}

func TestStalledControllers(t *testing.T) {
	t.Parallel()
	mute := newFake(t, onSearch(func(request) []*ber.Packet { return silent }))
	for name, url := range map[string]string{"no TLS handshake": stalled(t), "no answer to a search": mute.url} {
		c := config(t, mute.ca, url)
		c.Timeout = 100 * time.Millisecond
		_, err := listSIDs(t.Context(), open(t, c))
		checkError(t, err, "no answer within 100ms")
		if err == nil || !strings.HasPrefix(err.Error(), url) {
			t.Errorf("%s: %v does not name %s", name, err, url)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := newFake(t, onSearch(func(request) []*ber.Packet {
		cancel()
		return silent
	}))
	d := open(t, config(t, f.ca, f.url, f.url))
	if _, err := listSIDs(ctx, d); !errors.Is(err, context.Canceled) {
		t.Errorf("ListPeople: %v, want context.Canceled", err)
	}
	if len(f.requests()) != 4 {
		t.Errorf("asked %d times, want a bind, two questions about the domain and a search", len(f.requests()))
	}
	_, err := d.ReadPerson(ctx, "S-1-5-21-1")
	if _, partial := errors.AsType[*directory.PartialLogonError](err); !errors.Is(err, context.Canceled) || partial {
		t.Errorf("ReadPerson: %v, want context.Canceled", err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	f := newFake(t, onSearch(func(request) []*ber.Packet { return found(person(1)) }))
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(f.url, "ldaps://"))
	old, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") },
		MinVersion:     tls.VersionTLS11, MaxVersion: tls.VersionTLS11,
	})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, old, func(c net.Conn) { _ = c.(*tls.Conn).Handshake() })
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "ldaps://" + free.Addr().String()
	free.Close()
	other := otherCA(t)
	for _, c := range []struct{ name, ca, url, want string }{
		{"good", f.ca, f.url, ""},
		{"wrong CA", other, f.url, "not signed by the CA in " + other},
		{"system's CAs", "", f.url, "not signed by a CA this machine trusts"},
		{"wrong name", f.ca, "ldaps://localhost:" + port, "its certificate is for example.com, *.example.com, 127.0.0.1, ::1, not for localhost"},
		{"TLS 1.1", f.ca, "ldaps://" + old.Addr().String(), "protocol version"},
		{"nobody there", f.ca, closed, "connection refused"},
	} {
		_, err := listSIDs(t.Context(), open(t, config(t, c.ca, c.url)))
		t.Log(err)
		checkError(t, err, c.want)
	}
}

func otherCA(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
