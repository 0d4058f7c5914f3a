package snapshot

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

var asOf = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func entraUser(id, sid string) directory.EntraUser {
	return directory.EntraUser{
		ID: id, UserPrincipalName: id + `"\@example.test`, DisplayName: "Ö <b>,\u202e x", SID: sid, Synced: sid != "",
		Enabled: directory.Yes, Created: asOf.AddDate(-2, 0, 0), LastSuccessful: asOf.AddDate(0, 0, -3),
		Extension: directory.ExtensionAttributes{2: "three"},
		Assignments: []directory.Assignment{
			{SKU: "e3", Group: "g", State: "Active"},
			{SKU: "exo", State: "Error", Error: "CountViolation", DisabledPlans: []string{"p1", "p2"}},
		},
	}
}

func adUser(sid string) directory.ADUser {
	return directory.ADUser{SID: sid, GUID: "AAAA", DN: `CN=Doe\, Jane,OU=x`, Enabled: directory.No, LastLogonTimestamp: asOf.AddDate(0, 0, -40)}
}

func seal(t *testing.T) (folder string, s store.Store, b *Begin, people map[string]directory.EntraUser) {
	t.Helper()
	ctx := context.Background()
	folder = t.TempDir()
	s, err := store.Open(ctx, folder)
	if err != nil {
		t.Fatal(err)
	}
	b = &Begin{Run: "r1", AsOf: asOf, Partitions: 3, Policy: "text"}
	if err := PutBegin(ctx, s, b); err != nil {
		t.Fatal(err)
	}
	people = map[string]directory.EntraUser{}
	entra := write(t, s, b, directory.Entra, func(w *Writer) {
		for _, sid := range []string{"S-1-5-21-1", "S-1-5-21-2", "S-1-5-21-3", ""} {
			u := entraUser("id"+sid, sid)
			people[u.ID] = u
			check(t, w.AddEntra(&u))
			check(t, w.AddMember("entra:LIC-Exempt", u.ID, u.PartitionKey()))
		}
	})
	ad := write(t, s, b, directory.AD, func(w *Writer) {
		for _, sid := range []string{"S-1-5-21-1", "S-1-5-21-2", "S-1-5-21-9"} {
			u := adUser(sid)
			check(t, w.AddAD(&u))
			check(t, w.AddMember("ad/direct:cn=citrix", sid, sid))
		}
		w.Unreadable("ad:cn=gone")
	})
	check(t, Seal(ctx, s, &Manifest{Run: "r1", Taken: asOf, Readings: [2]Reading{entra, ad}}))
	return folder, s, b, people
}

func write(t *testing.T, s store.Store, b *Begin, src directory.Source, fill func(*Writer)) Reading {
	t.Helper()
	w, err := NewWriter(s, b, src, "1", asOf)
	check(t, err)
	fill(w)
	r, err := w.Finish(context.Background())
	check(t, err)
	check(t, w.Close())
	return r
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	t.Parallel()
	_, s, b, people := seal(t)
	m, hash, err := GetManifest(context.Background(), s, "r1")
	check(t, err)
	if len(hash) != 64 {
		t.Errorf("hash %q", hash)
	}
	if got := m.Readings[directory.Entra]; got.People != 4 || got.WithActivity != 4 || !got.Newest.Equal(asOf.AddDate(0, 0, -3)) {
		t.Errorf("reading of Entra = %+v", got)
	}
	gotPeople, gotAD, members := map[string]directory.EntraUser{}, 0, 0
	var h directory.Accounts
	for n := range b.Partitions {
		check(t, m.Read(context.Background(), s, n, &h))
		for _, u := range h.Entra {
			gotPeople[u.ID] = u
			if !slices.Contains(h.Memberships[u.ID], "entra:LIC-Exempt") {
				t.Errorf("%s lost its membership", u.ID)
			}
		}
		for _, u := range h.AD {
			if d := cmp.Diff(adUser(u.SID), u); d != "" {
				t.Errorf("AD user (-want +got):\n%s", d)
			}
			gotAD++
		}
		members += len(h.Memberships)
		if !slices.Equal(h.Unreadable, []string{"ad:cn=gone"}) {
			t.Errorf("unreadable = %q", h.Unreadable)
		}
	}
	if d := cmp.Diff(people, gotPeople); d != "" {
		t.Errorf("people (-want +got):\n%s", d)
	}
	if gotAD != 3 || members != 7 {
		t.Errorf("%d AD users and %d members, want 3 and 7", gotAD, members)
	}
}

func TestDamageIsSeen(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		damage func(t *testing.T, part string, raw []byte)
	}{
		"truncated": {func(t *testing.T, part string, raw []byte) { check(t, os.WriteFile(part, raw[:len(raw)-9], 0o600)) }},
		"altered": {func(t *testing.T, part string, raw []byte) {
			raw = bytes.Clone(raw)
			raw[len(raw)/2] ^= 0x40
			check(t, os.WriteFile(part, raw, 0o600))
		}},
		"empty": {func(t *testing.T, part string, _ []byte) { check(t, os.WriteFile(part, nil, 0o600)) }},
		"gone":  {func(t *testing.T, part string, _ []byte) { check(t, os.Remove(part)) }},
		"appended": {func(t *testing.T, part string, raw []byte) {
			check(t, os.WriteFile(part, append(bytes.Clone(raw), raw...), 0o600))
		}},
		"no table": {func(t *testing.T, part string, _ []byte) { check(t, os.WriteFile(part, []byte("{}\n"), 0o600)) }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, s, b, _ := seal(t)
			parts, err := filepath.Glob(filepath.Join(folder, "runs/r1/entra/*/*.parquet"))
			if err != nil || len(parts) == 0 {
				t.Fatalf("no parts: %v", err)
			}
			raw, err := os.ReadFile(parts[0])
			check(t, err)
			tc.damage(t, parts[0], raw)
			m, _, err := GetManifest(context.Background(), s, "r1")
			check(t, err)
			var failed int
			for n := range b.Partitions {
				var h directory.Accounts
				if err := m.Read(context.Background(), s, n, &h); errors.Is(err, store.ErrDamaged) {
					failed++
				} else if err != nil {
					t.Errorf("read: %v", err)
				}
			}
			if failed != 1 {
				t.Errorf("%d partitions are damaged, want 1", failed)
			}
		})
	}
}

// TestForgedPartIsSeen replaces a part with a part that has other dates, but the same size and counts. Only the
// checksum shows the change.
func TestForgedPartIsSeen(t *testing.T) {
	t.Parallel()
	folder, s, b, _ := seal(t)
	m, _, err := GetManifest(context.Background(), s, "r1")
	check(t, err)
	part := m.Readings[directory.Entra].Parts[0]
	path := filepath.Join(folder, filepath.FromSlash(part.Key))
	raw, err := os.ReadFile(path)
	check(t, err)
	check(t, os.WriteFile(path, forge(t, raw), 0o600))
	damaged := 0
	for n := range b.Partitions {
		var h directory.Accounts
		if err := m.Read(context.Background(), s, n, &h); errors.Is(err, store.ErrDamaged) {
			damaged++
		} else if err != nil {
			t.Errorf("read: %v", err)
		}
	}
	if damaged != 1 {
		t.Errorf("%d partitions are damaged, want 1", damaged)
	}
}

// The function "forge" returns an Entra part with the same size and members, and later sign-in dates.
func forge(t *testing.T, raw []byte) []byte {
	t.Helper()
	h := partAccounts{&directory.Accounts{Memberships: map[string][]string{}}, map[string][]string{}, map[string]bool{}}
	_, _, err := h.read(raw, directory.Entra)
	check(t, err)
	for hours := range 100 {
		var rows []row
		for _, u := range h.Entra {
			u.LastSuccessful = u.LastSuccessful.Add(time.Duration(hours+1) * time.Hour)
			rows = append(rows, row{Entra: &u}, row{Member: u.ID, Group: h.Memberships[u.ID][0]})
		}
		if forged := part(t, directory.Entra, rows...); len(forged) == len(raw) {
			return forged
		}
	}
	t.Fatalf("no forgery has %d bytes", len(raw))
	return nil
}

func TestNoManifestNoSnapshot(t *testing.T) {
	t.Parallel()
	folder, s, _, _ := seal(t)
	manifest := filepath.Join(folder, "runs/r1/manifest.json")
	check(t, os.WriteFile(manifest, []byte(`{"run":"r1"`), 0o600))
	if _, _, err := GetManifest(context.Background(), s, "r1"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("half a manifest: %v", err)
	}
	check(t, os.Remove(manifest))
	if _, _, err := GetManifest(context.Background(), s, "r1"); !errors.Is(err, ErrNone) {
		t.Errorf("no manifest: %v", err)
	}
	if _, err := Latest(context.Background(), s, func(*Begin) bool { return true }); !errors.Is(err, ErrUnknownRun) {
		t.Errorf("latest of none: %v", err)
	}
	if _, err := GetBegin(context.Background(), s, "../r1"); !errors.Is(err, ErrUnknownRun) {
		t.Errorf("a run that is no name: %v", err)
	}
}

func TestLateWorkerCannotSpoilParts(t *testing.T) {
	t.Parallel()
	_, s, b, _ := seal(t)
	w, err := NewWriter(s, b, directory.Entra, "1", asOf)
	check(t, err)
	defer w.Close()
	late := entraUser("late", "S-1-5-21-1")
	check(t, w.AddEntra(&late))
	if _, err := w.Finish(context.Background()); !errors.Is(err, store.ErrExists) {
		t.Errorf("the same attempt wrote twice: %v", err)
	}
}

func TestFutureActivityIsNotTheNewest(t *testing.T) {
	t.Parallel()
	_, s, b, _ := seal(t)
	w, err := NewWriter(s, b, directory.AD, "2", asOf)
	check(t, err)
	defer w.Close()
	w.SampleAD(&directory.ADUser{LastLogonTimestamp: asOf.Add(time.Hour)})
	w.SampleAD(&directory.ADUser{LastLogonTimestamp: asOf.Add(-time.Hour)})
	r, err := w.Finish(context.Background())
	check(t, err)
	if !r.Newest.Equal(asOf.Add(-time.Hour)) || r.Sampled != 2 || r.WithActivity != 2 {
		t.Errorf("reading = %+v", r)
	}
}
