package activedirectory

import (
	"bytes"
	"net"
	"sync"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const (
	readSize  = 64 << 10 // bytes per read from the connection
	mostAhead = 8 << 20  // the largest number of buffered bytes that are not decoded; a page has about one megabyte
)

// The type "ahead" is a connection. Its goroutine, the pump, reads answers as fast as they arrive, and reports the end
// of a page before the LDAP library has decoded the page. So the controller produces the next page while the client
// decodes the current page.
type ahead struct {
	net.Conn
	pageEnds chan []byte // cookies for the requests of the next pages, each sent once

	mu      sync.Mutex
	changed sync.Cond
	held    bytes.Buffer // the bytes that the pump has read and Read has not yet returned
	err     error        // why the pump stopped

	message []byte // the bytes of an incomplete message
	lost    bool   // set when the bytes are not LDAP messages; the library then reports the error
}

func readAhead(c net.Conn) *ahead {
	a := &ahead{Conn: c, pageEnds: make(chan []byte, 1)}
	a.changed.L = &a.mu
	go a.pump()
	return a
}

// The method "pump" reads from the connection into the buffer. It pauses while more than mostAhead bytes are buffered.
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

// Close closes the connection. It also ends a pump that waits for buffer space.
func (a *ahead) Close() error {
	err := a.Conn.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held.Reset()
	a.changed.Broadcast()
	return err
}

// The method "scan" looks through the arriving LDAP messages (RFC 4511 4.1.1). It sends the cookie of each message that
// ends a page to pageEnds.
func (a *ahead) scan(chunk []byte) {
	if a.lost {
		return
	}
	a.message = append(a.message, chunk...)
	rest := a.message
	for size := messageSize(rest); size > 0 && size <= len(rest); size = messageSize(rest) {
		if cookie := pageCookie(rest[:size]); len(cookie) > 0 {
			select {
			case a.pageEnds <- cookie:
			default: // nobody received the previous cookie
			}
		}
		rest = rest[size:]
	}
	a.message = append(a.message[:0], rest...)
	if a.lost = len(rest) > mostAhead || len(rest) > 0 && rest[0] != sequence; a.lost {
		a.message = nil
	}
}

const sequence = 0x30

// messageSize returns the length of the message at the start of b, from its tag and length (X.690 8.1.3). It returns 0
// if too few bytes have arrived, or if b does not start with a message.
func messageSize(b []byte) int {
	if len(b) < 2 || b[0] != sequence {
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

// pageCookie returns the cookie of a message that ends a page. The cookie is empty if no further page follows, or if
// the message does not end a page.
func pageCookie(message []byte) []byte {
	const searchResultDone = 0x60 | ldap.ApplicationSearchResultDone
	start := 2
	if message[1] >= 0x80 {
		start += int(message[1] & 0x7f)
	}
	if len(message) < start+2 || message[start] != 0x02 { // the message ID, an INTEGER, follows the length
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
