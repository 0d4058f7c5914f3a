package activedirectory

import (
	"github.com/go-ldap/ldap/v3"
)

// The method "people" calls the function "each" with the people who match a filter, below all bases.
func (s *session) people(doing, filter string, attributes []string, each func(*ldap.Entry) error, controls ...ldap.Control) error {
	return s.below(s.bases, doing, s.directory.people+filter, attributes, each, controls...)
}

// The method "below" calls the function "each" with the entries that lie below one of the bases and match all parts of
// the filter.
func (s *session) below(bases []string, doing, filter string, attributes []string, each func(*ldap.Entry) error, controls ...ldap.Control) error {
	for _, base := range bases {
		if err := s.pages(doing, base, "(&"+filter+")", attributes, each, controls...); err != nil {
			return err
		}
	}
	return nil
}

// The method "pages" calls the function "each" with the results of a search below a base. It requests the next page as
// soon as the end of the current page arrives, so that the controller works while this machine decodes. At most two
// pages are in memory.
func (s *session) pages(doing, base, filter string, attributes []string, each func(*ldap.Entry) error, controls ...ldap.Control) error {
	size := uint32(pageSize)
	ask := func(cookie []byte) <-chan page {
		paging, answer := ldap.NewControlPaging(size), make(chan page, 1)
		paging.SetCookie(cookie)
		go func() {
			found, err := s.search(doing, base, ldap.ScopeWholeSubtree, filter, attributes, append([]ldap.Control{paging}, controls...)...)
			answer <- page{found, err}
		}()
		return answer
	}
	s.forget()
	first := true
	for answer := ask(nil); answer != nil; {
		p, next := s.await(answer, ask)
		if first && tooLarge(p.err) && size >= 2*leastPage {
			size /= 2
			answer = ask(nil)
			continue
		}
		if err := p.hand(each); err != nil {
			if next != nil { // the next page is no longer needed
				s.raw.Close()
				<-next
			}
			return err
		}
		answer, first = next, false
	}
	return nil
}

// The method "await" returns the page that arrives on the channel "answer", and requests the following page as early as
// possible. The result "next" is the channel for its answer, or nil if no page follows.
func (s *session) await(answer <-chan page, ask func(cookie []byte) <-chan page) (p page, next <-chan page) {
	select {
	case cookie := <-s.ahead.pageEnds:
		next = ask(cookie)
		return <-answer, next
	case p = <-answer:
	}
	s.forget() // the pump may have reported the page end at the same moment
	if p.err != nil {
		return p, nil
	}
	paging, ok := ldap.FindControl(p.found.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
	if !ok || len(paging.Cookie) == 0 {
		return p, nil
	}
	return p, ask(paging.Cookie)
}

// The method "forget" empties the channel pageEnds. Otherwise the end of a page whose next page was not requested would
// remain there for a later search.
func (s *session) forget() {
	select {
	case <-s.ahead.pageEnds:
	default:
	}
}

type page struct {
	found *ldap.SearchResult
	err   error
}

func (p *page) hand(each func(*ldap.Entry) error) error {
	if p.err != nil {
		return p.err
	}
	for _, e := range p.found.Entries {
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// tooLarge reports whether a search that failed with err may succeed with smaller pages.
func tooLarge(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultSizeLimitExceeded,
		ldap.LDAPResultAdminLimitExceeded, ldap.LDAPResultUnwillingToPerform)
}
