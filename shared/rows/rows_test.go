package rows

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNext(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5<<20)
	for name, tc := range map[string]struct {
		file  string
		want  [][]string
		fault string
	}{
		"nothing":                     {"", nil, ""},
		"rows of different lengths":   {"a,b\r\n1\r\n1,2,3\r\n", [][]string{{"a", "b"}, {"1"}, {"1", "2", "3"}}, ""},
		"a quote in a field":          {"a\"b,c\n", [][]string{{"a\"b", "c"}}, ""},
		"a row of more than a buffer": {"a\n" + long[:1<<19] + "\nb\n", [][]string{{"a"}, {long[:1<<19]}, {"b"}}, ""},
		"many rows, each bounded":     {strings.Repeat(long[:1<<19]+"\n", 4), slices.Repeat([][]string{{long[:1<<19]}}, 4), ""},
		"a quote without an end":      {"a\n\"" + long, [][]string{{"a"}}, "a row is longer than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got [][]string
			r := New(strings.NewReader(tc.file))
			row, err := r.Next()
			for ; err == nil; row, err = r.Next() {
				got = append(got, slices.Clone(row))
			}
			if tc.fault == "" && !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), tc.fault) {
				t.Errorf("error %v, want %q", err, tc.fault)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("rows (-want +got):\n%.500s", d)
			}
		})
	}
}
