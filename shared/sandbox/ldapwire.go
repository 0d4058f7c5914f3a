package sandbox

import (
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// The type "message" is an LDAP request (RFC 4511, 4.1.1).
type message struct {
	id       int64
	op       *ber.Packet // a packet of the application class
	controls []ldap.Control
}

// errWire is the error for bytes that are not an LDAP message. The server then closes the connection.
var errWire = fmt.Errorf("no message of LDAP")

func readMessage(p *ber.Packet) (m message, err error) {
	if len(p.Children) < 2 || p.Children[1].ClassType != ber.ClassApplication {
		return m, errWire
	}
	id, isNumber := p.Children[0].Value.(int64)
	if !isNumber {
		return m, errWire
	}
	m.id, m.op = id, p.Children[1]
	for _, more := range p.Children[2:] {
		for _, c := range more.Children {
			control, err := ldap.DecodeControl(c)
			if err != nil {
				return m, fmt.Errorf("decode control: %w", err)
			}
			m.controls = append(m.controls, control)
		}
	}
	return m, nil
}

// The type "fields" reads the parts of a request in order. The field "rest" has the parts that are not read yet. The
// field "bad" is set if a part is missing, or if a number or a flag has the wrong type.
type fields struct {
	rest []*ber.Packet
	bad  bool
}

func fieldsOf(p *ber.Packet) *fields { return &fields{rest: p.Children} }

func (f *fields) next() *ber.Packet {
	if len(f.rest) == 0 {
		f.bad = true
		return &ber.Packet{}
	}
	p := f.rest[0]
	f.rest = f.rest[1:]
	return p
}

func (f *fields) text() string { return octets(f.next()) }

func octets(p *ber.Packet) string {
	if p.Data == nil {
		return ""
	}
	return p.Data.String()
}

func (f *fields) number() int64 {
	n, isNumber := f.next().Value.(int64)
	f.bad = f.bad || !isNumber
	return n
}

func (f *fields) flag() bool {
	v, isFlag := f.next().Value.(bool)
	f.bad = f.bad || !isFlag
	return v
}

// The method "texts" returns the strings of the next part, which is a sequence or a set.
func (f *fields) texts() (list []string) {
	for _, c := range f.next().Children {
		list = append(list, octets(c))
	}
	return list
}

// bindRequest is a bind (RFC 4511, 4.2).
type bindRequest struct {
	name, password string
	simple         bool
}

func readBind(m message) (b bindRequest, err error) {
	f := fieldsOf(m.op)
	f.number() // the version
	b.name = f.text()
	auth := f.next()
	b.password, b.simple = octets(auth), auth.Tag == 0
	return b, f.err()
}

// searchRequest is a search (RFC 4511, 4.5.1).
type searchRequest struct {
	BaseDN     string
	Scope      int64
	SizeLimit  int64
	TypesOnly  bool
	Filter     string
	Attributes []string
	Controls   []ldap.Control
}

func readSearch(m message) (*searchRequest, error) {
	f := fieldsOf(m.op)
	s := &searchRequest{BaseDN: f.text(), Scope: f.number(), Controls: m.controls}
	f.number() // alias handling
	s.SizeLimit = f.number()
	f.number() // time limit
	s.TypesOnly = f.flag()
	filter := f.next()
	s.Attributes = f.texts()
	if err := f.err(); err != nil {
		return nil, err
	}
	var err error
	if s.Filter, err = ldap.DecompileFilter(filter); err != nil {
		return nil, fmt.Errorf("read filter: %w", err)
	}
	return s, nil
}

// modifyRequest changes an object (RFC 4511, 4.6).
type modifyRequest struct {
	DN       string
	Changes  []modification
	Controls []ldap.Control
}

type modification struct {
	operation int64 // ldap.AddAttribute and so on
	attribute string
	values    []string
}

func readModify(m message) (*modifyRequest, error) {
	f := fieldsOf(m.op)
	r := &modifyRequest{DN: f.text(), Controls: m.controls}
	for _, p := range f.next().Children {
		change := fieldsOf(p)
		x := modification{operation: change.number()}
		attribute := fieldsOf(change.next())
		x.attribute, x.values = attribute.text(), attribute.texts()
		f.bad = f.bad || change.bad || attribute.bad
		r.Changes = append(r.Changes, x)
	}
	return r, f.err()
}

func (f *fields) err() error {
	if f.bad {
		return errWire
	}
	return nil
}

// Tags of the parts of an answer.
const (
	tagSequence = 0x30
	tagSet      = 0x31
	tagInteger  = 0x02
	tagOctets   = 0x04
	tagEnum     = 0x0a
	tagControls = 0xa0
	application = 0x60 // application class, constructed; the number of the tag is added
)

func appendHead(b []byte, tag byte, length int) []byte {
	switch b = append(b, tag); {
	case length < 1<<7:
		return append(b, byte(length))
	case length < 1<<8:
		return append(b, 0x81, byte(length))
	case length < 1<<16:
		return append(b, 0x82, byte(length>>8), byte(length))
	default:
		return append(b, 0x84, byte(length>>24), byte(length>>16), byte(length>>8), byte(length))
	}
}

// The function "sized" returns the size of a part in bytes, with tag and length field, for a content of "length"
// bytes.
func sized(length int) int {
	switch {
	case length < 1<<7:
		return 2 + length
	case length < 1<<8:
		return 3 + length
	case length < 1<<16:
		return 4 + length
	default:
		return 6 + length
	}
}

func appendOctets(b []byte, s string) []byte {
	return append(appendHead(b, tagOctets, len(s)), s...)
}

// appendMessage appends the first bytes of a message, up to the content of its operation. The content has "length"
// bytes. After the content, the message has "after" more bytes, for example controls. The id must be from 0 to
// 2147483647.
func appendMessage(b []byte, id int64, tag ber.Tag, length, after int) []byte {
	b = appendHead(b, tagSequence, sized(4)+sized(length)+after)
	b = append(appendHead(b, tagInteger, 4), byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
	return appendHead(b, application|byte(tag), length)
}

func appendEntry(b []byte, id int64, dn string, attrs []attribute) []byte {
	values := make([]int, len(attrs))
	all := 0
	for n, a := range attrs {
		for _, v := range a.values {
			values[n] += sized(len(v))
		}
		all += sized(sized(len(a.name)) + sized(values[n]))
	}
	b = appendMessage(b, id, ldap.ApplicationSearchResultEntry, sized(len(dn))+sized(all), 0)
	b = appendHead(appendOctets(b, dn), tagSequence, all)
	for n, a := range attrs {
		b = appendHead(b, tagSequence, sized(len(a.name))+sized(values[n]))
		b = appendHead(appendOctets(b, a.name), tagSet, values[n])
		for _, v := range a.values {
			b = appendOctets(b, v)
		}
	}
	return b
}

func appendResult(b []byte, id int64, tag ber.Tag, code int, diagnostic string, controls []ldap.Control) []byte {
	var encoded []byte
	for _, c := range controls {
		encoded = append(encoded, c.Encode().Bytes()...)
	}
	after := 0
	if len(encoded) > 0 {
		after = sized(len(encoded))
	}
	b = appendMessage(b, id, tag, 3+sized(0)+sized(len(diagnostic)), after)
	b = append(appendHead(b, tagEnum, 1), byte(code))
	b = appendOctets(appendOctets(b, ""), diagnostic)
	if after > 0 {
		b = append(appendHead(b, tagControls, len(encoded)), encoded...)
	}
	return b
}
