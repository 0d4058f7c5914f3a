package activedirectory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// A controller does not distinguish an attribute without a value from one that the account may not read: in both cases
// there is no value, and (!(a=*)) matches (MS-ADTS 3.1.1.4.3; Samba's confidential_attr.py for Windows). Only the
// access control list of the object shows the difference.

// The constant "descriptor" is the attribute with the access control list. descriptorControl restricts the request to
// the list, which the account may read even without a right to the rest (MS-ADTS 3.1.1.3.4.1.11).
const descriptor = "nTSecurityDescriptor"

var descriptorControl = ldap.NewControlString("1.2.840.113556.1.4.801", true, "\x30\x03\x02\x01\x04")

// withValue are the attributes that have a value for every person. If such an attribute looks empty, the account has no
// right to read it.
var withValue = []string{"userAccountControl", "whenCreated", "sAMAccountName", "primaryGroupID"}

// The type "guard" has the facts of the schema that decide who may read an attribute.
type guard struct {
	guid, set    string // the raw schemaIDGUID of the attribute, and the raw attributeSecurityGUID of its property set; "set" is empty for an attribute without a property set
	confidential bool
	filtered     bool // whether a read-only controller lacks the attribute (MS-ADTS 3.1.1.2.3.5, fRODCFilteredAttribute)
}

// The constant "partialSecrets" is the capability that only a read-only controller has (MS-ADTS 3.1.1.3.4.3,
// LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID).
const partialSecrets = "1.2.840.113556.1.4.1920"

// The type "sight" describes what the account of idleseat may read over one connection.
type sight struct {
	partial bool             // whether the controller is read-only
	token   map[string]bool  // raw SIDs of the account and its groups; nil if the controller does not return the SIDs
	guards  map[string]guard // by attribute in lower case; an attribute without an entry is not in the schema
	lists   map[string]*dacl // parsed lists by raw descriptor; many people have the same descriptor
}

// The SIDs of Everyone and Authenticated Users apply even if the controller omits them in tokenGroups.
const rawEveryone, rawAuthenticated = "\x01\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00", "\x01\x01\x00\x00\x00\x00\x00\x05\x0b\x00\x00\x00"

// The method "look" finds out, once per connection, what the account may read.
func (s *session) look() (*sight, error) {
	if s.sight != nil {
		return s.sight, nil
	}
	const doing = "read who the account is"
	// tokenGroups has the SIDs of the bound account (MS-ADTS 3.1.1.3.2.27).
	root, err := s.search(doing, "", ldap.ScopeBaseObject, "(objectClass=*)", []string{"tokenGroups", "supportedCapabilities"})
	if err != nil {
		return nil, err
	}
	seen := &sight{lists: map[string]*dacl{}}
	for _, e := range root.Entries {
		seen.partial = slices.Contains(e.GetEqualFoldAttributeValues("supportedCapabilities"), partialSecrets)
		for _, sid := range e.GetEqualFoldRawAttributeValues("tokenGroups") {
			if seen.token == nil {
				seen.token = map[string]bool{rawEveryone: true, rawAuthenticated: true}
			}
			seen.token[string(sid)] = true
		}
	}
	if seen.guards, err = s.directory.schema(s); err != nil {
		return nil, err
	}
	s.sight = seen
	return seen, nil
}

// The method "schema" reads from the schema who may read each attribute that the package requests (type guard). It
// caches the result. So after an extension of the schema, the process must be restarted.
func (d *Directory) schema(s *session) (map[string]guard, error) {
	d.schemaMu.Lock()
	defer d.schemaMu.Unlock()
	if d.guards != nil {
		return d.guards, nil
	}
	const doing = "read the schema"
	schema, err := s.rootDSE("schemaNamingContext")
	if err != nil {
		return nil, err
	}
	filter := ""
	for _, a := range slices.Concat(personAttributes, []string{"lastLogon", "member", "memberOf"}) {
		filter += "(lDAPDisplayName=" + a + ")"
	}
	guards := map[string]guard{}
	err = s.pages(doing, schema, "(&(objectClass=attributeSchema)(|"+filter+"))",
		[]string{"lDAPDisplayName", "schemaIDGUID", "attributeSecurityGUID", "searchFlags"}, func(e *ldap.Entry) error {
			const confidential, filtered = 0x80, 0x200
			flags, _ := strconv.Atoi(e.GetEqualFoldAttributeValue("searchFlags")) // if the value is absent, no flag is set
			g := guard{
				guid: string(e.GetEqualFoldRawAttributeValue("schemaIDGUID")), set: string(e.GetEqualFoldRawAttributeValue("attributeSecurityGUID")),
				confidential: flags&confidential != 0, filtered: flags&filtered != 0,
			}
			if len(g.guid) != 16 {
				return s.fault(doing, fmt.Errorf("%w %q: it has no schemaIDGUID; may the account read the schema?", errEntry, clean(e.DN)))
			}
			guards[strings.ToLower(e.GetEqualFoldAttributeValue("lDAPDisplayName"))] = g
			return nil
		})
	if err != nil {
		return nil, err
	}
	if _, has := guards["objectsid"]; !has {
		return nil, s.fault(doing, fmt.Errorf("%s does not show its attributes; may the account read the schema?", schema))
	}
	d.guards = guards
	return guards, nil
}

// mayRead reports whether an attribute without a value is really empty, and not hidden from the account. That is so if
// the schema lacks the attribute, or if the account has the right to read it. The argument "raw" is the object's
// descriptor, which shows this right. For a filtered attribute on a read-only controller, the result is false, because
// such a controller does not have the value.
func (v *sight) mayRead(attribute string, raw []byte) bool {
	g, has := v.guards[strings.ToLower(attribute)]
	if !has {
		return true
	}
	if v.partial && g.filtered {
		return false
	}
	list, known := v.lists[string(raw)]
	if !known {
		list, _ = parseDACL(raw) // nil if the descriptor was not returned or is malformed
		const most = 10_000
		if len(v.lists) < most {
			v.lists[string(raw)] = list
		}
	}
	return v.token != nil && list != nil && list.mayRead(v.token, &g)
}

// The type "blanks" says which attributes of each person are proven to have no value.
type blanks struct {
	rests []string // the attributes that were checked, at most 64
	// The map "of" has a bit for each attribute in rests, by raw objectGUID. The bit is set if the attribute is proven
	// to have no value. The map has no pointers, because the garbage collector would follow millions of them.
	of map[[16]byte]uint64
}

func guidOf(e *ldap.Entry) (guid [16]byte, ok bool) {
	raw := e.GetEqualFoldRawAttributeValue("objectGUID")
	copy(guid[:], raw)
	return guid, len(raw) == len(guid)
}

// The method "blanks" looks for people who match a filter and have no value for an attribute in the list "rests". For
// each person, it finds out whether the attribute is proven to be empty, or may be hidden from idleseat.
func (s *session) blanks(doing, filter string, rests []string) (*blanks, error) {
	b := &blanks{of: map[[16]byte]uint64{}}
	if len(rests) == 0 {
		return b, nil
	}
	seen, err := s.look()
	if err != nil {
		return nil, err
	}
	lacking := ""
	for _, a := range rests {
		if _, has := seen.guards[strings.ToLower(a)]; has && !slices.Contains(withValue, a) && len(b.rests) < 64 {
			b.rests = append(b.rests, a)
			lacking += "(!(" + a + "=*))"
		}
	}
	if lacking == "" {
		return b, nil
	}
	err = s.people(doing, filter+"(|"+lacking+")", []string{"objectGUID", descriptor}, func(e *ldap.Entry) error {
		raw, mask := e.GetEqualFoldRawAttributeValue(descriptor), uint64(0)
		for i, a := range b.rests {
			if seen.mayRead(a, raw) {
				mask |= 1 << i
			}
		}
		if guid, ok := guidOf(e); ok {
			b.of[guid] = mask
		}
		return nil
	}, descriptorControl)
	return b, err
}

// The method "note" adds to u.Unreadable the attributes that have no value in the entry e and are not proven to be
// empty.
func (b *blanks) note(u *directory.ADUser, e *ldap.Entry) {
	u.Unreadable = append(u.Unreadable, valueless(e)...)
	var mask uint64
	if guid, ok := guidOf(e); ok {
		mask = b.of[guid]
	}
	for i, a := range b.rests {
		if mask&(1<<i) == 0 && len(e.GetEqualFoldRawAttributeValue(a)) == 0 {
			u.Unreadable = append(u.Unreadable, a)
		}
	}
}

func valueless(e *ldap.Entry) (names []string) {
	for _, a := range withValue {
		if len(e.GetEqualFoldRawAttributeValue(a)) == 0 {
			names = append(names, a)
		}
	}
	return names
}

// The method "note" adds to u.Unreadable the attributes that have no value in the entry e and that the account may not
// read. The entry must include the descriptor.
func (v *sight) note(u *directory.ADUser, e *ldap.Entry) {
	u.Unreadable = append(u.Unreadable, valueless(e)...)
	raw := e.GetEqualFoldRawAttributeValue(descriptor)
	for _, a := range directory.ADAttributes() {
		if !slices.Contains(withValue, a) && len(e.GetEqualFoldRawAttributeValue(a)) == 0 && !v.mayRead(a, raw) {
			u.Unreadable = append(u.Unreadable, a)
		}
	}
}
