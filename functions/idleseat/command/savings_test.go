package command

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestSavesNothing checks changes that free no seat. The plan, changes.csv and the ledger agree on the saving.
func TestSavesNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit        policyText
		inError     bool
		citrix, e3  float64
		citrixTells string
	}{
		"by user":     {func(s string) string { return s }, false, 18, 35, ""},
		"by device":   {replace(t, "model: user, ", "model: device, "), false, 0, 35, "its seats are counted by device"},
		"concurrent":  {replace(t, "model: user, ", "model: concurrent, "), false, 0, 35, "by sessions at one time"},
		"not said":    {replace(t, "model: user, ", ""), false, 0, 35, "it is not known whether a seat becomes free; say how they are counted with model"},
		"E3 in error": {func(s string) string { return s }, true, 18, -4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 4}, tc.edit)
			if tc.inError {
				s.company.Intercept(edited("/users", func(user map[string]any) {
					states, _ := user["licenseAssignmentStates"].([]any)
					for _, one := range states {
						if state, ok := one.(map[string]any); ok && state["skuId"] == "05e9a617-0261-4cee-bb44-138d3ef5d965" {
							state["state"], state["error"] = "Error", "CountViolation"
						}
					}
				}))
			}
			first, number := s.change(s.plan(exitDone), func(c plan.Change) bool { return c.License == "citrix" })
			s.company.Company.SetMember(number, "Citrix Contractors", true)
			p := s.plan(exitDone)
			want := map[string]float64{"citrix": tc.citrix, "m365-e3": tc.e3}
			sum, entitled, seen := 0.0, false, map[string]bool{}
			for _, c := range p.Changes {
				saves := want[c.License]
				if c.License == "citrix" && c.User == first.User {
					saves = 0
					if !strings.Contains(c.Reason, "saves nothing: the person is in the group by way of a group within it") {
						t.Errorf("reason %q", c.Reason)
					}
					entitled = true
				}
				if sum += c.MonthlySaving; c.MonthlySaving != saves {
					t.Fatalf("%s of %s saves %g, want %g", c.License, c.UserPrincipalName, c.MonthlySaving, saves)
				}
				if c.License == "m365-e3" && strings.Contains(c.Reason, "saves nothing: the assignment is in error and takes no seat") != tc.inError {
					t.Errorf("reason %q", c.Reason)
				}
				seen[c.License] = true
			}
			if len(seen) != 2 || p.MonthlySaving != sum {
				t.Errorf("changes of %v; the sum is %g, and the changes save %g", seen, p.MonthlySaving, sum)
			}
			if !entitled {
				t.Error("who is in a group within the group, too, is not in the plan")
			}
			if notes := strings.Join(p.Notes, "\n"); strings.Contains(notes, "saving nothing") != (tc.citrixTells != "") || !strings.Contains(notes, tc.citrixTells) {
				t.Errorf("notes %q", p.Notes)
			}
			s.sums(p, sum)
		})
	}
}

// The method "sums" checks the savings in changes.csv and in the ledger. The argument "want" is the sum in changes.csv.
func (s *shell) sums(p printed, want float64) {
	s.t.Helper()
	file, err := os.Open(s.path("store/runs/" + p.Run + "/changes.csv"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	sum := 0.0
	for _, row := range rows[1:] {
		n, err := strconv.ParseFloat(row[8], 64)
		if err != nil {
			s.t.Fatal(err)
		}
		sum += n
	}
	if sum != want {
		s.t.Errorf("changes.csv sums up to %g, want %g", sum, want)
	}
	c, _ := s.change(p, func(c plan.Change) bool { return c.License == "citrix" })
	s.run("apply", p.Run, "--yes")
	raw, err := os.ReadFile(s.path("store/ledger/" + c.User + "/citrix/000001.json"))
	var in ledger.Intent
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	if err != nil || in.MonthlySaving != c.MonthlySaving {
		s.t.Errorf("the ledger has %g, the plan %g: %v", in.MonthlySaving, c.MonthlySaving, err)
	}
}
