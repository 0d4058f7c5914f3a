package activedirectory

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

type fault struct {
	controller string // URL
	doing      string
	why        string
	err        error
	elsewhere  bool // another controller may answer without this error
}

func (f *fault) Error() string { return f.controller + ": " + f.doing + ": " + f.why }

func (f *fault) Unwrap() error { return f.err }

// The type "faults" has the errors of several controllers. Its text is one line.
type faults []error

func (f faults) Error() string {
	lines := make([]string, len(f))
	for i, err := range f {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "; ")
}

func (f faults) Unwrap() []error { return f }

func (s *session) fault(doing string, err error) error {
	f := &fault{controller: s.controller.url, doing: doing, err: err}
	if cause := context.Cause(s.ctx); cause != nil {
		f.why, f.err = cause.Error(), cause
		return f
	}
	f.why, f.elsewhere = s.explain(err)
	return f
}

// The method "explain" returns the cause of an error and the remedy, in words. The result "elsewhere" reports whether
// another controller may answer without the error.
func (s *session) explain(err error) (why string, elsewhere bool) {
	name, isName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	result, isResult := errors.AsType[*ldap.Error](err)
	switch {
	case errors.Is(err, errHidden), errors.Is(err, directory.ErrNoPerson), errors.Is(err, directory.ErrAmbiguousPerson), errors.Is(err, directory.ErrNoGroup), errors.Is(err, errEntry):
		return err.Error(), false
	case errors.Is(err, errNoAnswer):
		return fmt.Sprintf("no answer within %v; is it overloaded, or a firewall in between? (IDLESEAT_AD_TIMEOUT)", s.directory.timeout), true
	case isName:
		return fmt.Sprintf("its certificate is for %s, not for %s; put a name of the certificate into IDLESEAT_AD_URLS", names(name.Certificate), name.Host), true
	case isInvalid && invalid.Reason == x509.Expired:
		return fmt.Sprintf("its certificate for %s is good from %s to %s only, and now it is %s; renew it on the controller, or set this machine's clock",
			names(invalid.Cert), invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339), time.Now().UTC().Format(time.RFC3339)), true
	case isUnknown:
		return fmt.Sprintf("its certificate is not signed by %s; put the domain's own CA into IDLESEAT_AD_CA", s.trusted()), true
	case isResult && result.ResultCode < ldap.ErrorNetwork:
		return explainResult(result), mayPass[result.ResultCode]
	case isResult:
		return "the connection broke: " + clean(result.Err.Error()), true
	default:
		return clean(err.Error()), true
	}
}

func names(c *x509.Certificate) string {
	all := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "no name at all (it has no subjectAltName)"
	}
	return strings.Join(all, ", ")
}

func (s *session) trusted() string {
	if s.directory.caFile == "" {
		return "a CA this machine trusts"
	}
	return "the CA in " + s.directory.caFile
}

// mayPass has the result codes that show only that one controller is busy or unavailable. Another controller may
// answer.
var mayPass = map[uint16]bool{
	ldap.LDAPResultBusy:        true,
	ldap.LDAPResultUnavailable: true,
}

var advice = map[uint16]string{
	ldap.LDAPResultNoSuchObject:             "check IDLESEAT_AD_BASE and the distinguished name",
	ldap.LDAPResultReferral:                 "it belongs to another domain; check IDLESEAT_AD_BASE",
	ldap.LDAPResultSizeLimitExceeded:        "the answer is not complete and was not used",
	ldap.LDAPResultInvalidCredentials:       "check IDLESEAT_AD_BIND and the file in IDLESEAT_AD_PASSWORD_FILE",
	ldap.LDAPResultInsufficientAccessRights: "give the account the right to do this",
}

func explainResult(e *ldap.Error) string {
	text := fmt.Sprintf("%s (%d)", ldap.LDAPResultCodeMap[e.ResultCode], e.ResultCode)
	if e.ResultCode == ldap.LDAPResultInvalidCredentials {
		if reason := bindReason(e.Err.Error()); reason != "" {
			text += ": " + reason
		}
	}
	if said := clean(e.Err.Error()); said != "" {
		text += ": " + said
	}
	if do := advice[e.ResultCode]; do != "" {
		text += "; " + do
	}
	return text
}

var bindData = regexp.MustCompile(`\bdata ([0-9a-f]+)\b`)

func bindReason(diagnostic string) string {
	found := bindData.FindStringSubmatch(diagnostic)
	if found == nil {
		return ""
	}
	return map[string]string{
		"525": "there is no such account",
		"52e": "wrong password or account",
		"530": "the account may not log on at this time",
		"532": "the password has expired",
		"533": "the account is disabled",
		"701": "the account has expired",
		"773": "the password must be changed first",
		"775": "the account is locked",
	}[found[1]]
}

// The function "clean" makes a controller's message fit on one line of a log. Messages of Windows end with NUL.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	return strings.Join(strings.Fields(text), " ")
}
