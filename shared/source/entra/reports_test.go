package entra

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReport: the client tries the addresses of a report in order, and downloads the file without the token.
func TestReport(t *testing.T) {
	t.Parallel()
	var token bool
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token = token || r.Header.Get("Authorization") != ""
		fmt.Fprint(w, "the file")
	}))
	t.Cleanup(files.Close)
	const copilot, beta = "/copilot/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')", "/../beta/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')"
	found := answer{status: http.StatusFound, header: map[string]string{"Location": files.URL + "/x.csv"}}
	unknown := func(status int) answer {
		return answer{status: status, body: `{"error":{"code":"BadRequest","message":"Resource not found for the segment 'copilot'."}}`}
	}
	for name, tc := range map[string]struct {
		play  []answer
		asked []string
		want  string
		err   error
	}{
		"in the first place":     {[]answer{found}, []string{"GET /v1.0" + copilot}, "the file", nil},
		"given at once":          {[]answer{{body: "here"}}, []string{"GET /v1.0" + copilot}, "here", nil},
		"400 in the first":       {[]answer{unknown(400), found}, []string{"GET /v1.0" + copilot, "GET /beta/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')"}, "the file", nil},
		"404 in the first":       {[]answer{unknown(404), found}, []string{"GET /v1.0" + copilot, "GET /beta/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')"}, "the file", nil},
		"refused in the first":   {[]answer{forbidden}, []string{"GET /v1.0" + copilot}, "", ErrForbidden},
		"refused in the second":  {[]answer{unknown(404), forbidden}, []string{"GET /v1.0" + copilot, "GET /beta/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')"}, "", ErrForbidden},
		"throttled in the first": {[]answer{{status: 429, header: map[string]string{"Retry-After": "1"}}, found}, []string{"GET /v1.0" + copilot, "GET /v1.0" + copilot}, "the file", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tc.play...)
			var got []byte
			err := f.Report(t.Context(), "copilot", []string{copilot + "?$format=text/csv", beta + "?$format=text/csv"}, func(r io.Reader) (err error) {
				got, err = io.ReadAll(r)
				return err
			})
			if !errors.Is(err, tc.err) || string(got) != tc.want {
				t.Errorf("%q, %v", got, err)
			}
			if diff := cmp.Diff(tc.asked, f.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
	t.Cleanup(func() {
		if token {
			t.Error("the token was handed on")
		}
	})
}

// TestBetaIsForOneReport: outside the base URL, the client requests nothing but the report that betaReport matches.
func TestBetaIsForOneReport(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/../beta/users", "/../beta/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')/../users", "/../v2/users"} {
		f := newFake(t, answer{body: "never"})
		err := f.Report(t.Context(), "copilot", []string{path}, func(io.Reader) error { return nil })
		if !errors.Is(err, errRefused) || len(f.asked) > 0 {
			t.Errorf("%s: %v, asked %q", path, err, f.asked)
		}
	}
}
