package command

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// TestRestoreUnderAFormerId: the ledger has a person under the id of an account that was deleted and created again. The
// command restore, called with the name of the person, restores the license. It does so even if Entra ID has nobody of
// this name any more.
func TestRestoreUnderAFormerId(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]bool{"created again": false, "deleted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			restoreFormer(t, gone)
		})
	}
}

func restoreFormer(t *testing.T, gone bool) {
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
	s.objects = &store.Memory{}
	i := 0
	for p := s.company.Company.Person(i); p.Kind != sandbox.Synced || slices.Contains(p.ADGroups, sandbox.CitrixGroup); p = s.company.Company.Person(i) {
		i++
	}
	p := s.company.Company.Person(i)
	took := time.Now().Add(-24 * time.Hour)
	in := ledger.Intent{
		Person: "11111111-0000-0000-0000-000000000000", SID: p.AD.SID, UserPrincipalName: p.Entra.UserPrincipalName, License: "citrix", Run: "20261101T010000Z-0a1b2c3d",
		Rule: "citrix-idle-90", Via: string(plan.ADGroup), Source: sandbox.CitrixGroup, At: took,
	}
	e, err := ledger.In(s.objects).Begin(t.Context(), in, nil)
	if err == nil {
		err = ledger.In(s.objects).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: took})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.plan(exitDone)
	if gone {
		s.company.Company.Delete(i)
	}
	if r := s.restored(p.Entra.UserPrincipalName); len(r.Results) != 1 || r.Count(runs.Done) != 1 {
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
