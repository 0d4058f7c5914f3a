package activedirectory

import (
	"sync"
	"time"
)

const (
	// keepIdle is how long a connection waits for the next question. The evidence of a batch of people asks each
	// controller hundreds of questions.
	keepIdle = 5 * time.Second
	// mostIdle is the largest number of idle connections to one controller.
	mostIdle = 8
)

// pool holds idle bound connections, by controller.
type pool struct {
	mu   sync.Mutex
	idle map[string][]*session // sessions by URL, the most recently used one at the end
}

// take returns an idle connection, or nil when there is none.
func (p *pool) take(c controller) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.idle[c.url]
	if len(waiting) == 0 {
		return nil
	}
	s := waiting[len(waiting)-1]
	p.idle[c.url] = waiting[:len(waiting)-1]
	s.idle.Stop()
	return s
}

// put keeps a connection for keepIdle, or closes it when enough are idle.
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

// close closes the connections that wait.
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

// drop closes a connection that was idle for long enough, unless it was taken.
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
