// Package decision asks the rules of a sealed run about people and keeps the
// answers: in bulk for evaluate, one person in full for explain, and once more
// at the last moment for apply, always by the same code. It reads objects only,
// never a directory.
package decision

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// Run is a sealed run, ready to be evaluated.
type Run struct {
	Begin    *snapshot.Begin
	Manifest *snapshot.Manifest
	Policy   *policy.Policy
	Tenant   *plan.Tenant
	// Feeds are the health of the signals: of the directories always, of a report when the
	// policy names the signal.
	Feeds   [directory.Signals]plan.Feed
	History *history.Digest

	ManifestHash string

	store   store.Store
	columns []string                   // of the snapshot that are read
	renamed map[string][]*history.Item // see renamedItems
	damaged map[string]string          // by person: what the ledger has cannot be believed
	memory  *memory
	usage   func() (usage.Tables, error) // see tables
}

// Open reads what a sealed run's evaluation starts from.
func Open(ctx context.Context, s store.Store, run string) (*Run, error) {
	b, err := snapshot.GetBegin(ctx, s, run)
	if err != nil {
		return nil, err
	}
	m, hash, err := snapshot.GetManifest(ctx, s, run)
	if err != nil {
		return nil, err
	}
	p, err := policy.LoadKept("policy of run "+run, []byte(b.Policy))
	if err != nil {
		return nil, err
	}
	columns, err := m.ColumnsFor(p.Fields())
	if err != nil {
		return nil, err
	}
	r := &Run{columns: columns, Begin: b, Manifest: m, Policy: p, Tenant: plan.TenantOf(b.SKUs, b.Groups, b.Granting), store: s, ManifestHash: hash, memory: &memory{}}
	r.Tenant.SIDs = m.Readings[directory.AD].GroupSIDs
	if r.History, err = history.Load(ctx, s, m); err != nil {
		return nil, err
	}
	r.renamed, r.damaged = renamedItems(r.History, p), map[string]string{}
	for i := range r.History.All() {
		if i.State == history.Unreadable {
			r.damaged[i.User] = i.Why
		}
	}
	for src, reading := range m.Readings {
		r.Feeds[src] = plan.Health(directory.Signal(src), plan.FeedFacts{
			Absent: reading.Absent, Failed: reading.Failed, PartialLogon: reading.PartialLogon,
			Freshness: reading.Freshness, Baseline: r.baseline(directory.Signal(src)), First: r.First(directory.Signal(src)),
		}, b.AsOf)
	}
	r.reported(ctx)
	return r, nil
}

// Emptied are the groups that had several members when they were last believed and
// have none now, by their keys, with how many they had. Nobody knows who is in them.
func (r *Run) Emptied() map[string]int {
	if r.Begin.User != "" || r.Begin.AcceptFeeds || r.Begin.Earlier == nil {
		return nil
	}
	emptied := map[string]int{}
	for _, q := range r.Policy.MemberQueries() {
		key, reading := q.Ref.Key(q.Direct), &r.Manifest.Readings[q.Ref.Source]
		if reading.Failed != "" || reading.Absent || slices.Contains(reading.Unreadable, key) {
			continue
		}
		if before, none := r.Begin.Earlier.Emptied(key, reading.Members[key]); none {
			emptied[key] = before
		}
	}
	return emptied
}

// Remade are the groups of Active Directory of which another one has the DN than when they
// were last believed: its objectGUID differs. Nobody knows whom the new one is about.
func (r *Run) Remade() (refs []directory.GroupRef) {
	if r.Begin.User != "" || r.Begin.AcceptFeeds {
		return nil
	}
	for _, q := range r.Policy.MemberQueries() {
		now, before := r.ADGroup(q.Ref), r.Begin.Earlier.Group(q.Ref)
		if now != "" && before != nil && before.ID != now && !slices.Contains(refs, q.Ref) {
			refs = append(refs, q.Ref)
		}
	}
	return refs
}

// ADGroup is the objectGUID of a group of Active Directory as the run read it; empty when
// it is not known, and for a group of Entra ID.
func (r *Run) ADGroup(ref directory.GroupRef) string {
	if ref.Source != directory.AD {
		return ""
	}
	return r.Manifest.Readings[directory.AD].Groups[ref.Key(false)]
}

// baseline is how a signal looked when it was last healthy, to compare it with.
// A run for one person samples the source only, one over older data has nothing
// before it.
func (r *Run) baseline(s directory.Signal) *plan.Baseline {
	if r.History == nil || r.Begin.User != "" || r.Begin.AcceptFeeds {
		return nil
	}
	b := r.History.Baseline(s)
	if b == nil || b.Read.After(r.Begin.Read) {
		return nil
	}
	return b
}

// First tells that no earlier healthy reading of a signal tells how it should look,
// and no operator said that it is right as it is.
func (r *Run) First(s directory.Signal) bool {
	if r.Begin.AcceptFeeds {
		return false
	}
	b := r.History.Baseline(s)
	return b == nil || b.Read.After(r.Begin.Read)
}

// Read loads one partition of the run's snapshot into h, reusing its memory,
// with the health of the feeds applied and compared with what earlier runs knew.
func (r *Run) Read(ctx context.Context, partition int, h *directory.Accounts) error {
	if err := r.Manifest.ReadColumns(ctx, r.store, partition, r.columns, h); err != nil {
		return fmt.Errorf("run %s: %w", r.Begin.Run, err)
	}
	return r.addPast(ctx, h)
}

// settle gives accounts that were read what the run and earlier ones know of them.
func (r *Run) addPast(ctx context.Context, h *directory.Accounts) error {
	for s, f := range r.Feeds {
		h.Stale[s] = f.Stale()
	}
	if r.Feeds[directory.Entra].State == plan.Unhealthy {
		h.EntraState = directory.NotRead // whoever is not listed may have an account all the same
	}
	tables, err := r.usage()
	if err != nil {
		return err
	}
	for i := range h.Entra {
		r.KnowMailbox(&h.Entra[i])
		tables.Tell(&h.Entra[i])
	}
	h.Anchor = r.Policy.Anchor
	for key := range r.Emptied() {
		h.Unreadable = append(h.Unreadable, key)
	}
	for _, ref := range r.Remade() {
		withhold(h, ref.Key(true), ref.Key(false))
	}
	if err := r.recall(ctx, h, r.lastReadings(), r.Begin.Read); err != nil {
		return fmt.Errorf("run %s: %w", r.Begin.Run, err)
	}
	return nil
}

// withhold makes membership of groups unknown, also of those who were read as members.
func withhold(h *directory.Accounts, keys ...string) {
	h.Unreadable = append(h.Unreadable, keys...)
	for member, in := range h.Memberships {
		h.Memberships[member] = slices.DeleteFunc(slices.Clone(in), func(key string) bool { return slices.Contains(keys, key) })
	}
}

// KnowMailbox tells an account what the mailbox usage report calls its mailbox.
func (r *Run) KnowMailbox(u *directory.EntraUser) {
	if m := r.Begin.Mailboxes; m != nil && len(m.Kinds) > 0 {
		u.MailboxKind = m.Kinds[strings.ToLower(u.UserPrincipalName)]
	}
}

// Judge compiles the run's rules for one instant.
func (r *Run) Judge(now time.Time) (*policy.Judge, error) {
	j, err := r.Policy.NewJudge(r.Begin.SKUIDs(), now)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Begin.Run, err)
	}
	j.Follow(r.people())
	return j, nil
}
