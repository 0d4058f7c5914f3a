package entra

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDownloadIsRepeated: the client downloads the file of a report again if a second try may help. The caller gets
// the file once and whole.
func TestDownloadIsRepeated(t *testing.T) {
	t.Parallel()
	const file = "the whole file"
	answers := map[string]http.HandlerFunc{
		"429":   func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "60"); w.WriteHeader(429) },
		"503":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"403":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) },
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(file)))
			fmt.Fprint(w, file[:5])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"whole": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, file) },
	}
	const minute = time.Minute
	for name, tc := range map[string]struct {
		play  []string
		waits []time.Duration
		err   string
	}{
		"at once":              {[]string{"whole"}, nil, ""},
		"throttled":            {[]string{"429", "whole"}, []time.Duration{minute}, ""},
		"down":                 {[]string{"503", "503", "whole"}, []time.Duration{time.Second, 2 * time.Second}, ""},
		"the network fails":    {[]string{"reset", "whole"}, []time.Duration{time.Second}, ""},
		"cut off":              {[]string{"cut", "cut", "whole"}, []time.Duration{time.Second, 2 * time.Second}, ""},
		"refused":              {[]string{"403", "whole"}, nil, "the download answered 403 Forbidden"},
		"throttled for good":   {[]string{"429", "429", "429", "429", "429", "429", "429"}, []time.Duration{minute, minute, minute, minute, minute}, "gave up after try 6"},
		"cut off, and refused": {[]string{"cut", "403"}, []time.Duration{time.Second}, "the download answered 403 Forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play := tc.play
			files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next := play[0]
				play = play[1:]
				answers[next](w, r)
			}))
			t.Cleanup(files.Close)
			f := newFake(t, answer{status: http.StatusFound, header: map[string]string{"Location": files.URL + "/x.csv"}})
			var got []string
			err := f.Report(t.Context(), "copilot", []string{"/reports/x"}, func(r io.Reader) error {
				text, err := io.ReadAll(r)
				got = append(got, string(text))
				return err
			})
			want := []string{file}
			if tc.err != "" {
				want = nil
			}
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) || !cmp.Equal(want, got) {
				t.Errorf("read %q, %v", got, err)
			}
			if diff := cmp.Diff(tc.waits, f.waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}
