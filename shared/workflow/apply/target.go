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

// A target is a place in which people hold licenses, such as the groups of Active Directory.
//
// The type "target" in shared/plan/target.go describes the same place for the plan. Each target has a file of the
// same name in both packages. The type "move" decides in which order writes are safe.
type target interface {
	// The method "absent" reports whether the person has no account in the directory of this target, or the account
	// cannot be read now. It is always false for Entra ID, because the caller has checked the account there.
	absent(m *move) bool
	// The method "has" reports whether the person is a member of the group. If group is empty, it reports whether the
	// person has the product by a direct assignment.
	has(ctx context.Context, m *move, group string) (bool, error)
	// The method "write" adds the person to the group, or removes the person if give is false. If group is empty, it
	// gives or takes the direct assignment of the product. After a write, callers must read again.
	write(ctx context.Context, m *move, group string, give bool) error

	// The method "advance" makes the next writes of a change whose person may lose the license now, and returns the status
	// and why. It is called again in later calls and nights until the change ends, and finds by reading how far the change
	// is.
	advance(ctx context.Context, m *move) (runs.Status, string)
	// The method "goBack" restores the license that a change has taken, and ends the change with outcome o. The parameter
	// "why" is the reason.
	goBack(ctx context.Context, m *move, o ledger.Outcome, why string) (runs.Status, string)
	// The method "giveBack" restores a license, as the ledger entry of the move says.
	giveBack(ctx context.Context, m *move) (runs.Status, string)

	// The method "readLag" returns how long reads of licenses may still show the old state after the person left the
	// source group. A write that was decided before the person left may also take effect in this time. The parameter
	// "follows" reports whether the license follows membership in a group.
	readLag(follows bool) time.Duration
	// The method "unshown" returns the status of a change whose write was accepted but does not appear in the next read.
	unshown() runs.Status
	// The method "system" returns the name of the system that takes the writes, for messages.
	system() string

	// The method "reread" reads the Entra license groups of this target again, because they may have changed since the run
	// began. For groups of Active Directory, these are the Entra groups that are synced from them.
	reread(ctx context.Context, j *job) error
	// The method "identify" adds to an intent the ids of its groups. The result "why" is not empty if a group is not
	// the one that the run read.
	identify(ctx context.Context, j *job, in *ledger.Intent) (why string, err error)
	// The method "named" returns the groups that the policy names for a change between two licenses. The parameter
	// "was" is the source group in the ledger entry. If several groups give the license and "was" is one of them, it is
	// the result "source".
	named(j *job, from, to *policy.License, was string) (source, target string)
	// The method "unmirrored" returns the reason why "counterpart" is not the Entra group that is synced from "group",
	// a group of this target. It returns "" if it is that group, or if "counterpart" is empty and the license needs
	// none.
	unmirrored(ctx context.Context, j *job, l *policy.License, group, counterpart string) (why string, err error)
	// The method "wayBack" sets, in the intent of a restore, the groups that the restore must change now. The result
	// "refusal" is the reason if there is no safe way. The result "note" says how the restore differs from the original
	// change. The note also contains the parameter "known", a difference that the caller found.
	wayBack(ctx context.Context, j *job, l, to *policy.License, in *ledger.Intent, known string) (note, refusal string, err error)
}

var targets = map[plan.Via]target{plan.Direct: direct{}, plan.EntraGroup: entraGroup{}, plan.ADGroup: adGroup{}}

// The method "target" returns the target of the change. It returns nil if this version of idleseat does not know the
// target.
func (m *move) target() target { return targets[plan.Via(m.entry.Via)] }

// The method "in" reports whether a group lists the person directly. If group is empty, it reports whether the person
// has the product by a direct assignment.
func (m *move) in(ctx context.Context, group string) (bool, error) {
	return m.target().has(ctx, m, group)
}

func (m *move) write(ctx context.Context, group string, member bool) error {
	return m.target().write(ctx, m, group, member)
}

// The method "setMember" adds the person to a group, or removes the person if member is false. The result "shown"
// reports whether a read shows the change.
func (m *move) setMember(ctx context.Context, group string, member bool) (shown bool, err error) {
	if err := m.write(ctx, group, member); err != nil {
		return false, err
	}
	in, err := m.in(ctx, group)
	return in == member, err
}

// rereadGroups reads the license groups of all targets again, because the groups may have changed since the run began.
func (j *job) rereadGroups(ctx context.Context) error {
	var faults []error
	for _, via := range plan.Targets() {
		faults = append(faults, targets[via].reread(ctx, j))
	}
	return errors.Join(faults...)
}

// The method "follows" reports whether a license follows membership in the groups of the change. Such a license appears
// later than the membership. Otherwise membership itself is the license.
func (m *move) follows() bool { return m.entry.SKU != "" }

// The methods "from" and "to" return the Entra groups that the person's assignments name as source and target.
func (m *move) from() string { return cmp.Or(m.entry.SourceEntra, m.entry.Source) }
func (m *move) to() string   { return cmp.Or(m.entry.TargetEntra, m.entry.Target) }

func (m *move) readLag() time.Duration { return m.target().readLag(m.follows()) }

type ofGraph struct{}

func (ofGraph) absent(*move) bool                                              { return false }
func (ofGraph) readLag(bool) time.Duration                                     { return directory.Settling }
func (ofGraph) unshown() runs.Status                                           { return runs.Pending }
func (ofGraph) system() string                                                 { return "Graph" }
func (ofGraph) identify(context.Context, *job, *ledger.Intent) (string, error) { return "", nil }

func (ofGraph) unmirrored(_ context.Context, _ *job, _ *policy.License, _, counterpart string) (string, error) {
	return noCounterpart(counterpart), nil
}

// The function "noCounterpart" checks a ledger entry whose license follows no synced Entra group. The parameter "named"
// is the synced Entra group that the entry names, which must be empty. Otherwise the entry was altered, and the
// function returns a sentence that says so.
func noCounterpart(named string) string {
	if named == "" {
		return ""
	}
	return fmt.Sprintf("the ledger names the group %s of Entra ID, which no license of the change follows: it was altered", named)
}

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

// The function "forget" is for a restore of a change that added the person to a group which the policy does not name.
// It removes that group from the intent, so that the restore does not remove the person from the group. The result
// "note" names what somebody may have to do by hand.
func forget(in *ledger.Intent) (note string) {
	note = fmt.Sprintf("still in the group %s, which the policy does not name for %s: if it should be left, do that by hand", in.Target, in.To)
	in.Target, in.TargetGUID, in.TargetEntra, in.InTarget = "", "", "", false
	return note
}

func (m *move) byGroup(ctx context.Context) (runs.Status, string) {
	if m.follows() {
		return m.byLicense(ctx)
	}
	return m.byMembership(ctx)
}

var errUnshown = errors.New("it does not show the person")
