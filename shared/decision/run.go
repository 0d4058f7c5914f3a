// Package decision evaluates the rules of a sealed run and stores the decisions. It evaluates everybody, explains the
// verdicts on one person, and evaluates a person again just before a change. It reads the store, and no directory.
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

// Run is a sealed run that can be evaluated.
type Run struct {
	Begin    *snapshot.Begin
	Manifest *snapshot.Manifest
	Policy   *policy.Policy
	Tenant   *plan.Tenant
	// Feeds has the health of each signal of the directories, and of each report that the policy reads.
	Feeds   [directory.Signals]plan.Feed
	History *history.Digest

	ManifestHash string

	store   store.Store
	columns []string                   // columns of the snapshot that are read
	present present                    // see follow
	renamed map[string][]*history.Item // by person; see renamedItems
	damaged map[string]string          // why the ledger of a person is damaged, by person
	memory  *memory
	trail   int                          // number of lost tables that led back to this run; see tableAgain
	usage   func() (usage.Tables, error) // reads the tables on the first call only

	before        *history.Digest // the digest of the run that read an old snapshot, or nil; see loadBefore
	unknownBefore string          // the run whose digest should be in "before" and cannot be read, or empty
}

// Open loads a sealed run with its policy, its history and the health of its signals.
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
	return open(ctx, s, b, m, hash, p)
}

// OpenUnder is like Open, with the rules of another policy. It fails with snapshot.ErrNoColumn if the run did not read
// a field that this policy names. It fails with ErrNotRead if the run did not read the members of a group that this
// policy names.
func OpenUnder(ctx context.Context, s store.Store, run string, p *policy.Policy) (*Run, error) {
	b, err := snapshot.GetBegin(ctx, s, run)
	if err != nil {
		return nil, err
	}
	m, hash, err := snapshot.GetManifest(ctx, s, run)
	if err != nil {
		return nil, err
	}
	for _, q := range p.MemberQueries() {
		if key := q.Key(); !slices.Contains(b.Members, key) {
			return nil, &ErrNotRead{run, q.Ref.String()}
		}
	}
	return open(ctx, s, b, m, hash, p)
}

// ErrNotRead means that the run did not read the members of a group that another policy names. Their membership is
// unknown, and must not count as none.
type ErrNotRead struct{ Run, Group string }

func (e *ErrNotRead) Error() string {
	return fmt.Sprintf("run %s did not read the members of the group %s, which the policy needs", e.Run, e.Group)
}

func open(ctx context.Context, s store.Store, b *snapshot.Begin, m *snapshot.Manifest, hash string, p *policy.Policy) (*Run, error) {
	columns, err := m.ColumnsFor(p.Fields())
	if err != nil {
		return nil, err
	}
	r := &Run{columns: columns, Begin: b, Manifest: m, Policy: p, Tenant: plan.TenantOf(b.SKUs, b.Groups, b.Granting), store: s, ManifestHash: hash, memory: newMemory()}
	r.Tenant.SIDs = m.Readings[directory.AD].GroupSIDs
	if r.History, err = history.Load(ctx, s, m); err != nil {
		return nil, err
	}
	if err := r.loadBefore(ctx); err != nil {
		return nil, err
	}
	for _, ref := range p.GroupRefs() {
		b.Earlier.Follow(ref, r.groupID(ref))
	}
	r.follow()
	r.renamed, r.damaged = r.renamedItems(), map[string]string{}
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

// Shrunk returns the groups that lost many members since their last healthy reading (directory.Earlier.Shrunk). The map
// has the earlier number of members by the key of the group. It is unknown whether the missing people still belong to
// these groups. Shrunk returns nil for a run with --accept-feeds.
func (r *Run) Shrunk() map[string]int {
	if r.Begin.AcceptFeeds || r.Begin.Earlier == nil {
		return nil
	}
	shrunk := map[string]int{}
	for _, q := range r.Policy.MemberQueries() {
		now, counted := r.Counted(q)
		if before, is := r.Begin.Earlier.Shrunk(q, now); counted && is {
			shrunk[q.Key()] = before
		}
	}
	return shrunk
}

// Remade returns the Active Directory groups of the policy that were deleted and created again, according to their
// objectGUIDs. The members of these groups are unknown. Remade returns nil for a run for one person and for a run with
// --accept-feeds.
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

// ADGroup returns the objectGUID of an Active Directory group that the run read. It returns "" for any other group.
func (r *Run) ADGroup(ref directory.GroupRef) string {
	if ref.Source != directory.AD {
		return ""
	}
	return r.Manifest.Readings[directory.AD].Groups[ref.Key(false)]
}

// The method "groupID" returns the id of a group in the reading of the run, or "" if it is unknown.
func (r *Run) groupID(ref directory.GroupRef) string {
	if g := r.Begin.Group(ref); ref.Source == directory.Entra && g.Unreadable == "" {
		return g.ID
	}
	return r.ADGroup(ref)
}

// The method "baseline" returns the figures of a signal in its last healthy reading before this run, or nil. It also
// returns nil for a run for one person, which reads only a sample, and for a run with --accept-feeds.
func (r *Run) baseline(s directory.Signal) *plan.Baseline {
	if r.History == nil || r.Begin.User != "" || r.Begin.AcceptFeeds {
		return nil
	}
	return r.baselineBefore(s)
}

// baselineBefore returns the figures of a signal in its last healthy reading before this run's snapshot, or nil.
func (r *Run) baselineBefore(s directory.Signal) *plan.Baseline {
	for _, digest := range []*history.Digest{r.History, r.before} {
		if b := digest.Baseline(s); b != nil && !b.Read.After(r.Begin.Read) {
			return b
		}
	}
	return nil
}

// First reports whether this run is the first with a healthy reading of the signal, so that the run cannot compare it
// with an earlier reading. The result is false if an operator accepts the readings as they are (--accept-feeds).
func (r *Run) First(s directory.Signal) bool {
	if r.Begin.AcceptFeeds {
		return false
	}
	return r.baselineBefore(s) == nil
}

// Read loads one partition of the snapshot into h, and reuses the memory of h. It adds the health of the feeds and the
// facts from earlier runs.
func (r *Run) Read(ctx context.Context, partition int, h *directory.Accounts) error {
	if err := r.Manifest.ReadColumns(ctx, r.store, partition, r.columns, h); err != nil {
		return fmt.Errorf("run %s: %w", r.Begin.Run, err)
	}
	return r.addPast(ctx, h)
}

func (r *Run) addPast(ctx context.Context, h *directory.Accounts) error {
	for s, f := range r.Feeds {
		h.Stale[s] = f.Stale()
	}
	if r.Feeds[directory.Entra].Incomplete {
		h.EntraState = directory.NotRead // an account may exist and not be listed
	}
	if r.Feeds[directory.AD].Incomplete {
		h.ADState = directory.NotRead
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
	for key := range r.Shrunk() {
		h.Unreadable = append(h.Unreadable, key)
	}
	for _, ref := range r.Remade() {
		withhold(h, ref.Key(true), ref.Key(false))
	}
	if err := r.heed(ctx, h); err != nil {
		return fmt.Errorf("run %s: %w", r.Begin.Run, err)
	}
	if err := r.recall(ctx, h, r.lastReadings(), r.Begin.Read, r.Begin.User != ""); err != nil {
		return fmt.Errorf("run %s: %w", r.Begin.Run, err)
	}
	return nil
}

// The function "withhold" makes membership in the groups unknown, even for people who were read as members.
func withhold(h *directory.Accounts, keys ...string) {
	h.Unreadable = append(h.Unreadable, keys...)
	for member, in := range h.Memberships {
		h.Memberships[member] = slices.DeleteFunc(slices.Clone(in), func(key string) bool { return slices.Contains(keys, key) })
	}
}

// KnowMailbox sets the kind of the mailbox from the mailbox usage report, if there is one.
func (r *Run) KnowMailbox(u *directory.EntraUser) {
	if m := r.Begin.Mailboxes; m != nil && len(m.Kinds) > 0 {
		u.MailboxKind = m.Kinds[strings.ToLower(u.UserPrincipalName)]
	}
}

// Judge compiles the run's rules for the time "now".
func (r *Run) Judge(now time.Time) (*policy.Judge, error) {
	j, err := r.Policy.NewJudge(r.Begin.SKUIDs(), now)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Begin.Run, err)
	}
	j.Follow(r.people())
	if len(r.FewerExempt()) > 0 {
		j.DoubtExempt()
	}
	return j, nil
}
