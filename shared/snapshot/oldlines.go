package snapshot

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/idleseat/idleseat/shared/directory"
)

// This file reads parts that older versions wrote as lines, and not as Parquet. CHANGELOG promises to read them for
// one release. After that release, delete this file with its callers, layout.IsLinePart, Part.Size and testdata/parts.
//
// A part in lines is a gzip file of JSON lines. The first line names the columns. Each account is an array in the
// order of the columns. Each membership is an object:
//
// {"columns":["id","upn",…]}
// ["6ea91a8d-…","adele@contoso.com",…]
// {"member":"S-1-5-21-…","group":"ad:cn=citrix,…"}

// readLines reads a part that an older version wrote as compressed lines, and appends the accounts and memberships to
// h. The results are the numbers of accounts and of memberships. It fails if the decompressed part does not have
// exactly "size" bytes.
func (h *partAccounts) readLines(raw []byte, size int, source directory.Source) (people, members int, err error) {
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return 0, 0, err
	}
	defer zip.Close()
	text, err := io.ReadAll(io.LimitReader(zip, int64(size)+1))
	if err != nil || len(text) != size {
		return 0, 0, fmt.Errorf("%d bytes of lines, the manifest says %d: %w", len(text), size, err)
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	var header struct {
		Columns []string `json:"columns"`
	}
	if err := json.Unmarshal(first, &header); err != nil || len(header.Columns) == 0 {
		return 0, 0, fmt.Errorf("the part does not begin with its columns: %.40q", first)
	}
	for line := range bytes.Lines(rest) {
		if line[0] != '[' {
			var m struct{ Member, Group string }
			if err := json.Unmarshal(line, &m); err != nil || m.Group == "" {
				return 0, 0, fmt.Errorf("a line is neither a person nor a membership: %.40q", line)
			}
			h.addMember(m.Member, m.Group)
			members++
			continue
		}
		people++
		if source == directory.AD {
			h.AD = append(h.AD, directory.ADUser{})
			err = decodeLine(line, header.Columns, oldADColumns, &h.AD[len(h.AD)-1])
		} else {
			h.Entra = append(h.Entra, directory.EntraUser{})
			err = decodeLine(line, header.Columns, oldEntraColumns, &h.Entra[len(h.Entra)-1])
		}
		if err != nil {
			return 0, 0, err
		}
	}
	h.lack(header.Columns, source)
	return people, members, nil
}

// The method "lack" records which columns of this version a part in lines lacks. The argument "columns" has the columns
// of the part.
func (h *partAccounts) lack(columns []string, source directory.Source) {
	has := map[string]bool{}
	for _, name := range columns {
		has[name] = true
	}
	for _, c := range accountColumns(source) {
		_, name, _ := strings.Cut(c.name, "_")
		old := cmp.Or(oldNames[source][name], name)
		if strings.HasPrefix(name, "extension_attribute") {
			old = "ext"
		}
		if !has[old] {
			h.lacking[c.name] = true
		}
	}
}

// oldNames maps the name of a column in a table to the name that the same column has in parts in lines, if the names
// are different.
var oldNames = [2]map[string]string{
	directory.Entra: {
		"user_principal_name": "upn", "display_name": "name", "user_type": "userType", "employee_type": "employeeType", "employee_id": "employeeId",
		"job_title": "jobTitle", "company_name": "companyName", "office_location": "officeLocation", "usage_location": "usageLocation",
		"account_enabled": "enabled", "odata_type": "type", "identity_parent_id": "parent", "last_interactive_sign_in": "lastInteractive",
		"last_non_interactive_sign_in": "lastNonInteractive", "last_successful_sign_in": "lastSuccessful", "dates_in_doubt": "datesInDoubt",
		"on_premises_sync_enabled": "synced", "immutable_id": "immutableId", "sam_account_name": "sam", "licenses_changed": "licensed",
	},
	directory.AD: {
		"object_guid": "guid", "consistency_guid": "anchor", "distinguished_name": "dn", "sam_account_name": "sam", "user_principal_name": "upn",
		"display_name": "name", "employee_type": "employeeType", "employee_id": "employeeId", "physical_delivery_office_name": "office", "co": "country",
		"ms_exch_recipient_type_details": "recipient", "account_enabled": "enabled", "last_logon_timestamp": "lastLogonTimestamp", "dates_in_doubt": "datesInDoubt",
	},
}

var (
	oldEntraColumns = oldColumns(directory.EntraProperties, oldNames[directory.Entra], map[string]func(*directory.EntraUser) any{
		"ext": func(u *directory.EntraUser) any { return &u.Extension }, "licenses": func(u *directory.EntraUser) any { return &u.Assignments },
		"licensed": func(u *directory.EntraUser) any { return updates(u.Assignments) },
	})
	oldADColumns = oldColumns(directory.ADProperties, oldNames[directory.AD], map[string]func(*directory.ADUser) any{
		"ext": func(u *directory.ADUser) any { return &u.Extension }, "unreadable": func(u *directory.ADUser) any { return &u.Unreadable },
	})
)

// oldColumns maps the name of a column in lines to a function that returns a pointer to the field of an account.
func oldColumns[A any](properties []directory.Property[A], names map[string]string, lists map[string]func(*A) any) map[string]func(*A) any {
	for i := range properties {
		if p := &properties[i]; !strings.HasPrefix(p.Name, "extensionAttribute") {
			lists[cmp.Or(names[p.Column], p.Column)] = p.At
		}
	}
	return lists
}

func decodeLine[A any](line []byte, names []string, columns map[string]func(*A) any, account *A) error {
	var values []json.RawMessage
	if err := json.Unmarshal(line, &values); err != nil || len(values) != len(names) {
		return fmt.Errorf("a record has %d values for %d columns: %w", len(values), len(names), err)
	}
	for i, name := range names {
		at, known := columns[name]
		if !known {
			return fmt.Errorf("column %q is not known to this version", name)
		}
		if err := decodeValue(values[i], at(account)); err != nil {
			return fmt.Errorf("column %s of a record is damaged: %w", name, err)
		}
	}
	return nil
}

func decodeValue(raw []byte, at any) error {
	if string(raw) == "null" {
		return errors.New("it is null, which no version wrote")
	}
	switch at := at.(type) {
	case *time.Time:
		return decodeDate(raw, at)
	case *directory.Flag:
		var text string
		err := json.Unmarshal(raw, &text)
		var ok bool
		if *at, ok = directory.ParseFlag(text); err != nil || !ok {
			return fmt.Errorf("it is neither yes nor no: %.40q", raw)
		}
		return nil
	case *directory.ExtensionAttributes:
		var all []string
		err := json.Unmarshal(raw, &all)
		if err == nil && copy(at[:], all) < len(all) {
			err = fmt.Errorf("%d extension attributes", len(all))
		}
		return err
	case *[]directory.Assignment:
		return decodeAssignments(raw, at)
	case []*time.Time:
		var all []json.RawMessage
		if err := json.Unmarshal(raw, &all); err != nil || len(all) != len(at) {
			return fmt.Errorf("%d dates of %d paths: %w", len(all), len(at), err)
		}
		for i := range all {
			if err := decodeDate(all[i], at[i]); err != nil {
				return err
			}
		}
		return nil
	default: // *string, *bool, *[]string
		return json.Unmarshal(raw, at)
	}
}

func decodeDate(raw []byte, at *time.Time) error {
	if string(raw) == `""` {
		return nil
	}
	return json.Unmarshal(raw, at)
}

// decodeAssignments decodes assignments of the form [sku, group, state, error, plan…].
func decodeAssignments(raw []byte, at *[]directory.Assignment) error {
	var paths [][]string
	if err := json.Unmarshal(raw, &paths); err != nil {
		return err
	}
	for _, p := range paths {
		if len(p) < 4 {
			return fmt.Errorf("a path to a license has %d items", len(p))
		}
		*at = append(*at, directory.Assignment{SKU: p[0], Group: p[1], State: p[2], Error: p[3], DisabledPlans: slices.Clip(p[4:])})
	}
	return nil
}

func updates(paths []directory.Assignment) (at []*time.Time) {
	for i := range paths {
		at = append(at, &paths[i].Updated)
	}
	return at
}

// partsHave returns an ErrNoColumn if the parts lack one of the given fields. It is for runs of older versions, which
// have no tables.
func (m *Manifest) partsHave(fields []string) error {
	if len(m.Readings[directory.Entra].Parts)+len(m.Readings[directory.AD].Parts) == 0 {
		return nil // the run has read no people
	}
	for i := range personColumns {
		if c := &personColumns[i]; slices.Contains(fields, c.field) && !slices.Contains(fieldsOfParts, c.field) && !strings.Contains(c.field, ".extensionAttribute") {
			return &ErrNoColumn{m.Run, c.name}
		}
	}
	return nil
}

// fieldsOfParts lists the fields of parts in versions without tables, except the fifteen extension attributes.
var fieldsOfParts = strings.Fields(`
	entra.accountEnabled entra.companyName entra.country entra.created entra.department entra.displayName entra.employeeId
	entra.employeeType entra.id entra.identityParentId entra.jobTitle entra.lastInteractiveSignIn entra.lastNonInteractiveSignIn
	entra.lastSuccessfulSignIn entra.mail entra.officeLocation entra.onPremisesSyncEnabled entra.usageLocation
	entra.userPrincipalName entra.userType
	ad.accountEnabled ad.co ad.company ad.created ad.department ad.displayName ad.distinguishedName ad.employeeID ad.employeeType
	ad.lastLogonTimestamp ad.mail ad.msExchRecipientTypeDetails ad.physicalDeliveryOfficeName ad.sAMAccountName ad.title
	ad.userPrincipalName`)
