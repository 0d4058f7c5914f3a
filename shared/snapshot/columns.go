package snapshot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// A person is one line of a part, a JSON array of values in the order that the
// part's first line names:
//
//	{"columns":["id","upn",…]}
//	["6ea91a8d-…","adele@contoso.com",…]
//
// The tables below are the whole format: a column's name, how its value is
// written and how it is read.

// column is one value of a record of type T.
type column[T any] struct {
	name  string
	write func(line []byte, record *T) []byte
	read  func(l *line, record *T)
}

// header is the first line of a part.
type header struct {
	Columns []string `json:"columns"`
}

var entraColumns = append(plainColumns(directory.EntraProperties, map[string]string{
	"user_principal_name": "upn", "display_name": "name", "user_type": "userType", "employee_type": "employeeType", "employee_id": "employeeId",
	"job_title": "jobTitle", "company_name": "companyName", "office_location": "officeLocation", "usage_location": "usageLocation",
	"account_enabled": "enabled", "odata_type": "type", "identity_parent_id": "parent", "last_interactive_sign_in": "lastInteractive",
	"last_non_interactive_sign_in": "lastNonInteractive", "last_successful_sign_in": "lastSuccessful", "dates_in_doubt": "datesInDoubt",
	"on_premises_sync_enabled": "synced", "immutable_id": "immutableId", "sam_account_name": "sam",
}), []column[directory.EntraUser]{
	list("ext", func(u *directory.EntraUser) []string { return extension(&u.Extension) },
		func(l *line, u *directory.EntraUser) { l.extension(&u.Extension) }),
	{"licenses", writeAssignments, func(l *line, u *directory.EntraUser) { u.Assignments = l.assignments() }},
	{"licensed", writeUpdated, func(l *line, u *directory.EntraUser) { l.updated(u.Assignments) }},
}...)

var adColumns = append(plainColumns(directory.ADProperties, map[string]string{
	"object_guid": "guid", "consistency_guid": "anchor", "distinguished_name": "dn", "sam_account_name": "sam", "user_principal_name": "upn",
	"display_name": "name", "employee_type": "employeeType", "employee_id": "employeeId", "physical_delivery_office_name": "office", "co": "country",
	"ms_exch_recipient_type_details": "recipient", "account_enabled": "enabled", "last_logon_timestamp": "lastLogonTimestamp", "dates_in_doubt": "datesInDoubt",
}), []column[directory.ADUser]{
	list("ext", func(u *directory.ADUser) []string { return extension(&u.Extension) },
		func(l *line, u *directory.ADUser) { l.extension(&u.Extension) }),
	list("unreadable", func(u *directory.ADUser) []string { return u.Unreadable },
		func(l *line, u *directory.ADUser) {
			l.items(func(int) { u.Unreadable = append(u.Unreadable, strings.Clone(l.text())) })
		}),
}...)

// plainColumns are the lines of the table of fields that are no item of an array. names
// has those that parts had before the table.
func plainColumns[A any](properties []directory.Property[A], names map[string]string) (all []column[A]) {
	for i := range properties {
		p := &properties[i]
		if strings.HasPrefix(p.Name, "extensionAttribute") {
			continue
		}
		name := cmp.Or(names[p.Column], p.Column)
		switch p.At(new(A)).(type) {
		case *string:
			all = append(all, text(name, func(a *A) *string { return p.At(a).(*string) }))
		case *time.Time:
			all = append(all, date(name, func(a *A) *time.Time { return p.At(a).(*time.Time) }))
		case *directory.Flag:
			all = append(all, flag(name, func(a *A) *directory.Flag { return p.At(a).(*directory.Flag) }))
		case *bool:
			all = append(all, yesNo(name, func(a *A) *bool { return p.At(a).(*bool) }))
		}
	}
	return all
}

func text[T any](name string, of func(*T) *string) column[T] {
	return column[T]{name,
		func(line []byte, r *T) []byte { return quote(line, *of(r)) },
		func(l *line, r *T) { *of(r) = l.text() }}
}

func date[T any](name string, of func(*T) *time.Time) column[T] {
	return column[T]{name,
		func(line []byte, r *T) []byte { return appendDate(line, *of(r)) },
		func(l *line, r *T) { *of(r) = l.time() }}
}

func appendDate(line []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(line, `""`...)
	}
	return append(t.UTC().AppendFormat(append(line, '"'), time.RFC3339Nano), '"')
}

func flag[T any](name string, of func(*T) *directory.Flag) column[T] {
	return column[T]{name,
		func(line []byte, r *T) []byte { return quote(line, of(r).String()) },
		func(l *line, r *T) { *of(r) = l.flag() }}
}

func yesNo[T any](name string, of func(*T) *bool) column[T] {
	return column[T]{name,
		func(line []byte, r *T) []byte { return strconv.AppendBool(line, *of(r)) },
		func(l *line, r *T) { *of(r) = l.bool() }}
}

func list[T any](name string, of func(*T) []string, read func(*line, *T)) column[T] {
	return column[T]{name, func(line []byte, r *T) []byte { return quoteAll(line, of(r)...) }, read}
}

// extension is the list without the empty ones at its end: most people have
// few of the fifteen.
func extension(e *directory.ExtensionAttributes) []string {
	n := len(e)
	for n > 0 && e[n-1] == "" {
		n--
	}
	return e[:n]
}

// writeAssignments writes each path as [sku, group, state, error, plan…].
func writeAssignments(line []byte, u *directory.EntraUser) []byte {
	line = append(line, '[')
	for i, a := range u.Assignments {
		if i > 0 {
			line = append(line, ',')
		}
		line = quoteAll(line, slices.Concat([]string{a.SKU, a.Group, a.State, a.Error}, a.DisabledPlans)...)
	}
	return append(line, ']')
}

// writeUpdated writes when each path changed, in the order of the paths.
func writeUpdated(line []byte, u *directory.EntraUser) []byte {
	line = append(line, '[')
	for i, a := range u.Assignments {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendDate(line, a.Updated)
	}
	return append(line, ']')
}

func quoteAll(line []byte, all ...string) []byte {
	line = append(line, '[')
	for i, s := range all {
		if i > 0 {
			line = append(line, ',')
		}
		line = quote(line, s)
	}
	return append(line, ']')
}

// quote appends a JSON string; what is not UTF-8 is replaced.
func quote(line []byte, s string) []byte {
	if strings.IndexFunc(s, special) < 0 {
		return append(append(append(line, '"'), s...), '"')
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a string cannot be encoded: %v", err)) // unreachable
	}
	return append(line, quoted...)
}

// special tells what may not stand in a JSON string as it is.
func special(r rune) bool {
	return r < ' ' || r == '"' || r == '\\' || r == '\uFFFD' || r == '\u2028' || r == '\u2029'
}

func headerOf[T any](columns []column[T]) header {
	var h header
	for _, c := range columns {
		h.Columns = append(h.Columns, c.name)
	}
	return h
}

// encode appends a record as one line.
func encode[T any](line []byte, columns []column[T], record *T) []byte {
	line = append(line, '[')
	for i := range columns {
		if i > 0 {
			line = append(line, ',')
		}
		line = columns[i].write(line, record)
	}
	return append(line, ']', '\n')
}

// ordered puts the columns into the order of a part's header, so that a part
// of another version is read right or not at all.
func ordered[T any](columns []column[T], text string) ([]column[T], error) {
	var h header
	if err := json.Unmarshal([]byte(text), &h); err != nil || len(h.Columns) == 0 {
		return nil, fmt.Errorf("the part does not begin with its columns: %.40q", text)
	}
	var order []column[T]
	for _, name := range h.Columns {
		i := slices.IndexFunc(columns, func(c column[T]) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("column %q is not known to this version", name)
		}
		order = append(order, columns[i])
	}
	return order, nil
}

// decode reads a record off l, keeping no more memory than its line.
func decode[T any](l *line, columns []column[T], record *T) error {
	l.expect("[")
	for i := range columns {
		if i > 0 {
			l.expect(",")
		}
		columns[i].read(l, record)
		if !l.ok {
			return fmt.Errorf("column %s of a record is damaged", columns[i].name)
		}
	}
	if l.rest != "]" {
		return fmt.Errorf("a record does not end after column %s", columns[len(columns)-1].name)
	}
	return nil
}
