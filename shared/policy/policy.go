// Package policy compiles a policy file into rules and evaluates them for people. A verdict has three values: unread
// values make it undecided, and only known values make it reclaim. The reader of the file is strict, and reports every
// fault at once with its place. The package does no I/O and reads no clock.
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
	Tenant   string // the only tenant that a run may change, in lower case
	Mode     Mode
	Currency string // currency of the prices, ISO 4217
	Licenses []*License
	Rules    []*Rule
	Limits   Limits
	Grace    Grace
	Exempt   Exemptions
	Anchor   directory.Anchor // the anchor of Entra Connect
	Kinds    []string         // the kinds of accounts that rules are about (directory.AccountKinds); the others are exempt

	attributes map[string]*attribute // attributes by name
	// readOtherwise are attributes that a condition reads in another way, by prefix and name.
	readOtherwise map[string]*attribute
	mapped        []*attribute // the attributes of the mapping, in the file's order
	groups        []directory.GroupRef
	exempt        exemptions
	conditions    []*condition
}

// License is a product that people hold. It is a SKU in Entra ID, or membership of a group. The group is one of Active
// Directory, for example a Citrix group, or a group of Entra ID whose members an application gets by SCIM. A group
// without a SKU counts only the members that it lists itself, because provisioning reads no nested groups (Microsoft
// Learn, "How Application Provisioning works in Microsoft Entra ID").
type License struct {
	Name  string
	SKU   string              // part number or skuId; empty when membership of Group is the license
	Group *directory.GroupRef // the group that gives the license; nil: none
	// More are other groups that give the license. A holder leaves the group that gives it. A person who is changed to
	// this license joins Group.
	More         []directory.GroupRef
	MonthlyPrice float64 // price of one seat, in the policy's currency
	KeepSeats    int     // free seats that idleseat leaves for other people
	// MailboxQuota is the largest mailbox that this license allows, in GB. When it is set, a person is changed to this
	// license only with a mailbox that is known to fit. The license is then not taken from mailboxes on hold, shared
	// mailboxes, rooms and equipment. 0: no check.
	MailboxQuota float64

	// Needs are names of service plans that must come with the license when a person is changed to it. Plans that give
	// a mailbox are always needed.
	Needs []string

	// Model is how the seats of a license without a SKU are counted. Empty: the policy does not say.
	Model Model

	index   int          // position in Policy.Licenses
	holders *MemberQuery // the group whose members hold the license; nil with a SKU
}

// Model is how the seats are counted that membership of a group allows (Citrix DaaS documentation, "License types":
// user/device and concurrent).
type Model string

// The models. Only a user's seat becomes free when the user leaves the group.
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

// Synced reports whether a group of Active Directory gives the product and Entra Connect syncs that group to Entra ID.
// Members are then written in Active Directory, and the licenses change later in Entra ID.
func (l *License) Synced() bool {
	return l.SKU != "" && l.Group != nil && l.Group.Source == directory.AD
}

// memberOfEntra reports whether membership of a group of Entra ID is the license.
func (l *License) memberOfEntra() bool {
	return l.SKU == "" && l.Group != nil && l.Group.Source == directory.Entra
}

// FreesNothing says why leaving the license's group frees no seat, or may free none. It is empty when it frees one.
func (l *License) FreesNothing() string {
	switch {
	case l.SKU != "" || l.Model == PerUser:
		return ""
	case l.Model == PerDevice:
		return "its seats are counted by device (model: device), so no seat becomes free when a person leaves the group"
	case l.Model == Concurrent:
		return "its seats are counted by sessions at one time (model: concurrent), so no seat becomes free when a person leaves the group"
	}
	return "it is not known whether a seat becomes free; say how they are counted with model: user, device or concurrent"
}

// Rule says which holders no longer use a license, and what happens then.
type Rule struct {
	Name     string
	License  *License // the rule asks only its holders
	ChangeTo *License // nil: the license is taken
	Notice   int      // days between the notice and the change; 0: no notice
	Restore  bool     // a person who returns gets the license again
	// MailboxLost: the policy accepts that mailboxes lose their license.
	MailboxLost bool
	ForSource   string // the condition for being asked; empty: everybody
	WhenSource  string // the condition for being reclaimed

	scope, when *condition      // scope is nil for everybody
	conditions  []*condition    // all conditions of the rule, with the exempting one
	asks        []*attribute    // attributes that the conditions read, and the creation date that grace reads
	fills       []*attribute    // attributes that the conditions read, without flags and dates of use
	offsets     []time.Duration // see Turns
}

// Limits bound what one run may do.
type Limits struct {
	StopAbovePercent float64 // percentage of a license's holders; with more matches the run is on hold
	StopAboveCount   int     // with more matches the run is on hold
	PerRun           int     // changes in one run; the others wait for the next run
}

// Grace spares people who had too little time to use what they were given.
type Grace struct {
	NeverSignedIn int // days for which an account may exist unused; 0: no grace
	NewHolder     int // days since the license was given; 0: no grace
	EnabledAgain  int // days since a reading first saw the account enabled again; 0: no grace
}

// Exemptions name the people whom no rule may touch.
type Exemptions struct {
	Users  []string             // user principal names, Entra object ids, SIDs or account names
	Groups []directory.GroupRef // all their members are exempt
	Leave  []Leave
	When   string // a condition; empty: none
}

// Leave exempts a person for a time.
type Leave struct {
	User   string
	Until  time.Time // the first instant after the leave
	Reason string

	written string // Until as the file writes it
}

// Rests returns the LDAP names of the Active Directory attributes that the policy needs, sorted. When such an attribute
// is empty, it must be known whether it has no value or whether the account may not read it.
func (p *Policy) Rests() []string {
	names := []string{"lastLogonTimestamp"} // the health of the feed is judged by it
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

// Fields returns the names of the account fields that the policy reads, sorted. It includes the mapping and every
// condition.
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

// Signals returns the signals whose dates the policy's conditions read, each once, in order.
func (p *Policy) Signals() (list []directory.Signal) {
	for _, c := range p.conditions {
		for _, a := range c.reads {
			list = append(list, a.signals()...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// LicenseNamed returns the license with this name in the policy. It returns nil when there is none.
func (p *Policy) LicenseNamed(name string) *License {
	return named(p.Licenses, name, func(l *License) string { return l.Name })
}

// RuleNamed returns the rule with this name. It returns nil when there is none.
func (p *Policy) RuleNamed(name string) *Rule {
	return named(p.Rules, name, func(r *Rule) string { return r.Name })
}

// FirstRule returns the first rule about a license. It returns nil when there is none.
func (p *Policy) FirstRule(l *License) *Rule {
	for _, r := range p.Rules {
		if r.License == l {
			return r
		}
	}
	return nil
}

// GuardsMailbox reports whether the rule may act only on a mailbox that is known to fit. That holds when the new
// license has a mailboxQuota, or, when the rule takes the license, when that license has one.
func (r *Rule) GuardsMailbox() bool {
	if r.ChangeTo != nil {
		return r.ChangeTo.MailboxQuota > 0
	}
	return r.License.MailboxQuota > 0
}

// Key identifies a rule with its content. An edited rule has another key.
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

// SKUs returns the products that the policy names, by part number or skuId, each once, in the file's order.
func (p *Policy) SKUs() []string {
	var list []string
	for _, l := range p.Licenses {
		if l.SKU != "" && !slices.Contains(list, l.SKU) {
			list = append(list, l.SKU)
		}
	}
	return list
}
