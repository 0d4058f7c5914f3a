package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckKey(t *testing.T) {
	t.Parallel()
	segment := strings.Repeat("s", maxSegment)
	tests := []struct {
		key  string
		want string // a part of the error; empty if the key is valid
	}{
		{"a", ""},
		{"ledger/S-1-5-21-3623811015-3361044348-30300820-1013/m365-e3/000001.done.json", ""},
		{"runs/20270301T020000Z/ad/7f/part-0.jsonl.gz", ""},
		{"Größe/日本", ""},
		{"a b/c", ""},
		{"a..b", ""},
		{segment, ""},
		{strings.Repeat(segment+"/", 3) + segment + "x", "segment longer"},
		{strings.Repeat(segment+"/", 3) + segment, ""},
		{strings.Repeat(segment+"/", 4) + "x", "longer than 1024 bytes"},
		{"", "empty segment"},
		{"/a", "empty segment"},
		{"a/", "empty segment"},
		{"a//b", "empty segment"},
		{"..", "dot"},
		{"../a", "dot"},
		{"a/../b", "dot"},
		{"./a", "dot"},
		{".tmp/x", "dot"},
		{"a/.hidden", "dot"},
		{"a./b", "ends with"},
		{"a /b", "ends with"},
		{"a\x00b", `'\x00'`},
		{"a\nb", `'\n'`},
		{`a\b`, `'\\'`},
		{"C:/x", "':'"},
		{"a*", "'*'"},
		{"a?", "'?'"},
		{`a"`, `'"'`},
		{"<a>", "'<'"},
		{"a|b", "'|'"},
		{"a\u202eb", `'\u202e'`},
		{"a\u00a0b", `'\u00a0'`},
		{"a\xff", "UTF-8"},
	}
	for _, tt := range tests {
		err := CheckKey(tt.key)
		if tt.want == "" {
			wantErr(t, nil, err)
			continue
		}
		wantErr(t, ErrBadKey, err, tt.want)
	}
}

// FuzzKey: an object at a valid key can be read again. A write to an invalid key fails and changes nothing. No key
// causes a write outside the folder.
func FuzzKey(f *testing.F) {
	for _, seed := range []string{"a/b.json", "../a", "a/./b", `..\a`, "/a", "a//b", ".tmp/a", "a\x00", "ä/ö", "NUL"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		outer := t.TempDir()
		s := newFolder(t, filepath.Join(outer, "store"))
		good := CheckKey(key) == nil
		if good && !filepath.IsLocal(filepath.FromSlash(key)) {
			t.Fatalf("key %q leads out of the folder", key)
		}
		err := s.Put(t.Context(), key, body(key))
		if good != (err == nil) || err != nil && !errors.Is(err, ErrBadKey) {
			t.Fatalf("key %q: good %t, but put gives %v", key, good, err)
		}
		var want []string
		if good {
			want = []string{key}
			wantObject(t, s, key, key)
			got, err := collect(s.List(t.Context(), key))
			wantErr(t, nil, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		if diff := cmp.Diff(want, plainFiles(t, outer, "store")); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	})
}

// plainFiles returns the paths of all files below outer, relative to outer/inner. So a test also finds a file that was
// written outside of outer/inner, such as ../file.
func plainFiles(t *testing.T, outer, inner string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(outer, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(filepath.Join(outer, inner), p)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestGetJSONDamaged(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"empty":      "",
		"cut short":  `{"N": 1`,
		"two values": `{"N": 1} {"N": 2}`,
		"wrong type": `{"N": "one"}`,
		"not JSON":   "<html>",
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newFolder(t, t.TempDir())
			mustPut(t, s, "runs/1/plan.json", content)
			var v struct{ N int }
			wantErr(t, ErrDamaged, GetJSON(t.Context(), s, "runs/1/plan.json", &v), "runs/1/plan.json")
		})
	}
}

func TestGetBytesLimit(t *testing.T) {
	t.Parallel()
	s := newFolder(t, t.TempDir())
	if err := PutBytes(t.Context(), s, "k", []byte("12345")); err != nil {
		t.Fatal(err)
	}
	got, err := GetBytes(t.Context(), s, "k", 5)
	wantErr(t, nil, err)
	if diff := cmp.Diff("12345", string(got)); diff != "" {
		t.Error(diff)
	}
	_, err = GetBytes(t.Context(), s, "k", 4)
	wantErr(t, ErrDamaged, err, `"k"`, "4 bytes")
}

func TestGetJSONTooLarge(t *testing.T) {
	t.Parallel()
	s := newFolder(t, t.TempDir())
	if err := s.Put(t.Context(), "k", newPattern(MaxJSON+1)); err != nil {
		t.Fatal(err)
	}
	wantErr(t, ErrDamaged, GetJSON(t.Context(), s, "k", new(any)), "larger")
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, location := range []string{
		"", "gs://bucket/x", "https://example.test/x", "s3://", "s3:///x", "s3://bucket//x", "s3://bucket/../x",
		file, filepath.Join(file, "below"),
	} {
		s, err := Open(t.Context(), location)
		if err == nil {
			t.Errorf("location %q opened as %v", location, s)
		} else if !strings.Contains(err.Error(), location) {
			t.Errorf("error %q does not name the location %q", err, location)
		}
	}
}

func TestOpenS3FromEnvironment(t *testing.T) { // not parallel, because it sets environment variables
	fake := newFakeS3(t)
	none := filepath.Join(t.TempDir(), "none")
	// For an IP address, the SDK always uses path style. For a host name, the client must request path style.
	endpoint := strings.Replace(fake.url, "127.0.0.1", "localhost", 1)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-north-1",
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
	} {
		t.Setenv(name, value)
	}
	s, err := Open(t.Context(), "s3://"+fakeBucket+"/team/idleseat/")
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, "k", "v")
	wantObject(t, fake.store("team/idleseat/"), "k", "v")

	missing, err := Open(t.Context(), "s3://no-such-bucket/p")
	if err != nil {
		t.Fatal(err)
	}
	err = missing.Put(t.Context(), "k", body("v"))
	if err == nil || !strings.Contains(err.Error(), "s3://no-such-bucket/p/k") {
		t.Errorf("bucket that does not exist: %v", err)
	}
	_, err = missing.Get(t.Context(), "k")
	if err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("a missing bucket is not a missing object: %v", err)
	}
}
