package command

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func mailedNotices(text string) string {
	text = strings.Replace(text, "\nrules:\n", "\nnotices: {from: "+sandbox.NoticeMailbox+", manager: true}\nrules:\n", 1)
	return strings.Replace(text, "{changeTo: exchange-online}", "{changeTo: exchange-online, notice: 14}", 1)
}

func citrixNotices(text string) string {
	text = strings.Replace(text, "\nrules:\n", "\nnotices: {from: "+sandbox.NoticeMailbox+", manager: true}\nrules:\n", 1)
	return strings.Replace(text, "    then: remove", "    then: {remove: true, notice: 14}", 1)
}

// The variable "subjects" has the beginning of a notice's subject, by language.
var subjects = map[string]string{"en-US": "Your license ", "": "Your license ", "sv-SE": "Din licens ", "nb-NO": "Lisensen din "}

// The method "mailed" checks every mail of the company. A mail goes to a person with a notice in one of the plans, in
// the person's language, with a copy to the manager. Nobody gets two mails. The method returns the number of mails.
func (s *shell) mailed(plans ...plan.Plan) int {
	s.t.Helper()
	told := map[string]*directory.EntraUser{}
	people := map[string]sandbox.Person{}
	for i := range s.company.Company.Size() {
		if p := s.company.Company.Person(i); p.Entra != nil {
			people[p.Entra.ID] = p
		}
	}
	managers := map[string]string{}
	for _, p := range plans {
		for _, c := range p.Notices {
			one := people[c.User]
			told[one.Entra.Mail] = one.Entra
			if boss := s.company.Company.Person(one.Index / 10); one.Index >= 10 && boss.Entra != nil && boss.Entra.Enabled == directory.Yes && boss.Entra.UserType == "Member" {
				managers[one.Entra.Mail] = boss.Entra.Mail
			}
		}
	}
	seen := map[string]bool{}
	for _, m := range s.company.Company.Mails() {
		to := m.To[0]
		u := told[to]
		switch {
		case u == nil || len(m.To) != 1 || seen[to]:
			s.t.Errorf("a mail to %q, who is in no plan or got one before", m.To)
			continue
		case u.Enabled != directory.Yes || u.UserType != "Member":
			s.t.Errorf("a mail to %s, enabled %s, %s", to, u.Enabled, u.UserType)
		case !strings.HasPrefix(m.Subject, subjects[u.PreferredLanguage]) || !strings.Contains(m.Body, printable(u.DisplayName)):
			s.t.Errorf("a mail to %s, who prefers %q: %s\n%s", to, u.PreferredLanguage, m.Subject, m.Body)
		case strings.Join(m.Copy, " ") != managers[to]:
			s.t.Errorf("a mail to %s with copies to %q, and the manager is %q", to, m.Copy, managers[to])
		}
		seen[to] = true
	}
	return len(seen)
}

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
}

// TestNoticesReachPeople: two nights give notice to different people. When the first notices are due, only
// the people of the first night lose their licenses.
func TestNoticesReachPeople(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 30*24*time.Hour, sandbox.Options{Users: 400, Seed: 21}, mailedNotices, replace(t, "perRun: 200", "perRun: 8"))
	first := s.plan(exitDone)
	if len(first.Notices) != 8 {
		t.Fatalf("%d notices", len(first.Notices))
	}
	s.finish(first.Run)
	if n := s.mailed(first.Plan); n != 8 {
		t.Errorf("%d mails after the first night", n)
	}
	s.later(24 * time.Hour)
	second := s.plan(exitDone)
	s.finish(second.Run)
	if n := s.mailed(first.Plan, second.Plan); n != 8+len(second.Notices) || len(second.Notices) == 0 {
		t.Errorf("%d mails after the second night, with %d notices", n, len(second.Notices))
	}
	for _, e := range s.company.Company.History() {
		if e.SKU != "" {
			t.Errorf("a license changed before the notice was over: %+v", e)
		}
	}
	s.later(14*24*time.Hour + 13*time.Hour) // the first notices are due within 15 days and a half
	third := s.plan(exitDone)
	if len(third.Changes) == 0 {
		t.Fatal("nothing is changed when the notice is over")
	}
	s.finish(third.Run)
	for _, c := range third.Changes {
		of := func(n plan.Change) bool { return n.User == c.User && n.License == c.License }
		if !slices.ContainsFunc(first.Notices, of) || slices.ContainsFunc(second.Notices, of) {
			t.Errorf("%s of %s is changed, and was not announced on the first night", c.License, c.UserPrincipalName)
		}
	}
	for _, x := range s.results(third.Run).Results {
		if slices.ContainsFunc(third.Changes, func(c plan.Change) bool { return c.User == x.User }) && x.Status != runs.Done {
			t.Errorf("%s: %s, %s", x.UserPrincipalName, x.Status, x.Note)
		}
	}
}

// TestMailsThatFail: the results say for each notice whether its mail was sent, was not sent, or nobody knows. The next
// plan makes no change after a failed mail. It announces a change again only if its mail was certainly not sent.
func TestMailsThatFail(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 400, Seed: 22}, mailedNotices, replace(t, "perRun: 200", "perRun: 5"))
	p := s.plan(exitDone)
	if len(p.Notices) != 5 {
		t.Fatalf("%d notices", len(p.Notices))
	}
	s.company.Company.BreakMail(sandbox.MailForbidden, sandbox.MailLost, sandbox.MailDown, sandbox.MailThrottled)
	a := s.run("apply", p.Run, "--yes", "--format", "json")
	var r runs.Results
	if err := json.Unmarshal(a.out, &r); err != nil || a.status != exitFailed {
		t.Fatalf("status %d, %v, %s", a.status, err, a.err)
	}
	var notes []string
	for _, x := range r.Results {
		for _, c := range p.Notices {
			if c.User == x.User && c.License == x.License {
				notes = append(notes, string(x.Status)+": "+x.Note)
			}
		}
	}
	for i, want := range []string{"failed: the mail that announces it was not sent", "failed: nobody knows whether the mail", "failed: nobody knows whether the mail", "announced: announced by mail", "announced: announced by mail"} {
		if i >= len(notes) || !strings.HasPrefix(notes[i], want) {
			t.Errorf("note %d of %q, want %q", i, notes, want)
		}
	}
	if n := s.mailed(p.Plan); n != 3 {
		t.Errorf("%d mails", n)
	}
	again := s.plan(exitDone)
	for i, c := range p.Notices {
		for _, d := range again.Notices {
			if c.User == d.User && i != 0 {
				t.Errorf("%s is announced again at once, after %s", c.UserPrincipalName, notes[i])
			}
		}
		for _, d := range again.Changes {
			if c.User == d.User && c.License == d.License {
				t.Errorf("%s is changed at once", c.UserPrincipalName)
			}
		}
	}
}

// TestMailsThatAllFail: if idleseat may not use the mailbox, the results have one line about the missing right. The
// line says how to grant it.
func TestMailsThatAllFail(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 400, Seed: 22}, mailedNotices, replace(t, "perRun: 200", "perRun: 8"))
	p := s.plan(exitDone)
	if len(p.Notices) != 8 {
		t.Fatalf("%d notices", len(p.Notices))
	}
	s.company.Company.BreakMail(slices.Repeat([]sandbox.MailFault{sandbox.MailForbidden}, 100)...)
	a := s.want(exitFailed, "apply", p.Run, "--yes")
	const told = "[1]  8 times: the mail that announces it was not sent, so the change waits: "
	if out := string(a.out); strings.Count(out, "ErrorAccessDenied") != 1 || !strings.Contains(out, told) ||
		strings.Count(out, "let the application send from "+sandbox.NoticeMailbox+" in Exchange Online; idleseat doctor shows the commands") != 1 || strings.Contains(out, "admin consent") {
		t.Errorf("%s", out)
	}
	if n := s.mailed(p.Plan); n != 0 {
		t.Errorf("%d mails", n)
	}
}

// TestKilledWhileTelling kills the command apply before or after Graph accepts a mail. Nobody gets two mails.
func TestKilledWhileTelling(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprint("after ", after), func(t *testing.T) {
			t.Parallel()
			x := newTrial(t, sandbox.Options{Users: 200, Seed: 23}, time.Now(), nil)
			x.write("policy.yaml", mailedNotices(replace(t, "perRun: 200", "perRun: 4")(string(x.company.Policy()))))
			p := x.plan(exitDone)
			if len(p.Notices) != 4 {
				t.Fatalf("%d notices", len(p.Notices))
			}
			mails := 0
			x.company.Intercept(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !strings.HasSuffix(r.URL.Path, "/sendMail") {
						next.ServeHTTP(w, r)
						return
					}
					if mails++; mails != 2 {
						next.ServeHTTP(w, r)
						return
					}
					if after {
						next.ServeHTTP(httptest.NewRecorder(), r)
					}
					x.mu.Lock()
					defer x.mu.Unlock()
					_ = x.process.Kill()
					panic(http.ErrAbortHandler)
				})
			})
			x.killedAt(p.Run, 0, false)
			sent := map[bool]int{false: 3, true: 4}[after]
			a := x.run("apply", p.Run, "--yes", "--format", "json")
			for n := 0; n < mostCalls && a.status != exitHeld; n++ {
				x.clock.pass(time.Minute)
				a = x.run("apply", p.Run, "--yes", "--format", "json")
			}
			if n := x.mailed(p.Plan); a.status != exitHeld || n != sent {
				t.Errorf("status %d, %d mails, want %d: %s", a.status, n, sent, a.err)
			}
			x.clock.pass(24 * time.Hour)
			for _, c := range x.plan(exitDone).Notices {
				for _, d := range p.Notices {
					if c.User == d.User {
						t.Errorf("%s is announced again a day later", c.UserPrincipalName)
					}
				}
			}
		})
	}
}
