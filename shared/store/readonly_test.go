package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadOnlyReadsAndNeverWrites(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		mustPut(t, s, "runs/a/begin.json", "first")
		view := ReadOnly(s)
		wantErr(t, ErrReadOnly, view.Put(t.Context(), "runs/a/begin.json", body("second")), "runs/a/begin.json")
		wantErr(t, ErrReadOnly, view.PutIfAbsent(t.Context(), "runs/b/begin.json", body("second")), "runs/b/begin.json")
		wantErr(t, ErrReadOnly, PutJSON(t.Context(), view, "runs/a/begin.json", 1))
		wantErr(t, ErrReadOnly, PutJSONProven(t.Context(), view, "c", 1))
		wantObject(t, view, "runs/a/begin.json", "first")
		_, err := view.Get(t.Context(), "runs/b/begin.json")
		wantErr(t, ErrNotFound, err)
		keys, err := collect(view.List(t.Context(), ""))
		wantErr(t, nil, err)
		if diff := cmp.Diff([]string{"runs/a/begin.json"}, keys); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
	})
}

func TestFolders(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		for _, key := range []string{"runs/b/begin.json", "runs/b/entra/0001/x.parquet", "runs/b/entra/0002/x.parquet", "runs/a/plan.json", "runs/a-c/plan.json", "runs/note.json", "ledger/u/l/1.json", "top"} {
			mustPut(t, s, key, "x")
		}
		for prefix, want := range map[string][]string{
			"runs/":       {"a-c", "a", "b"}, // "-" sorts before "/"
			"":            {"ledger", "runs"},
			"runs/b/":     {"entra"},
			"runs/a/":     nil,
			"nothing/":    nil,
			"runs/b/x/y/": nil,
		} {
			for name, s := range map[string]Store{"store": s, "view": ReadOnly(s)} {
				got, err := collect(Folders(t.Context(), s, prefix))
				wantErr(t, nil, err)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, folders of %q (-want +got):\n%s", name, prefix, diff)
				}
			}
		}
		for _, prefix := range []string{"runs", "../", "/", "runs//"} {
			_, err := collect(Folders(t.Context(), s, prefix))
			wantErr(t, ErrBadKey, err)
		}
		for range Folders(t.Context(), s, "runs/") {
			break // an iteration that ends early must not panic
		}
	})
}

// OpenReadOnly must not create a folder with a misspelt name, and must not delete temporary files.
func TestOpenReadOnlyChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := OpenReadOnly(t.Context(), filepath.Join(dir, "misspelt"))
	wantErr(t, ErrNotFound, err, "misspelt")
	if _, err := os.Stat(filepath.Join(dir, "misspelt")); !os.IsNotExist(err) {
		t.Errorf("the folder was made: %v", err)
	}
	mustPut(t, newFolder(t, dir), "runs/a/begin.json", "x")
	left := filepath.Join(dir, tempDir, "left")
	if err := os.WriteFile(left, nil, fileMode); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * staleTemp)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	s, err := OpenReadOnly(t.Context(), dir)
	wantErr(t, nil, err)
	wantObject(t, s, "runs/a/begin.json", "x")
	wantErr(t, ErrReadOnly, s.Put(t.Context(), "runs/a/begin.json", body("y")))
	if _, err := os.Stat(left); err != nil {
		t.Errorf("opening a view swept the folder: %v", err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReadOnly(t.Context(), dir); err == nil {
		t.Error("a folder into which everybody may write was opened")
	}
}
