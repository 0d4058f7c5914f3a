package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// ErrNotLoopback is the error for an address that other machines can reach.
var ErrNotLoopback = errors.New("not an address of this machine alone")

// Listen listens on an address such as 127.0.0.1:8420. It fails with ErrNotLoopback unless the host is a loopback
// address or localhost. Port 0 means a free port.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: give an address like 127.0.0.1:8420: %w", address, err)
	}
	if host == "localhost" {
		host = "127.0.0.1" // for the name localhost, a resolver could return the address of another machine
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.Unmap().IsLoopback() || ip.Zone() != "" {
		return nil, fmt.Errorf("listen on %q: %w: the pages show personal data, so that only this machine may ask for them; from another machine, use a tunnel, such as ssh -L 8420:127.0.0.1:8420 HOST", address, ErrNotLoopback)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort(ip.Unmap().String(), port))
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	return l, nil
}

// Limits of a connection. The limit for an answer is the longest, because a page about a million people reads all of
// them from S3.
const (
	readWithin   = 10 * time.Second
	answerWithin = 5 * time.Minute
	idleFor      = 2 * time.Minute
	endWithin    = 3 * time.Second // the time that unfinished answers still have when ctx ends
	maxHeader    = 16 << 10        // in bytes
)

// Serve answers requests until ctx ends. It then waits up to endWithin for unfinished answers, and returns nil. It
// returns an error only if the listener fails before that.
func (s *Site) Serve(ctx context.Context, l net.Listener) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server := &http.Server{
		Handler: s.Handler(portOf(l)), BaseContext: func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: readWithin, ReadTimeout: readWithin, WriteTimeout: answerWithin, IdleTimeout: idleFor, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(io.Discard, "", 0), // the log would only name connections that a browser has dropped
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("answer requests: %w", err)
	case <-ctx.Done():
	}
	last, stop := context.WithTimeout(requests, endWithin)
	defer stop()
	if server.Shutdown(last) != nil {
		cut()
		_ = server.Close() // an error only repeats that some connections are still open
	}
	return nil
}

func portOf(l net.Listener) string {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return strconv.Itoa(a.Port)
	}
	return ""
}

// Address returns the address of the pages that a listener serves, with the key.
func Address(l net.Listener, key string) string {
	at := url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/", RawQuery: url.Values{keyParameter: {key}}.Encode()}
	return at.String()
}
