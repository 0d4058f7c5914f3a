package draft

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

type license struct {
	name   string
	sku    directory.SKU     // empty for the group of Citrix
	ref    string            // the text by which the policy names the product
	groups []directory.Group // groups that give the product and that idleseat can change
	left   []string          // notes about other groups that give the product
	citrix string            // DN of the group; empty for a product
}

type choice struct {
	seen    *Seen
	product *license // the product whose idle seats the rule takes; nil: none
	target  *license // the product to which the rule changes; nil: the rule removes
	mailbox bool     // whether the product may give a mailbox
	citrix  *license // nil without a group of Citrix
	role    string   // the employeeType that the rule asks for; empty: none
}

// Part numbers of Microsoft 365 E3 and Exchange Online (Plan 1). If the tenant has both, the first policy changes E3
// to Exchange Online.
const (
	skuE3       = "SPE_E3"
	skuExchange = "EXCHANGESTANDARD"
)

// The map "names" has the license names of well-known products, by part number (Microsoft Entra documentation,
// "Product names and service plan identifiers for licensing").
var names = map[string]string{
	skuE3: "m365-e3", "SPE_E5": "m365-e5", skuExchange: "exchange-online", "ENTERPRISEPACK": "o365-e3", "ENTERPRISEPREMIUM": "o365-e5",
	"STANDARDPACK": "o365-e1", "SPB": "business-premium", "O365_BUSINESS_PREMIUM": "business-standard", "Microsoft_365_Copilot": "copilot",
}

// The expression "free" matches the part numbers of products that cost nothing, such as trials. The source is the same
// as for "names".
var free = regexp.MustCompile(`(?i)FREE|VIRAL|TRIAL|ADHOC|EXPLORATORY|_DEV$|_IW$|^(WINDOWS_STORE|STREAM|POWER_BI_STANDARD|MCOPSTNC|PHONESYSTEM_VIRTUALUSER|FORMS_PRO|Microsoft_Teams_Rooms_Basic)$`)

// The function "choose" chooses the products and the group of Citrix that the new policy is about. The parameter
// "citrix" is the DN of the group that the operator gave, or "".
func choose(s *Seen, citrix string) *choice {
	c := &choice{seen: s}
	paid := s.paid()
	if i := slices.IndexFunc(paid, func(sku directory.SKU) bool { return sku.PartNumber == skuE3 }); i >= 0 {
		c.product = s.license(paid[i])
	} else if i := slices.IndexFunc(paid, func(sku directory.SKU) bool { return sku.PartNumber != skuExchange }); i >= 0 {
		c.product = s.license(paid[i])
	}
	if c.product != nil {
		c.mailbox = givesMailbox(c.product.sku)
		i := slices.IndexFunc(s.SKUs, func(sku directory.SKU) bool { return sku.PartNumber == skuExchange })
		if c.mailbox && i >= 0 {
			c.target = s.license(s.SKUs[i])
		}
	}
	if citrix == "" && s.AD.Unread == "" && len(s.AD.Citrix) == 1 {
		citrix = s.AD.Citrix[0]
	}
	if citrix != "" {
		c.citrix = &license{name: citrixName, citrix: citrix}
	}
	c.role = s.People.role()
	return c
}

func (c *choice) licenses() (all []*license) {
	for _, l := range []*license{c.product, c.target, c.citrix} {
		if l != nil {
			all = append(all, l)
		}
	}
	return all
}

// The method "paid" returns the products that cost money and have holders, the one with the most seats in use first.
func (s *Seen) paid() []directory.SKU {
	paid := slices.DeleteFunc(slices.Clone(s.SKUs), func(sku directory.SKU) bool {
		return sku.ID == "" || s.Trials[sku.ID] || free.MatchString(sku.PartNumber) || sku.Consumed == 0
	})
	slices.SortStableFunc(paid, func(a, b directory.SKU) int {
		return cmp.Or(cmp.Compare(b.Consumed, a.Consumed), cmp.Compare(a.ID, b.ID))
	})
	return paid
}

// givesMailbox reports whether a product may give a mailbox. A product with unknown service plans may give one.
func givesMailbox(sku directory.SKU) bool {
	return !sku.PlansRead || slices.ContainsFunc(sku.Plans, func(p directory.ServicePlan) bool { return plan.MattersTo(&policy.Policy{}, p.Name) })
}

func (s *Seen) license(sku directory.SKU) *license {
	l := &license{name: nameOf(sku.PartNumber), sku: sku, ref: sku.ID}
	if len(directory.SameName(s.SKUs, sku.PartNumber)) == 1 && partNumber.MatchString(sku.PartNumber) {
		l.ref = sku.PartNumber
	}
	for _, g := range s.Groups {
		if !slices.Contains(g.Grants, sku.ID) {
			continue
		}
		if why := unfit(&g); why != "" {
			l.left = append(l.left, fmt.Sprintf("%s gives it, too, but %s", shown(g.Name), why))
			continue
		}
		l.groups = append(l.groups, g)
	}
	return l
}

// The function "unfit" returns the reason why idleseat cannot change a group, or "".
func unfit(g *directory.Group) string {
	switch {
	case g.Unreadable != "":
		return "it could not be read"
	case g.Dynamic:
		return "a rule of Entra ID decides who is in it"
	case g.Synced:
		return `it is managed in Active Directory: name it as {ad: "its distinguished name"} if idleseat shall change it there`
	case g.RoleAssignable:
		return "an Entra role may be assigned to it"
	case g.Restricted:
		return "its management is restricted"
	case g.MailEnabled:
		return "only Exchange can change its members"
	case len(g.Grants) > 1:
		return "it gives other products, too"
	}
	return ""
}

var (
	partNumber = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	notInName  = regexp.MustCompile(`[^a-z0-9]+`)
)

// nameOf returns the license name of a product. The name needs no quotes in a policy.
func nameOf(part string) string {
	if name := names[part]; name != "" {
		return name
	}
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(part), "-"), "-")
	if len(name) > 40 {
		name = strings.Trim(name[:40], "-")
	}
	if scalar(name) != name || name == names[skuExchange] || name == citrixName {
		name = strings.Trim("product-"+name, "-")
	}
	return name
}

const citrixName = "citrix"

const (
	mostlyFilled = 0.9 // share of the enabled people who have an employeeType
	mostlyEqual  = 0.5 // share of the people with an employeeType who have the same employeeType
)

const longestWord = 63

// safeWord reports whether a value can stand in a condition without escapes. It uses no regular expression, because to
// compile one for all letters and this length would take a fifth of the start time of a command.
func safeWord(s string) bool {
	for i, r := range s {
		if !unicode.In(r, unicode.L, unicode.N) && (i == 0 || !strings.ContainsRune(" _-", r)) {
			return false
		}
	}
	return s != "" && utf8.RuneCountInString(s) <= longestWord
}

// The method "role" returns the employeeType that most people have, without regard to letter case. It returns "" if
// many people have no employeeType, because the rule would then ask only a few people.
func (s *People) role() string {
	if s.Unread != "" || s.Enabled == 0 || float64(s.Filled["employeeType"]) < mostlyFilled*float64(s.Enabled) {
		return ""
	}
	counts, spelled, all := tally{}, map[string]string{}, 0
	for _, value := range sorted(s.EmployeeTypes) {
		key := strings.ToLower(value)
		if spelled[key] == "" {
			spelled[key] = value // the most frequent spelling
		}
		counts[key] += s.EmployeeTypes[value]
		all += s.EmployeeTypes[value]
	}
	for _, key := range sorted(counts) {
		if safeWord(spelled[key]) && float64(counts[key]) >= mostlyEqual*float64(all) {
			return spelled[key]
		}
	}
	return ""
}

// The function "sorted" returns the texts of a tally, the most frequent text first.
func sorted(t tally) []string {
	all := make([]string, 0, len(t))
	for text := range t {
		all = append(all, text)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a, b)) })
	return all
}
