package activedirectory

import (
	"github.com/go-ldap/ldap/v3"
)

// people hands on the people of all bases whom a filter finds.
func (s *session) people(doing, filter string, attributes []string, each func(*ldap.Entry) error, controls ...ldap.Control) error {
	for _, base := range s.bases {
		if err := s.pages(doing, base, "(&"+s.directory.people+filter+")", attributes, each, controls...); err != nil {
			return err
		}
	}
	return nil
}

// pages hands on what a search below a base finds. The next page is asked for
// as soon as the end of one is there, so that the controller makes it while this
// machine decodes and hands on the one before; two at most are held.
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
			if next != nil { // it is not wanted any more
				s.raw.Close()
				<-next
			}
			return err
		}
		answer, first = next, false
	}
	return nil
}

// await gives a page, and the one after it that is asked for by then.
func (s *session) await(answer <-chan page, ask func(cookie []byte) <-chan page) (p page, next <-chan page) {
	select {
	case cookie := <-s.ahead.pageEnds:
		next = ask(cookie)
		return <-answer, next
	case p = <-answer:
	}
	s.forget() // the end of the page may have been told at the same moment
	if p.err != nil {
		return p, nil
	}
	paging, ok := ldap.FindControl(p.found.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
	if !ok || len(paging.Cookie) == 0 {
		return p, nil
	}
	return p, ask(paging.Cookie)
}

// forget drops the end of a page that was told and not asked about.
func (s *session) forget() {
	select {
	case <-s.ahead.pageEnds:
	default:
	}
}

// page is what a search for one page came to.
type page struct {
	found *ldap.SearchResult
	err   error
}

// hand hands on what is on the page.
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

// tooLarge tells whether a server may give the same in smaller pages.
func tooLarge(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultSizeLimitExceeded,
		ldap.LDAPResultAdminLimitExceeded, ldap.LDAPResultUnwillingToPerform)
}
