package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/gzip"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

func linesOf(text string, source directory.Source) (*partAccounts, error) {
	var raw bytes.Buffer
	zip := gzip.NewWriter(&raw)
	_, _ = zip.Write([]byte(text))
	_ = zip.Close()
	h := &partAccounts{&directory.Accounts{Memberships: map[string][]string{}}, map[string][]string{}, map[string]bool{}}
	_, _, err := h.readLines(raw.Bytes(), len(text), source)
	return h, err
}

// FuzzLines reads any lines as a part of an older version. If they are accepted, their accounts are written as a part
// of this version, and must be the same when that part is read.
func FuzzLines(f *testing.F) {
	f.Add(`["a","S-1",["x"],[["sku","","Active","","plan"]],["2026-01-02T03:04:05.123456789Z"],"yes","2026-01-02T03:04:05Z"]`)
	f.Add(`["a","S-1",["x"],["mail"],true,"no",""]`)
	f.Add(`["a",null,[],[],[],"",""]`)
	f.Add(`{"member":"S-1","group":"ad:x"}`)
	heads := map[directory.Source]string{
		directory.Entra: `{"columns":["id","sid","ext","licenses","licensed","enabled","created"]}`,
		directory.AD:    `{"columns":["sid","dn","ext","unreadable","datesInDoubt","enabled","created"]}`,
	}
	f.Fuzz(func(t *testing.T, text string) {
		for source, head := range heads {
			h, err := linesOf(head+"\n"+text, source)
			if err != nil {
				continue
			}
			var rows []row
			for i := range h.Entra {
				rows = append(rows, row{Entra: &h.Entra[i]})
			}
			for i := range h.AD {
				rows = append(rows, row{AD: &h.AD[i]})
			}
			got := throughPart(t, source, rows...)
			up := cmp.Transformer("UpToMicroseconds", func(at time.Time) int64 { return at.Add(time.Microsecond - 1).UnixMicro() })
			if d := cmp.Diff([]any{h.Entra, h.AD}, []any{got.Entra, got.AD}, cmpopts.EquateEmpty(), up); d != "" {
				t.Fatalf("%q (-lines +part):\n%s", text, d)
			}
		}
	})
}

func TestPartsOfOtherVersions(t *testing.T) {
	t.Parallel()
	h, err := linesOf("{\"columns\":[\"upn\",\"id\"]}\n[\"anna\",\"7\"]\n", directory.Entra)
	check(t, err)
	if u := h.Entra[0]; u.ID != "7" || u.UserPrincipalName != "anna" {
		t.Errorf("read by position, not by name: %+v", u)
	}
	if !h.lacking["entra_created"] || !h.lacking["entra_extension_attribute15"] || !h.lacking[licensesColumn] || h.lacking["entra_id"] {
		t.Errorf("a part of two columns lacks %v", h.lacking)
	}
	for _, text := range []string{`{"columns":["id","shoeSize"]}`, `{"columns":[]}`, `["id"]`, ``, `{"columns":["id","sid"]}`, `{"columns":["datesInDoubt"]}`} {
		if _, err := linesOf(fmt.Sprintln(text)+"[\"7\"]\n", directory.Entra); err == nil {
			t.Errorf("%q is taken for the header of [\"7\"]", text)
		}
	}
}

// TestRunWithoutTables reads the run in testdata/parts, which the last version without tables wrote. The accounts of
// the run have every property that the old version knew.
func TestRunWithoutTables(t *testing.T) {
	t.Parallel()
	const run = "20261128T020000Z-00000001"
	if err := os.Chmod("testdata/parts", 0o700); err != nil { // the permissions that a store requires
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
	var none *ErrNoColumn
	if err := m.Read(t.Context(), s, 0, &h); !errors.As(err, &none) {
		t.Errorf("everything of this version is read of a run that does not have it: %v", err)
	}
	if err := m.ReadColumns(t.Context(), s, 0, nil, &h); err != nil {
		t.Fatal(err)
	}
	want := partsWritten(b.Read)
	if d := cmp.Diff(want, h, cmpopts.EquateEmpty()); d != "" {
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
	parts := *m
	if err := m.Weave(t.Context(), memory, b.Partitions); err != nil {
		t.Fatal(err)
	}
	for _, name := range directory.FieldNames() {
		_, before := parts.ColumnsFor([]string{name})
		if _, err := m.ColumnsFor([]string{name}); !cmp.Equal(before, err) {
			t.Errorf("the field %s: error %v of parts, %v of their tables", name, before, err)
		}
	}
}

// partsWritten returns the accounts of the run in testdata/parts. The argument "at" is the time of the run.
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
		h.Memberships[k("sid")] = []string{"ad:g", "ad:g"} // two entries: the membership is once in the parts of Entra ID, and once in the parts of Active Directory
	}
	return h
}
