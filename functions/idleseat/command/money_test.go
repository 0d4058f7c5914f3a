package command

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func (s *shell) saved(args ...string) (all savings) {
	s.t.Helper()
	a := s.want(exitDone, append([]string{"savings", "--format", "json"}, args...)...)
	all.Sums = &money.Sums{}
	if err := json.Unmarshal(a.out, &all); err != nil {
		s.t.Fatalf("%v\n%s", err, a.out)
	}
	return all
}

// TestSavings checks a whole cycle. An applied plan turns the seats that it could free into freed seats. A restore
// turns these into returned seats.
func TestSavings(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 4}, replace(t, "\nattributes:\n", "\nattributes:\n  costCenter: entra.extensionAttribute5\n"))
	p := s.plan(exitDone)
	before := s.saved()
	if before.Run != p.Run || before.CouldFree.Float() != p.MonthlySaving || before.Seats != len(p.Changes) || before.Freed != 0 || before.SeatsFreed != 0 {
		t.Fatalf("before anything is applied: %+v; the plan saves %g with %d changes", before.Figures, p.MonthlySaving, len(p.Changes))
	}
	of, departments := map[string]string{}, map[string]int{}
	for i := range s.company.Company.Size() {
		if account := s.company.Company.Person(i).Entra; account != nil {
			of[account.ID] = account.Department
		}
	}
	for _, c := range p.Changes {
		department, known := of[c.User]
		if !known { // the person is only in Active Directory, and package money does not use a department from there
			department = money.Unknown
		}
		departments[department]++
	}
	for _, l := range s.saved("--by", "department").Lines {
		if departments[l.Department] != l.Seats {
			t.Errorf("%q has %d seats, want %d", l.Department, l.Seats, departments[l.Department])
		}
		delete(departments, l.Department)
	}
	if len(departments) > 0 {
		t.Errorf("no lines for %v", departments)
	}

	s.finish(p.Run)
	done := s.results(p.Run)
	if n := done.Count(runs.Done); n != len(p.Changes) {
		t.Fatalf("%d of %d changes are done", n, len(p.Changes))
	}
	after := s.saved()
	if after.Freed != before.CouldFree || after.FreedNet != before.CouldFree || after.SeatsNet != before.Seats || after.Waiting == 0 {
		t.Errorf("after the plan is applied: %+v, want %s freed", after.Figures, before.CouldFree)
	}
	if d := cmp.Diff(after.Figures, s.shown(p.Run).Money.Figures); d != "" {
		t.Errorf("the report of the run has other figures than savings, after several calls of apply (-savings +report):\n%s", d)
	}
	if i := slices.IndexFunc(after.Lines, func(l money.Line) bool { return l.License == "m365-e3" }); after.Lines[i].Renews.Month() != 7 {
		t.Errorf("E3 renews on %v, want the first of July", after.Lines[i].Renews)
	}
	if i := slices.IndexFunc(after.Lines, func(l money.Line) bool { return l.License == "exchange-online" }); after.Lines[i].Freed >= 0 || after.Lines[i].SeatsFreed != 0 {
		t.Errorf("what people get instead costs nothing: %+v", after.Lines[i])
	}

	s.restored("--run", p.Run)
	back := s.saved()
	if back.Freed != after.Freed || back.Returned != after.Freed || back.FreedNet != 0 || back.SeatsNet != 0 || back.Waiting != 0 {
		t.Errorf("after the run is restored: %+v", back.Figures)
	}
	s.sameByAll(back)
}

// sameByAll checks that the lines add up to the wanted amounts, whether they are by license, by department or by cost
// center. The CSV file and the text must have the same amounts.
func (s *shell) sameByAll(want savings) {
	s.t.Helper()
	for _, by := range []string{"license", "department", "costcenter"} {
		var freed, saved money.Cents
		for _, l := range s.saved("--by", by).Lines {
			freed, saved = freed+l.Freed, saved+l.Saved
		}
		if freed != want.Freed || saved != want.Saved {
			s.t.Errorf("by %s: %s freed and %s saved, want %s and %s", by, freed, saved, want.Freed, want.Saved)
		}
	}
	rows := sheetOf(s.t, s.want(exitDone, "savings", "--format", "csv").out, ",")
	if len(rows) < 2 {
		s.t.Fatalf("%d rows", len(rows))
	}
	column := slices.Index(rows[0], "x_FreedMonthlyCost")
	var freed money.Cents
	for _, row := range rows[1:] {
		var c money.Cents
		if err := c.UnmarshalJSON([]byte(row[column])); err != nil {
			s.t.Fatal(err)
		}
		freed += c
	}
	if freed != want.Freed {
		s.t.Errorf("the CSV has %s freed, want %s", freed, want.Freed)
	}
	text := string(s.want(exitDone, "savings").out)
	if !strings.Contains(text, "by the plan of run "+want.Run+", when it was made") { // the same seats may be freed since
		s.t.Errorf("the text does not say of which time the plan is:\n%s", text)
	}
	for _, figure := range []money.Cents{want.CouldFree, want.Freed, want.FreedNet, want.Saved} {
		if !strings.Contains(text, figure.String()) {
			s.t.Errorf("the text lacks %s:\n%s", figure, text)
		}
	}
}

// TestSavingsOfMonths: a new store has only one run, made this month. The savings of this month equal those of all
// months, and earlier months have none. Wrong values of flags are refused.
func TestSavingsOfMonths(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 60, Seed: 4})
	s.plan(exitDone)
	all := s.saved()
	if d := cmp.Diff(all.Figures, s.saved("--from", all.AsOf.Format("2006-01"), "--to", all.AsOf.Format("2006-01")).Figures); d != "" {
		t.Errorf("this month (-all +month):\n%s", d)
	}
	if d := cmp.Diff(money.Figures{}, s.saved("--to", all.AsOf.AddDate(0, -2, 0).Format("2006-01")).Figures); d != "" {
		t.Errorf("months before (-want +got):\n%s", d)
	}
	for _, args := range [][]string{{"--from", "2026"}, {"--to", "2026-13"}, {"--by", "person"}, {"--format", "xml"}} {
		s.want(exitUsage, append([]string{"savings"}, args...)...)
	}
}

// TestRenewalsOfOddTenants: Graph refuses the subscriptions, does not have them, or answers with unusual values. A plan
// is made in each case.
func TestRenewalsOfOddTenants(t *testing.T) {
	t.Parallel()
	set := func(name string, value any) func(map[string]any) {
		return func(row map[string]any) { row[name] = value }
	}
	for name, tc := range map[string]struct {
		status int
		edit   func(map[string]any)
		note   bool // whether the plan says that the renewals were not read
		known  bool // whether the date on which E3 renews is known
	}{
		"as usual":       {edit: func(map[string]any) {}, known: true},
		"refused":        {status: http.StatusForbidden, note: true},
		"no such path":   {status: http.StatusNotFound, note: true},
		"no dates":       {edit: set("nextLifecycleDateTime", nil)},
		"dates are gone": {edit: func(row map[string]any) { delete(row, "nextLifecycleDateTime"); delete(row, "isTrial") }},
		"old dates":      {edit: set("nextLifecycleDateTime", "2020-01-01T00:00:00Z")},
		"disabled":       {edit: set("status", "LockedOut")},
		"trials alone":   {edit: set("isTrial", true)},
		"no products":    {edit: set("skuId", nil)},
		"odd dates":      {edit: set("nextLifecycleDateTime", "soon"), note: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 60, Seed: 4})
			if tc.edit != nil {
				s.company.Intercept(edited("/directory/subscriptions", tc.edit))
			} else {
				s.company.Intercept(func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if strings.HasSuffix(r.URL.Path, "/directory/subscriptions") {
							w.Header().Set("Content-Type", "application/json")
							w.WriteHeader(tc.status)
							fmt.Fprint(w, `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}`)
							return
						}
						next.ServeHTTP(w, r)
					})
				})
			}
			p := s.plan(exitDone)
			if noted := strings.Contains(strings.Join(p.Notes, "\n"), "when the products renew is not known"); noted != tc.note || len(p.Changes) == 0 {
				t.Errorf("%d changes, notes %q", len(p.Changes), p.Notes)
			}
			for _, l := range s.saved().Lines {
				if l.License == "m365-e3" && l.Renews.IsZero() == tc.known {
					t.Errorf("E3 renews on %v", l.Renews)
				}
			}
		})
	}
}
