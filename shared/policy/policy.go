// Package policy turns a policy file into compiled rules and asks them about
// people. A verdict is three-valued: what was not read makes it undecided, and
// only what is known makes it reclaim. The file is read strictly, and every
// fault in it is reported at once with its place. The package does no I/O and
// knows no clock.
package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Mode says what a run may do with its plan.
type Mode string

// The modes of a policy.
const (
	Audit   Mode = "audit"   // nothing may be written
	Review  Mode = "review"  // a plan is applied after approval
	Enforce Mode = "enforce" // the schedule applies its plans
)

// Policy is a policy file that was read and compiled. It is not changed after
// Load and may be used by several goroutines.
type Policy struct {
	Tenant   string // the only tenant a run may touch, in lower case
	Mode     Mode
	Currency string // of the prices, ISO 4217
	Licenses []*License
	Rules    []*Rule
	Limits   Limits
	Grace    Grace
	Exempt   Exemptions
	Anchor   directory.Anchor // of Entra Connect
	Kinds    []string         // of accounts that rules ask about (directory.AccountKinds); the others are exempt

	attributes map[string]*attribute // by name
	// readOtherwise are attributes that a condition reads in another way, by prefix
	// and name.
	readOtherwise map[string]*attribute
	mapped        []*attribute // those of the mapping, in the file's order
	groups        []directory.GroupRef
	exempt        exemptions
	conditions    []*condition
}

// License is a product people hold: by a SKU in Entra ID, or by membership of a group
// of either directory that is the license itself, as a Citrix group is, or a group that
// is assigned to an application which takes its users from Entra ID by SCIM. Such a
// group counts only those whom it lists itself: provisioning reads no nested groups
// (Microsoft Learn, "How Application Provisioning works in Microsoft Entra ID").
type License struct {
	Name  string
	SKU   string              // part number or skuId; "" where membership of Group is the license
	Group *directory.GroupRef // the group that gives it; nil: none
	// More are further groups that give it. A holder leaves the group that gives it. A
	// change to it joins Group.
	More         []directory.GroupRef
	MonthlyPrice float64 // of one seat, in the policy's currency
	KeepSeats    int     // free seats that idleseat leaves for others
	// MailboxQuota is how large a mailbox this license allows, in GB. Given, a
	// change to it is guarded: only a mailbox known to fit may come. So is taking it
	// away: not from mailboxes on hold, nor from shared ones, rooms and equipment.
	// 0: not asked.
	MailboxQuota float64

	// Needs are service plans, by name, that must come with the license when somebody
	// is changed to it. Those that give a mailbox always count.
	Needs []string

	// Model is how the seats of a license without a SKU are counted; "": not said.
	Model Model

	index   int          // in Policy.Licenses
	holders *MemberQuery // the group whose members hold it; nil with a SKU
}

// Model is how seats are counted that a group gives a right to
// (Citrix DaaS documentation, "License types": user/device and concurrent).
type Model string

// The models. Only a seat of a user comes free when the user leaves the group.
const (
	PerUser    Model = "user"
	PerDevice  Model = "device"
	Concurrent Model = "concurrent"
)

// Groups returns all the groups that give the license, Group first.
func (l *License) Groups() []directory.GroupRef {
	if l.Group == nil {
		return nil
	}
	return append([]directory.GroupRef{*l.Group}, l.More...)
}

// Synced reports whether a group of Active Directory gives the product, which Entra Connect
// syncs to Entra ID: members are written there, and their licenses follow here.
func (l *License) Synced() bool {
	return l.SKU != "" && l.Group != nil && l.Group.Source == directory.AD
}

// memberOfEntra reports whether membership of a group of Entra ID is the license.
func (l *License) memberOfEntra() bool {
	return l.SKU == "" && l.Group != nil && l.Group.Source == directory.Entra
}

// FreesNothing says why leaving the license's group frees no seat, or may free none;
// empty when it does.
func (l *License) FreesNothing() string {
	switch {
	case l.SKU != "" || l.Model == PerUser:
		return ""
	case l.Model == PerDevice:
		return "its seats are counted by device (model: device), so that none comes free when a person leaves the group"
	case l.Model == Concurrent:
		return "its seats are counted by sessions at one time (model: concurrent), so that none comes free when a person leaves the group"
	}
	return "whether a seat comes free is not known; say how they are counted with model: user, device or concurrent"
}

// Rule says which holders of a license no longer use it, and what then.
type Rule struct {
	Name     string
	License  *License // only its holders are asked
	ChangeTo *License // nil: the license is removed
	Notice   int      // days between the notice and the change; 0: no notice
	Restore  bool     // who comes back gets the license back
	// MailboxLost: the policy says that mailboxes may be left without a license.
	MailboxLost bool
	ForSource   string // the condition for being asked; "" is everybody
	WhenSource  string // the condition for being reclaimed

	scope, when *condition      // scope is nil for everybody
	conditions  []*condition    // all it asks, the exempting one too
	asks        []*attribute    // what they read, and the creation date that grace reads
	fills       []*attribute    // what they read, but for flags and dates of use
	offsets     []time.Duration // see Turns
}

// Limits bound what one run may do.
type Limits struct {
	StopAbovePercent float64 // of a license's holders; more matches hold the run
	StopAboveCount   int     // more matches hold the run
	PerRun           int     // changes in one run; the rest waits for the next
}

// Grace spares people who had no time yet to use what they were given.
type Grace struct {
	NeverSignedIn int // days an account may exist unused; 0: none
	NewHolder     int // days from when the license was given; 0: none
	EnabledAgain  int // days from when the account was first seen enabled after it was not; 0: none
}

// Exemptions name people no rule may touch.
type Exemptions struct {
	Users  []string             // user principal names, Entra object ids, SIDs or account names
	Groups []directory.GroupRef // everybody in them
	Leave  []Leave
	When   string // a condition; "" when absent
}

// Leave exempts a person for a time.
type Leave struct {
	User   string
	Until  time.Time // the first instant at which it no longer counts
	Reason string

	written string // Until as the file has it
}

// Rests returns the LDAP names of the attributes of Active Directory on which the policy
// rests, sorted. When such an attribute shows no value, it must be known whether there
// is none or whether the account may not read it.
func (p *Policy) Rests() []string {
	names := []string{"lastLogonTimestamp"} // by which the feed is judged
	if anchor := p.Anchor.Attribute(); anchor != "" {
		names = append(names, anchor)
	}
	if len(p.exempt.listed) > 0 {
		names = append(names, "userPrincipalName")
	}
	for _, r := range p.Rules {
		for _, a := range r.asks {
			for _, f := range a.fields {
				if f.Attribute != "" {
					names = append(names, f.Attribute)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Fields returns the names of the fields of accounts that the policy reads, sorted: those of
// its mapping, and of every condition.
func (p *Policy) Fields() (names []string) {
	list := slices.Clone(p.mapped)
	for _, c := range p.conditions {
		list = addNew(list, c.reads...)
	}
	for _, r := range p.Rules {
		list = addNew(list, r.asks...)
	}
	for _, a := range list {
		for _, f := range a.fields {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Signals returns those whose dates the policy's conditions read, each once, in order.
func (p *Policy) Signals() (list []directory.Signal) {
	for _, c := range p.conditions {
		for _, a := range c.reads {
			list = append(list, a.signals()...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// LicenseNamed finds a license by its name in the policy; nil when there is
// none.
func (p *Policy) LicenseNamed(name string) *License {
	return named(p.Licenses, name, func(l *License) string { return l.Name })
}

// RuleNamed finds a rule by its name; nil when there is none.
func (p *Policy) RuleNamed(name string) *Rule {
	return named(p.Rules, name, func(r *Rule) string { return r.Name })
}

// FirstRule returns the first rule about a license; nil when there is none.
func (p *Policy) FirstRule(l *License) *Rule {
	for _, r := range p.Rules {
		if r.License == l {
			return r
		}
	}
	return nil
}

// GuardsMailbox reports whether the rule may act only on a mailbox that is known to fit:
// what it changes to, or what it takes away, is a license with a mailboxQuota.
func (r *Rule) GuardsMailbox() bool {
	if r.ChangeTo != nil {
		return r.ChangeTo.MailboxQuota > 0
	}
	return r.License.MailboxQuota > 0
}

// Key names a rule together with what it says: an edited rule has another one.
func (r *Rule) Key() string {
	to := ""
	if r.ChangeTo != nil {
		to = r.ChangeTo.Name
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{r.License.Name, to, r.ForSource, r.WhenSource}, "\x00")))
	return r.Name + "@" + hex.EncodeToString(sum[:6])
}

func named[T any](list []*T, name string, nameOf func(*T) string) *T {
	i := slices.IndexFunc(list, func(t *T) bool { return nameOf(t) == name })
	if i < 0 {
		return nil
	}
	return list[i]
}

func names[T any](list []*T, nameOf func(*T) string) []string {
	all := make([]string, len(list))
	for i, t := range list {
		all[i] = nameOf(t)
	}
	return all
}

func (p *Policy) ruleNames() []string { return names(p.Rules, func(r *Rule) string { return r.Name }) }

func (p *Policy) licenseNames() []string {
	return names(p.Licenses, func(l *License) string { return l.Name })
}

// SKUs returns the products the policy names, by part number or skuId, each once, in the file's order.
func (p *Policy) SKUs() []string {
	var list []string
	for _, l := range p.Licenses {
		if l.SKU != "" && !slices.Contains(list, l.SKU) {
			list = append(list, l.SKU)
		}
	}
	return list
}
