package command

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/channel"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The method "joins" starts a simulated channel of Slack, and sets the shell up so that the nights post to this
// channel.
func (s *shell) joins() *channel.Server {
	s.t.Helper()
	c := channel.Start()
	s.t.Cleanup(c.Close)
	s.web = c.Transport()
	s.write("webhook", c.Slack()+"\n")
	s.setenv("IDLESEAT_WEBHOOK_FILE", s.path("webhook"))
	return c
}

// namesNobody fails the test if the text has the name of a person in the company, the name of the operator, a path of
// this machine, or a secret part of the address of the webhook.
func (s *shell) namesNobody(text string) {
	s.t.Helper()
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if p.Entra != nil && (strings.Contains(text, p.Entra.UserPrincipalName) || strings.Contains(text, p.Entra.ID)) {
			s.t.Errorf("%s is named: %s", p.Entra.UserPrincipalName, text)
		}
	}
	for _, part := range []string{s.dir, approver(), channel.Token, channel.Signature} {
		if strings.Contains(text, part) {
			s.t.Errorf("%q is in %s", part, text)
		}
	}
}

// TestNightTellsTheChannel: each night posts one message, even if the night fails. The message has the next commands,
// and no names.
func TestNightTellsTheChannel(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		options sandbox.Options
		policy  func(t *testing.T) policyText
		spoil   func(s *shell)
		status  int
		want    []string
	}{
		"planned": {policy: mode(policy.Audit), status: exitDone, want: []string{`"idleseat: `, " planned, none applied (mode audit)", "would save", "idleseat show 20"}},
		"waiting": {policy: mode(policy.Review), status: exitHeld, want: []string{"idleseat: waiting for approval, ", "would save", "idleseat apply 20"}},
		"done":    {policy: mode(policy.Enforce), status: exitDone, want: []string{"idleseat: done, ", " a month freed", "idleseat restore --run 20"}},
		"held": {policy: func(t *testing.T) policyText { return replace(t, "percent: 100,", "percent: 1,") }, status: exitHeld,
			want: []string{"idleseat: HELD by a safety check; nothing was changed", "limits.stopAbove.percent 1", "--override-limits "}},
		"pending": {options: sandbox.Options{LicenseDelay: 1000 * time.Hour}, policy: mode(policy.Enforce), status: exitPending,
			want: []string{" pending", "The next scheduled run finishes what is pending."}},
		"nothing": {policy: func(t *testing.T) policyText {
			return replace(t, `userType == "Guest"`, `userType != "" || userType == ""`)
		}, status: exitDone,
			want: []string{"idleseat: done, nothing to change"}},
		"failed": {policy: mode(policy.Audit), status: exitUnread, spoil: func(s *shell) {
			s.company.Intercept(func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
			})
		}, want: []string{"idleseat: FAILED, start it again", `"Why: "`, "403", "idleseat run"}},
		"a faulty policy": {policy: func(*testing.T) policyText {
			return func(string) string { return "tenant: anna.berg@contoso.example\n" }
		}, status: exitUsage, want: []string{"idleseat: refused, nothing was begun", "(name left out)"}},
		"no policy": {policy: mode(policy.Audit), spoil: func(s *shell) { s.setenv("IDLESEAT_POLICY", s.path("none.yaml")) }, status: exitUsage,
			want: []string{"idleseat: refused, nothing was begun", "(name left out) does not exist"}},
		"another night": {policy: mode(policy.Audit), spoil: func(s *shell) {
			s.object(layout.Lease(1), `{"holder":"`+approver()+`, process 1","id":"x","since":"2000-01-01T00:00:00Z","until":"2100-01-01T00:00:00Z"}`)
		}, status: exitHeld, want: []string{"idleseat: refused, nothing was begun", `"another run is under way\n"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.options.Users, tc.options.Seed = 200, 3
			s, _ := newNights(t, tc.options, tc.policy(t))
			c := s.joins()
			if tc.spoil != nil {
				tc.spoil(s)
			}
			a := s.want(tc.status, "run")
			shown := c.Shown()
			if len(shown) != 1 || strings.Contains(a.err, "the channel was not told") {
				t.Fatalf("%d messages of %d posts, %s", len(shown), len(c.Posts()), a.err)
			}
			for _, part := range tc.want {
				if !strings.Contains(shown[0], part) {
					t.Errorf("without %q: %s", part, shown[0])
				}
			}
			s.namesNobody(shown[0])
			if strings.Contains(a.err, channel.Token) || strings.Contains(string(a.out), channel.Token) {
				t.Errorf("the address is printed: %s", a.err)
			}
		})
	}
}

func mode(m policy.Mode) func(t *testing.T) policyText {
	return func(t *testing.T) policyText { return inMode(t, m) }
}

// TestChannelThatDoesNotListen: if the channel does not take the message, the night ends as without a channel, and the
// command prints that the message failed.
func TestChannelThatDoesNotListen(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(s *shell, c *channel.Server)
		want  string
	}{
		"refused": {func(_ *shell, c *channel.Server) {
			c.Fail(func(_ int, w http.ResponseWriter) bool {
				w.WriteHeader(http.StatusNotFound)
				_, err := io.WriteString(w, "no_service")
				return err == nil
			})
		}, "Slack did not take the message: it answers 404 (no_service): it was removed"},
		"gone":        {func(_ *shell, c *channel.Server) { c.Close() }, "it cannot be reached"},
		"no file":     {func(s *shell, _ *channel.Server) { s.setenv("IDLESEAT_WEBHOOK_FILE", s.path("none")) }, "cannot read the file that IDLESEAT_WEBHOOK_FILE names"},
		"no address":  {func(s *shell, _ *channel.Server) { s.write("webhook", channel.Token) }, "IDLESEAT_WEBHOOK_FILE: "},
		"a connector": {func(s *shell, _ *channel.Server) { s.write("webhook", "https://x.webhook.office.com/"+channel.Token) }, "which Microsoft has retired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newNights(t, sandbox.Options{Users: 60, Seed: 3}, inMode(t, policy.Audit))
			c := s.joins()
			tc.spoil(s, c)
			a := s.want(exitDone, "run", "--format", "json")
			if !strings.Contains(a.err, "the channel was not told how this run ended, which changes nothing else: ") || !strings.Contains(a.err, tc.want) || strings.Contains(a.err, channel.Token) {
				t.Errorf("%s", a.err)
			}
			if !json.Valid(a.out) {
				t.Errorf("no JSON: %s", a.out)
			}
		})
	}
}

// TestLinkToTheReport: the message has a link to the report if a browser can open the report.
func TestLinkToTheReport(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ reports, store, want string }{
		{"https://seats.contoso.example/idleseat/", "store", "https://seats.contoso.example/idleseat/runs/r/report.html"},
		{"", "/home/anna/store", ""},
		{"", "s3://b/p", "https://eu-north-1.console.aws.amazon.com/s3/object/b?prefix=p%2Fruns%2Fr%2Freport.html&region=eu-north-1"},
		{"file:///home/anna", "store", ""},
		{"http://seats.contoso.example", "store", ""},
	} {
		if got := (&channelConfig{Reports: tc.reports}).link(tc.store, "eu-north-1", layout.Report("r")); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
	}
	s, _ := newNights(t, sandbox.Options{Users: 60, Seed: 3}, inMode(t, policy.Audit))
	c := s.joins()
	s.setenv("IDLESEAT_REPORTS_URL", "https://seats.contoso.example")
	s.want(exitDone, "run")
	if shown := c.Shown(); len(shown) != 1 || !strings.Contains(shown[0], `"url":"https://seats.contoso.example/runs/20`) {
		t.Errorf("%q", shown)
	}
}

// TestInterruptedNightTellsTheChannel stops a process during a night. The channel must still get a message. The process
// verifies the certificate of the channel with the certificates of the machine, as in production.
func TestInterruptedNightTellsTheChannel(t *testing.T) {
	t.Parallel()
	s, _ := newNights(t, sandbox.Options{Users: 60, Seed: 3}, inMode(t, policy.Audit))
	c := channel.Start()
	t.Cleanup(c.Close)
	s.write("webhook", c.Teams())
	s.write("ca.pem", string(c.CA()))
	cmd := exec.Command(os.Args[0], "run")
	cmd.Env, cmd.Dir = append(s.env, "IDLESEAT_WEBHOOK_FILE="+s.path("webhook"), "SSL_CERT_FILE="+s.path("ca.pem")), s.dir
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			<-r.Context().Done()
		})
	})
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "interrupted: ") {
		t.Fatalf("%v\n%s", err, out)
	}
	if shown := c.Shown(); len(shown) != 1 || !strings.Contains(shown[0], "idleseat: FAILED, start it again") || !strings.Contains(shown[0], "interrupted: nothing was changed in a directory") {
		t.Errorf("%q\n%s", shown, out)
	} else {
		s.namesNobody(shown[0])
	}
}
