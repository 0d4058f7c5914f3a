package activedirectory

import (
	"bytes"
	"net"
	"sync"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const (
	readSize  = 64 << 10 // bytes read at once
	mostAhead = 8 << 20  // bytes read and not yet decoded; a page has about one megabyte
)

// ahead is a connection that reads answers as fast as they come, and tells the
// end of a page before the library has decoded what is on it. The library takes
// as long to decode a page as a sixth of the time in which a controller makes
// one; so the next page can be asked for meanwhile.
type ahead struct {
	net.Conn
	pageEnds chan []byte // cookies of the next pages, each once

	mu      sync.Mutex
	changed sync.Cond
	held    bytes.Buffer // read and not yet handed on
	err     error        // why no more is read

	message []byte // as much of the last one as is there
}

func readAhead(c net.Conn) *ahead {
	a := &ahead{Conn: c, pageEnds: make(chan []byte, 1)}
	a.changed.L = &a.mu
	go a.pump()
	return a
}

// pump reads until the connection ends.
func (a *ahead) pump() {
	for chunk := make([]byte, readSize); ; {
		n, err := a.Conn.Read(chunk)
		a.scan(chunk[:n])
		a.mu.Lock()
		a.held.Write(chunk[:n])
		a.err = err
		a.changed.Broadcast()
		for a.held.Len() > mostAhead {
			a.changed.Wait()
		}
		a.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Read hands on what was read before.
func (a *ahead) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.held.Len() == 0 && a.err == nil {
		a.changed.Wait()
	}
	if a.held.Len() == 0 {
		return 0, a.err
	}
	defer a.changed.Broadcast()
	return a.held.Read(p)
}

// Close also ends the pump when it waits for its bytes to be taken.
func (a *ahead) Close() error {
	err := a.Conn.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held.Reset()
	a.changed.Broadcast()
	return err
}

// scan looks for the ends of pages in the stream of messages (RFC 4511 4.1.1).
func (a *ahead) scan(chunk []byte) {
	a.message = append(a.message, chunk...)
	rest := a.message
	for size := messageSize(rest); size > 0 && size <= len(rest); size = messageSize(rest) {
		if cookie := pageCookie(rest[:size]); len(cookie) > 0 {
			select {
			case a.pageEnds <- cookie:
			default: // nobody waited for the one before
			}
		}
		rest = rest[size:]
	}
	a.message = append(a.message[:0], rest...)
}

// messageSize is the length in bytes of the message that begins here, by its
// tag and length (X.690 8.1.3); 0 when too little of it is there, or it is none.
func messageSize(b []byte) int {
	if len(b) < 2 || b[0] != 0x30 {
		return 0
	}
	if b[1] < 0x80 {
		return 2 + int(b[1])
	}
	octets, size := int(b[1]&0x7f), 0
	if octets > 4 || len(b) < 2+octets {
		return 0
	}
	for _, o := range b[2 : 2+octets] {
		size = size<<8 | int(o)
	}
	return 2 + octets + size
}

// pageCookie is the cookie of a message that ends a page and has another one
// follow; empty for any other message.
func pageCookie(message []byte) []byte {
	const searchResultDone = 0x60 | ldap.ApplicationSearchResultDone
	start := 2
	if message[1] >= 0x80 {
		start += int(message[1] & 0x7f)
	}
	if len(message) < start+2 || message[start] != 0x02 { // the number of the message
		return nil
	}
	if op := start + 2 + int(message[start+1]); op >= len(message) || message[op] != searchResultDone {
		return nil
	}
	packet, err := ber.DecodePacketErr(message)
	if err != nil || len(packet.Children) < 3 {
		return nil
	}
	for _, c := range packet.Children[2].Children {
		if control, err := ldap.DecodeControl(c); err == nil {
			if paging, ok := control.(*ldap.ControlPaging); ok {
				return paging.Cookie
			}
		}
	}
	return nil
}
