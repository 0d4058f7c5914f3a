package activedirectory

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/google/go-cmp/cmp"
)

// The function "stream" returns the bytes of packets as the answer to the first request of a connection. Each packet
// therefore gets the message ID 1.
func stream(packets ...*ber.Packet) (all []byte) {
	for _, p := range packets {
		p.Children[0] = ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, "")
		all = append(all, message(p.Children...).Bytes()...)
	}
	return all
}

// endsOf scans a stream that arrives in chunks of "size" bytes, and returns the cookies that the method scan reports.
func endsOf(arriving []byte, size int) (cookies []string) {
	a := &ahead{pageEnds: make(chan []byte, 1)}
	for len(arriving) > 0 {
		n := min(size, len(arriving))
		a.scan(arriving[:n])
		arriving = arriving[n:]
		select {
		case cookie := <-a.pageEnds:
			cookies = append(cookies, string(cookie))
		default:
		}
	}
	return cookies
}

// TestEndsOfPages: however an answer is cut into chunks, the method scan reports the end of each page and nothing else.
func TestEndsOfPages(t *testing.T) {
	t.Parallel()
	long := person(2, "description", strings.Repeat("x", 300))
	page := stream(append([]*ber.Packet{person(1), long}, searchDone(0, "more")...)...)
	for name, tt := range map[string]struct {
		arriving []byte
		want     []string
	}{
		"a page that another follows":  {page, []string{"more"}},
		"the last page":                {stream(append([]*ber.Packet{person(1), long}, searchDone(0)...)...), nil},
		"two pages":                    {append(bytes.Clone(page), stream(searchDone(0, "yet more")...)...), []string{"more", "yet more"}},
		"a page after what is no LDAP": {append([]byte("HTTP/1.1 400 Bad Request\r\n"), page...), nil},
		"a message that never ends":    {append([]byte{sequence, 0x84, 0x7f, 0xff, 0xff, 0xff}, page...), nil},
	} {
		for size := 1; size <= 40; size++ { // such small chunks contain at most one end
			if diff := cmp.Diff(tt.want, endsOf(tt.arriving, size)); diff != "" {
				t.Errorf("%s, in chunks of %d (-want +got):\n%s", name, size, diff)
			}
		}
	}
}

func TestReadAheadPassesAllOn(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	sent := bytes.Repeat(stream(person(1)), 3*mostAhead/len(stream(person(1))))
	go func() {
		defer there.Close()
		_, _ = there.Write(sent) // an error shows in the comparison below
	}()
	got, err := io.ReadAll(readAhead(here))
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes, %v", len(got), len(sent), err)
	}
}

// TestReadAheadIsBounded sends bytes that nobody reads. The buffer must stay within its limit, and Close must end the
// goroutine that fills it.
func TestReadAheadIsBounded(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	a := readAhead(here)
	done := make(chan int)
	go func() {
		n, _ := there.Write(make([]byte, 3*mostAhead)) // Close makes Write fail
		done <- n
	}()
	a.mu.Lock()
	for a.held.Len() <= mostAhead {
		a.changed.Wait()
	}
	a.mu.Unlock()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if n := <-done; n <= mostAhead || n > mostAhead+2*readSize {
		t.Errorf("%d bytes were taken, and %d may be held", n, mostAhead)
	}
}

// FuzzEndsOfPages: no stream of bytes makes the method "scan" panic. The first end of a page that it finds is the same,
// whether the stream arrives at once or in chunks.
func FuzzEndsOfPages(f *testing.F) {
	page := stream(append([]*ber.Packet{person(1)}, searchDone(0, "more")...)...)
	f.Add(page, uint16(7))
	f.Add(page[:len(page)-1], uint16(1))
	f.Add([]byte{sequence, 0x80, 0, 0}, uint16(1))
	f.Add([]byte{sequence, 0x84, 0xff, 0xff, 0xff, 0xff}, uint16(2))
	f.Add([]byte{sequence, 5, 2, 200, 1, 0x65, 0}, uint16(3))
	f.Fuzz(func(t *testing.T, arriving []byte, size uint16) {
		whole, cut := endsOf(arriving, len(arriving)), endsOf(arriving, int(size)+1)
		if len(whole) != min(1, len(cut)) || len(whole) > 0 && whole[0] != cut[0] {
			t.Errorf("%q at once, and %q in chunks of %d", whole, cut, int(size)+1)
		}
	})
}
