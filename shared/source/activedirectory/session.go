package activedirectory

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

const (
	// pageSize is the MaxPageSize in a controller's default policy. A controller returns at most this number of results
	// to a search without pages.
	pageSize = 1000
	// leastPage is the smallest page size that a search tries.
	leastPage = 60
	// inChain is the matching rule that follows nested groups.
	inChain = "1.2.840.113556.1.4.1941"
	// isPerson matches people. It excludes computers, which have another objectCategory. It also excludes trust
	// accounts (SAM_TRUST_ACCOUNT), which the schema counts as persons.
	isPerson = "(objectCategory=person)(objectClass=user)(!(sAMAccountType=805306370))"
)

var (
	errNoAnswer = errors.New("no answer in time")
	errNoGroup  = fmt.Errorf("%w, or the account may not see it", directory.ErrNoGroup)
)

// The type "session" describes a bound connection to one controller. Only one call of Directory.do uses it at a time,
// so it may hold the context of the call.
type session struct {
	ctx        context.Context
	directory  *Directory
	controller controller
	raw        net.Conn // the connection below TLS
	ahead      *ahead   // the connection above TLS
	conn       *ldap.Conn
	bases      []string
	root       *ldap.Entry // the rootDSE; nil before it is first read
	host       string      // dnsHostName of the controller, the same for the whole connection; empty before the rootDSE is first read
	sight      *sight      // the rights of the account; nil until the method look finds them
	lost       atomic.Bool // set when the connection broke
	idle       *time.Timer // closes the connection when its idle time is over
	// The field "committed" is set before the session passes read data to the caller or writes to the directory. From
	// then on, the operation must not be tried at another controller.
	committed bool
}

// The function "within" runs the function "op" with a timeout. If the context or the timeout ends first, it calls
// hangUp, which must make op return. The error then says which of the two ended.
func within(ctx context.Context, timeout time.Duration, hangUp func(), op func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errNoAnswer)
	defer cancel()
	defer context.AfterFunc(ctx, hangUp)()
	err := op(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// The method "operation" runs one LDAP operation with the configured timeout. The LDAP library takes no context, so it
// aborts by closing the connection.
func (s *session) operation(doing string, op func() error) error {
	hangUp := func() { s.raw.Close() }
	err := within(s.ctx, s.directory.timeout, hangUp, func(context.Context) error { return op() })
	if err != nil {
		s.lost.Store(ldap.IsErrorWithCode(err, ldap.ErrorNetwork))
		return s.fault(doing, err)
	}
	return nil
}

// The method "search" requests at most one page of entries. It ignores referrals to other domains.
func (s *session) search(doing, base string, scope int, filter string, attributes []string, controls ...ldap.Control) (*ldap.SearchResult, error) {
	var found *ldap.SearchResult
	err := s.operation(doing, func() (err error) {
		found, err = s.conn.Search(ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, controls))
		if _, result := errors.AsType[*ldap.Error](err); err != nil && !result {
			return ldap.NewError(ldap.ErrorNetwork, err) // the library reports some broken connections without this code
		}
		return err
	})
	return found, err
}

func (s *session) rootDSE(attribute string) (string, error) {
	doing := "read its " + attribute
	if s.root == nil {
		root, err := s.search(doing, "", ldap.ScopeBaseObject, "(objectClass=*)", rootAttributes)
		if err != nil {
			return "", err
		}
		s.root = &ldap.Entry{}
		if len(root.Entries) == 1 {
			s.root = root.Entries[0]
			s.host = s.root.GetEqualFoldAttributeValue("dnsHostName")
		}
	}
	if value := s.root.GetEqualFoldAttributeValue(attribute); value != "" {
		return value, nil
	}
	return "", s.fault(doing, errors.New("it does not tell; is it a domain controller of Active Directory?"))
}

var rootAttributes = []string{"defaultNamingContext", "configurationNamingContext", "schemaNamingContext", "dnsHostName", "dsServiceName", "highestCommittedUSN", "currentTime"}

func (s *session) findBase() error {
	if len(s.bases) > 0 {
		return nil
	}
	base, err := s.rootDSE("defaultNamingContext")
	s.bases = []string{base}
	return err
}

func (s *session) netBIOSName() (string, error) {
	domain, err := s.rootDSE("defaultNamingContext")
	if err != nil {
		return "", err
	}
	configuration, err := s.rootDSE("configurationNamingContext")
	if err != nil {
		return "", err
	}
	const doing = "read the domain's NetBIOS name"
	partitions, err := s.search(doing, "CN=Partitions,"+configuration, ldap.ScopeSingleLevel,
		"(&(objectClass=crossRef)(nCName="+ldap.EscapeFilter(domain)+"))", []string{"nETBIOSName"})
	if err != nil {
		return "", err
	}
	if len(partitions.Entries) != 1 {
		return "", s.fault(doing, fmt.Errorf("%d partitions are %s", len(partitions.Entries), domain))
	}
	return partitions.Entries[0].GetEqualFoldAttributeValue("nETBIOSName"), nil
}

// The method "person" reads the person who matches a filter and lies below the bases. It fails with
// directory.ErrNoPerson for nobody, and with directory.ErrAmbiguousPerson for several people. It records which
// attributes the account of idleseat may not read. The entry e also has the attributes in "more".
func (s *session) person(who, filter string, more ...string) (u directory.ADUser, e *ldap.Entry, err error) {
	return s.personBelow(s.bases, who, s.directory.people+filter, more...)
}

// The method "anyone" reads the person with a SID anywhere in the domain. The bases and the filter of the configuration
// may leave out an account, but a group can have this account as a member all the same.
func (s *session) anyone(sid string, more ...string) (u directory.ADUser, e *ldap.Entry, err error) {
	base, err := s.home()
	if err != nil {
		return u, nil, err
	}
	return s.personBelow([]string{base}, sid, isPerson+sidFilter(sid), more...)
}

// The method "withSID" reads the person with a SID. If the bases or the filter leave the account out, it returns the
// account together with directory.ErrLeftOut.
func (s *session) withSID(sid string, more ...string) (u directory.ADUser, e *ldap.Entry, err error) {
	if u, e, err = s.person(sid, sidFilter(sid), more...); !errors.Is(err, directory.ErrNoPerson) {
		return u, e, err
	}
	if u, e, err = s.anyone(sid, more...); err == nil {
		err = s.fault(fmt.Sprintf("read person %q", sid), directory.ErrLeftOut)
	}
	return u, e, err
}

func (s *session) personBelow(bases []string, who, filter string, more ...string) (u directory.ADUser, e *ldap.Entry, err error) {
	doing := fmt.Sprintf("read person %q", who)
	seen, err := s.look()
	if err != nil {
		return u, nil, err
	}
	err = s.below(bases, doing, filter, append(append(more, descriptor), personAttributes...), func(found *ldap.Entry) error {
		if e != nil {
			return s.fault(doing, directory.ErrAmbiguousPerson)
		}
		e = found
		return nil
	}, descriptorControl)
	switch {
	case err != nil:
		return u, nil, err
	case e == nil:
		return u, nil, s.fault(doing, directory.ErrNoPerson)
	}
	if u, err = parsePerson(e, s.directory.now()); err != nil {
		return u, nil, s.fault(doing, err)
	}
	seen.note(&u, e)
	return u, e, nil
}

type group struct {
	dn     string // DN as the controller spells it
	guid   string // <GUID=…>, which stays valid after the group is renamed
	sid    string
	mayAdd bool // whether the account may change the attribute member
	shown  bool // whether the account may read the attribute member
	// The field "created" is whenCreated. It is zero if the account may not read whenCreated.
	created time.Time
}

func (s *session) group(dn string) (*group, error) {
	doing := fmt.Sprintf("read group %q", dn)
	if dn == "" {
		return nil, s.fault(doing, errNoGroup) // an empty DN is the DN of the rootDSE, which Samba treats as a group
	}
	seen, err := s.look()
	if err != nil {
		return nil, err
	}
	attributes := []string{"objectGUID", "objectSid", "allowedAttributesEffective", "whenCreated", descriptor}
	found, err := s.search(doing, dn, ldap.ScopeBaseObject, "(objectClass=group)", attributes, descriptorControl)
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultReferral):
		return nil, s.fault(doing, errNoGroup)
	case err != nil:
		return nil, err
	case len(found.Entries) != 1:
		return nil, s.fault(doing, errNoGroup)
	}
	e := found.Entries[0]
	g := &group{dn: e.DN, shown: seen.mayRead("member", e.GetEqualFoldRawAttributeValue(descriptor))}
	if g.guid, err = guidDN(e.GetEqualFoldRawAttributeValue("objectGUID")); err == nil {
		g.sid, err = SID(e.GetEqualFoldRawAttributeValue("objectSid"))
	}
	if err != nil {
		return nil, s.fault(doing, fmt.Errorf("%w %q: %w; may the account read its objectGUID and objectSid?", errEntry, clean(e.DN), err))
	}
	if created := e.GetEqualFoldAttributeValue("whenCreated"); created != "" {
		if g.created, err = time.Parse("20060102150405Z0700", created); err != nil {
			return nil, s.fault(doing, fmt.Errorf("%w %q: %w", errEntry, clean(e.DN), err))
		}
	}
	g.mayAdd = slices.ContainsFunc(e.GetEqualFoldAttributeValues("allowedAttributesEffective"),
		func(a string) bool { return strings.EqualFold(a, "member") })
	return g, nil
}

// guidDN returns the <GUID=…> form of a DN, which stays valid after a rename. The argument "raw" is the objectGUID
// (MS-ADTS 3.1.1.3.1.2.4).
func guidDN(raw []byte) (string, error) {
	if len(raw) != 16 {
		return "", fmt.Errorf("%d bytes are no GUID", len(raw))
	}
	return fmt.Sprintf("<GUID=%08x-%04x-%04x-%x-%x>", binary.LittleEndian.Uint32(raw), binary.LittleEndian.Uint16(raw[4:]),
		binary.LittleEndian.Uint16(raw[6:]), raw[8:10], raw[10:]), nil
}

// memberOf returns a filter for the members that a group itself lists. Unless direct is set, the filter also matches
// the members of nested groups at any depth.
func memberOf(groupDN string, direct bool) string {
	if direct {
		return "(memberOf=" + ldap.EscapeFilter(groupDN) + ")"
	}
	return "(memberOf:" + inChain + ":=" + ldap.EscapeFilter(groupDN) + ")"
}
