package command

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// TestRestoreUnderAFormerId: the account of a person was deleted and created again, and the ledger has the person under
// the former id. A restore by the name of the person returns the license. It does so even if Entra ID has nobody of
// this name any more, or an account that is newer than the newest run.
func TestRestoreUnderAFormerId(t *testing.T) {
	t.Parallel()
	deleted, again := (*sandbox.Company).Delete, (*sandbox.Company).ReplaceInEntra
	for name, tc := range map[string]struct {
		since func(c *sandbox.Company, i int) // what happens after the newest run
		args  []string
	}{
		"created again":                            {func(*sandbox.Company, int) {}, nil},
		"deleted":                                  {deleted, nil},
		"created again since the newest run":       {again, nil},
		"created again since then, a run is named": {again, []string{"--run", formerly}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			restoreFormer(t, tc.since, tc.args...)
		})
	}
}

// The constant "formerly" is the run that took Citrix under the id of a former account.
const formerly = "20261101T010000Z-0a1b2c3d"

func restoreFormer(t *testing.T, since func(c *sandbox.Company, i int), args ...string) {
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
	s.objects = &store.Memory{}
	i := 0
	for p := s.company.Company.Person(i); p.Kind != sandbox.Synced || slices.Contains(p.ADGroups, sandbox.CitrixGroup); p = s.company.Company.Person(i) {
		i++
	}
	p := s.company.Company.Person(i)
	s.tookCitrixFormerly(p.AD.SID, p.Entra.UserPrincipalName)
	s.plan(exitDone)
	since(s.company.Company, i)
	if r := s.restored(append(args, p.Entra.UserPrincipalName)...); len(r.Results) != 1 || r.Count(runs.Done) != 1 {
		t.Errorf("%+v", r.Results)
	}
	if !slices.Contains(s.company.Company.Person(i).ADGroups, sandbox.CitrixGroup) {
		t.Error("the person is not in the group")
	}
	s.want(exitUsage, "restore", p.Entra.UserPrincipalName, "--yes")
	if a := s.want(exitUsage, "restore", "x"+p.Entra.UserPrincipalName, "--yes"); !strings.Contains(a.err, "no such person") {
		t.Errorf("a name that nobody has: %s", a.err)
	}
}

// The method "tookCitrixFormerly" writes to the ledger that a run took Citrix under the id of a former account.
func (s *shell) tookCitrixFormerly(sid, name string) {
	s.t.Helper()
	took := time.Now().Add(-24 * time.Hour)
	in := ledger.Intent{
		Person: "11111111-0000-0000-0000-000000000000", SID: sid, UserPrincipalName: name, License: "citrix", Run: formerly,
		Rule: "citrix-idle-90", Via: string(plan.ADGroup), Source: sandbox.CitrixGroup, At: took,
	}
	e, err := ledger.In(s.objects).Begin(s.t.Context(), in, nil)
	if err == nil {
		err = ledger.In(s.objects).Complete(s.t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: took})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestRestoreUnderTwoIds: one run took Citrix under a former id of a person, and another run took a license in Entra ID
// under the present id. A restore by the name of the person returns both.
func TestRestoreUnderTwoIds(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 9, LicenseDelay: 20 * time.Millisecond})
	s.objects = &store.Memory{}
	planned := s.plan(exitDone)
	i := slices.IndexFunc(planned.Changes, func(c plan.Change) bool {
		p := s.company.Company.Person(s.number(c.User))
		return c.Via != plan.ADGroup && p.Kind == sandbox.Synced && !slices.Contains(p.ADGroups, sandbox.CitrixGroup)
	})
	who := s.number(planned.Changes[i].User)
	p := s.company.Company.Person(who)
	before := holding(s.company.Company)[who]
	s.objects = &store.Memory{} // an empty store: without a digest of earlier runs, the next run reads the whole ledger
	s.tookCitrixFormerly(p.AD.SID, p.Entra.UserPrincipalName)
	s.finish(s.plan(exitDone).Run)
	s.want(exitDone, "restore", p.Entra.UserPrincipalName, "--yes")
	if !slices.Contains(s.company.Company.Person(who).ADGroups, sandbox.CitrixGroup) {
		t.Error("the first call does not restore what was taken under the former id")
	}
	for s.run("restore", p.Entra.UserPrincipalName, "--yes").status == exitDone { // until the license follows the group
		s.passes(time.Minute)
	}
	want := append(slices.Clone(before), sandbox.CitrixGroup)
	slices.Sort(want)
	if d := cmp.Diff(want, holding(s.company.Company)[who]); d != "" {
		t.Errorf("what the person holds (-want +got):\n%s", d)
	}
	s.want(exitUsage, "restore", p.Entra.UserPrincipalName, "--yes")
}
