package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// The function "crowd" returns people of all kinds: with one account or two, listed twice, with the keys of other
// people, or without a SID. Every property is set.
func crowd(r *rand.Rand, n int) (entra []directory.EntraUser, ad []directory.ADUser) {
	some := func(prefix string, of int) string {
		if r.IntN(12) == 0 {
			return ""
		}
		return fmt.Sprint(prefix, r.IntN(of))
	}
	for i := range n {
		sid := fmt.Sprint("S-1-5-21-1-2-3-", i)
		if r.IntN(15) == 0 {
			sid = fmt.Sprint("S-1-5-21-1-2-3-", r.IntN(n))
		}
		if r.IntN(5) > 0 {
			u := directory.EntraUser{}
			fillIn(r, directory.EntraProperties, &u)
			u.ID, u.SID, u.ImmutableID = fmt.Sprint("id-", i), sid, some("guid-", n)
			switch r.IntN(10) {
			case 0:
				u.SID = ""
			case 1:
				u.SID, u.ImmutableID = "", ""
			case 2:
				u.ID = fmt.Sprint("id-", r.IntN(n))
			case 3, 4, 5, 6:
				u.ImmutableID = fmt.Sprint("guid-", i)
			}
			for range r.IntN(3) {
				u.Assignments = append(u.Assignments, directory.Assignment{SKU: some("sku-", 3), Group: some("group-", 2), State: "Active"})
				if r.IntN(2) == 0 {
					a := &u.Assignments[len(u.Assignments)-1]
					a.Updated, a.DisabledPlans = noon.Add(-time.Duration(r.IntN(1e9))), []string{"plan", `"`}
				}
			}
			entra = append(entra, u)
			if r.IntN(20) == 0 {
				entra = append(entra, u)
			}
		}
		if r.IntN(5) > 0 {
			u := directory.ADUser{}
			fillIn(r, directory.ADProperties, &u)
			u.SID, u.GUID, u.ConsistencyGUID = sid, fmt.Sprint("guid-", i), some("guid-", n)
			if r.IntN(8) == 0 {
				u.Unreadable = []string{"mail", "lastLogonTimestamp"}
			}
			ad = append(ad, u)
		}
	}
	r.Shuffle(len(ad), func(i, j int) { ad[i], ad[j] = ad[j], ad[i] })
	return entra, ad
}

func fillIn[A any](r *rand.Rand, table []directory.Property[A], account *A) {
	for i := range table {
		if r.IntN(3) == 0 {
			continue
		}
		switch at := table[i].At(account).(type) {
		case *string:
			*at = []string{"Sales", "Größe", "a\"\\\n\u2028", "  "}[r.IntN(4)] + fmt.Sprint(r.IntN(1+r.IntN(40)))
		case *time.Time:
			*at = noon.Add(-time.Duration(r.IntN(1e9)) * time.Microsecond)
		case *directory.Flag:
			*at = directory.Flag(r.IntN(3))
		case *bool:
			*at = r.IntN(2) == 0
		}
	}
}

func written(t *testing.T, s store.Store, r *rand.Rand, entra []directory.EntraUser, ad []directory.ADUser, partitions int) *Manifest {
	t.Helper()
	m := &Manifest{Run: "run"}
	for _, src := range []directory.Source{directory.Entra, directory.AD} {
		w, err := NewWriter(s, &Begin{Run: "run", Partitions: partitions}, src, "1", noon)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if src == directory.Entra {
			for i := range entra {
				err = errors.Join(err, w.AddEntra(&entra[i]))
				if r.IntN(3) == 0 {
					err = errors.Join(err, w.AddMember("entra:g", entra[i].ID, entra[i].PartitionKey()))
				}
			}
		} else {
			for i := range ad {
				err = errors.Join(err, w.AddAD(&ad[i]))
				for n := range r.IntN(3) {
					err = errors.Join(err, w.AddMember(fmt.Sprint("ad:CN=g", n), ad[i].SID, ad[i].SID))
				}
			}
			err = errors.Join(err, w.AddMember("ad:CN=g", "S-1-5-21-nobody", "S-1-5-21-nobody"))
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.Readings[src], err = w.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// bySIDOf sorts Active Directory accounts. The table of people and the parts have them in different orders, so a
// comparison must sort them first.
func bySIDOf(ad []directory.ADUser) []directory.ADUser {
	slices.SortStableFunc(ad, func(a, b directory.ADUser) int { return cmp.Or(cmp.Compare(a.SID, b.SID), cmp.Compare(a.GUID, b.GUID)) })
	return ad
}

// TestWeave: Weave makes tables of people from the parts of a snapshot. A reader of the tables gets the same accounts
// and memberships as a reader of the parts.
func TestWeave(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	const partitions = 3
	s := &store.Memory{}
	entra, ad := crowd(r, 600)
	m := written(t, s, r, entra, ad, partitions)
	woven := *m
	if err := woven.Weave(t.Context(), s, partitions); err != nil {
		t.Fatal(err)
	}
	objects := len(s.Objects())
	again := woven
	if err := again.Weave(t.Context(), s, partitions); err != nil || len(s.Objects()) != objects || !gocmp.Equal(again, woven) {
		t.Errorf("weaving again: error %v, %d objects, before %d", err, len(s.Objects()), objects)
	}
	for n := range partitions {
		var want, got directory.Accounts
		if err := errors.Join(m.Read(t.Context(), s, n, &want), woven.Read(t.Context(), s, n, &got)); err != nil {
			t.Fatal(err)
		}
		people := map[string]bool{}
		for _, p := range want.Pairs() {
			id, sid := keysOf(&p)
			people[id], people[sid] = true, true
		}
		maps.DeleteFunc(want.Memberships, func(member string, _ []string) bool { return !people[member] }) // members without an account in the parts
		bySIDOf(want.AD)
		bySIDOf(got.AD)
		if d := gocmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("partition %d (-parts +table):\n%.3000s", n, d)
		}
	}
}

// TestClear: a pair of accounts is clear if no other account can affect its join (directory.Pair.Clear). If some of the
// clear pairs are left out, the other accounts must join as before.
func TestClear(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	clear, all := 0, 0
	for range 40 {
		entra, ad := crowd(r, 40)
		whole := directory.Accounts{Entra: entra, AD: ad, EntraState: directory.Present, ADState: directory.Present,
			Loose: map[string]bool{"guid-1": true}, Anchor: directory.Anchor(append(directory.Anchors(), "")[r.IntN(5)])}
		pairs := whole.Pairs()
		part := whole
		part.Entra, part.AD = nil, nil
		whole.Entra, whole.AD = nil, nil
		for _, p := range pairs {
			all++
			in := !p.Clear || r.IntN(2) == 0
			if p.Clear {
				clear++
			}
			if p.Entra != nil {
				whole.Entra = append(whole.Entra, *p.Entra)
				if in {
					part.Entra = append(part.Entra, *p.Entra)
				}
			}
			if p.AD != nil {
				whole.AD = append(whole.AD, *p.AD)
				if in {
					part.AD = append(part.AD, *p.AD)
				}
			}
		}
		joined := func(h *directory.Accounts) map[string]string {
			of := map[string]string{}
			for p := range h.Join() {
				key := p.ID() + " " + p.SID()
				of[key] += fmt.Sprint(p.EntraState, p.ADState, p.Doubt, p.AD != nil, p.Converted, ";")
			}
			return of
		}
		want, got := joined(&whole), joined(&part)
		for key, is := range got {
			if want[key] != is {
				t.Fatalf("%s joins as %s beside some, as %s beside all", key, is, want[key])
			}
		}
	}
	if 3*clear < all || clear == all {
		t.Errorf("%d of %d rows are clear, so this shows nothing", clear, all)
	}
}

// TestColumnsFor: the columns for a policy are those of the fields that it names, and those that the code always
// reads. A missing column is an error.
func TestColumnsFor(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	m := written(t, s, rand.New(rand.NewPCG(1, 1)), nil, []directory.ADUser{{SID: "S-1", Title: "Engineer", Company: "Contoso"}}, 1)
	if columns, err := m.ColumnsFor([]string{"ad.title"}); err != nil || columns != nil {
		t.Errorf("parts alone: %v, %v", columns, err)
	}
	if err := m.Weave(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	columns, err := m.ColumnsFor([]string{"ad.title", "entra.lastActivity", "kind"})
	if err != nil || !slices.Contains(columns, "ad_title") || !slices.Contains(columns, "ad_sid") || slices.Contains(columns, "ad_company") {
		t.Errorf("columns for ad.title: %v, %v", columns, err)
	}
	var h directory.Accounts
	if err := m.ReadColumns(t.Context(), s, 0, columns, &h); err != nil || h.AD[0].Title != "Engineer" || h.AD[0].Company != "" {
		t.Errorf("read %+v, %v", h.AD, err)
	}
	m.Columns = slices.DeleteFunc(m.Columns, func(name string) bool { return name == "ad_title" })
	var missing *ErrNoColumn
	if _, err := m.ColumnsFor([]string{"ad.title"}); !errors.As(err, &missing) || missing.Column != "ad_title" {
		t.Errorf("a field without a column: %v", err)
	}
}

// TestEveryFieldHasAColumn: every field has a column, except fields that are computed from other columns and fields
// from usage reports, which a run stores separately.
func TestEveryFieldHasAColumn(t *testing.T) {
	t.Parallel()
	for _, name := range directory.FieldNames() {
		has := slices.ContainsFunc(personColumns, func(c personColumn) bool { return c.field == name })
		f, _ := directory.FieldNamed(name)
		signal, dated := f.Signal()
		if follows := name == "kind" || name == "entra.lastActivity" || f.OfLicense() || dated && signal.Reported(); has == follows {
			t.Errorf("field %s: it has a column %t, it follows from others %t", name, has, follows)
		}
	}
	for i := range personColumns {
		if name := personColumns[i].name; name != strings.ToLower(name) {
			t.Errorf("column %s: Athena knows lower case alone", name)
		}
	}
}
