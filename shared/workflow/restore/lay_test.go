package restore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// TestPolicyOfARestore: a restore uses the first policy for the right tenant that names all licenses of the restore, or
// else the first one that can be read.
func TestPolicyOfARestore(t *testing.T) {
	t.Parallel()
	without := strings.ReplaceAll(text, "citrix", "desktop")
	withF3 := strings.Replace(text, "  exo: ", "  f3:     {sku: F3}\n  exo: ", 1)
	elsewhere := strings.Replace(text, "11111111", "99999999", 1)
	citrix, moved := []plan.Change{{License: "citrix"}}, []plan.Change{{License: "desktop", To: "citrix"}}
	begun := func(text string) *snapshot.Begin { return &snapshot.Begin{Policy: text, Tenant: tenant} }
	for name, tc := range map[string]struct {
		inForce string
		changes []plan.Change
		runs    []*snapshot.Begin
		want    string
	}{
		"in force":                        {text, citrix, []*snapshot.Begin{begun(without), begun(without)}, text},
		"in force, names it not":          {without, citrix, []*snapshot.Begin{begun(text), begun(without)}, text},
		"in force, names the target not":  {without, moved, []*snapshot.Begin{begun(without), begun(text)}, without},
		"in force, names only the source": {text, []plan.Change{{License: "e3", To: "f3"}}, []*snapshot.Begin{begun(withF3), nil}, withF3},
		"none names it":                   {without, citrix, []*snapshot.Begin{begun(without + "# older"), nil}, without},
		"in force is none":                {"", citrix, []*snapshot.Begin{begun(text), begun(without)}, text},
		"in force is of another tenant":   {elsewhere, citrix, []*snapshot.Begin{begun(text), nil}, text},
		"the run's cannot be read":        {"", citrix, []*snapshot.Begin{begun("x"), begun(text)}, text},
		"no run":                          {text, citrix, []*snapshot.Begin{nil, nil}, text},
		"nothing can be read":             {"x", citrix, []*snapshot.Begin{begun("y"), nil}, ""},
		"nothing changes":                 {without, nil, nil, without},
		"neither names both":              {text, []plan.Change{{License: "citrix", To: "desktop"}}, []*snapshot.Begin{begun(without)}, text},
	} {
		got, p := policyFor(Request{Policy: tc.inForce}, tc.changes, tc.runs...)
		if got != tc.want || (p == nil) != (tc.want == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestRunOfARestore: groups and products come from the run that took the licenses, or else from the newest run. Without
// a policy there is no restore.
func TestRunOfARestore(t *testing.T) {
	t.Parallel()
	citrix := directory.GroupRef{Source: directory.AD, Name: "CN=Citrix,DC=corp"}
	changes := []plan.Change{{License: "citrix"}}
	sku := func(id string) []directory.SKU { return []directory.SKU{{ID: id, PartNumber: "SPE_E3"}} }
	group := directory.Group{Ref: citrix, ID: citrix.Name}
	withGUID := group
	withGUID.GUID = "guid-1"
	begun := func(t *testing.T, s store.Store, run, text string, sealed bool) {
		err := snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: run, Tenant: tenant, Tool: "tool of " + run, Policy: text, Partitions: 1, SKUs: sku("of " + run), Groups: []directory.Group{group}})
		if err == nil && sealed {
			m := &snapshot.Manifest{Run: run}
			m.Readings[directory.AD].Groups = map[string]string{citrix.Key(false): "guid-1"}
			err = snapshot.Seal(t.Context(), s, m)
		}
		if err == nil && run == "newest" {
			err = history.PutPlanned(t.Context(), s, &history.Planned{Run: run}, true)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		prepare func(*testing.T, store.Store)
		inForce string
		tool    string
		former  map[string]directory.Group
		is      error
	}{
		"of the run":            {func(t *testing.T, s store.Store) { begun(t, s, "old", text, true); begun(t, s, "newest", text, true) }, text, "tool of old", map[string]directory.Group{"citrix": withGUID}, nil},
		"without a manifest":    {func(t *testing.T, s store.Store) { begun(t, s, "old", text, false) }, text, "tool of old", map[string]directory.Group{"citrix": group}, nil},
		"of an unknown policy":  {func(t *testing.T, s store.Store) { begun(t, s, "old", "of version 9", true) }, text, "tool of old", nil, nil},
		"of the newest":         {func(t *testing.T, s store.Store) { begun(t, s, "newest", text, true) }, text, "tool of newest", nil, nil},
		"of none":               {func(*testing.T, store.Store) {}, text, "", nil, nil},
		"no policy":             {func(*testing.T, store.Store) {}, "", "", nil, runs.ErrRefused},
		"no policy but a run's": {func(t *testing.T, s store.Store) { begun(t, s, "newest", text, true) }, "", "tool of newest", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store.Store(&store.Memory{})
			tc.prepare(t, s)
			for range 2 { // the second call finds the run of the first call
				if err := lay(t.Context(), s, Request{Of: "old", Run: "mine", Policy: tc.inForce, Deployment: "prod"}, changes, clock); !errors.Is(err, tc.is) {
					t.Fatalf("%v, want %v", err, tc.is)
				}
			}
			if tc.is != nil {
				return
			}
			b, err := snapshot.GetBegin(t.Context(), s, "mine")
			if err != nil {
				t.Fatal(err)
			}
			if b.Tool != tc.tool || b.Policy != text || b.Copy != "old" || b.Deployment != "prod" || !b.AsOf.Equal(clock) || (len(b.SKUs) > 0) != (tc.tool != "") {
				t.Errorf("begun as %+v", b)
			}
			if d := cmp.Diff(tc.former, b.Former); d != "" {
				t.Errorf("former groups (-want +got):\n%s", d)
			}
			m, _, err := snapshot.GetManifest(t.Context(), s, "mine")
			if err != nil || !m.Readings[0].Absent || !m.Readings[1].Absent || m.Readings[1].Source != directory.AD || !m.Taken.Equal(clock.UTC().Truncate(time.Nanosecond)) {
				t.Errorf("sealed as %+v, %v", m, err)
			}
		})
	}
}

// TestFormerGroups: the run of a restore keeps all groups that gave a license when the license was taken. Package apply
// adds a person only to such a group, or to a group that the policy names now.
func TestFormerGroups(t *testing.T) {
	t.Parallel()
	several := strings.Replace(text, "{sku: SPE_E3,", "{sku: SPE_E3, groups: [{entra: LIC-E3}, {entra: LIC-E3-TRAINEES}, {entra: LIC-E3-BOARD}],", 1)
	group := func(name string) directory.Group {
		return directory.Group{Ref: directory.GroupRef{Source: directory.Entra, Name: name}, ID: "id-" + name}
	}
	citrix := directory.Group{Ref: directory.GroupRef{Source: directory.AD, Name: "CN=Citrix,DC=corp"}, ID: "CN=Citrix,DC=corp"}
	s := store.Store(&store.Memory{})
	old := &snapshot.Begin{Run: "old", Tenant: tenant, Policy: several, Partitions: 1, Groups: []directory.Group{group("LIC-E3"), group("LIC-E3-TRAINEES"), group("LIC-E3-BOARD"), citrix}}
	if err := snapshot.PutBegin(t.Context(), s, old); err != nil {
		t.Fatal(err)
	}
	if err := lay(t.Context(), s, Request{Of: "old", Run: "mine", Policy: text}, []plan.Change{{License: "e3"}}, clock); err != nil {
		t.Fatal(err)
	}
	b, err := snapshot.GetBegin(t.Context(), s, "mine")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]directory.Group{"e3": group("LIC-E3"), "citrix": citrix}, b.Former); d != "" {
		t.Errorf("the first group of each license (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string][]directory.Group{"e3": {group("LIC-E3-TRAINEES"), group("LIC-E3-BOARD")}}, b.FormerToo); d != "" {
		t.Errorf("the further groups of a license (-want +got):\n%s", d)
	}
}

// TestRestoreReadsNoSignal: a restore reads no accounts and no signals. If the policy of the restore uses a usage
// report, the plan does not list this report as a missing source.
func TestRestoreReadsNoSignal(t *testing.T) {
	t.Parallel()
	reads := strings.Replace(text, "licenses:", "attributes: {teams: m365.teams, LastlogonTimestamp: ad.lastLogonTimestamp}\nlicenses:", 1)
	reads = strings.Replace(reads, "AzureAdSistaLogon", "teams", 1)
	s := storeWithRun(t)
	earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Done})
	p, err := Plan(t.Context(), s, Request{Of: "earlier", Run: "mine", Policy: reads}, clock)
	if err != nil {
		t.Fatal(err)
	}
	r, err := decision.Open(t.Context(), s, "mine")
	if err != nil || r.Feeds[directory.TeamsUse].State != plan.Unhealthy {
		t.Fatalf("the policy of the restore reads no usage report: %v", err)
	}
	absent := plan.Feed{State: plan.Absent, Reason: "a restore reads nobody"}
	if d := cmp.Diff(map[string]plan.Feed{"entra": absent, "ad": absent}, p.Sources); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
