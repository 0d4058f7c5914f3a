package command

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The function "guarded" starts a company with a mailboxQuota of 50 GB for exchange-online. People with a larger
// mailbox may not move to this license.
func guarded(t *testing.T) *shell {
	t.Helper()
	return newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond}, replace(t, "{entra: LIC-EXO-P1}, ", "{entra: LIC-EXO-P1}, mailboxQuota: 50,"))
}

// TestMailboxesAreGuarded: a person keeps E3 if exchange-online does not suit the person's mailbox, for example because
// of its size. The other changes are made.
func TestMailboxesAreGuarded(t *testing.T) {
	t.Parallel()
	s := guarded(t)
	first := s.plan(exitDone)
	var moves []plan.Change
	for _, c := range first.Changes {
		if c.License == "m365-e3" {
			moves = append(moves, c)
		}
	}
	if len(moves) < 5 {
		t.Fatalf("only %d moves", len(moves))
	}
	const gb = directory.GB
	want := map[string]string{}
	for i, box := range []struct {
		directory.Mailbox
		reason string
	}{
		{directory.Mailbox{Bytes: 61 * gb, Recoverable: 30 * gb}, "the mailbox holds 61.0 GB, and exchange-online allows 50 GB"},
		{directory.Mailbox{Bytes: gb, Recoverable: 30 * gb, Archive: true}, "the mailbox has an archive, which may outgrow exchange-online"},
		{directory.Mailbox{Bytes: gb, Recoverable: 100 * gb}, "the mailbox is on hold, which exchange-online does not cover"},
	} {
		s.company.Company.SetMailbox(s.number(moves[i].User), box.Mailbox)
		want[moves[i].User] = box.reason
	}
	p := s.plan(exitDone)
	for user, reason := range want {
		if got := p.reason(user, "m365-e3"); got != reason {
			t.Errorf("refused %q, want %q", got, reason)
		}
	}
	if len(p.Changes) != len(first.Changes)-len(want) {
		t.Errorf("%d changes, %d before, %d refused", len(p.Changes), len(first.Changes), len(want))
	}
	if r := s.done(p.Run); r.Count(runs.Done) != len(p.Changes) {
		t.Errorf("%d of %d done: %+v", r.Count(runs.Done), len(p.Changes), r.Results)
	}
	text := string(s.want(exitDone, "plan").out)
	if !strings.Contains(text, "the mailbox is on hold") {
		t.Errorf("the plan for people does not say why:\n%s", text)
	}
}

// TestMailboxesUnknown: without the mailbox report, or if it conceals names, nobody moves to exchange-online, but
// changes of Citrix continue.
func TestMailboxesUnknown(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		what   func(*shell)
		reason string
	}{
		"concealed": {func(s *shell) { s.company.Company.ConcealNames() }, "the mailbox usage report conceals names"},
		"forbidden": {func(s *shell) {
			s.company.Intercept(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, "/reports/") {
						http.Error(w, `{"error":{"code":"S2SUnauthorized","message":"Invalid permission."}}`, http.StatusForbidden)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
		}, "grant the application permission Reports.Read.All"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := guarded(t)
			tc.what(s)
			p := s.plan(exitDone)
			refused := 0
			for _, r := range p.Refused {
				if strings.HasPrefix(r.Reason, "the size of the mailbox is not known") && strings.Contains(r.Reason, tc.reason) {
					refused++
				}
			}
			for _, c := range p.Changes {
				if c.License == "m365-e3" {
					t.Errorf("moved without knowing: %+v", c)
				}
			}
			if refused < 5 || len(p.Changes) == 0 {
				t.Errorf("%d refused, %d changes", refused, len(p.Changes))
			}
		})
	}
}

// TestTargetWithoutMail switches off the service plan of the mailbox in the group that gives Exchange Online.
// Afterwards, neither the earlier plan nor a new plan moves a person to the group.
func TestTargetWithoutMail(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond})
	before := s.plan(exitDone)
	s.company.Intercept(edited("/groups", func(group map[string]any) {
		if group["displayName"] == "LIC-EXO-P1" {
			group["assignedLicenses"].([]any)[0].(map[string]any)["disabledPlans"] = []string{"9aaf7827-d63c-4b61-89c3-182f06f82e5c"}
		}
	}))
	const want = "the group entra:LIC-EXO-P1 gives exchange-online without the service plan EXCHANGE_S_STANDARD"
	s.change(before, by("m365-idle-60", plan.EntraGroup)) // fails the test if the plan has no such change
	grouped := map[string]bool{}
	for _, c := range before.Changes {
		grouped[c.User] = grouped[c.User] || c.Via == plan.EntraGroup
	}
	for _, r := range s.done(before.Run).Results {
		if grouped[r.User] && r.License == "m365-e3" && (r.Status != runs.Refused || !strings.Contains(r.Note, want)) {
			t.Errorf("a plan made before: %+v", r)
		}
	}
	after := s.plan(exitDone)
	for user, moved := range grouped {
		if got := after.reason(user, "m365-e3"); moved && !strings.Contains(got, want) {
			t.Errorf("refused for %q", got)
		}
	}
	for _, c := range after.Changes {
		if c.Via == plan.EntraGroup {
			t.Errorf("planned: %+v", c)
		}
	}
	for _, e := range s.company.Company.History() {
		if e.LostMailbox {
			t.Errorf("somebody was without a mailbox: %+v", e)
		}
	}
}
