package doctor

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/clock"
)

func patient() Patient {
	return Patient{Clock: clock.Real, Variable: func(string) (string, bool) { return "", false }}
}

func good(context.Context, *exam) ([]Finding, func()) { return one(Finding{State: OK, Means: "Good."}) }

func bad(context.Context, *exam) ([]Finding, func()) {
	return one(Finding{State: Failed, Means: "Bad."})
}

// The function "states" returns the state of each check. The last finding of a check counts.
func states(findings []Finding) map[string]State {
	all := map[string]State{}
	for _, f := range findings {
		all[f.Check] = f.State
	}
	return all
}

// TestOneCheckStopsNoOther: one check panics, one hangs, and one ignores the end of its time. Their state is unknown.
// The checks that need them are not tried, and all others run.
func TestOneCheckStopsNoOther(t *testing.T) {
	t.Parallel()
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	table := []check{
		{name: "panics", run: func(context.Context, *exam) ([]Finding, func()) { panic("anna@contoso.example") }},
		{name: "hangs", run: func(ctx context.Context, _ *exam) ([]Finding, func()) {
			<-ctx.Done()
			return bad(ctx, nil)
		}},
		{name: "does not listen", run: func(ctx context.Context, e *exam) ([]Finding, func()) {
			<-forever
			return good(ctx, e)
		}},
		{name: "bad", run: bad},
		{name: "good", run: good},
		{name: "after the panic", needs: []string{"panics"}, run: good},
		{name: "after the hanging", needs: []string{"hangs"}, run: good},
		{name: "after both", needs: []string{"good", "bad"}, run: good},
		{name: "after what was not tried", needs: []string{"after both"}, run: good},
		{name: "after the good one", needs: []string{"good"}, run: good},
	}
	got := examine(t.Context(), patient(), table, 50*time.Millisecond, func(string) {})
	want := map[string]State{
		"panics": Unknown, "hangs": Unknown, "does not listen": Unknown, "bad": Failed, "good": OK, "after the panic": NotTried, "after the hanging": NotTried,
		"after both": NotTried, "after what was not tried": NotTried, "after the good one": OK,
	}
	if diff := cmp.Diff(want, states(got)); diff != "" {
		t.Error(diff)
	}
	for i, f := range got {
		if f.Check != table[i].name {
			t.Errorf("finding %d is of %s, want the order of the table", i, f.Check)
		}
		if f.State == Unknown && f.Mend == nil {
			t.Errorf("%s: unknown without advice", f.Check)
		}
		if strings.Contains(f.Means, "anna@") {
			t.Errorf("the panic's value is shown: %s", f.Means)
		}
	}
}

// TestLateKnowledgeIsLost: the facts that a check learns after its time have no effect.
func TestLateKnowledgeIsLost(t *testing.T) {
	t.Parallel()
	var learned bool
	table := []check{{name: "late", run: func(ctx context.Context, _ *exam) ([]Finding, func()) {
		<-ctx.Done()
		return []Finding{{State: Failed}}, func() { learned = true }
	}}}
	if got := examine(t.Context(), patient(), table, time.Millisecond, func(string) {}); got[0].State != Unknown || learned {
		t.Errorf("%+v, learned %v", got, learned)
	}
}

// TestAnInterruptEndsIt: a check that waits during an interrupt becomes unknown. Its text says that it was
// interrupted.
func TestAnInterruptEndsIt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	table := []check{{name: "waits", run: func(ctx context.Context, _ *exam) ([]Finding, func()) {
		cancel()
		<-ctx.Done()
		return bad(ctx, nil)
	}}}
	if got := examine(ctx, patient(), table, time.Hour, func(string) {}); got[0].State != Unknown || !strings.Contains(got[0].Means, "interrupted") {
		t.Errorf("%+v", got)
	}
}

func TestAllEnd(t *testing.T) {
	t.Parallel()
	var table []check
	for i := range 40 {
		c := check{name: string(rune('a' + i)), run: good}
		if i > 0 {
			c.needs = []string{table[i-1].name}
		}
		table = append(table, c)
	}
	ended := make(chan string, len(table))
	got := examine(t.Context(), patient(), table, time.Minute, func(name string) { ended <- name })
	if len(got) != len(table) || Worst(got) != OK || len(ended) != len(table) {
		t.Errorf("%d findings, worst %s, %d ended", len(got), Worst(got), len(ended))
	}
}

// TestTheTableIsInOrder: each check needs only checks above it, so no two checks wait for each other.
func TestTheTableIsInOrder(t *testing.T) {
	t.Parallel()
	above := map[string]bool{}
	for _, c := range tableFor(&Patient{Stack: "idleseat"}) {
		for _, need := range c.needs {
			if !above[need] {
				t.Errorf("%s needs %s, which is not above it", c.name, need)
			}
		}
		if above[c.name] {
			t.Errorf("two checks are named %s", c.name)
		}
		above[c.name] = true
	}
}

func TestWorst(t *testing.T) {
	t.Parallel()
	for want, states := range map[State][]State{OK: {}, NotTried: {OK, NotTried}, Warning: {NotTried, Warning, OK}, Unknown: {Warning, Unknown}, Failed: {Unknown, Failed, Warning}} {
		var list []Finding
		for _, s := range states {
			list = append(list, Finding{State: s})
		}
		if got := Worst(list); got != want {
			t.Errorf("%v: %s, want %s", states, got, want)
		}
	}
}

// TestLiteral: a name from a directory is one word in both shells, and no part of it runs.
func TestLiteral(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"plain": "'plain'", "it's": "'it''s'", "‘’‚‛": "'‘‘’’‚‚‛‛'", `$(rm)"`: `'$(rm)"'`, "": "''"} {
		if got := literal(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		out, err := exec.Command("bash", "-c", "printf %s "+word(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("bash reads %q as %q, %v", text, out, err)
		}
	}
}

// TestHostileNames: the commands for hostile names run no code from the names.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	const hostile = "x'; touch /tmp/evil; $(touch /tmp/evil) `touch /tmp/evil` \"\n"
	e := &exam{Patient: patient()}
	e.PolicyFile, e.Location, e.Stack = hostile, hostile, hostile
	for _, bind := range []string{hostile, `CORP\` + hostile, "CN=$(evil),DC=corp", hostile + "@corp.example"} {
		e.Bind = bind
		for _, m := range []*Mend{
			e.edit(""), e.permit("", hostile, "GR", "(A;;GR;;;$SID)"), e.allowReading("CN=a,DC=$(evil)"), e.clearInterval("DC='$(evil)"), e.command("", "show", hostile), e.deploy("", "A=1"),
			e.alike("", "group", "displayName", hostile), e.reach("ldaps://"+"$(evil)", context.Canceled), e.reach("ldaps://dc1;evil", context.Canceled), e.allowOne(hostile), setTo("", "A", hostile), grantRole("", hostile, "User.Read.All"),
		} {
			script := `touch() { echo EVIL; }; evil() { echo EVIL; }; vi() { :; }; az() { :; }; idleseat() { :; }; samba-tool() { :; }; sam() { :; }; ldbmodify() { cat >/dev/null; }; ldbsearch() { :; };` + "\nunset EDITOR\n" + m.Bash
			out, err := exec.Command("bash", "-c", script).CombinedOutput()
			if err != nil || strings.Contains(string(out), "EVIL") {
				t.Errorf("%v: %s\n%s", err, out, m.Bash)
			}
			if strings.Contains(m.PowerShell, "\ntouch") {
				t.Errorf("%s", m.PowerShell)
			}
		}
	}
}
