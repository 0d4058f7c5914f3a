package endtoend

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

// TestSamba runs the deployment with a real Active Directory behind the relay. The plan changes Active Directory and
// Entra ID, and the next plan is empty.
func TestSamba(t *testing.T) {
	small := company
	small.Users = 800
	r := newRig(t, options{company: small, mode: "enforce", samba: true})
	out, failure := r.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	results := out["results"].(map[string]any)
	if len(results) != 1 || results["done"] != out["changes"] || out["verdict"] != "apply" {
		t.Errorf("the run ended with %v", out)
	}
	removed := 0
	for key, what := range entries(t, r.store) {
		if strings.Contains(key, "/citrix/") && strings.HasPrefix(what, "done") {
			removed++
		}
	}
	left := 0
	err := r.ad.ListMembers(t.Context(), samba.DN("Citrix Users", samba.GroupsOU), true, func(string) error { left++; return nil })
	if before := len(r.inCitrix()); err != nil || removed == 0 || left != before-removed {
		t.Errorf("%d of %d members are left after %d were removed, %v", left, before, removed, err)
	}
	if again, failure := r.run(nightly); failure != nil || again["changes"].(float64) != 0 {
		t.Errorf("planned again: %v, %v", again, failure)
	}
}

// onPremises creates the company's Active Directory people in a real domain. It replaces the SIDs and GUIDs in the
// answers of Graph by the domain's values, as Entra Connect does.
func (r *rig) onPremises() {
	citrix, o := samba.DN("Citrix Users", samba.GroupsOU), samba.Options{}
	var members []string
	for i := range r.box.Company.Size() {
		p := r.box.Company.Person(i)
		if p.AD == nil {
			continue
		}
		seed := samba.Person{ADUser: *p.AD, LastLogon: []time.Time{p.LastLogon}}
		seed.DN, seed.Extension = samba.DN(p.AD.SAMAccount, samba.PeopleOU), directory.ExtensionAttributes{}
		o.People = append(o.People, seed)
		if slices.Contains(p.ADGroups, sandbox.CitrixGroup) {
			members = append(members, seed.DN)
		}
	}
	o.Groups = []samba.Group{{DN: citrix, Members: members}}
	d := samba.Run(r.TB, o)
	var err error
	r.ad, err = activedirectory.NewForest(activedirectory.Config{URLs: d.URLs, Base: d.Base, Bind: d.Admin, PasswordFile: d.PasswordFile, CAFile: d.CAFile}, time.Now)
	if err != nil {
		r.Fatal(err)
	}
	real := map[string]directory.ADUser{}
	if err := r.ad.ListPeople(r.Context(), func(u directory.ADUser) error { real[u.SAMAccount] = u; return nil }); err != nil {
		r.Fatal(err)
	}
	var pairs []string
	for i := range r.box.Company.Size() {
		p := r.box.Company.Person(i)
		if p.AD == nil || p.Entra == nil {
			continue
		}
		now := real[p.AD.SAMAccount]
		pairs = append(pairs, `"`+p.AD.SID+`"`, `"`+now.SID+`"`)
		if p.Entra.ImmutableID == p.AD.GUID {
			pairs = append(pairs, `"`+p.AD.GUID+`"`, `"`+now.GUID+`"`)
		}
	}
	names := strings.NewReplacer(pairs...)
	r.box.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			kept := httptest.NewRecorder()
			next.ServeHTTP(kept, req)
			for name, values := range kept.Header() {
				w.Header()[name] = values
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(kept.Code)
			_, _ = names.WriteString(w, kept.Body.String()) // an error means that the client disconnected
		})
	})
	r.domain = []string{
		"IDLESEAT_AD_URLS=" + d.URLs[0], "IDLESEAT_AD_BASE=" + d.Base, "IDLESEAT_AD_BIND=" + d.Admin,
		"IDLESEAT_AD_PASSWORD_FILE=" + d.PasswordFile, "IDLESEAT_AD_CA=" + d.CAFile,
	}
	r.citrix = citrix
}
