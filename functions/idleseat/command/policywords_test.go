package command

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy/words"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/snapshot"
)

func TestPolicyExplain(t *testing.T) {
	t.Parallel()
	for language, want := range map[string]string{
		"en": "A person who holds m365-e3 is changed to exchange-online if the last sign-in to Entra ID was more than 60 days ago or",
		"sv": "En person som har m365-e3 flyttas till exchange-online om den senaste inloggningen i Entra ID skedde för mer än 60 dagar sedan eller",
	} {
		a := call(t, "policy", "explain", infra, "--language", language)
		if a.status != exitDone || a.err != "" || !strings.Contains(string(a.out), want) || !strings.Contains(string(a.out), "\n  breakglass@contoso.example\n") {
			t.Errorf("%s: exit status %d, stderr %q, stdout:\n%s", language, a.status, a.err, a.out)
		}
		b := call(t, "policy", "explain", infra, "--language", language, "--format", "json")
		var text words.Text
		if err := json.Unmarshal(b.out, &text); err != nil || string(text.Language) != language {
			t.Fatalf("%v in %s", err, b.out)
		}
		if d := cmp.Diff(string(a.out), text.String()); d != "" {
			t.Errorf("the JSON says something else (-text +json):\n%s", d)
		}
	}
	if a := call(t, "policy", "explain", "--help"); !strings.Contains(string(a.out), "--language") || !strings.Contains(string(a.out), "<file>") {
		t.Errorf("the help: %s", a.out)
	}
	if a := call(t, "policy", "explain", infra, "--language", "de"); a.status != exitUsage || len(a.out) > 0 {
		t.Errorf("exit status %d, stdout %q", a.status, a.out)
	}
	file := t.TempDir() + "/faulty.yaml"
	if err := os.WriteFile(file, []byte("tenant: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := call(t, "policy", "explain", file); a.status != exitUsage || !strings.Contains(a.err, "faulty.yaml:1:") || len(a.out) > 0 {
		t.Errorf("exit status %d, stderr %q", a.status, a.err)
	}
}

// TestPolicyExplainNamesGroups: for the id of a group in the policy, "policy explain" prints the name that a run read.
func TestPolicyExplainNamesGroups(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100})
	file := s.path("policy.yaml")
	begun := func() (b snapshot.Begin) {
		raw, err := os.ReadFile(s.path("store/runs/" + s.plan(exitDone).Run + "/begin.json"))
		if err == nil {
			err = json.Unmarshal(raw, &b)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	byID, ids := string(text), []string{}
	for _, g := range begun().Groups {
		if g.Ref.Source == directory.Entra {
			byID, ids = strings.ReplaceAll(byID, "entra: "+g.Ref.Name, "entra: "+g.ID), append(ids, g.ID)
		}
	}
	said := string(s.want(exitDone, "policy", "explain", file, "--store", s.path("store")).out)
	s.write("policy.yaml", byID)
	begun()
	if plain := string(s.want(exitDone, "policy", "explain", file).out); len(ids) < 3 || !strings.Contains(plain, ids[0]) {
		t.Errorf("without a store the ids of %d groups are not there:\n%s", len(ids), plain)
	}
	if d := cmp.Diff(said, string(s.want(exitDone, "policy", "explain", file, "--store", s.path("store")).out)); d != "" {
		t.Errorf("by ids it says something else (-by names +by ids):\n%s", d)
	}
	if a := s.want(exitUsage, "policy", "explain", file, "--store", s.path("none")); len(a.out) > 0 {
		t.Errorf("stdout %q", a.out)
	}
}

func TestPolicySchema(t *testing.T) {
	t.Parallel()
	a := call(t, "policy", "schema")
	var printed struct {
		Schema     string `json:"$schema"`
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal(a.out, &printed); err != nil || a.status != exitDone || a.err != "" {
		t.Fatalf("exit status %d, stderr %q, %v", a.status, a.err, err)
	}
	if printed.Schema == "" || printed.Properties["mode"].Description == "" || !strings.Contains(string(a.out), `"entra.lastActivity"`) {
		t.Errorf("the schema lacks keys or fields:\n%s", a.out)
	}
}
