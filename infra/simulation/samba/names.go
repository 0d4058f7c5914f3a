package samba

import (
	"context"
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// The type "nameServer" is a DNS server for a domain. It knows the addresses of the domain and of the controllers, and
// the service records by which clients find the controllers.
type nameServer struct {
	conn  net.PacketConn
	ended chan struct{}
	hosts map[string]net.IP // addresses by lower-case name
}

func serveNames(controllers []*controller) (*nameServer, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &nameServer{conn: conn, ended: make(chan struct{}), hosts: map[string]net.IP{}}
	for _, c := range controllers {
		n.hosts[c.host()] = net.ParseIP(c.address)
	}
	n.hosts[realm] = net.ParseIP(controllers[0].address)
	go n.serve()
	return n, nil
}

func (n *nameServer) serve() {
	defer close(n.ended)
	buffer := make([]byte, 512)
	for {
		size, from, err := n.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer, err := n.answer(buffer[:size]); err == nil {
			_, _ = n.conn.WriteTo(answer, from) // after an error, the client repeats the query
		}
	}
}

func (n *nameServer) answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil, net.ErrClosed
	}
	q := m.Questions[0]
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}
	ip, known := n.hosts[name]
	m.Response, m.Authoritative = true, true
	m.Additionals = nil
	switch {
	case known && q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: [4]byte(ip.To4())}}}
	case name == "_ldap._tcp.dc._msdcs."+realm && q.Type == dnsmessage.TypeSRV:
		for host := range n.hosts {
			if host == realm {
				continue
			}
			target := dnsmessage.MustNewName(host + ".")
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.SRVResource{Port: 389, Weight: 100, Target: target}})
		}
	case !known:
		m.RCode = dnsmessage.RCodeNameError
	}
	return m.Pack()
}

func (n *nameServer) close() {
	n.conn.Close()
	<-n.ended
}

// Resolver returns a resolver that asks only the DNS server at the given address, for example Domain.NameServer.
func Resolver(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", address)
	}}
}
