package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newFolder(t *testing.T, location string) Store {
	t.Helper()
	s, err := Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.(*folder).root.Close() }) // a fuzz target opens thousands of stores
	return s
}

func TestFolderSweepsStaleFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	mustPut(t, newFolder(t, folder), "linked", "x")
	old, young := filepath.Join(folder, tempDir, "old"), filepath.Join(folder, tempDir, "young")
	// A writer that died between the hard link and the removal of its temporary file leaves two names.
	wantErr(t, nil, os.Link(filepath.Join(folder, "linked"), old))
	wantErr(t, nil, os.WriteFile(young, nil, 0o600))
	past := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	wantErr(t, nil, os.Chtimes(old, time.Time{}, past(25*time.Hour)))
	wantErr(t, nil, os.Chtimes(young, time.Time{}, past(23*time.Hour)))

	s := newFolder(t, folder)
	if diff := cmp.Diff([]string{young}, temps(t, folder)); diff != "" {
		t.Errorf("unfinished writes (-want +got):\n%s", diff)
	}
	wantObject(t, s, "linked", "x")
}

// TestFolderLostAnswer: a network file system loses the answer to a link and repeats the link, which then fails.
// PutIfAbsent must not conclude that another writer took the key.
func TestFolderLostAnswer(t *testing.T) {
	t.Parallel()
	f, err := openFolder(t.TempDir())
	wantErr(t, nil, err)
	twice := func(temp, key string) error {
		if err := f.root.Link(temp, key); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return f.linkNew(temp, key)
	}
	wantErr(t, nil, f.write(t.Context(), "k", body("mine"), twice))
	wantErr(t, ErrExists, f.write(t.Context(), "k", body("theirs"), twice))
	wantObject(t, f, "k", "mine")
}

func TestFolderModes(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new", "store")
	s := newFolder(t, folder)
	mustPut(t, s, "a/b", "x")
	wantErr(t, nil, s.PutIfAbsent(t.Context(), "a/c", body("x")))
	got := map[string]fs.FileMode{}
	for _, name := range []string{"..", ".", tempDir, "a", "a/b", "a/c"} {
		info, err := os.Stat(filepath.Join(folder, name))
		wantErr(t, nil, err)
		got[name] = info.Mode().Perm()
	}
	want := map[string]fs.FileMode{"..": 0o700, ".": 0o700, tempDir: 0o700, "a": 0o700, "a/b": 0o600, "a/c": 0o600}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

func TestFolderRefusesLinks(t *testing.T) {
	t.Parallel()
	outside, folder := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret")
	wantErr(t, nil, os.WriteFile(secret, []byte("secret"), 0o600))
	s := newFolder(t, folder)
	mustPut(t, s, "in/side", "x")
	for name, target := range map[string]string{
		"dir": outside, "up": "../" + filepath.Base(outside), "file": secret, "inner": "in/side",
	} {
		wantErr(t, nil, os.Symlink(target, filepath.Join(folder, name)))
	}

	for _, key := range []string{"dir/secret", "up/secret", "file", "inner"} {
		if _, err := s.Get(t.Context(), key); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("get through the link %q: %v", key, err)
		}
	}
	for _, key := range []string{"dir/new", "up/new"} {
		for _, put := range []error{s.Put(t.Context(), key, body("x")), s.PutIfAbsent(t.Context(), key, body("x"))} {
			if put == nil || errors.Is(put, ErrExists) {
				t.Errorf("put through the link %q: %v", key, put)
			}
		}
	}
	wantErr(t, ErrExists, s.PutIfAbsent(t.Context(), "file", body("x")))
	for _, prefix := range []string{"", "dir", "dir/", "up/", "file"} {
		if keys, err := collect(s.List(t.Context(), prefix)); err == nil {
			t.Errorf("listing %q passes a link in silence: %q", prefix, keys)
		}
	}
	wantErr(t, nil, s.Put(t.Context(), "file", body("x"))) // the object replaces the link
	if diff := cmp.Diff([]string{"secret"}, plainFiles(t, outside, "")); diff != "" {
		t.Errorf("files outside (-want +got):\n%s", diff)
	}
	got, err := os.ReadFile(secret)
	wantErr(t, nil, err)
	if diff := cmp.Diff("secret", string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestFolderKeyBelowKey(t *testing.T) {
	t.Parallel()
	s := newFolder(t, t.TempDir())
	mustPut(t, s, "a", "x")
	mustPut(t, s, "b/c", "x")
	for _, key := range []string{"a/b", "b"} {
		for _, err := range []error{s.Put(t.Context(), key, body("y")), s.PutIfAbsent(t.Context(), key, body("y"))} {
			if err == nil || errors.Is(err, ErrExists) || !strings.Contains(err.Error(), `"`+key+`"`) {
				t.Errorf("put %q: %v", key, err)
			}
		}
	}
	wantObject(t, s, "a", "x")
	wantObject(t, s, "b/c", "x")
}

// TestFolderNotWritable puts a file in place of the folder .tmp, so every write fails. Permissions would not stop a
// process that runs as root.
func TestFolderNotWritable(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	mustPut(t, newFolder(t, folder), "a", "x")
	wantErr(t, nil, os.Remove(filepath.Join(folder, tempDir)))
	wantErr(t, nil, os.WriteFile(filepath.Join(folder, tempDir), nil, 0o600))

	s := newFolder(t, folder)
	wantObject(t, s, "a", "x")
	for _, err := range []error{s.Put(t.Context(), "b", body("x")), s.PutIfAbsent(t.Context(), "b", body("x"))} {
		if err == nil || !strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), `"b"`) {
			t.Errorf("error %v", err)
		}
	}
}

func TestFolderListsObjectsOnly(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := newFolder(t, folder)
	mustPut(t, s, "a/b", "x")
	for _, name := range []string{".DS_Store", "a/.hidden", "a/what?"} {
		wantErr(t, nil, os.WriteFile(filepath.Join(folder, name), nil, 0o600))
	}
	wantErr(t, nil, os.MkdirAll(filepath.Join(folder, "empty", "dir"), 0o700))
	got, err := collect(s.List(t.Context(), ""))
	wantErr(t, nil, err)
	if diff := cmp.Diff([]string{"a/b"}, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestFolderListsManyInADirectory(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := newFolder(t, folder)
	var want []string
	for i := range 2*readDirBatch + 1 {
		want = append(want, fmt.Sprintf("%05d", i))
		wantErr(t, nil, os.WriteFile(filepath.Join(folder, want[i]), nil, 0o600))
	}
	got, err := collect(s.List(t.Context(), ""))
	wantErr(t, nil, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// TestFolderThatIsOpenToAll: a store to which every user may write is rejected. The error has the command that removes
// the permission.
func TestFolderThatIsOpenToAll(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("rights are not in the mode there")
	}
	tests := map[string]struct {
		mode   fs.FileMode
		of     string // the path of the folder that gets the mode, relative to the store
		refuse bool
	}{
		"its own":        {0o700, ".", false},
		"its group's":    {0o770, ".", false},
		"read by others": {0o755, ".", false},
		"everybody's":    {0o777, ".", true},
		"sticky":         {0o777 | fs.ModeSticky, ".", true},
		"the ledger":     {0o757, "ledger", true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "store")
			if err := os.MkdirAll(filepath.Join(dir, "ledger"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dir, tc.of), tc.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), dir)
			if (err != nil) != tc.refuse {
				t.Fatalf("open: %v", err)
			}
			if tc.refuse && !strings.Contains(err.Error(), fmt.Sprintf("chmod -R go-w %q", dir)) {
				t.Errorf("the cure is missing: %v", err)
			}
		})
	}
}

// TestRootDoesNotWriteForOthers: root may open a folder of root. Root may not open a folder of another user for
// writing. A user other than root may try to open any folder, because the file system checks the permissions.
func TestRootDoesNotWriteForOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		owner, self int
		refused     bool
	}{{0, 0, false}, {1000, 1000, false}, {0, 1000, false}, {1000, 0, true}} {
		if err := ours("x", c.owner, c.self); (err != nil) != c.refused {
			t.Errorf("owner %d, process of %d: %v", c.owner, c.self, err)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "65534") {
		t.Errorf("root opened the folder of another user: %v", err)
	}
	if _, err := OpenReadOnly(t.Context(), dir); err != nil {
		t.Errorf("root may read: %v", err)
	}
}
