package weather

import (
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// Result codes of LDAP (RFC 4511, appendix A.2).
const (
	timeLimitExceeded  = 3
	sizeLimitExceeded  = 4
	referral           = 10
	adminLimitExceeded = 11
	busy               = 51
	unavailable        = 52
)

// Over injects the faults of the weather into a company's Graph and Active Directory.
func (w *Weather) Over(s *sandbox.Sandbox) {
	w.company.Store(s.Company)
	s.Intercept(w.Graph)
	s.Meddle(w.LDAP)
}

// LDAP injects the faults of the weather into one exchange with Active Directory. The caller passes it to
// sandbox.Sandbox.Meddle.
func (w *Weather) LDAP(x *sandbox.Exchange) {
	f := w.Process.next(x.Method == "MODIFY")
	if f.fails {
		x.Drop()
		return
	}
	x.Lost = f.lost
	if f.late > 0 {
		x.Wait = func() { w.sleep(f.late) }
	}
	n := w.tonight(ldapKinds)
	if n == nil {
		x.Serve()
		return
	}
	o := n.operation(x.Method + " " + x.Target)
	kinds := ldapBefore
	switch {
	case x.Method == "SEARCH" && !x.Single:
		kinds = ldapSearches
	case x.Method == "SEARCH":
		kinds = ldapSingles
	}
	if x.Method == "SEARCH" {
		w.people(x, n, o)
	}
	k, d := w.meets(n, o, kinds)
	if code, message := result(k); code != 0 {
		x.Refuse(code, message)
		return
	}
	switch k {
	case LDAPDropped:
		x.Drop()
		return
	case LDAPSlow:
		w.sleep(time.Duration(1+d.below(60)) * time.Second)
	case LDAPAnswerLost:
		x.Lost = true
	case LDAPSizeLimit:
		x.Result, x.Message = sizeLimitExceeded, "size limit exceeded"
		x.Page = func(found int) []int { return inOrder(d.below(found + 1)) }
	case LDAPEntryTwice:
		x.Page = func(found int) []int { return twice(inOrder(found), d) }
	case LDAPShuffled:
		x.Page = func(found int) []int { return shuffled(inOrder(found), d) }
	}
	x.Serve()
}

// The function "result" returns the result code and the message of a fault that makes the controller refuse an
// operation. For all other faults, the code is 0. Most messages have the form of Windows.
func result(k Kind) (code int, message string) {
	switch k {
	case LDAPBusy:
		return busy, "000020F6: SvcErr: DSID-02080490, problem 5001 (BUSY), data 0"
	case LDAPUnavailable:
		return unavailable, "0000200E: SvcErr: DSID-02080490, problem 5002 (UNAVAILABLE), data 0"
	case LDAPTimeLimit:
		return timeLimitExceeded, "time limit exceeded"
	case LDAPAdminLimit:
		return adminLimitExceeded, "00002024: SvcErr: DSID-02050A5D, problem 5008 (ADMIN_LIMIT_EXCEEDED), data 0"
	case LDAPReferral:
		return referral, "0000202B: RefErr: DSID-0310082F, data 0, 1 access points"
	}
	return 0, ""
}

func (w *Weather) people(x *sandbox.Exchange, n *night, o operation) {
	if w.tonight(ldapPeople) == nil {
		return
	}
	x.Person = func(dn string) (hidden []string, behind time.Duration) {
		whom := strings.ToLower(dn)
		_, all := w.befalls(n, LDAPAllDatesHidden, "everybody", 1)
		_, one := w.befalls(n, LDAPDatesHidden, whom, 0.1)
		if all || one {
			hidden = []string{"lastLogonTimestamp", "lastLogon"}
		}
		// Most companies have one controller, but this fault makes it answer like several controllers. Three of four
		// answers have old dates, as from a controller that lags. The fourth has the present dates.
		if d, hit := w.befalls(n, LDAPDatesOlder, whom, 0.15); hit && dice(uint64(d)^uint64(o.nth)).below(4) > 0 {
			behind = time.Duration(pick(d, 1, 14, 30, 90)) * 24 * time.Hour
		}
		return hidden, behind
	}
}

// The method "clocks" sets the controller's clock at the start of a night: to a wrong time with LDAPClock, and
// otherwise to the right time.
func (w *Weather) clocks(n *night) {
	c := w.company.Load()
	if c == nil {
		return
	}
	var ahead time.Duration
	if n != nil {
		if d, hit := w.befalls(n, LDAPClock, "currentTime", 1); hit {
			ahead = skew(d)
		}
	}
	if w.ahead.Swap(int64(ahead)) != int64(ahead) {
		c.SetADClock(ahead)
	}
}

func inOrder(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
