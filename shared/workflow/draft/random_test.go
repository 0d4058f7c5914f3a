package draft_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/workflow/draft"
)

var hostile = []string{
	"", " ", "Employee", "employee", "no", "null", "~", "0x10", "1e3", "2026-11-23", "a: b", "- a", "# comment", "a #b", "{x: y}", "[a]", "'", `"`, `\`, `\u0041`,
	"a\nrules: []", "a\r\nb", "EXCHANGE ONLINE", "Citrix", "a\tb", "a\u0085b", "a\u2028b", "a\u2029b", "\ufeffa", "a\u202eb", "a\x00b", "a\xffb", "&anchor", "*alias", "!!binary x", "%TAG", "@at", "`tick`",
	`" || true || "`, "ÅSTRÖM", "山田", "🌸", "| pipe |", "<b>", "[a](b)", "=cmd", strings.Repeat("x", 300), "breakglass@contoso.example", "Emergency 1@contoso.example", "breakglass*@x",
	`CORP\breakglass`, "break.glass: x@y", "-", ".", "_", "a-", "SPE_E3", "FLOW_FREE", "EXCHANGESTANDARD", "emergency\n- x@y", "emergency\u0085- x@y", "emergency 🌸@x", "emergency\U000e0001@x",
}

func randomTenant(r *rand.Rand) *tenant {
	text := func() string {
		if r.IntN(3) == 0 {
			return hostile[r.IntN(len(hostile))] + hostile[r.IntN(len(hostile))]
		}
		return hostile[r.IntN(len(hostile))]
	}
	some := func(err string) error {
		if r.IntN(5) > 0 {
			return nil
		}
		return errors.New(err + text())
	}
	t := &tenant{id: "11111111-2222-3333-4444-555555555555", noSubscriptions: some("a"), noGroups: some("b"), noGroup: some("c"), noCount: some("d"), noPeople: some("e"), noAD: some("f"), noCitrix: some("g")}
	for n := range 1 + r.IntN(8) {
		s := sku(n, text(), r.IntN(50), text(), []string{"EXCHANGE_S_ENTERPRISE", "OTHER"}[r.IntN(2)])
		s.PlansRead = r.IntN(4) > 0
		t.skus = append(t.skus, s)
	}
	for n := range r.IntN(6) {
		g := group(n, text())
		g.Dynamic, g.Synced, g.Hidden = r.IntN(6) == 0, r.IntN(6) == 0, r.IntN(4) == 0
		for range 1 + r.IntN(2) {
			g.Grants = append(g.Grants, t.skus[r.IntN(len(t.skus))].ID)
		}
		t.groups = append(t.groups, g)
	}
	oneType := text()
	for n := range r.IntN(40) {
		u := directory.EntraUser{ID: guid(10_000 + n), UserPrincipalName: text(), UserType: text(), Enabled: directory.Flag(r.IntN(3)), EmployeeType: oneType, Department: text(), SID: text(), Synced: r.IntN(2) == 0}
		if r.IntN(4) == 0 {
			u.EmployeeType = text()
		}
		u.Assignments = []directory.Assignment{{SKU: t.skus[r.IntN(len(t.skus))].ID, Group: text()}}
		t.people = append(t.people, u)
	}
	for range r.IntN(5) {
		t.ad = append(t.ad, directory.ADUser{SID: text()})
	}
	for range r.IntN(3) {
		t.citrix = append(t.citrix, "CN="+strings.NewReplacer(",", "", "+", "", `"`, "", `\`, "", ";", "", "<", "", ">", "", "#", "", "=", "", "\x00", "", "\xff", "").Replace("Citrix"+text()+"x")+",DC=corp,DC=example")
	}
	return t
}

// TestAnyTenantGetsAPolicyThatLoads: the policy of a random tenant loads and gives its golden people the expected
// verdicts, even if names have hostile text. No name breaks a line of the note.
func TestAnyTenantGetsAPolicyThatLoads(t *testing.T) {
	t.Parallel()
	written := 0
	for seed := range uint64(300) {
		of := randomTenant(rand.New(rand.NewPCG(seed, 17)))
		d, err := draft.Write(read(t, of, seed%3 > 0), draft.Wishes{}, "policy.yaml", now)
		if errors.Is(err, draft.ErrNothing) {
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		p, err := policy.Load("policy.yaml", d.Policy)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, d.Policy)
		}
		if err := fits(p, of); err != nil {
			t.Errorf("seed %d: %v\n%s", seed, err, d.Policy)
		}
		if lines := strings.Count(string(d.Note), "\n- "); lines != len(d.Told) && lines != len(d.Told)-1 {
			t.Errorf("seed %d: %d sentences and %d lines:\n%s", seed, len(d.Told), lines, d.Note)
		}
		written++
	}
	if written < 150 {
		t.Errorf("only %d tenants got a policy", written)
	}
}

// The function "fits" returns an error if the policy names a product or a user that the tenant does not have, or is
// not in mode audit.
func fits(p *policy.Policy, of *tenant) error {
	ids := directory.SKUIDs(of.skus)
	for _, l := range p.Licenses {
		if l.SKU != "" && ids[l.SKU] == "" {
			return fmt.Errorf("license %s names the product %q", l.Name, l.SKU)
		}
	}
	for _, user := range p.Exempt.Users {
		has := false
		for i := range of.people {
			has = has || strings.EqualFold(of.people[i].UserPrincipalName, user)
		}
		if !has {
			return fmt.Errorf("the exempt user %q does not exist", user)
		}
	}
	if p.Mode != policy.Audit || len(p.Rules) == 0 || len(p.Rules) > 2 {
		return fmt.Errorf("mode %s, %d rules", p.Mode, len(p.Rules))
	}
	return nil
}
