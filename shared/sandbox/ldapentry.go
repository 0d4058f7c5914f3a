package sandbox

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

type entry struct {
	dn     string
	parent string   // lower case
	config bool     // whether the object is in the configuration naming context
	person int      // number of the person; -1 if the object is not a person
	group  int      // index of the group; -1 if the object is not a group
	gone   bool     // whether searches skip the object
	hidden []string // attributes that idleseat's account may not read, in lower case
	attrs  []attribute
	parsed *ldap.DN // dn in parsed form; nil for people
}

// The type "attribute" is an attribute of an object. The name is spelled as in the schema. Binary values are raw
// bytes.
type attribute struct {
	name   string
	values []string
}

// The method "get" returns the values of an attribute that idleseat's account may read. The name is case-insensitive.
func (e *entry) get(name string) []string {
	if e.hides(name) {
		return nil
	}
	for _, a := range e.attrs {
		if strings.EqualFold(a.name, name) {
			return a.values
		}
	}
	return nil
}

// The method "set" adds an attribute. It does nothing if all values are empty.
func (e *entry) set(name string, values ...string) {
	for _, v := range values {
		if v != "" {
			e.attrs = append(e.attrs, attribute{name, values})
			return
		}
	}
}

const (
	configDN   = "CN=Configuration," + BaseDN
	schemaDN   = "CN=Schema," + configDN
	sitesDN    = "CN=Servers,CN=Default-First-Site-Name,CN=Sites," + configDN
	peopleBase = "OU=People," + BaseDN
)

// masterNCs are the naming contexts of which the controller has a writable copy.
var masterNCs = []string{BaseDN, configDN, schemaDN}

func category(class string) string { return "CN=" + class + "," + schemaDN }

func plain(dn, parent string, classes []string, attrs ...attribute) *entry {
	e := &entry{dn: dn, parent: strings.ToLower(parent), person: -1, group: -1}
	e.parsed, _ = ldap.ParseDN(dn) // the sandbox makes only valid DNs
	e.config = strings.HasSuffix(e.dn, configDN)
	e.set("objectClass", classes...)
	e.set("distinguishedName", dn)
	name := strings.SplitN(strings.SplitN(dn, ",", 2)[0], "=", 2)[1]
	e.set("name", name)
	e.attrs = append(e.attrs, attrs...)
	return e
}

// The variable "fixed" has the objects that are not people, parents before children. It omits the account that idleseat
// uses to bind, because idleseat may not read the container of this account.
var fixed = fixedEntries()

func fixedEntries() []*entry {
	ou := []string{"top", "organizationalUnit"}
	list := []*entry{
		plain(BaseDN, "DC=example,DC=test", []string{"top", "domain", "domainDNS"}, attribute{"objectSid", []string{"\x01\x04" + sidBytes(0)[2:24]}}),
		plain("OU=Domain Controllers,"+BaseDN, BaseDN, ou),
		plain("CN=DC1,OU=Domain Controllers,"+BaseDN, "OU=Domain Controllers,"+BaseDN,
			[]string{"top", "person", "organizationalPerson", "user", "computer"},
			attribute{"objectCategory", []string{category("Computer")}}, attribute{"sAMAccountName", []string{"DC1$"}},
			attribute{"dNSHostName", []string{controllerHost}}, attribute{"userAccountControl", []string{"532480"}},
			attribute{"primaryGroupID", []string{"516"}}, attribute{"objectSid", []string{sidBytes(1000)}}),
		plain(configDN, BaseDN, []string{"top", "configuration"}),
		plain("CN=Partitions,"+configDN, configDN, []string{"top", "crossRefContainer"}),
		plain("CN=CORP,CN=Partitions,"+configDN, "CN=Partitions,"+configDN, []string{"top", "crossRef"},
			attribute{"nCName", []string{BaseDN}}, attribute{"dnsRoot", []string{dnsDomain}}, attribute{"nETBIOSName", []string{"CORP"}}),
		plain("CN=Sites,"+configDN, configDN, []string{"top", "sitesContainer"}),
		plain("CN=Default-First-Site-Name,CN=Sites,"+configDN, "CN=Sites,"+configDN, []string{"top", "site"}),
		plain(sitesDN, "CN=Default-First-Site-Name,CN=Sites,"+configDN, []string{"top", "serversContainer"}),
		plain("CN=Users,"+BaseDN, BaseDN, []string{"top", "container"}),
		domainUsers(),
		plain("OU=Licenses,"+BaseDN, BaseDN, ou),
		plain("OU=Service Accounts,"+BaseDN, BaseDN, ou),
		plain(peopleBase, BaseDN, ou),
	}
	for _, d := range append([]string{research}, departments...) {
		list = append(list, plain("OU="+d+","+peopleBase, peopleBase, ou))
	}
	list = append(append(list, schemaEntries()...), controllerEntries("DC1", controllerHost)...)
	for n := range groups {
		if groups[n].dn != "" {
			list = append(list, groupEntry(groups, n))
		}
	}
	return list
}

// domainUsers returns the primary group of people who have no other primary group. It lists no members, because Active
// Directory does not list people in their primary group.
func domainUsers() *entry {
	return plain("CN=Domain Users,CN=Users,"+BaseDN, "CN=Users,"+BaseDN, []string{"top", "group"}, attribute{"cn", []string{"Domain Users"}},
		attribute{"sAMAccountName", []string{"Domain Users"}}, attribute{"objectCategory", []string{category("Group")}},
		attribute{"objectGUID", []string{guid{0: 0x61, 13: 1}.raw()}}, attribute{"objectSid", []string{sidBytes(513)}},
		attribute{"groupType", []string{"-2147483646"}}, attribute{"whenCreated", []string{"20200101080000.0Z"}})
}

func controllerEntries(name, host string) []*entry {
	server := "CN=" + name + "," + sitesDN
	return []*entry{
		plain(server, sitesDN, []string{"top", "server"}, attribute{"dNSHostName", []string{host}},
			attribute{"objectCategory", []string{category("Server")}},
			attribute{"serverReference", []string{"CN=" + name + ",OU=Domain Controllers," + BaseDN}}),
		plain("CN=NTDS Settings,"+server, server, []string{"top", "applicationSettings", "nTDSDSA"},
			attribute{"objectCategory", []string{category("NTDS-DSA")}}, attribute{"hasMasterNCs", masterNCs},
			attribute{"msDS-hasMasterNCs", masterNCs}),
	}
}

func groupEntry(all []group, n int) *entry {
	g := &all[n]
	name, parent, _ := strings.Cut(g.dn, ",")
	e := plain(g.dn, parent, []string{"top", "group"})
	e.group, e.gone = n, g.gone
	e.set("cn", strings.SplitN(name, "=", 2)[1])
	e.set("description", g.description)
	e.set("sAMAccountName", groups[n].name)
	e.set("objectGUID", guid{0: 0x61, 14: byte(g.again), 15: byte(n)}.raw())
	e.set(constructed, "member")
	e.set("objectCategory", category("Group"))
	e.set("objectSid", sidBytes(g.rid))
	e.set("groupType", "-2147483646") // global security group
	e.set("whenCreated", "20210301080000.0Z")
	var outer []string
	for _, o := range all {
		if o.inAD() && slices.Contains(o.nested, n) {
			outer = append(outer, o.dn)
		}
	}
	e.set("memberOf", outer...)
	return e
}

// rootDSE returns the object that describes the domain controller. A client can read it before a bind.
func (c *Company) rootDSE() *entry {
	e := &entry{person: -1, group: -1}
	name, host := c.dc()
	e.set("defaultNamingContext", BaseDN)
	e.set("rootDomainNamingContext", BaseDN)
	e.set("configurationNamingContext", configDN)
	e.set("schemaNamingContext", schemaDN)
	e.set("namingContexts", BaseDN, configDN, schemaDN)
	e.set("dnsHostName", host)
	e.set("serverName", "CN="+name+","+sitesDN)
	e.set("dsServiceName", "CN=NTDS Settings,CN="+name+","+sitesDN)
	e.set("supportedLDAPVersion", "3", "2")
	e.set("supportedControl", pagingControl, permissiveModify, showDeleted)
	e.set("supportedCapabilities", "1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670")
	e.set("currentTime", generalizedTime(c.now().Add(c.adAhead)))
	e.set("tokenGroups", sidBytes(bindRID), sidBytes(513), authenticatedUsers)
	e.set("highestCommittedUSN", strconv.Itoa(c.highestUSN()))
	e.set("domainFunctionality", "7")
	return e
}

// keptPeople is the size of the largest company for which the objects of people are cached between requests. A larger
// company does not cache them, to save memory.
const keptPeople = 10_000

// personEntry returns the Active Directory object of a person. The caller must not change it, because it may be cached
// until changeOf clears the cache.
func (c *Company) personEntry(i int, t profile) *entry {
	if i >= len(c.entries) {
		return c.makeEntry(i, t)
	}
	e := c.entries[i].Load()
	if e == nil {
		e = c.makeEntry(i, t)
		c.entries[i].Store(e)
	}
	return e
}

func (c *Company) forgetEntry(i int) {
	if i < len(c.entries) {
		c.entries[i].Store(nil)
	}
}

func (c *Company) forgetEntries() {
	for i := range c.entries {
		c.entries[i].Store(nil)
	}
}

func (c *Company) makeEntry(i int, t profile) *entry {
	u := c.adUser(i, t)
	e := &entry{dn: u.DN, parent: strings.ToLower(u.parent), person: i, group: -1, attrs: make([]attribute, 0, 40)}
	e.set("objectClass", "top", "person", "organizationalPerson", "user")
	e.set("cn", u.cn)
	e.set("sn", u.surname)
	e.set("title", u.Title)
	e.set("physicalDeliveryOfficeName", u.Office)
	e.set("givenName", u.given)
	e.set("distinguishedName", u.DN)
	e.set("whenCreated", generalizedTime(u.Created))
	e.set("displayName", u.DisplayName)
	e.set("co", u.Country)
	e.set("department", u.Department)
	e.set("company", u.Company)
	e.set("employeeType", u.EmployeeType)
	e.set("employeeID", u.EmployeeID)
	e.set("name", u.cn)
	e.set("uSNChanged", strconv.Itoa(c.usnOf(i)))
	e.set("objectGUID", c.objectGUID(i).raw())
	e.set("userAccountControl", accountControl(u.Enabled))
	e.set("lastLogon", fileTime(u.lastLogon))
	e.set("primaryGroupID", strconv.Itoa(c.primaryOf(i)))
	e.set("objectSid", sidBytes(c.rid(i)))
	e.set("accountExpires", "9223372036854775807")
	e.set("pwdLastSet", fileTime(u.PasswordSet))
	e.set("sAMAccountName", u.SAMAccount)
	e.set("sAMAccountType", "805306368")
	e.set("userPrincipalName", u.UserPrincipalName)
	e.set("objectCategory", category("Person"))
	e.set("mail", u.Mail)
	if u.RecipientType != "" {
		e.set("msExchRecipientTypeDetails", u.RecipientType)
	}
	if !u.LastLogonTimestamp.IsZero() {
		e.set("lastLogonTimestamp", fileTime(u.LastLogonTimestamp))
	}
	if raw, _ := base64.StdEncoding.DecodeString(u.ConsistencyGUID); len(raw) > 0 {
		e.set("mS-DS-ConsistencyGuid", string(raw))
	}
	for n, v := range u.Extension {
		e.set("extensionAttribute"+strconv.Itoa(n+1), v)
	}
	e.set("memberOf", c.adGroupsOf(i, t)...)
	if ch := c.changes[i]; ch != nil {
		e.hidden = ch.hidden
	}
	return e
}

func (c *Company) adGroupsOf(i int, t profile) (dns []string) {
	for n := range groups {
		if g := c.group(n); g.inAD() && c.isMember(n, i, t) {
			dns = append(dns, g.dn)
		}
	}
	return dns
}

func accountControl(enabled directory.Flag) string {
	if enabled == directory.Yes {
		return "512"
	}
	return "514"
}

// fileTime returns an instant as a FILETIME: the number of 100 ns intervals since 1601. The zero time becomes 0.
func fileTime(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.Unix()*1e7+116444736000000000, 10)
}

func generalizedTime(t time.Time) string { return t.UTC().Format("20060102150405.0Z") }
