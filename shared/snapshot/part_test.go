package snapshot

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// FuzzTexts: any text in an account can be written to a part and read again, because anybody may put any text into a
// directory.
func FuzzTexts(f *testing.F) {
	f.Add("a\"b\\c\n\x00\xff\u2028", int64(1))
	f.Fuzz(func(t *testing.T, text string, seconds int64) {
		created := time.Unix(seconds%(1<<37), 0).UTC()
		u := directory.EntraUser{ID: text, Created: created, Extension: directory.ExtensionAttributes{"", text}}
		u.Assignments = []directory.Assignment{{SKU: text, DisabledPlans: []string{text}}}
		a := directory.ADUser{SID: text, Created: created}
		clean := strings.ToValidUTF8(text, "\uFFFD")
		got := throughPart(t, directory.Entra, row{Entra: &u}, row{Member: text, Group: text})
		is := got.Entra[0]
		if is.ID != clean || !is.Created.Equal(created) || is.Extension != (directory.ExtensionAttributes{"", clean}) || len(got.Memberships[clean]) != 1 || got.Memberships[clean][0] != clean {
			t.Fatalf("%q came back as %+v, %v", text, is, got.Memberships)
		}
		if sku := is.Assignments[0].SKU; sku != is.Assignments[0].DisabledPlans[0] || strings.ReplaceAll(sku, "\uFFFD", "") != strings.ReplaceAll(clean, "\uFFFD", "") {
			t.Fatalf("%q of a path came back as %q", text, sku)
		}
		if got := throughPart(t, directory.AD, row{AD: &a}); got.AD[0].SID != clean || !got.AD[0].Created.Equal(created) {
			t.Fatalf("%q came back as %+v", text, got.AD)
		}
	})
}

func part(t *testing.T, source directory.Source, rows ...row) []byte {
	t.Helper()
	raw, err := encodePart(source, func(r *row) error {
		if len(rows) == 0 {
			return io.EOF
		}
		*r, rows = rows[0], rows[1:]
		return nil
	})
	check(t, err)
	return raw
}

func throughPart(t *testing.T, source directory.Source, rows ...row) *directory.Accounts {
	t.Helper()
	h := partAccounts{&directory.Accounts{Memberships: map[string][]string{}}, map[string][]string{}, map[string]bool{}}
	_, _, err := h.read(part(t, source, rows...), source)
	check(t, err)
	return h.Accounts
}

// TestPartColumns reads parts that this version would not write. A new column is ignored, and a missing column is
// reported as lacking, unless it is a key. A wrong type is an error, and so is a row that is neither an account nor a
// membership.
func TestPartColumns(t *testing.T) {
	t.Parallel()
	u := entraUser("anna", "S-1-5-21-1")
	type change func(columns map[string]*table.Column)
	tests := map[string]struct {
		change  change
		want    string // a part of the error; empty if there is no error
		lacking map[string]bool
	}{
		"as written": {func(map[string]*table.Column) {}, "", nil},
		"a column more": {func(c map[string]*table.Column) {
			c["entra_shoe_size"] = &table.Column{Name: "entra_shoe_size", Rows: []int64{table.None, table.None}}
		}, "", nil},
		"a column less": {func(c map[string]*table.Column) { delete(c, "entra_hired") }, "", map[string]bool{"entra_hired": true}},
		"no key":        {func(c map[string]*table.Column) { delete(c, entraKey) }, "no column entra_id", nil},
		"no members":    {func(c map[string]*table.Column) { delete(c, memberColumn) }, "no column member", nil},
		"another type": {func(c map[string]*table.Column) {
			*c["entra_created"] = table.Column{Name: "entra_created", Kind: table.Flag, Rows: []int64{1, 0}}
		}, "column entra_created is of another type", nil},
		"another list":    {func(c map[string]*table.Column) { c[licensesColumn].Words[0] = "{" }, "column entra_licenses", nil},
		"both":            {func(c map[string]*table.Column) { c[memberColumn].Rows[0], c[groupColumn].Rows[0] = 0, 0 }, "row 0 is neither an account nor a membership", nil},
		"neither":         {func(c map[string]*table.Column) { c[groupColumn].Rows[1] = table.None }, "row 1 is neither an account nor a membership", nil},
		"another account": {func(c map[string]*table.Column) { c[entraKey].Rows[0] = table.None }, "row 0 is neither an account nor a membership", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			written := newPartTable(directory.Entra)
			written.add(&row{Entra: &u})
			written.add(&row{Member: "bob", Group: "entra:g"})
			columns := map[string]*table.Column{memberColumn: written.member, groupColumn: written.group}
			for _, c := range written.columns {
				columns[c.Name] = c
			}
			tc.change(columns)
			var file bytes.Buffer
			check(t, table.Write(&file, "entra", slices.Collect(maps.Values(columns))))
			h := partAccounts{&directory.Accounts{Memberships: map[string][]string{}}, map[string][]string{}, map[string]bool{}}
			people, members, err := h.read(file.Bytes(), directory.Entra)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("error %v, want %q", err, tc.want)
				}
				return
			}
			if err != nil || people != 1 || members != 1 {
				t.Fatalf("%d people, %d members, %v", people, members, err)
			}
			got := []any{h.Entra, h.Memberships, h.lacking}
			want := []any{[]directory.EntraUser{u}, map[string][]string{"bob": {"entra:g"}}, tc.lacking}
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
