package policy

import (
	"fmt"
	"testing"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/idleseat/idleseat/shared/directory"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var skus = map[string]string{"SPE_E3": "e3", "EXCHANGESTANDARD": "exo"}

func judge(t testing.TB, p *Policy, now time.Time) *Judge {
	t.Helper()
	ids := map[string]string{}
	for _, part := range p.SKUs() {
		ids[part] = skus[part]
	}
	j, err := p.NewJudge(ids, now)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// The function "crowd" returns n people with two accounts. One in twenty never signed in.
func crowd(p *Policy, n int) []*directory.Person {
	people := make([]*directory.Person, n)
	for i := range people {
		seen := noon.Add(-time.Duration(i%65) * day)
		if i%20 == 0 {
			seen = time.Time{}
		}
		people[i] = &directory.Person{
			EntraState: directory.Present, ADState: directory.Present,
			Entra: &directory.EntraUser{
				ID: fmt.Sprint(i), UserPrincipalName: fmt.Sprintf("Person.%d@contoso.example", i), UserType: "Member",
				EmployeeType: "Employee", Enabled: directory.Yes, Synced: true,
				Created: noon.Add(-1000 * day), LastSuccessful: seen,
				Assignments: []directory.Assignment{{SKU: "other"}, {SKU: "e3", State: "Active"}},
			},
			AD:          &directory.ADUser{SID: fmt.Sprint(i), Created: noon.Add(-1000 * day), LastLogonTimestamp: seen},
			Memberships: []string{p.LicenseNamed("citrix").holders.key},
		}
	}
	return people
}

func BenchmarkAsk(b *testing.B) {
	p := loadFile(b, "../../infra/policy.yaml")
	people := crowd(p, 1000)
	for _, r := range p.Rules {
		b.Run(r.Name, func(b *testing.B) {
			j := judge(b, p, noon)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				j.Ask(r, people[i%len(people)])
			}
		})
	}
}

// BenchmarkCondition compares the Judge's program with CEL's own program.
func BenchmarkCondition(b *testing.B) {
	p := loadFile(b, "../../infra/policy.yaml")
	people := crowd(p, 1000)
	for _, r := range p.Rules {
		b.Run(r.Name+"/judge", func(b *testing.B) {
			j := judge(b, p, noon)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				j.eval(r.when, people[i%len(people)])
			}
		})
		b.Run(r.Name+"/cel", func(b *testing.B) {
			program, err := r.when.env.Program(r.when.checked, cel.EvalOptions(cel.OptOptimize))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				_, _, _ = program.Eval(&byName{p, people[i%len(people)]}) // an error counts as a result
			}
		})
	}
}

func BenchmarkTurns(b *testing.B) {
	p := loadFile(b, "../../infra/policy.yaml")
	people := crowd(p, 1000)
	j := judge(b, p, noon)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		j.Turns(p.Rules[i%2], people[i%len(people)])
	}
}
