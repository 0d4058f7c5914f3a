package command

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/story"
)

func (s *shell) story(command, user string, flags ...string) *story.Story {
	s.t.Helper()
	var told struct {
		Run    string
		People []*story.Story
	}
	a := s.want(exitDone, append([]string{command, user, "--format", "json"}, flags...)...)
	if err := json.Unmarshal(a.out, &told); err != nil || len(told.People) != 1 || told.Run != told.People[0].Run {
		s.t.Fatalf("%s %s: %v, %d people\n%s", command, user, err, len(told.People), a.out)
	}
	return told.People[0]
}

// The method "typed" runs a command that another command printed. The line may have a label before the command.
func (s *shell) typed(line string) {
	s.t.Helper()
	command := line[max(0, strings.Index(line, "idleseat ")):]
	out, err := exec.Command("sh", "-c", `printf '%s\n' `+command).Output()
	if err != nil {
		s.t.Fatalf("sh cannot read %s: %v", command, err)
	}
	words := strings.Split(strings.TrimSpace(string(out)), "\n")
	if words[0] != "idleseat" {
		s.t.Fatalf("no command of idleseat: %s", line)
	}
	s.run(append(words[1:], "--yes")...) // the test ignores the exit status, which is 3 or 1 while a change is pending
}

func holdsOf(one *story.Story) map[string]story.State {
	states := map[string]story.State{}
	for _, x := range one.Answers {
		states[x.License] = x.State
	}
	return states
}

// TestCommandsOfAStory: explain and history print commands, each with a text that says what the command does. The test
// runs these commands and checks their effects. The name of the store has a blank, so that the commands need quotes.
func TestCommandsOfAStory(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 60, Seed: 1, LicenseDelay: time.Minute})
	const ingrid, number = "ingrid.halvorsen.2@contoso.example", 2
	if got := s.company.Company.Person(number).Entra.UserPrincipalName; got != ingrid {
		t.Fatalf("person %d is %s", number, got)
	}
	before := holding(s.company.Company)[number]
	in := []string{"--store", s.path("my store")}
	s.want(exitDone, append([]string{"plan"}, in...)...)
	said := s.want(exitUsage, append([]string{"explain", "ingrid.halvorsen.@contoso.example"}, in...)...).err
	if want := "account name; did you mean \"" + ingrid + "\"?\n"; !strings.HasSuffix(said, want) || strings.Contains(said, "store") {
		t.Errorf("a misspelt name: %q does not end with %q", said, want)
	}
	one := s.story("explain", ingrid, in...)
	if got := holdsOf(one); got["m365-e3"] != story.Idle || got["citrix"] != story.Idle || len(one.Ledger) != 0 {
		t.Fatalf("before the change: %v, ledger %+v", got, one.Ledger)
	}
	for _, x := range one.Answers {
		if len(x.Do) != 1 || !strings.Contains(x.Do[0], ": idleseat apply "+one.Run) || strings.Contains(x.Change, "has this change") {
			t.Fatalf("%s: %s; to do %q", x.License, x.Change, x.Do)
		}
	}
	s.typed(one.Answers[0].Do[0])
	s.until(ingrid, story.Taken, in...)
	if text := string(s.want(exitDone, append([]string{"history", ingrid}, in...)...).out); !strings.Contains(text, "exchanged it for exchange-online on ") || !strings.Contains(text, "no sign-in for ") || !strings.Contains(text, "to restore it now: ") {
		t.Errorf("history:\n%s", text)
	}
	one = s.story("history", ingrid, in...)
	s.passes(7 * time.Hour) // now every domain controller shows the removals, so a restore does not wait
	for _, l := range one.Ledger {
		s.typed(l.Undo)
	}
	s.until(ingrid, story.GivenBack, in...)
	text := string(s.want(exitDone, append([]string{"explain", ingrid}, in...)...).out)
	for _, want := range []string{"No rule takes it before ", "Each new sign-in postpones that date.", "Each new logon postpones that date."} {
		if !strings.Contains(text, want) {
			t.Errorf("explain does not say %q of what was restored:\n%s", want, text)
		}
	}
	s.passes(2 * time.Minute)
	if d := cmp.Diff(before, holding(s.company.Company)[number]); d != "" {
		t.Errorf("what Ingrid holds (-before +after):\n%s", d)
	}
	s.want(exitDone, append([]string{"plan"}, in...)...)
	one = s.story("explain", ingrid, in...)
	for _, x := range one.Answers {
		if x.State != story.Cooling || !x.Turns.Equal(x.Cools) || x.Cools.Before(time.Now().Add(50*day)) {
			t.Errorf("%s is %s, turns %s, cools until %s", x.License, x.State, x.Turns, x.Cools)
		}
	}
}

// The method "until" finishes the pending changes of a user, until both E3 and Citrix have the state "want".
func (s *shell) until(user string, want story.State, flags ...string) {
	s.t.Helper()
	for range 30 {
		one := s.story("explain", user, flags...)
		if got := holdsOf(one); got["m365-e3"] == want && got["citrix"] == want {
			return
		}
		s.passes(time.Minute)
		for _, l := range one.Ledger {
			if l.Finish != "" {
				s.typed(l.Finish)
			}
		}
	}
	s.t.Fatalf("after half an hour the licenses are %v, want %s", holdsOf(s.story("explain", user, flags...)), want)
}
