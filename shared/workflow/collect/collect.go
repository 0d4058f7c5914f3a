// Package collect reads the data of a run and seals it as a snapshot. If a source fails, the snapshot has none of the
// source's people, and never only some of them.
package collect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/adread"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrPolicy means that a policy does not fit the tenant. After this error no run has begun.
var ErrPolicy = errors.New("the policy does not fit the tenant")

// Entra contains the methods of Microsoft Entra ID that this package calls.
type Entra interface {
	Tenant(ctx context.Context) (id string, skus []directory.SKU, err error)
	Subscriptions(ctx context.Context) ([]directory.Subscription, error)
	CountPeople(ctx context.Context) (int, error)
	LicenseGroups(ctx context.Context) ([]directory.Group, error)
	ListPeople(ctx context.Context, cursor string, page func(people []directory.EntraUser, next string) error) error
	FindID(ctx context.Context, upnOrID string) (string, error)
	Mailboxes(ctx context.Context, each func(directory.Mailbox) error) error
	usage.Graph
	evidence.Entra
}

// AD contains the methods of Active Directory that this package calls.
type AD interface {
	adread.AD
	OneAD
}

// OneAD contains the methods of Active Directory that a run for one person calls.
type OneAD interface {
	evidence.NamedAD
	ListPeople(ctx context.Context, each func(directory.ADUser) error) error
	FindGroup(ctx context.Context, name string) (directory.Group, error)
}

// Collector reads the data of a run. The field AD is nil if Active Directory is not set up.
type Collector struct {
	Store store.Store
	Entra Entra
	AD    AD
	Tool  string           // version of idleseat, which the run records
	Now   func() time.Time // time.Now except in tests
	// Progress is called with the number of people that were read from a source so far. The parameter "total" is 0 if the
	// total is unknown. Progress may be nil.
	Progress func(s directory.Source, people, total int)
}

// Start describes a new run.
type Start struct {
	Run    string
	AsOf   time.Time
	Policy *policy.Policy
	Text   string // text of the policy file
	// PolicyFile is the path of the policy file on this machine. It is empty if there is none.
	PolicyFile string
	Deployment string // name of the deployment in AWS that makes the run; empty on a machine
	User       string // name of the person; empty: everybody
	// AcceptFeeds reports whether an operator accepts the sources as they are, even if they have fewer people than
	// before.
	AcceptFeeds bool
	Scheduled   bool // whether the schedule started the run
	// Choice has the changes that an operator chose from the plan of an older run. The run then uses the snapshot of
	// the older run, and makes only these changes. Choice is nil for any other run.
	Choice *snapshot.Choice
}

// Begin finds the products and groups of the policy in the tenant and writes begin.json. It fails with ErrPolicy if the
// policy is for another tenant, or if a product or a license group is missing or ambiguous. A repeated call returns the
// run that the first call began.
func (c *Collector) Begin(ctx context.Context, in Start) (*snapshot.Begin, error) {
	b, err := c.resolve(ctx, in)
	if err != nil {
		return nil, err
	}
	return c.begin(ctx, b)
}

func (c *Collector) begin(ctx context.Context, b *snapshot.Begin) (*snapshot.Begin, error) {
	err := snapshot.PutBegin(ctx, c.Store, b)
	if errors.Is(err, store.ErrExists) {
		return snapshot.GetBegin(ctx, c.Store, b.Run)
	}
	return b, err
}

// The method "resolve" finds the products and groups of the policy. It stores nothing but usage reports. Its error
// names the run, unless the error is about the policy.
func (c *Collector) resolve(ctx context.Context, in Start) (*snapshot.Begin, error) {
	b, err := c.ask(ctx, in)
	switch {
	case errors.Is(err, ErrPolicy):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("cannot begin run %s: %w", in.Run, err)
	}
	return b, nil
}

func (c *Collector) ask(ctx context.Context, in Start) (*snapshot.Begin, error) {
	b := &snapshot.Begin{
		Run: in.Run, Started: c.Now().UTC(), Read: c.Now().UTC(), AsOf: in.AsOf.UTC(), Tool: c.Tool,
		User: in.User, Policy: in.Text, PolicyFile: in.PolicyFile, Deployment: in.Deployment, Partitions: 1, AcceptFeeds: in.AcceptFeeds, Scheduled: in.Scheduled,
	}
	var err error
	if b.Tenant, b.SKUs, err = c.Entra.Tenant(ctx); err != nil {
		return nil, err
	}
	for i := range b.SKUs { // a product has dozens of service plans; most of them do not matter
		b.SKUs[i].Plans = slices.DeleteFunc(b.SKUs[i].Plans, func(s directory.ServicePlan) bool { return !plan.MattersTo(in.Policy, s.Name) })
	}
	if b.Tenant != in.Policy.Tenant {
		return nil, fmt.Errorf("%w: the policy is for tenant %s, but Graph answered for %s; correct the tenant in the policy, or sign in to the right one", ErrPolicy, in.Policy.Tenant, b.Tenant)
	}
	if err := products(b, in.Policy); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	if c.AD != nil { // if the directory does not answer, the reading reports the fault later
		if err := c.AD.CheckClock(ctx, c.Now); errors.Is(err, directory.ErrClock) {
			return nil, err
		}
	}
	if b.Earlier, b.Lost, err = history.Earlier(ctx, c.Store, in.Run, c.Now()); err != nil {
		return nil, err
	}
	if b.Groups, err = c.groups(ctx, in, b.Earlier); err != nil {
		return nil, err
	}
	if b.Granting, err = c.granting(ctx, in.Policy, b); err != nil {
		return nil, err
	}
	for _, q := range in.Policy.MemberQueries() {
		b.Members = append(b.Members, q.Key())
	}
	if in.User != "" {
		if b.Unnamed, err = c.unnamed(ctx, in, b.Earlier); err != nil {
			return nil, err
		}
	}
	if in.User == "" {
		if b.People, err = c.Entra.CountPeople(ctx); err != nil {
			return nil, err
		}
		if b.Partitions, err = c.partitions(ctx, in.Run, b.People); err != nil {
			return nil, err
		}
	}
	if b.Subscriptions, err = c.subscriptions(ctx, in, b); err != nil {
		return nil, err
	}
	if b.Mailboxes, err = c.mailboxes(ctx, in); err != nil {
		return nil, err
	}
	b.Reports, err = c.reports(ctx, in)
	return b, err
}

// The function "products" returns an error if the tenant lacks the product of a license, or has several such products.
func products(b *snapshot.Begin, p *policy.Policy) error {
	for _, l := range p.Licenses {
		if ids := directory.SameName(b.SKUs, l.SKU); len(ids) > 1 {
			return fmt.Errorf("license %s: %d products of the tenant have the part number %q, and their skuIds are %s; name the right one by its skuId, as \"sku: %s\"",
				l.Name, len(ids), l.SKU, strings.Join(ids, " and "), ids[0])
		}
	}
	_, err := p.NewJudge(b.SKUIDs(), b.AsOf)
	return err
}

// The method "granting" returns the groups that give a license of the policy although the policy does not name them.
// They only explain why a license does not change, so the run goes on if Graph does not list them.
func (c *Collector) granting(ctx context.Context, p *policy.Policy, b *snapshot.Begin) ([]directory.Group, error) {
	if len(p.SKUs()) == 0 {
		return nil, nil
	}
	all, err := c.Entra.LicenseGroups(ctx)
	if errors.Is(err, directory.ErrNotListed) {
		return nil, nil
	}
	ids := b.SKUIDs()
	return slices.DeleteFunc(all, func(g directory.Group) bool {
		named := slices.ContainsFunc(b.Groups, func(o directory.Group) bool { return o.ID == g.ID })
		ours := slices.ContainsFunc(p.SKUs(), func(part string) bool { return slices.Contains(g.Grants, ids[part]) })
		return named || !ours
	}), err
}

// The method "freed" stores the ledger entries that matter for the saved money, and returns the key of the stored
// object. If that fails, the key is empty, and the saving is computed from the whole ledger, which takes longer. For
// one person, it stores nothing.
func (c *Collector) freed(ctx context.Context, b *snapshot.Begin) string {
	if b.User != "" {
		return ""
	}
	key, err := money.Remember(ctx, c.Store, b.Run, c.Now())
	if err != nil {
		return ""
	}
	return key
}

// Seal makes the tables of people and members and writes the manifest. The run then has a snapshot.
func (c *Collector) Seal(ctx context.Context, run string, entra, ad snapshot.Reading) error {
	past, err := history.MakeDigest(ctx, c.Store, run, c.Now())
	if err != nil {
		return fmt.Errorf("seal run %s: %w", run, err)
	}
	b, err := snapshot.GetBegin(ctx, c.Store, run)
	if err != nil {
		return fmt.Errorf("seal run %s: %w", run, err)
	}
	m := &snapshot.Manifest{Run: run, Readings: [2]snapshot.Reading{directory.Entra: entra, directory.AD: ad}, Reports: b.Reports, History: past, Freed: c.freed(ctx, b)}
	if err := m.Weave(ctx, c.Store, b.Partitions); err != nil {
		return err
	}
	m.Taken = c.Now().UTC()
	return snapshot.Seal(ctx, c.Store, m)
}
