// Package shared_test checks the repository as a whole: the imports between its packages, and whether its Markdown
// pages match the code.
package shared_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/idleseat/idleseat/"

// The variable "floors" lists the packages from the bottom to the top. A package may import the packages of lower
// floors, and no others. An entry stands for a folder and for all folders below it that have no entry of their own.
var floors = [][]string{
	{"shared/directory", "shared/clock", "shared/entrance", "shared/plain", "shared/rows", "shared/layout", "shared/pages", "shared/secret", "shared/policy/notice", "shared/report/page/chart"},
	{"shared/plain/terminal", "shared/policy", "shared/source", "shared/evidence", "shared/store", "shared/sandbox", "shared/card"},
	{"shared/policy/schema", "shared/policy/words", "shared/card/webhook", "shared/plan", "shared/ledger", "shared/lease", "shared/relay/protocol", "shared/snapshot/table"},
	{"shared/snapshot/known", "shared/relay/client"},
	{"shared/snapshot"},
	{"shared/snapshot/adread", "shared/history"},
	{"shared/decision"},
	{"shared/runs"},
	{"shared/money", "shared/story/reason"},
	{"shared/story"},
	{"shared/report"},
	{"shared/report/page"},
	{"shared/workflow/restore"},
	{"shared/workflow", "shared/relay/worker", "shared/step"},
	{"shared/workflow/backtest/lookback"},
	{"shared/serve"},
	{"functions/idleseat/command"},
	{"functions"},
}

// The function "floorOf" returns the floor of the entry that names the package or the nearest folder above it.
func floorOf(t *testing.T, pkg string) int {
	t.Helper()
	floor, nearest := -1, ""
	for i, f := range floors {
		for _, p := range f {
			if (pkg == p || strings.HasPrefix(pkg, p+"/")) && len(p) > len(nearest) {
				floor, nearest = i, p
			}
		}
	}
	if floor < 0 {
		t.Fatalf("package %s has no floor: say in this test where it belongs", pkg)
	}
	return floor
}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
}

func TestArrowsPointDownwards(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, p := range list(t, "../functions/...", "../shared/...") {
		pkg := strings.TrimPrefix(p.ImportPath, module)
		if pkg == "shared" {
			continue
		}
		from := floorOf(t, pkg)
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			seen++
			switch floor := floorOf(t, to); {
			case floor > from:
				t.Errorf("%s imports %s, which is above it", pkg, to)
			case floor == from:
				t.Errorf("%s imports its neighbour %s", pkg, to)
			}
			if strings.HasPrefix(to, "shared/sandbox") && !strings.HasPrefix(pkg, "functions/idleseat") {
				t.Errorf("%s imports the simulated company %s", pkg, to)
			}
		}
	}
	if seen == 0 {
		t.Error("no import of our own was seen: the test looks at nothing")
	}
}

func TestWhatDecidesCannotReachADirectory(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./policy", "./plan", "./decision", "./workflow/evaluate", "./workflow/gate", "../functions/evaluate", "../functions/gate") {
		for _, forbidden := range []string{"github.com/microsoftgraph/", "github.com/go-ldap/", "github.com/Azure/"} {
			if slices.ContainsFunc(p.Deps, func(d string) bool { return strings.HasPrefix(d, forbidden) }) {
				t.Errorf("%s links %s", p.ImportPath, forbidden)
			}
		}
	}
}

// TestRelayLinksNeitherRulesNorGraph: the relay runs on premises and only carries out tasks from the cloud. So its
// program links no code that evaluates rules or calls Graph.
func TestRelayLinksNeitherRulesNorGraph(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "../functions/relay") {
		for _, forbidden := range []string{module + "shared/policy", module + "shared/ledger", module + "shared/plan", module + "shared/source/entra",
			"github.com/microsoftgraph/", "github.com/Azure/azure-sdk-for-go", "cel.dev/"} {
			if slices.ContainsFunc(p.Deps, func(d string) bool { return strings.HasPrefix(d, forbidden) }) {
				t.Errorf("%s links %s", p.ImportPath, forbidden)
			}
		}
	}
}

// TestServeOnlyReads: package serve, which shows runs in a browser, links no code that can reach a directory or change
// a license.
func TestServeOnlyReads(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./serve") {
		for _, forbidden := range []string{
			module + "shared/source/entra", module + "shared/source/activedirectory", module + "shared/workflow/apply", module + "shared/workflow/collect",
			module + "shared/workflow/restore", module + "shared/workflow/gate", module + "shared/workflow/evaluate", module + "shared/relay", module + "shared/lease",
			module + "shared/evidence", "github.com/microsoftgraph/", "github.com/go-ldap/", "github.com/Azure/", "github.com/aws/aws-sdk-go-v2/service/sfn", "github.com/aws/aws-sdk-go-v2/service/sqs",
		} {
			if slices.ContainsFunc(p.Deps, func(d string) bool { return strings.HasPrefix(d, forbidden) }) {
				t.Errorf("%s links %s", p.ImportPath, forbidden)
			}
		}
	}
}
