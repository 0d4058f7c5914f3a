package activedirectory

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

// TestAddressOfSeveralControllers uses an address that leads to another controller on each new connection, like the
// domain's own name or a load balancer. A reading must not count dc2 as asked if the address led to dc1. If dc2 can be
// reached by its own name, the reading must ask it by this name.
func TestAddressOfSeveralControllers(t *testing.T) {
	t.Parallel()
	names := []string{"dc1.corp.test", "dc2.corp.test"}
	answers := func(lastLogon string) func(request) []*ber.Packet {
		return onSearch(func(request) []*ber.Packet {
			return found(person(1, "lastLogonTimestamp", tenth, "lastLogon", lastLogon))
		})
	}
	// The list has the number of the controller to which each connection to the address leads. The last number repeats.
	for name, c := range map[string]struct {
		leads  []int
		direct bool // whether dc2 can be reached by its own name
		fails  string
	}{
		"to dc2 always":            {leads: []int{2}},
		"to dc2 once":              {leads: []int{2, 1}, fails: "reach dc2.corp.test: it led to another controller, dc1.corp.test; "},
		"to dc1 always":            {leads: []int{1}, fails: "ldaps://dc2.corp.test: connect: "},
		"to dc2 once, then direct": {leads: []int{2, 1}, direct: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dc1 := newController(t, home{name: names[0], servers: names}, answers(tenth))
			as1, conf := newIdentity(t, home{name: names[0], servers: names})
			as2, _ := newIdentity(t, home{name: names[1], servers: names})
			l, err := tls.Listen("tcp", "127.0.0.1:0", conf)
			if err != nil {
				t.Fatal(err)
			}
			var n atomic.Int32
			serve(t, l, func(conn net.Conn) {
				if c.leads[min(int(n.Add(1)), len(c.leads))-1] == 1 {
					as1.converse(conn, answers(tenth))
				} else {
					as2.converse(conn, answers(twelve))
				}
			})
			d := open(t, config(t, dc1.ca, "ldaps://"+l.Addr().String(), dc1.url))
			d.now = func() time.Time { return testNow }
			for range 2 {
				if c.direct { // an idle connection stands for port 636, which a test may not be able to open
					dc2 := newController(t, home{name: names[1], servers: names}, answers(twelve))
					stand(t, d, dc2, byName(names[1]))
				}
				u, err := d.ReadPerson(t.Context(), "S-1-5-21-1")
				if err == nil && u.LastLogonTimestamp.Day() != 12 {
					t.Error("the reading says that it asked every controller, and dc2 was not asked")
				}
				if c.fails == "" && err != nil {
					t.Error(err)
				}
				d.pool.close() // as after five seconds without a request
			}
			_, err = d.ReadPerson(t.Context(), "S-1-5-21-1")
			if c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("error %v, want %q", err, c.fails)
			}
			list, err := d.Controllers(t.Context())
			if err != nil {
				t.Error(err)
			}
			for _, reached := range list {
				if c.fails != "" && reached.URL != dc1.url && reached.Err == nil {
					t.Errorf("%s counts as reached", reached.URL)
				}
			}
		})
	}
}

// The function "stand" leaves an idle connection to a fake in the pool, for the next request to the given controller.
func stand(t *testing.T, d *Directory, f *fake, in controller) {
	t.Helper()
	c, err := parseController(f.url)
	if err == nil {
		in.host, in.addr = c.host, c.addr
		err = d.do(t.Context(), in, func(*session) error { return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSambaAddressOfSeveralControllers reaches two real controllers by an address that leads to them in turn. The
// package must also ask the controller to which the address does not lead, by its own name.
func TestSambaAddressOfSeveralControllers(t *testing.T) {
	const password = "Pa55w.rd-of-anna"
	h := hardenWith(t, samba.Options{Replicating: true, People: []samba.Person{{
		ADUser: directory.ADUser{DN: samba.DN("anna", samba.PeopleOU), SAMAccount: "anna", Enabled: directory.Yes}, Password: password,
	}}})
	sid := listed(t, h.d)["anna"].SID
	if err := h.domain.LogOn(1, "anna", password); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int32
	serve(t, l, func(c net.Conn) {
		at := h.domain.URLs[int(n.Add(1))%2]
		to, err := net.Dial("tcp", strings.TrimPrefix(at, "ldaps://")+":636")
		if err != nil {
			return
		}
		defer to.Close()
		go func() {
			_, _ = io.Copy(to, c)
			to.Close() // ends the other direction
		}()
		_, _ = io.Copy(c, to)
	})
	alias, err := parseController("ldaps://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	h.d.configured = []controller{alias}
	h.d.tls.InsecureSkipVerify = true // the certificates do not have the name of the proxy
	h.d.dialer.Resolver = samba.Resolver(h.domain.NameServer)
	for i := range 5 {
		h.d.pool.close()
		if u, err := h.d.ReadPerson(t.Context(), sid); err != nil || time.Since(u.LastLogonTimestamp) > time.Hour {
			t.Errorf("reading %d: last logon %v, %v", i, u.LastLogonTimestamp, err)
		}
	}
}
