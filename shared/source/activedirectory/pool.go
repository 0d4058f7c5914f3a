package activedirectory

import (
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// keepIdle is how long an idle connection stays open. A batch of people makes hundreds of requests to each
	// controller, and these requests use the same connections.
	keepIdle = 5 * time.Second
	// mostIdle is the largest number of idle connections to one controller.
	mostIdle = 8
)

type pool struct {
	mu   sync.Mutex
	idle map[string][]*session // by URL of the controller, the most recently used session last
}

// The method "take" returns an idle connection to a controller, or nil. A connection over the same URL may lead to
// another controller; see the field "name" of the type "controller".
func (p *pool) take(c controller) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.idle[c.url]
	for i, s := range slices.Backward(waiting) {
		if c.name == "" || strings.EqualFold(s.host, c.name) {
			p.idle[c.url] = slices.Delete(waiting, i, i+1)
			s.idle.Stop()
			s.controller = c
			return s
		}
	}
	return nil
}

func (p *pool) put(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle[s.controller.url]) >= mostIdle {
		s.conn.Close()
		return
	}
	if p.idle == nil {
		p.idle = map[string][]*session{}
	}
	p.idle[s.controller.url] = append(p.idle[s.controller.url], s)
	s.idle = time.AfterFunc(keepIdle, func() { p.drop(s) })
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for url, waiting := range p.idle {
		for _, s := range waiting {
			s.idle.Stop()
			s.conn.Close()
		}
		delete(p.idle, url)
	}
}

// The method "drop" closes a connection at the end of its idle time. It does nothing if the connection is no longer in
// the pool.
func (p *pool) drop(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, waiting := range p.idle[s.controller.url] {
		if waiting == s {
			p.idle[s.controller.url] = append(p.idle[s.controller.url][:i], p.idle[s.controller.url][i+1:]...)
			s.conn.Close()
			return
		}
	}
}
