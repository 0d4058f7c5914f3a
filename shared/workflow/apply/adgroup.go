package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// adGroup implements the interface "target" for licenses that people hold through groups of Active Directory. If this
// program cannot reach the directory, the relay changes the groups.
type adGroup struct{ ofGroups }

func (adGroup) absent(m *move) bool { return m.AD == nil || m.account() == nil }

// The method "account" returns the account in Active Directory that the change is about, or nil if there is none. It
// also returns an account that IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves out.
func (m *move) account() *directory.ADUser { return cmp.Or(m.person.AD, m.leftOut) }

func (adGroup) has(ctx context.Context, m *move, group string) (bool, error) {
	if in, read := m.listed[group]; read {
		return in, nil
	}
	in, err := m.AD.MemberOf(ctx, m.account().SID, m.named(group), true)
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
		return m.AD.AddMember(ctx, m.named(group), m.account().GUID)
	}
	return m.AD.RemoveMember(ctx, m.named(group), m.account().GUID)
}

func (adGroup) giveBack(ctx context.Context, m *move) (runs.Status, string) {
	if m.target().absent(m) {
		return m.withoutAD(ctx)
	}
	return m.restoreGroup(ctx)
}

func (adGroup) unshown() runs.Status { return troubled } // the next read mostly asks the same controller
func (adGroup) system() string       { return "Active Directory" }

// The constant "syncs" is how long a change of a group in Active Directory may take to reach Entra ID. By default,
// Entra Connect runs every 30 minutes, and a run may take long (Microsoft Learn, "Microsoft Entra Connect Sync:
// Scheduler").
const syncs = 2 * time.Hour

// The constant "relayWrites" is how long after a request the relay may still make a write. It is longer than
// TimeoutSeconds of the task "Write AD batch to AD" in the state machine: when that task times out, the relay loses its
// lease.
const relayWrites = 35 * time.Minute

// The method "readLag" returns a long time, because controllers replicate late. Adding a person to a group has no
// effect on a controller that still lists the person, and a removal from another controller may arrive there later. A
// rollback or a restore is complete only after this time.
func (adGroup) readLag(follows bool) time.Duration {
	if follows {
		return relayWrites + directory.Replicating + syncs
	}
	return relayWrites + directory.Replicating
}

func (adGroup) reread(ctx context.Context, j *job) error { return j.readCounterparts(ctx) }

func (adGroup) identify(ctx context.Context, j *job, in *ledger.Intent) (why string, err error) {
	return j.identify(ctx, in)
}

func (g adGroup) wayBack(ctx context.Context, j *job, l, to *policy.License, in *ledger.Intent, known string) (note, refusal string, err error) {
	if in.Target != "" {
		mine, err := j.adTarget(ctx, to, in)
		if err != nil {
			return "", "", err
		}
		if !mine {
			known = sentences(known, forget(in))
		}
	}
	note, refusal, err = j.adSourceOf(ctx, l, in)
	if err == nil && refusal == "" {
		refusal, err = g.unmirrored(ctx, j, l, directory.GroupByGUID(in.SourceGUID, in.Source), in.SourceEntra)
	}
	return sentences(note, known), refusal, err
}

// The method "unmirrored" returns the reason why the Entra group "counterpart" of a ledger entry is not synced from the
// entry's group "group", or "". It compares the SIDs. The ledger may have been altered: with a wrong Entra group, a
// license could count as restored although the person lacks it. If License.Synced is false, the license needs no
// counterpart, and the entry must not name one.
func (adGroup) unmirrored(ctx context.Context, j *job, l *policy.License, group, counterpart string) (why string, err error) {
	switch {
	case group == "" || l == nil || !l.Synced():
		return noCounterpart(counterpart), nil
	case counterpart == "":
		return fmt.Sprintf("the ledger does not say which group of Entra ID is synced from %s", group), nil
	}
	g, err := j.adGroup(ctx, group)
	if err != nil {
		return "", err
	}
	if g == nil {
		return fmt.Sprintf("the group %s is gone", group), nil
	}
	o, err := j.Entra.FindGroup(ctx, counterpart)
	switch {
	case errors.Is(err, directory.ErrNoGroup):
		return fmt.Sprintf("the group %s of Entra ID is gone", counterpart), nil
	case err != nil:
		return "", err
	case g.SID == "" || o.SID != g.SID:
		return fmt.Sprintf("the group %s of Entra ID is not synced from %s", counterpart, group), nil
	}
	return j.run.Tenant.Mirrors(l, &o), nil
}

// readCounterparts reads again the Entra groups that are synced from license groups of Active Directory, and stores
// them in the run's Tenant. An Entra group that no longer exists is stored as unreadable.
func (j *job) readCounterparts(ctx context.Context) error {
	for _, l := range j.run.Policy.Licenses {
		if !l.Synced() {
			continue
		}
		g, _ := j.run.Tenant.Counterpart(l)
		if g.ID == "" {
			continue // the plan refuses the change in any case
		}
		now, err := j.Entra.FindGroup(ctx, g.ID)
		if errors.Is(err, directory.ErrNoGroup) {
			now, err = directory.Group{ID: g.ID, SID: g.SID, Name: g.Name, Synced: true, Unreadable: err.Error()}, nil
		}
		if err != nil {
			return fmt.Errorf("apply run %s: read the license groups again: %w", j.plan.Run, err)
		}
		j.run.Tenant.SetCounterpart(now)
	}
	return nil
}
