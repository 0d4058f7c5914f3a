package decision

import (
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
)

// The method "swaps" returns changes of the person's other licenses that a read of the directory may not show yet,
// because they are planned, pending or very recent. The caller needs them because two rules may not take both of two
// licenses that give the same mailbox.
func (r *Run) swaps(d *plan.Decision, taken Conflicts) (all []plan.Swap) {
	for _, first := range taken {
		if first.Planned() && !first.Notice {
			all = append(all, r.swap(first.License, first.To, first.RestoreOf != ""))
		}
	}
	for _, other := range r.Policy.Licenses {
		i := r.Past(d.User, d.SID, other.Name)
		if i == nil || other.Name == d.License || i.Via == plan.Notice {
			continue
		}
		if i.State == history.Open || i.State == history.Taken && !i.Settled(r.Begin.Read) {
			all = append(all, r.swap(i.License, i.To, i.Rule == plan.RestoreRule))
		}
	}
	return all
}

// The method "swap" returns a change that takes "license" and gives "to", with their product ids. If "restores" is set,
// it takes "to" and gives "license", because a restore undoes the change.
func (r *Run) swap(license, to string, restores bool) plan.Swap {
	if restores {
		license, to = to, license
	}
	sku := func(name string) string {
		if l := r.Policy.LicenseNamed(name); l != nil {
			return r.Tenant.SKUIDs[l.SKU]
		}
		return ""
	}
	return plan.Swap{License: license, SKU: sku(license), TargetSKU: sku(to)}
}
