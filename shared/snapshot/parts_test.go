package snapshot

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

// TestRunWithoutTables reads testdata/parts, a run as the version before the tables wrote
// it, with every property of an account that there was.
func TestRunWithoutTables(t *testing.T) {
	t.Parallel()
	const run = "20261128T020000Z-00000001"
	if err := os.Chmod("testdata/parts", 0o700); err != nil { // as a store wants its folder
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), "testdata/parts")
	if err != nil {
		t.Fatal(err)
	}
	b, err := GetBegin(t.Context(), s, run)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := GetManifest(t.Context(), s, run)
	if err != nil {
		t.Fatal(err)
	}
	newer := []string{"entra.hired", "entra.passwordChanged", "ad.passwordSet", "ad.expires"}
	older := append([]string{"kind", "entra.lastActivity", "entra.extensionAttribute15", "ad.extensionAttribute1"}, fieldsOfParts...)
	if columns, err := m.ColumnsFor(older); err != nil || columns != nil {
		t.Errorf("columns for every field of that version: %v, %v", columns, err)
	}
	for _, name := range newer {
		var none *ErrNoColumn
		if _, err := m.ColumnsFor([]string{name}); !errors.As(err, &none) {
			t.Errorf("the field %s, which parts do not have: %v", name, err)
		}
	}
	var h directory.Accounts
	if err := m.Read(t.Context(), s, 0, &h); err != nil {
		t.Fatal(err)
	}
	want := partsWritten(b.Read)
	if d := gocmp.Diff(want, h, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("people (-want +got):\n%s", d)
	}
	memory := &store.Memory{}
	for _, r := range m.Readings {
		for _, p := range r.Parts {
			raw, err := store.GetBytes(t.Context(), s, p.Key, maxPart)
			if err = errors.Join(err, store.PutBytes(t.Context(), memory, p.Key, raw)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := m.Weave(t.Context(), memory, b.Partitions); err != nil {
		t.Fatal(err)
	}
}

// partsWritten is what the run read at an instant.
func partsWritten(at time.Time) directory.Accounts {
	h := directory.Accounts{EntraState: directory.Present, ADState: directory.Present, Memberships: map[string][]string{}}
	for i := range 2 {
		k := func(name string) string { return fmt.Sprintf("%s %d \"Ø\u2028", name, i) }
		d := func(n int) time.Time { return at.Add(-time.Duration(n+100*i) * time.Hour) }
		var ext directory.ExtensionAttributes
		ext[i], ext[14*i] = "one", "last"
		h.Entra = append(h.Entra, directory.EntraUser{
			ID: k("id"), UserPrincipalName: k("upn"), DisplayName: k("name"), Mail: k("mail"), UserType: k("userType"), Department: k("department"),
			EmployeeType: k("employeeType"), EmployeeID: k("employeeId"), JobTitle: k("jobTitle"), CompanyName: k("company"), OfficeLocation: k("office"),
			Country: k("country"), UsageLocation: k("usage"), Enabled: directory.Flag(i), Type: k("type"), IdentityParentID: k("parent"),
			Created: d(1), LastInteractive: d(2), LastNonInteractive: d(3), LastSuccessful: d(4), DatesInDoubt: i == 0,
			Synced: i == 1, SID: k("sid"), ImmutableID: k("immutable"), SAMAccount: k("sam"), Extension: ext,
			Assignments: []directory.Assignment{
				{SKU: "sku", Group: "group", State: "Active", Error: "none", DisabledPlans: []string{"plan"}, Updated: d(5)}, {SKU: "other"},
			}[:2-i],
		})
		h.AD = append(h.AD, directory.ADUser{
			SID: k("sid"), GUID: k("guid"), ConsistencyGUID: k("anchor"), DN: k("dn"), SAMAccount: k("sam"), UserPrincipalName: k("upn"),
			DisplayName: k("name"), Mail: k("mail"), Department: k("department"), EmployeeType: k("employeeType"), EmployeeID: k("employeeId"),
			Title: k("title"), Company: k("company"), Office: k("office"), Country: k("country"), RecipientType: k("recipient"),
			Enabled: directory.Flag(2 * i), Created: d(1), LastLogonTimestamp: d(2), DatesInDoubt: i == 1, Extension: ext,
			Unreadable: []string{"mail", "title"}[:2*i],
		})
		h.Memberships[k("sid")] = []string{"ad:g", "ad:g"} // once by each source's parts
	}
	return h
}
