package plan

import (
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Direct is the target for products that are assigned to people directly. A single assignLicense call both takes a
// product and gives the product that replaces it.
const Direct Via = "direct"

type direct struct{}

func (direct) via() Via                    { return Direct }
func (direct) how() string                 { return "directly" }
func (direct) writtenIn() directory.Source { return directory.Entra }
func (direct) may(l *policy.License) bool  { return l.SKU != "" }

func (direct) held(t *Tenant, p *directory.Person, l *policy.License) []string {
	for _, a := range t.assigned(p, l) {
		if a.Group == "" {
			return []string{""}
		}
	}
	return nil
}

func (direct) route(t *Tenant, p *directory.Person, r *policy.Rule, _ string) (Route, string) {
	route := Route{Via: Direct, SKU: t.SKUIDs[r.License.SKU]}
	if r.ChangeTo == nil {
		return route, ""
	}
	route.TargetSKU = t.SKUIDs[r.ChangeTo.SKU]
	for _, a := range t.assigned(p, r.ChangeTo) {
		if a.Group != "" {
			continue
		}
		if lacks := t.Lacks(r.ChangeTo, a.DisabledPlans); lacks != "" {
			return Route{}, fmt.Sprintf("holds %s already, %s", r.ChangeTo.Name, lacks)
		}
	}
	return route, ""
}

func (direct) unfit(p *directory.Person) string {
	if p.Entra.UsageLocation == "" {
		return "the person has no usage location, without which Graph assigns no license; set usageLocation first"
	}
	return ""
}
