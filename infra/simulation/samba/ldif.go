package samba

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// DN returns the DN of an entry with the name "cn" below another entry. It also escapes "=" in the name: Samba requires
// this, although RFC 4514 does not.
func DN(cn, below string) string {
	return "CN=" + strings.ReplaceAll(ldap.EscapeDN(cn), "=", `\3D`) + "," + below
}

// perFile is the maximum number of records in one file, which is one transaction. In a longer transaction, each record
// takes more time.
const perFile = 2500

// The method "seed" loads people and groups into the database before the controller starts. It writes as SYSTEM,
// because only SYSTEM may write the dates that Active Directory sets by itself.
func (c *controller) seed(ctx context.Context, o Options) error {
	records := []string{
		record(PeopleOU, "objectClass", "organizationalUnit"),
		record(GroupsOU, "objectClass", "organizationalUnit"),
	}
	for _, p := range o.People {
		records = append(records, p.record())
		if !p.Created.IsZero() {
			// Samba sets whenCreated itself when it adds the entry. A second record then replaces this date.
			records = append(records, replacement(p.DN, "whenCreated", p.Created.UTC().Format("20060102150405.0Z")))
		}
	}
	for _, g := range o.Groups {
		records = append(records, g.record())
	}
	return c.load(ctx, append(records, o.LDIF...))
}

// The method "load" loads LDIF records, a limited number at a time. Samba's tool stops at a malformed record but
// reports success, so the method compares the number of loaded records.
func (c *controller) load(ctx context.Context, records []string) error {
	file := filepath.Join(c.dir, "seed.ldif")
	for some := range slices.Chunk(records, perFile) {
		if err := os.WriteFile(file, []byte(strings.Join(some, "\n")), 0o600); err != nil {
			return err
		}
		out, err := run(ctx, "ldbmodify", "-o", "batch_mode:1", "--nosync", "-H", filepath.Join(c.dir, "private", "sam.ldb"),
			"--configfile="+c.conf(), file)
		if err != nil {
			return err
		}
		if !strings.Contains(out, fmt.Sprintf("Modified %d records", len(some))) {
			return fmt.Errorf("one of %d records cannot be read: %s", len(some), out)
		}
	}
	return nil
}

func (p *Person) record() string {
	control := "512" // NORMAL_ACCOUNT
	if p.Enabled == directory.No {
		control = "514" // with ACCOUNTDISABLE
	}
	attributes := []string{
		"objectClass", "user", "userAccountControl", control,
		"sAMAccountName", p.SAMAccount, "userPrincipalName", p.UserPrincipalName,
		"displayName", p.DisplayName, "mail", p.Mail, "department", p.Department,
		"employeeType", p.EmployeeType, "employeeID", p.EmployeeID, "title", p.Title,
		"company", p.Company, "physicalDeliveryOfficeName", p.Office, "co", p.Country,
		"lastLogonTimestamp", filetime(p.LastLogonTimestamp), "lastLogon", filetime(p.lastLogon(0)),
	}
	text := record(p.DN, attributes...)
	if p.Password != "" {
		text += "clearTextPassword:: " + base64.StdEncoding.EncodeToString(utf16LE(p.Password)) + "\n"
	}
	if p.ConsistencyGUID != "" {
		text += "mS-DS-ConsistencyGuid:: " + p.ConsistencyGUID + "\n"
	}
	return text
}

func utf16LE(text string) (b []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

func (p *Person) lastLogon(controller int) time.Time {
	if controller < len(p.LastLogon) {
		return p.LastLogon[controller]
	}
	return time.Time{}
}

func (g *Group) record() string {
	attributes := []string{"objectClass", "group"}
	for _, m := range g.Members {
		attributes = append(attributes, "member", m)
	}
	return record(g.DN, attributes...)
}

// lastLogons returns records for a copy of the first controller: they replace each last logon that is different at
// controller i.
func lastLogons(people []Person, i int) []string {
	var records []string
	for _, p := range people {
		if last := p.lastLogon(i); last != p.lastLogon(0) {
			// The attribute cannot be removed. The value 0 means no date.
			records = append(records, replacement(p.DN, "lastLogon", cmp.Or(filetime(last), "0")))
		}
	}
	return records
}

// The function "record" returns an LDIF record. The parameter "attributes" has pairs of an attribute and its value.
// Pairs with an empty value are left out.
func record(dn string, attributes ...string) string {
	var b strings.Builder
	line(&b, "dn", dn)
	for pair := range slices.Chunk(attributes, 2) {
		if pair[1] != "" {
			line(&b, pair[0], pair[1])
		}
	}
	return b.String()
}

func replacement(dn, attribute, value string) string {
	return record(dn, "changetype", "modify", "replace", attribute, attribute, value)
}

// The function "line" writes one line of LDIF. A value of only letters, digits and dots is written as it is. Any other
// value is written in base64, which needs no escapes.
func line(b *strings.Builder, name, value string) {
	plain := !strings.ContainsFunc(value, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '.'
	})
	if plain {
		fmt.Fprintf(b, "%s: %s\n", name, value)
		return
	}
	fmt.Fprintf(b, "%s:: %s\n", name, base64.StdEncoding.EncodeToString([]byte(value)))
}

// The function "filetime" returns a date as a FILETIME: the number of 100 ns intervals since 1601. It returns "" for
// the zero time.
func filetime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	const unixEpoch = 11644473600 // seconds from 1601 to 1970
	return strconv.FormatInt((t.Unix()+unixEpoch)*1e7+int64(t.Nanosecond()/100), 10)
}
