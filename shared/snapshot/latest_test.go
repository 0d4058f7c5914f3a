package snapshot

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

func TestRunsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	for _, key := range []string{
		layout.Begin("20261121T020000Z-00000001"), layout.Begin("20261123T020000Z-00000001"), layout.Begin("20261122T020000Z-00000001"),
		layout.Part("20261122T020000Z-00000001", "entra", 3, "a"), layout.Lease(1), layout.Probe(),
	} {
		if err := store.PutBytes(t.Context(), s, key, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Runs(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"20261123T020000Z-00000001", "20261122T020000Z-00000001", "20261121T020000Z-00000001"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestLatestPassesRunsWithoutAManifest(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	for _, run := range []string{"20261121T020000Z-00000001", "20261122T020000Z-00000001", "20261123T020000Z-00000001"} {
		if err := store.PutJSON(t.Context(), s, layout.Begin(run), &Begin{Run: run, Partitions: 1, User: map[bool]string{true: "anna"}[run > "20261122"]}); err != nil {
			t.Fatal(err)
		}
		if run > "20261123" {
			continue // still reading
		}
		if err := Seal(t.Context(), s, &Manifest{Run: run}); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		fits func(*Begin) bool
		want string
	}{
		"any":       {func(*Begin) bool { return true }, "20261122T020000Z-00000001"},
		"everybody": {func(b *Begin) bool { return b.User == "" }, "20261121T020000Z-00000001"},
	} {
		got, err := Latest(t.Context(), s, tt.fits)
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, tt.want)
		}
	}
}
