package command

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/store"
)

// longAgo makes the completions in the ledger nine hours older. Every controller then knows the removals, so a restore
// does not wait. The clock of a real domain cannot be advanced.
func (s *shell) longAgo() {
	s.t.Helper()
	objects, err := store.Open(s.t.Context(), s.path("store"))
	if err != nil {
		s.t.Fatal(err)
	}
	for key, err := range objects.List(s.t.Context(), "ledger/") {
		if err == nil && !strings.HasSuffix(key, ".done.json") {
			continue
		}
		var done ledger.Completion
		if err == nil {
			err = store.GetJSON(s.t.Context(), objects, key, &done)
		}
		done.At = done.At.Add(-9 * time.Hour)
		if err == nil {
			err = store.PutJSON(s.t.Context(), objects, key, done)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestSamba runs plan and apply against a real Samba domain and the simulated Graph. Both have the same people, as if
// Entra Connect had synced them.
func TestSamba(t *testing.T) {
	s := newShell(t, sandbox.Options{Users: 2500, Seed: 11, LicenseDelay: 100 * time.Millisecond})
	_, synced := onPremises(t, s, samba.Options{}, nil)

	p := s.plan(exitDone)
	want := golden(s, p.AsOf)
	for i := range s.company.Company.Size() { // people who are only in Active Directory have other SIDs in Samba than in the simulated company
		if person := s.company.Company.Person(i); person.Kind == sandbox.ADOnly {
			for key, v := range want {
				if rule, ok := strings.CutPrefix(key, person.AD.SID+" "); ok {
					delete(want, key)
					want[synced[person.AD.SAMAccount].SID+" "+rule] = v
				}
			}
		}
	}
	maps.DeleteFunc(want, func(_, v string) bool { return v != "reclaim" })
	got := map[string]string{}
	for _, c := range p.Changes {
		got[c.User+" "+c.Rule] = "reclaim"
	}
	for _, c := range p.Refused {
		got[c.User+" "+c.Rule] = "reclaim"
	}
	if d := cmp.Diff(want, got); d != "" || len(got) < 100 {
		t.Errorf("reclaims (-worked out +planned):\n%s", d)
	}
	for _, source := range []string{"entra", "ad"} {
		if f := p.Sources[source]; f.State != plan.Healthy {
			t.Errorf("source %s: %+v", source, f)
		}
	}
	if people := s.company.Company.Size(); p.Counts.Users < people || p.Counts.Users > people+10 {
		t.Errorf("%d people, the halves of %d do not meet", p.Counts.Users, people)
	}

	var r runs.Results
	if err := json.Unmarshal(s.finish(p.Run).out, &r); err != nil {
		t.Fatal(err)
	}
	if n := r.Count(runs.Done); n != len(p.Changes) {
		t.Errorf("%d of %d changes are done: %+v", n, len(p.Changes), r.Results)
	}
	if again := s.plan(exitDone); len(again.Changes) != 0 {
		t.Errorf("planned again: %+v", again.Changes)
	}
}

// onPremises starts a Samba domain with the people whom the company has in Active Directory, and configures idleseat
// for its first controller. The function "change" may be nil. The map has the people of the domain by sAMAccountName.
func onPremises(t *testing.T, s *shell, o samba.Options, change func(*samba.Person)) (*samba.Domain, map[string]directory.ADUser) {
	t.Helper()
	citrix := samba.DN("Citrix Users", samba.GroupsOU)
	var members []string
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if p.AD == nil {
			continue
		}
		seed := samba.Person{ADUser: *p.AD, LastLogon: []time.Time{p.LastLogon}}
		seed.DN = samba.DN(strings.TrimSpace(fmt.Sprintf("%.40s (%s)", p.AD.DisplayName, p.AD.SAMAccount)), samba.PeopleOU)
		seed.Extension = directory.ExtensionAttributes{}
		if change != nil {
			change(&seed)
		}
		o.People = append(o.People, seed)
		if slices.Contains(p.ADGroups, sandbox.CitrixGroup) {
			members = append(members, seed.DN)
		}
	}
	o.Groups = []samba.Group{{DN: citrix, Members: members}}
	d := samba.Run(t, o)
	synced := bySAM(t, d)
	s.company.Intercept(syncedFrom(s, synced))
	s.write("policy.yaml", replace(t, sandbox.CitrixGroup, citrix)(string(s.company.Policy())))
	for name, value := range map[string]string{"URLS": d.URLs[0], "BASE": d.Base, "BIND": d.Admin, "PASSWORD_FILE": d.PasswordFile, "CA": d.CAFile} {
		s.setenv("IDLESEAT_AD_"+name, value)
	}
	s.setenv("IDLESEAT_TEST_NAMES", d.NameServer)
	return d, synced
}

func bySAM(t *testing.T, d *samba.Domain) map[string]directory.ADUser {
	t.Helper()
	ad, err := activedirectory.New(activedirectory.Config{URLs: d.URLs, Base: d.Base, Bind: d.Admin, PasswordFile: d.PasswordFile, CAFile: d.CAFile}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	people := map[string]directory.ADUser{}
	err = ad.ListPeople(context.Background(), func(u directory.ADUser) error {
		people[u.SAMAccount] = u
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return people
}

// syncedFrom puts the SIDs and GUIDs of a real domain into Graph's answers, as a sync by Entra Connect would. A key of
// the argument "synced" is a sAMAccountName.
func syncedFrom(s *shell, synced map[string]directory.ADUser) func(http.Handler) http.Handler {
	var pairs []string
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if p.AD == nil || p.Entra == nil {
			continue
		}
		real := synced[p.AD.SAMAccount]
		pairs = append(pairs, `"`+p.AD.SID+`"`, `"`+real.SID+`"`)
		if p.Entra.ImmutableID == p.AD.GUID {
			pairs = append(pairs, `"`+p.AD.GUID+`"`, `"`+real.GUID+`"`)
		}
	}
	names := strings.NewReplacer(pairs...)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kept := &recorder{header: w.Header(), status: http.StatusOK}
			next.ServeHTTP(kept, r)
			w.Header().Del("Content-Length")
			w.WriteHeader(kept.status)
			_, _ = names.WriteString(w, kept.body.String())
		})
	}
}
