package policy

import (
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
)

// A run evaluates conditions for up to a million people, so an evaluation must allocate no memory. With CEL's own
// steps, each evaluation would allocate 1 to 8 times.
func TestConditionsThatAllocateNothing(t *testing.T) {
	for when, want := range map[string]float64{
		`AzureAdSistaLogon.earlierThan(now - days(60))`:           0,
		`AzureAdSistaLogon.laterThan(now - days(60))`:             0,
		`AzureAdSistaLogon.earlierThan(now - days(60) - days(7))`: 0,
		`AzureAdSistaLogon.earlierThan(created.value())`:          2, // two allocations for the value of created
		`AzureAdSistaLogon.hasValue()`:                            0,
		`AzureAdSistaLogon.hasNoValue()`:                          0,
		`department == "Sales"`:                                   0,
		`department != "Sales"`:                                   0,
		`accountEnabled`:                                          0,
		`now > timestamp("2027-03-01T00:00:00Z") + days(7)`:       0,
		`created.value() < now - days(60)`:                        2,
	} {
		p := load(t, "licenses: {m365-e3: {sku: SPE_E3}}\nrules: [{name: r, license: m365-e3, when: '"+when+"', then: remove}]\n")
		who := employee()
		who.Entra.Department, who.Entra.LastSuccessful = "Sales", noon
		j := judge(t, p, noon)
		if got := testing.AllocsPerRun(20, func() { j.eval(p.Rules[0].when, who) }); got > want {
			t.Errorf("%s: %v pieces of memory, want %v", when, got, want)
		}
	}
}

// Names.Of allocates nothing for a person with an ASCII name who is not listed, as almost everybody is.
func TestNamesThatAllocateNothing(t *testing.T) {
	names := load(t, exempting).Names(nil)
	who := &directory.Person{Entra: &directory.EntraUser{ID: "ID-99", UserPrincipalName: "Somebody.Else@Contoso.example"}}
	if got := testing.AllocsPerRun(20, func() { names.Of(who) }); got > 0 {
		t.Errorf("%v pieces of memory", got)
	}
}
