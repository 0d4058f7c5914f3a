package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// mailboxPlan matches the service plans that give a person a mailbox. Others of Exchange, such as
// EXCHANGE_S_FOUNDATION and EXCHANGE_S_ARCHIVE, give none (Microsoft Entra documentation, "Product names and service
// plan identifiers for licensing").
var mailboxPlan = regexp.MustCompile(`^EXCHANGE_[SLB]_(STANDARD|ENTERPRISE|DESKLESS|ESSENTIALS)`)

// MattersTo reports whether a service plan matters to idleseat: it gives a mailbox, or a license of the policy needs
// it.
func MattersTo(p *policy.Policy, servicePlan string) bool {
	return mailboxPlan.MatchString(servicePlan) ||
		slices.ContainsFunc(p.Licenses, func(l *policy.License) bool { return slices.Contains(l.Needs, servicePlan) })
}

// Lacks returns a phrase such as "without the service plan EXCHANGE_S_STANDARD". The list "off" has the ids of the
// service plans that are switched off. The phrase names those of them that give a mailbox or that the license needs,
// and is "" if there are none. If the service plans of the product are unknown, the phrase says so.
func (t *Tenant) Lacks(l *policy.License, off []string) string {
	sku := t.skus[t.SKUIDs[l.SKU]]
	if len(off) == 0 {
		return ""
	}
	if !sku.PlansRead {
		return "with service plans switched off: what would be left cannot be told"
	}
	var lacks []string
	for _, plan := range sku.Plans {
		if slices.Contains(off, plan.ID) && (mailboxPlan.MatchString(plan.Name) || slices.Contains(l.Needs, plan.Name)) {
			lacks = append(lacks, plan.Name)
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return "without the service plan " + strings.Join(lacks, ", ")
}

// The method "missing" returns a reason if the policy says that a license needs a service plan which its product does
// not have. It returns "" if no service plan is known to be missing.
func (t *Tenant) missing(l *policy.License) string {
	sku := t.skus[t.SKUIDs[l.SKU]]
	for _, name := range l.Needs {
		if sku.PlansRead && !slices.ContainsFunc(sku.Plans, func(p directory.ServicePlan) bool { return p.Name == name }) {
			return fmt.Sprintf("the product %s has no service plan %s, which the policy says that %s needs", l.SKU, name, l.Name)
		}
	}
	return ""
}

// The method "mailbox" reports whether a product gives a mailbox if the service plans in "off" are switched off. It
// returns Unset if the service plans of the product are unknown.
func (t *Tenant) mailbox(skuID string, off []string) directory.Flag {
	sku, known := t.skus[skuID]
	if !known || !sku.PlansRead {
		return directory.Unset
	}
	return directory.FlagOf(slices.ContainsFunc(sku.Plans, func(p directory.ServicePlan) bool {
		return mailboxPlan.MatchString(p.Name) && !slices.Contains(off, p.ID)
	}))
}

// Swap is a change of another license of the same person that is planned, pending, or so recent that reads may not
// show it yet. License is the license that the change takes, and SKU the skuId of its product. TargetSKU is the skuId
// of the product that the change gives, or "".
type Swap struct{ License, SKU, TargetSKU string }

// LosesMailbox reports whether a change takes away the last license that gives the person a mailbox. Exchange Online
// then deletes the content of the mailbox for good after 30 days (Microsoft Learn, "Assign or unassign licenses for
// users in the Microsoft 365 admin center", section "What happens to a user's data when you remove their license?").
// The result "lost" is Unset if it is unknown whether the new product gives a mailbox. Another license of the person
// does not keep the mailbox if one of the changes "others" takes this license and is not known to give another mailbox.
// The result "too" names such a license, or is "".
func (t *Tenant) LosesMailbox(p *directory.Person, r *policy.Rule, others []Swap) (lost directory.Flag, too string) {
	if r.License.SKU == "" || p.Entra == nil {
		return directory.No, ""
	}
	source, has := t.SKUIDs[r.License.SKU], false
	for _, a := range p.Entra.Assignments {
		switch gives := t.mailbox(a.SKU, a.DisabledPlans); {
		case gives != directory.Yes:
		case a.SKU == source:
			has = true
		case a.Active():
			i := slices.IndexFunc(others, func(s Swap) bool { return s.SKU == a.SKU && t.mailbox(s.TargetSKU, nil) != directory.Yes })
			if i < 0 {
				return directory.No, ""
			}
			too = others[i].License
		}
	}
	if !has {
		return directory.No, ""
	}
	if r.ChangeTo == nil {
		return directory.Yes, too
	}
	var off []string
	if g := r.ChangeTo.Group; g != nil {
		off = t.Groups[*g].Off
		if r.ChangeTo.Synced() {
			mirror, _ := t.Counterpart(r.ChangeTo)
			off = mirror.Off
		}
	}
	switch t.mailbox(t.SKUIDs[r.ChangeTo.SKU], off) {
	case directory.Yes:
		return directory.No, ""
	case directory.No:
		return directory.Yes, too
	}
	return directory.Unset, too
}

// mailRefusal returns a reason if the change would leave the person's mailbox without a license, or might do so. It
// returns "" if the change keeps the mailbox, or if the policy accepts the loss.
func (t *Tenant) mailRefusal(p *directory.Person, r *policy.Rule, others []Swap) string {
	if r.MailboxLost {
		return ""
	}
	switch lost, too := t.LosesMailbox(p, r, others); {
	case lost == directory.Yes && too != "":
		return fmt.Sprintf("the mailbox would be left without a license, since %s is taken, too, and Exchange Online deletes its content for good 30 days later; change one of them to a product with a mailbox, or, if that is meant, write mailbox: lost into the rule's then", too)
	case lost == directory.Yes:
		return "the mailbox would be left without a license, and Exchange Online deletes its content for good 30 days later; change to a product with a mailbox, or, if that is meant, write mailbox: lost into the rule's then"
	case lost == directory.Unset:
		return fmt.Sprintf("whether %s gives a mailbox is not known, since Graph did not tell its service plans; plan again, or write mailbox: lost into the rule's then", r.ChangeTo.Name)
	}
	return ""
}
