package apply

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// target is one place in which licenses are held, by the name that changes and the ledger
// have as "via". It knows who holds what, gives and takes, and how its reads lag behind
// its writes. In which order that is safe is the matter of move.
type target interface {
	// absent tells that the person has no account there that can be written now.
	absent(m *move) bool
	// has reads whether the person holds what a change takes: a direct assignment, for
	// which group is empty, or a place in the group.
	has(ctx context.Context, m *move, group string) (bool, error)
	// write gives or takes that. What was read of groups before counts no longer.
	write(ctx context.Context, m *move, group string, give bool) error
	// advance takes the next steps of a change.
	advance(ctx context.Context, m *move) (runs.Status, string)
	// goBack gives again what a change has taken, and ends the change as o.
	goBack(ctx context.Context, m *move, o ledger.Outcome, why string) (runs.Status, string)
	// giveBack carries out an entry that gives back what an earlier run took.
	giveBack(ctx context.Context, m *move) (runs.Status, string)
	// late is how long after an answered write reads may show what was before it.
	late() time.Duration
	// system is what answers there.
	system() string
	// unshown is the status of a change whose answered write the next read does not show.
	unshown() runs.Status
}

const graph = "Graph"

var targets = map[plan.Via]target{plan.Direct: assignment{}, plan.EntraGroup: entraGroup{}, plan.ADGroup: adGroup{}}

// target is where the change is made; nil for one that this version does not know.
func (m *move) target() target { return targets[plan.Via(m.entry.Via)] }

// in tells whether a group lists the person itself, as it was read since the last write.
func (m *move) in(ctx context.Context, group string) (bool, error) {
	return m.target().has(ctx, m, group)
}

// write puts the person into a group or takes them out.
func (m *move) write(ctx context.Context, group string, member bool) error {
	return m.target().write(ctx, m, group, member)
}

// follows tells that a license follows membership of the groups of the change, and late,
// so that membership alone proves nothing. Otherwise membership is the license.
func (m *move) follows() bool { return m.entry.SKU != "" }

// from and to are the groups of Entra ID that licenses name for the source and the target
// of the change.
func (m *move) from() string { return cmp.Or(m.entry.SourceEntra, m.entry.Source) }
func (m *move) to() string   { return cmp.Or(m.entry.TargetEntra, m.entry.Target) }

// syncs is how long a change of a group in Active Directory may take to reach Entra ID. Entra
// Connect runs every 30 minutes by default, and a run of it may take long
// (Microsoft Learn, "Microsoft Entra Connect Sync: Scheduler").
const syncs = 2 * time.Hour

// settles is how long after the source was left reads of licenses may show the state before.
func (m *move) readLag() time.Duration {
	if m.follows() && plan.Via(m.entry.Via).InAD() {
		return syncs
	}
	return directory.Settling
}

// assignment is a license that is assigned to the person directly. One call of Graph
// takes it and gives what it is changed to.
type assignment struct{}

func (assignment) absent(*move) bool { return false }

func (assignment) has(_ context.Context, m *move, _ string) (bool, error) {
	return m.holds(m.entry.SKU, ""), nil
}

func (assignment) write(ctx context.Context, m *move, _ string, give bool) error {
	if give {
		_, err := m.regain(ctx)
		return err
	}
	var add []directory.Assignment
	if e := m.entry; e.TargetSKU != "" && !m.active(e.TargetSKU, "") {
		add = append(add, directory.Assignment{SKU: e.TargetSKU})
	}
	return m.Entra.ChangeLicenses(ctx, m.entry.Person, add, []string{m.entry.SKU})
}

func (assignment) advance(ctx context.Context, m *move) (runs.Status, string) { return m.direct(ctx) }

func (assignment) goBack(ctx context.Context, m *move, o ledger.Outcome, why string) (runs.Status, string) {
	if m.leftBy.IsZero() { // one call makes it whole or not at all
		return m.complete(ctx, o, why)
	}
	return m.undoDirect(ctx, o, why)
}

func (assignment) giveBack(ctx context.Context, m *move) (runs.Status, string) {
	return m.restoreDirect(ctx)
}

func (assignment) late() time.Duration  { return directory.Settling }
func (assignment) system() string       { return graph }
func (assignment) unshown() runs.Status { return runs.Pending }

// entraGroup is membership of a group of Entra ID: one that gives a product, or one that
// is the license itself.
type entraGroup struct{}

func (entraGroup) absent(*move) bool { return false }

func (entraGroup) has(ctx context.Context, m *move, group string) (bool, error) {
	if m.groups == nil {
		groups, err := m.Entra.DirectGroups(ctx, m.change.User)
		if err != nil {
			return false, err
		}
		m.groups = append([]string{}, groups...)
	}
	return slices.Contains(m.groups, group), nil
}

func (entraGroup) write(ctx context.Context, m *move, group string, give bool) error {
	m.groups = nil
	if give {
		return m.Entra.AddMember(ctx, group, m.entry.Person)
	}
	return m.Entra.RemoveMember(ctx, group, m.entry.Person)
}

func (entraGroup) advance(ctx context.Context, m *move) (runs.Status, string) {
	return m.byGroup(ctx)
}

func (entraGroup) goBack(ctx context.Context, m *move, o ledger.Outcome, why string) (runs.Status, string) {
	return m.undo(ctx, o, why)
}

func (entraGroup) giveBack(ctx context.Context, m *move) (runs.Status, string) {
	return m.restoreGroup(ctx)
}

func (entraGroup) late() time.Duration  { return directory.Settling }
func (entraGroup) system() string       { return graph }
func (entraGroup) unshown() runs.Status { return runs.Pending }

// adGroup is membership of a group of Active Directory. The relay writes it where this
// program does not reach the directory.
type adGroup struct{}

func (adGroup) absent(m *move) bool { return m.AD == nil || m.person.AD == nil }

func (adGroup) has(ctx context.Context, m *move, group string) (bool, error) {
	if in, read := m.listed[group]; read {
		return in, nil
	}
	in, err := m.AD.MemberOf(ctx, m.person.AD.SID, m.named(group), true)
	if err != nil {
		return false, err
	}
	if m.listed == nil {
		m.listed = map[string]bool{}
	}
	m.listed[group] = in
	return in, nil
}

func (adGroup) write(ctx context.Context, m *move, group string, give bool) error {
	m.listed = nil
	if give {
		return m.AD.AddMember(ctx, m.named(group), m.person.AD.GUID)
	}
	return m.AD.RemoveMember(ctx, m.named(group), m.person.AD.GUID)
}

func (adGroup) advance(ctx context.Context, m *move) (runs.Status, string) { return m.byGroup(ctx) }

func (adGroup) goBack(ctx context.Context, m *move, o ledger.Outcome, why string) (runs.Status, string) {
	return m.undo(ctx, o, why)
}

func (adGroup) giveBack(ctx context.Context, m *move) (runs.Status, string) {
	if m.target().absent(m) {
		return m.withoutAD(ctx)
	}
	return m.restoreGroup(ctx)
}

// late: between domain controllers an older state may be read for long.
func (adGroup) late() time.Duration { return doubtful }

func (adGroup) system() string { return "Active Directory" }

// unshown: the controller that took the write answers the read.
func (adGroup) unshown() runs.Status { return troubled }

// byGroup changes membership of groups.
func (m *move) byGroup(ctx context.Context) (runs.Status, string) {
	if m.follows() {
		return m.byLicense(ctx)
	}
	return m.byMembership(ctx)
}

var errUnshown = errors.New("it does not show the person")
