package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/sandbox"
)

func TestBadPolicy(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 20})
	s.apart = true // the paths are relative to the folder of the shell
	good := string(s.company.Policy())
	if err := os.Mkdir(s.path("folder.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	change := func(old, new string) string { return replace(t, old, new)(good) }
	tests := map[string]struct{ text, want string }{
		"unknown key":          {change("currency:", "curency:"), ":3:1: "},
		"misspelt attribute":   {change("AzureAdSistaLogon.hasNoValue()", "AzureAdSistaLogin.hasNoValue()"), "AzureAdSistaLogin"},
		"wrong type":           {change("perRun: 200", "perRun: many"), "perRun"},
		"rule is not bool":     {change(`accountEnabled && systemRole == "Employee"`, "systemRole"), "bool"},
		"too many days":        {change("days(60)", "days(200000)"), "3650"},
		"unknown license":      {change("license: m365-e3", "license: m365-e4"), "m365-e4"},
		"duplicate rule names": {change("name: citrix-idle-90", "name: m365-idle-60"), "m365-idle-60"},
		"empty":                {"", "empty"},
		"10 MB":                {good + strings.Repeat("# filling\n", 1<<20), "1 MiB"},
		"wrong tenant":         {change("tenant: 1111", "tenant: 2222"), "tenant"},
		"product not owned":    {change("SPE_E3", "SPE_E9"), "SPE_E9"},
		"no such group":        {change("LIC-EXO-P1", "LIC-GONE"), "LIC-GONE"},
		"two groups":           {change("LIC-Exempt", "Duplicate"), "Duplicate"},
		"binary":               {"\x00\xff\xfe", "UTF-8"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			file := strings.ReplaceAll(name, " ", "-") + ".yaml"
			s.write(file, tc.text)
			a := s.want(exitUsage, "plan", "--policy", file)
			if !strings.Contains(a.err, tc.want) || strings.Count(a.err, "\n") > 12 {
				t.Errorf("stderr does not say %q, or is long:\n%s", tc.want, a.err)
			}
		})
	}
	s.want(exitUsage, "plan", "--policy", "folder.yaml")
	s.want(exitUsage, "plan", "--policy", "missing.yaml")
	s.want(exitUsage, "policy", "check", "folder.yaml")
	if runs, _ := filepath.Glob(s.path("store/runs/*")); len(runs) > 0 {
		t.Errorf("runs were made: %q", runs)
	}
	s.unwritten()
}

func TestBadUsage(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 20})
	s.apart = true // the paths are relative to the folder of the shell
	s.write("plain", "")
	if err := os.Mkdir(s.path("store"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		status int
		args   []string
		want   string
	}{
		"no command":             {exitUsage, nil, "plan"},
		"unknown command":        {exitUsage, []string{"plam"}, "plam"},
		"unknown flag":           {exitUsage, []string{"plan", "--asof", "2026-01-01"}, "asof"},
		"as-of is no date":       {exitUsage, []string{"plan", "--as-of", "yesterday"}, "yesterday"},
		"as-of the future":       {exitUsage, []string{"plan", "--as-of", time.Now().Add(time.Hour).Format(time.RFC3339)}, "future"},
		"wrong format":           {exitUsage, []string{"plan", "--format", "xml"}, "format"},
		"user and run":           {exitUsage, []string{"plan", "--user", "a", "--run", "b"}, "--user"},
		"unknown run":            {exitUsage, []string{"plan", "--run", "20260101T000000Z-00000000"}, "20260101T000000Z-00000000"},
		"run is a path":          {exitUsage, []string{"apply", "../../etc", "--yes"}, "../../etc"},
		"unknown user":           {exitUsage, []string{"reevaluate", "nobody@contoso.example"}, "nobody@contoso.example"},
		"empty user, plan":       {exitUsage, []string{"plan", "--user", ""}, "empty"},
		"empty user, reevaluate": {exitUsage, []string{"reevaluate", "", "--apply"}, "empty"},
		"empty user, explain":    {exitUsage, []string{"explain", " "}, "empty"},
		"hostile user":           {exitUsage, []string{"plan", "--user", "x*)(objectClass=*"}, "x*)("},
		"no snapshot yet":        {exitUsage, []string{"explain", "anna@contoso.example"}, "plan"},
		"store is a file":        {exitFailed, []string{"plan", "--store", "plain"}, "plain"},
		"store of a ghost":       {exitUsage, []string{"plan", "--store", "ftp://x"}, "ftp://x"},
		"store below file":       {exitFailed, []string{"plan", "--store", "plain/store"}, "plain/store"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if a := s.want(tc.status, tc.args...); !strings.Contains(a.err, tc.want) {
				t.Errorf("stderr does not say %q:\n%s", tc.want, a.err)
			}
		})
	}
	s.unwritten()
}

// TestMistypedStore: a command that needs a run names the store that is not there, and creates none. A command that makes
// the first run creates its store.
func TestMistypedStore(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 20})
	policy, store := s.path("policy.yaml"), s.path("stroe")
	const run, user = "20260101T000000Z-00000000", "anna@contoso.example"
	for _, args := range [][]string{
		{"restore", user}, {"restore", "--run", run, "--yes"}, {"apply", run}, {"plan", "--run", run}, {"plan", "--run", latest}, {"explain", user}, {"history", user},
		{"runs"}, {"show", latest}, {"savings"}, {"backtest", "--keep"}, {"policy", "explain", policy},
	} {
		a := s.want(exitUsage, append(args, "--store", store)...)
		if !strings.Contains(a.err, fmt.Sprintf("there is no store in %q", store)) {
			t.Errorf("%q: %s", args, a.err)
		}
		if _, err := os.Stat(store); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%q made the store: %v", args, err)
		}
	}
	a := s.want(exitDone, "policy", "check", policy, "--store", store)
	if !strings.Contains(string(a.out), fmt.Sprintf("the store %q has no run for everybody yet", store)) {
		t.Errorf("policy check: %s", a.out)
	}
	if _, err := os.Stat(store); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("policy check made the store: %v", err)
	}
	s.want(exitDone, "reevaluate", user, "--store", store)
	s.want(exitDone, "runs", "--store", store)
}

func TestBadEnvironment(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name, value string
		status      int
		want        string
	}{
		"foreign Graph":              {"IDLESEAT_GRAPH_URL", "https://graph.example.com/v1.0", exitUsage, "IDLESEAT_GRAPH_URL"},
		"Graph in clear":             {"IDLESEAT_GRAPH_URL", "http://graph.microsoft.com/v1.0", exitUsage, "IDLESEAT_GRAPH_URL"},
		"unknown sign-in":            {"IDLESEAT_ENTRA_AUTH", "magic", exitUsage, "IDLESEAT_ENTRA_AUTH"},
		"neither LDAPS nor StartTLS": {"IDLESEAT_AD_URLS", "ldapi://127.0.0.1", exitUsage, "ldaps"},
		"no password file":           {"IDLESEAT_AD_PASSWORD_FILE", "/nowhere", exitUsage, "/nowhere"},
		"half configured":            {"IDLESEAT_AD_BIND", "", exitUsage, "IDLESEAT_AD_BIND"},
		"CA file is not one":         {"IDLESEAT_AD_CA", os.Args[0], exitUsage, "IDLESEAT_AD_CA"},
		"unusable time limit":        {"IDLESEAT_AD_TIMEOUT", "soon", exitUsage, "IDLESEAT_AD_TIMEOUT"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 20})
			s.setenv(tc.name, tc.value)
			if a := s.want(tc.status, "plan"); !strings.Contains(a.err, tc.want) {
				t.Errorf("stderr does not say %q:\n%s", tc.want, a.err)
			}
		})
	}
}
