// Package policy compiles a policy file into rules and evaluates them for people, in three-valued logic. A value that
// was not read makes a verdict undecided, and only known values lead to a reclaim. The file is parsed strictly, and
// faults are reported together, with their places. The package does no I/O and reads no clock.
package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Mode says whether and when the changes of a plan are made.
type Mode string

// The modes of a policy.
const (
	Audit   Mode = "audit"   // nothing may be written
	Review  Mode = "review"  // a plan is applied after approval
	Enforce Mode = "enforce" // the schedule applies its plans
)

// Policy is a compiled policy file. It does not change after Load and is safe for concurrent use.
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
	Kinds    []string         // the kinds of accounts that rules are about (directory.AccountKinds); all others are exempt
	Notices  *Notices         // how people get mails about changes; nil: no mails

	attributes map[string]*attribute // by name
	// readOtherwise has the copies of attributes that a condition reads as filled or orNone (type readAs). The key has
	// a prefix before the name of the attribute, such as "@filled department".
	readOtherwise map[string]*attribute
	mapped        []*attribute // the attributes of the mapping, in the order of the file
	groups        []directory.GroupRef
	exempt        exemptions
	conditions    []*condition
}

// License is a product that people hold: a SKU in Entra ID, or membership in a group. The group is in Active Directory,
// for example for Citrix, or it is in Entra ID, and SCIM provisions its members to an application. If membership is the
// license, only direct members hold the license, because provisioning does not read nested groups (Microsoft Learn,
// "How Application Provisioning works in Microsoft Entra ID").
type License struct {
	Name  string
	Title string              // name of the license for people; empty: Name
	SKU   string              // part number or skuId; empty if membership in Group is the license
	Group *directory.GroupRef // the group that gives the license, or nil
	// More lists other groups that give the license. If a person holds the license through one of these groups,
	// idleseat removes the person from this group. If idleseat adds a person to a group for this license, it uses
	// Group.
	More         []directory.GroupRef
	MonthlyPrice float64 // price of one seat, in the policy's currency
	// Renews is nil if the policy does not say when the contract renews.
	Renews    *Renewal
	KeepSeats int // free seats that idleseat leaves for other people
	// MailboxQuota is the largest mailbox, in GB, that this license allows. Zero means that mailboxes are not checked.
	// Otherwise a person is changed to this license only if the mailbox is known to fit. If a rule removes this license
	// and gives no other one, it does not act on a mailbox that is on hold, is shared, or belongs to a room or to
	// equipment.
	MailboxQuota float64

	// Needs lists the service plans that the license must include for a change to it. Service plans that give a mailbox
	// are needed without being listed.
	Needs []string

	// Model is empty if the policy does not say how the seats of a license without a SKU are counted.
	Model Model

	index   int          // index into Policy.Licenses
	holders *MemberQuery // the group whose members hold the license; nil for a license with a SKU
}

// Model says how the seats for the members of a group are counted (Citrix DaaS documentation, "License types":
// user/device and concurrent).
type Model string

// The models. Only a PerUser seat becomes free when a user leaves the group.
const (
	PerUser    Model = "user"
	PerDevice  Model = "device"
	Concurrent Model = "concurrent"
)

// Called returns the name of the license for people: Title, or Name if there is no Title.
func (l *License) Called() string { return cmp.Or(l.Title, l.Name) }

// Groups returns all groups that give the license, Group first.
func (l *License) Groups() []directory.GroupRef {
	if l.Group == nil {
		return nil
	}
	return append([]directory.GroupRef{*l.Group}, l.More...)
}

// Synced reports whether an Active Directory group gives the product and Entra Connect syncs this group. idleseat then
// writes the members in Active Directory, and the licenses change later in Entra ID.
func (l *License) Synced() bool {
	return l.SKU != "" && l.Group != nil && l.Group.Source == directory.AD
}

func (l *License) memberOfEntra() bool {
	return l.SKU == "" && l.Group != nil && l.Group.Source == directory.Entra
}

// FreesNothing returns why a seat does not become free, or may not, when a member leaves the license's group. It
// returns "" if a seat becomes free.
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

// Rule says which holders no longer use a license, and which action follows.
type Rule struct {
	Name     string
	License  *License // the rule applies only to holders of this license
	ChangeTo *License // the license that replaces License; nil if none does
	Notice   int      // days between the notice and the change; 0 if there is no notice
	Restore  bool     // whether a person who returns gets the license again
	// MailboxLost means that the policy accepts that mailboxes lose their license.
	MailboxLost bool
	ForSource   string // the condition "for", which limits the rule to some holders; empty means all holders
	WhenSource  string // the condition "when", under which the license is taken

	scope, when *condition      // the conditions "for" and "when"; scope is nil if the rule applies to all holders
	conditions  []*condition    // all conditions of the rule, and the condition in exempt.when
	asks        []*attribute    // the attributes that the conditions read, and the creation date, which grace reads
	fills       []*attribute    // attributes that the conditions read, except flags and dates of use
	offsets     []time.Duration // the sums and differences of the spans of the conditions (offsetsOf)
	within      *Rule           // in a Trial: the rule with the fewest days, if this rule reclaims only where that rule reclaims; or nil
	withinAt    int             // the index of within in Policy.Rules
}

// MostPerRun is the maximum of Limits.PerRun. Step Functions ends an execution after 25,000 events, and a larger plan
// could need more.
const MostPerRun = 5000

// Limits bound what one run may do.
type Limits struct {
	StopAbovePercent float64 // percentage of a license's holders; more matches put the run on hold
	StopAboveCount   int     // more matches put the run on hold
	PerRun           int     // changes in one run, at most MostPerRun; the rest wait for the next run
}

// Grace spares people who had too little time to use an account or a license.
type Grace struct {
	NeverSignedIn int // days for which an account may exist unused; 0 means no grace
	NewHolder     int // days since the license was given; 0 means no grace
	EnabledAgain  int // days since a reading first saw the account enabled again; 0 means no grace
}

// Exemptions name the people whom no rule may touch.
type Exemptions struct {
	Users  []string             // user principal names, Entra object ids, SIDs or account names
	Groups []directory.GroupRef // all their members are exempt
	Leave  []Leave
	When   string // a condition; may be empty
}

// Leave exempts a person until a certain time.
type Leave struct {
	User   string
	Until  time.Time // the first moment after the leave
	Reason string

	written string // Until as written in the file
}

// Fields returns the sorted names of the fields that the policy reads: those of the mapping, of the conditions, and the
// address for notices.
func (p *Policy) Fields() (names []string) {
	list := slices.Clone(p.mapped)
	for _, c := range p.conditions {
		list = addNew(list, c.reads...)
	}
	for _, a := range list {
		for _, f := range a.fields {
			names = append(names, f.Name)
		}
	}
	if p.Notices != nil {
		names = append(names, "entra.mail")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ReadsHired reports whether a verdict may rest on the hire date.
func (p *Policy) ReadsHired() bool {
	return p.Grace.NeverSignedIn > 0 || slices.Contains(p.Fields(), directory.Hired)
}

// Signals returns the signals whose dates the conditions read, in order and without duplicates.
func (p *Policy) Signals() (list []directory.Signal) {
	for _, c := range p.conditions {
		for _, a := range c.reads {
			list = append(list, a.signals()...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// LicenseNamed returns the license with this name in the policy, or nil.
func (p *Policy) LicenseNamed(name string) *License {
	return named(p.Licenses, name, func(l *License) string { return l.Name })
}

// RuleNamed returns the rule with this name, or nil.
func (p *Policy) RuleNamed(name string) *Rule {
	return named(p.Rules, name, func(r *Rule) string { return r.Name })
}

// FirstRule returns the first rule about a license, or nil.
func (p *Policy) FirstRule(l *License) *Rule {
	for _, r := range p.Rules {
		if r.License == l {
			return r
		}
	}
	return nil
}

// GuardsMailbox reports whether the rule may act only on a mailbox that is known to fit. This is so if the new license
// has a mailboxQuota. If the rule gives no new license, the license that it takes must have one.
func (r *Rule) GuardsMailbox() bool {
	if r.ChangeTo != nil {
		return r.ChangeTo.MailboxQuota > 0
	}
	return r.License.MailboxQuota > 0
}

// Key identifies a rule by its name, its licenses and its conditions. Other edits, such as another notice, do not
// change the key.
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

// SKUs returns the products of the policy, by part number or skuId, without duplicates, in the order of the file.
func (p *Policy) SKUs() []string {
	var list []string
	for _, l := range p.Licenses {
		if l.SKU != "" && !slices.Contains(list, l.SKU) {
			list = append(list, l.SKU)
		}
	}
	return list
}
