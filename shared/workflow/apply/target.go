package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// target is a place in which licenses are held. This is the half of it that reads, gives and takes, and that knows how
// reads lag behind writes. The half that decides who holds a license there, and how it is changed, has the same name in
// shared/plan/target.go. A target has one file here and one there. move decides in which order writes are safe.
type target interface {
	// absent reports whether the person has no account there that can be written now.
	absent(m *move) bool
	// has reads whether the person holds what a change takes: a place in the group, or a direct assignment, for which
	// group is empty.
	has(ctx context.Context, m *move, group string) (bool, error)
	// write gives or takes that. What was read of groups before counts no longer.
	write(ctx context.Context, m *move, group string, give bool) error

	// advance takes the next steps of a change.
	advance(ctx context.Context, m *move) (runs.Status, string)
	// goBack gives again what a change has taken, and ends the change as o.
	goBack(ctx context.Context, m *move, o ledger.Outcome, why string) (runs.Status, string)
	// giveBack carries out an entry that gives back what an earlier run took.
	giveBack(ctx context.Context, m *move) (runs.Status, string)

	// late is how long after an answered write reads may show the state before it.
	late() time.Duration
	// readLag is how long after the source was left reads of licenses may show the state before that. follows: the
	// license follows membership of a group.
	readLag(follows bool) time.Duration
	// unshown is the status of a change whose answered write the next read does not show.
	unshown() runs.Status
	// system is the name of what answers there.
	system() string

	// reread reads again what the run knows of the groups that give licenses there.
	reread(ctx context.Context, j *job) error
	// identify notes in an intent how its groups are identified there. why says that one of them is another group than
	// the run read.
	identify(ctx context.Context, j *job, in *ledger.Intent) (why string, err error)
	// named returns the groups that the policy names for a change from one license to another. was is the source that an
	// entry has.
	named(j *job, from, to *policy.License, was string) (source, target string)
	// unmirrored returns why a group of Entra ID is not the counterpart of a group that is written there. It is empty when
	// it is, and when neither group has one.
	unmirrored(ctx context.Context, j *job, l *policy.License, group, counterpart string) (why string, err error)
	// wayBack puts the groups that are written now into an intent that restores a change. The refusal says why there is no
	// safe way. note says how the restore differs from the change; the first one is what is known of that already.
	wayBack(ctx context.Context, j *job, l, to *policy.License, in *ledger.Intent, known string) (note, refusal string, err error)
}

var targets = map[plan.Via]target{plan.Direct: assignment{}, plan.EntraGroup: entraGroup{}, plan.ADGroup: adGroup{}}

// target returns where the change is made. It is nil for a target that this version does not know.
func (m *move) target() target { return targets[plan.Via(m.entry.Via)] }

// in reports whether a group lists the person itself, as it was read since the last write.
func (m *move) in(ctx context.Context, group string) (bool, error) {
	return m.target().has(ctx, m, group)
}

// write adds the person to a group or removes them.
func (m *move) write(ctx context.Context, group string, member bool) error {
	return m.target().write(ctx, m, group, member)
}

// setMember adds the person to a group or removes them. It reports whether a read shows that.
func (m *move) setMember(ctx context.Context, group string, member bool) (shown bool, err error) {
	if err := m.write(ctx, group, member); err != nil {
		return false, err
	}
	in, err := m.in(ctx, group)
	return in == member, err
}

// rereadGroups reads the license groups of all targets again. Since the run began, somebody may have changed them.
func (j *job) rereadGroups(ctx context.Context) error {
	var faults []error
	for _, via := range plan.Targets() {
		faults = append(faults, targets[via].reread(ctx, j))
	}
	return errors.Join(faults...)
}

// follows reports whether a license follows membership of the groups of the change. It follows late, so membership alone
// proves nothing. Otherwise membership is the license.
func (m *move) follows() bool { return m.entry.SKU != "" }

// from and to return the groups of Entra ID that licenses name for the source and the target of the change.
func (m *move) from() string { return cmp.Or(m.entry.SourceEntra, m.entry.Source) }
func (m *move) to() string   { return cmp.Or(m.entry.TargetEntra, m.entry.Target) }

// readLag is how long after the source was left reads of licenses may show the state before.
func (m *move) readLag() time.Duration { return m.target().readLag(m.follows()) }

// ofGraph is what targets have in common that Graph writes.
type ofGraph struct{}

func (ofGraph) absent(*move) bool                                              { return false }
func (ofGraph) late() time.Duration                                            { return directory.Settling }
func (ofGraph) readLag(bool) time.Duration                                     { return directory.Settling }
func (ofGraph) unshown() runs.Status                                           { return runs.Pending }
func (ofGraph) system() string                                                 { return "Graph" }
func (ofGraph) identify(context.Context, *job, *ledger.Intent) (string, error) { return "", nil }

func (ofGraph) unmirrored(_ context.Context, _ *job, _ *policy.License, _, counterpart string) (string, error) {
	return noCounterpart(counterpart), nil
}

// noCounterpart returns why an entry is not believed that names a counterpart of a group which has none.
func noCounterpart(named string) string {
	if named == "" {
		return ""
	}
	return fmt.Sprintf("the ledger names the group %s of Entra ID, which no license of the change follows: it was altered", named)
}

// ofGroups is what targets have in common in which people are members of groups.
type ofGroups struct{}

func (ofGroups) advance(ctx context.Context, m *move) (runs.Status, string) { return m.byGroup(ctx) }

func (ofGroups) goBack(ctx context.Context, m *move, o ledger.Outcome, why string) (runs.Status, string) {
	return m.undo(ctx, o, why)
}

func (ofGroups) named(j *job, from, to *policy.License, was string) (source, target string) {
	source, target = j.groupOf(from), j.groupOf(to)
	if j.gives(from, was) {
		source = was
	}
	return source, target
}

// forget takes the target out of an intent that restores, when the policy does not name it for its license. It returns
// what somebody has to do by hand then.
func forget(in *ledger.Intent) (note string) {
	note = fmt.Sprintf("still in the group %s, which the policy does not name for %s: if it should be left, do that by hand", in.Target, in.To)
	in.Target, in.TargetGUID, in.TargetEntra, in.InTarget = "", "", "", false
	return note
}

// byGroup changes membership of groups.
func (m *move) byGroup(ctx context.Context) (runs.Status, string) {
	if m.follows() {
		return m.byLicense(ctx)
	}
	return m.byMembership(ctx)
}

var errUnshown = errors.New("it does not show the person")
