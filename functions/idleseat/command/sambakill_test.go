package command

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

// TestSambaKilled kills apply repeatedly while it removes people from a group in a real Samba domain. Samba's audit log
// shows exactly one removal of each person.
func TestSambaKilled(t *testing.T) {
	x := newTrial(t, sandbox.Options{Users: 600, Seed: 5}, time.Now(), nil)
	d, synced := onPremises(t, x.shell, samba.Options{}, nil)
	names := syncedFrom(x.shell, synced)
	x.company.Intercept(func(next http.Handler) http.Handler { return x.overHTTP(names(next)) })
	p := x.plan(exitDone)
	taken := slices.DeleteFunc(slices.Clone(p.Changes), func(c plan.Change) bool { return c.Via != plan.ADGroup })
	if len(taken) < 15 {
		t.Fatalf("only %d people lose Citrix", len(taken))
	}
	kills := 0
	for n := 8; n < 200; n += 11 { // the operations from the first reads of a process to shortly before the last changes
		x.killedAt(p.Run, n, kills%2 == 1)
		kills++
	}
	x.ended(p.Run)
	t.Logf("killed %d times over %d changes", kills, len(p.Changes))

	citrix := samba.DN("Citrix Users", samba.GroupsOU)
	ad, err := activedirectory.New(activedirectory.Config{URLs: d.URLs, Base: d.Base, Bind: d.Admin, PasswordFile: d.PasswordFile, CAFile: d.CAFile}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range taken {
		if in, err := ad.MemberOf(t.Context(), c.SID, citrix, true); in || err != nil {
			t.Errorf("%s is still in the group: %v", c.UserPrincipalName, err)
		}
	}
	changes, err := d.GroupChanges()
	if err != nil {
		t.Fatal(err)
	}
	removed := map[string]int{}
	for _, c := range changes {
		if strings.EqualFold(c.Group, citrix) && !c.Added {
			removed[c.Member]++
		}
	}
	for member, n := range removed {
		if n != 1 {
			t.Errorf("%s was removed %d times", member, n)
		}
	}
	if len(removed) != len(taken) {
		t.Errorf("%d people were removed, %d were to be", len(removed), len(taken))
	}
	for key, entry := range x.came().Ledger {
		if done, closed := entry.(ledger.Completion); closed && done.Outcome != ledger.Done {
			t.Errorf("%s: %+v", key, done)
		}
	}
}
