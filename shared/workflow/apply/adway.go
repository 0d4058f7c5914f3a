package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/policy"
)

// The ledger identifies a group of Active Directory by its objectGUID, because the DN may later belong to another
// group.

// The method "named" returns the name by which Active Directory finds a group of the change. The name is the
// objectGUID, or the DN if the objectGUID is unknown.
func (m *move) named(group string) string {
	if e := m.entry; e != nil {
		switch group {
		case e.Source:
			return directory.GroupByGUID(e.SourceGUID, group)
		case e.Target:
			return directory.GroupByGUID(e.TargetGUID, group)
		}
	}
	return group
}

// adGroup returns the Active Directory group with the given DN, or with a name of the form "<GUID=…>". It returns nil
// if there is no such group. A call of Apply reads each name once, unless the read fails.
func (j *job) adGroup(ctx context.Context, name string) (*directory.Group, error) {
	if g, read := j.adGroups[name]; read {
		return g, nil
	}
	if j.AD == nil {
		return nil, errors.New("the source ad is not set up here")
	}
	found, err := j.AD.FindGroup(ctx, name)
	g := &found
	switch {
	case errors.Is(err, directory.ErrNoGroup):
		g = nil
	case err != nil:
		return nil, err
	}
	if j.adGroups == nil {
		j.adGroups = map[string]*directory.Group{}
	}
	j.adGroups[name] = g
	return g, nil
}

// readGUID returns the objectGUID that the run read for the group with the given DN. It returns "" if the run read
// none.
func (j *job) readGUID(dn string) string {
	return j.run.Manifest.Readings[directory.AD].Groups[directory.GroupRef{Source: directory.AD, Name: dn}.Key(false)]
}

// The method "identify" sets the objectGUIDs of a change's groups in the intent. The result "why" is not empty if the
// group at a DN is no longer the one that the run read. The error is directory.ErrNoGroup if a group does not exist.
func (j *job) identify(ctx context.Context, in *ledger.Intent) (why string, err error) {
	for _, x := range []struct {
		dn   string
		guid *string
	}{{in.Source, &in.SourceGUID}, {in.Target, &in.TargetGUID}} {
		if x.dn == "" {
			continue
		}
		g, err := j.adGroup(ctx, x.dn)
		switch {
		case err != nil:
			return "", err
		case g == nil:
			return "", fmt.Errorf("%w: %q", directory.ErrNoGroup, x.dn)
		}
		if read := j.readGUID(x.dn); read != "" && g.GUID != "" && read != g.GUID {
			return fmt.Sprintf("the group at %s is another one (objectGUID %s) than the run has read (%s); plan again", x.dn, g.GUID, read), nil
		}
		*x.guid = g.GUID
	}
	return "", nil
}

// alteredGUID compares the objectGUIDs in an entry with those that the run read. It returns a sentence about the first
// difference, or "". If the run read none, the objectGUID must be that of the group that has the DN now. An entry
// without objectGUIDs passes.
func (j *job) alteredGUID(ctx context.Context, e *ledger.Entry) (string, error) {
	for _, x := range []struct{ field, dn, guid string }{{"sourceGuid", e.Source, e.SourceGUID}, {"targetGuid", e.Target, e.TargetGUID}} {
		want := j.readGUID(x.dn)
		if x.guid == "" || x.guid == want {
			continue
		}
		if want == "" { // the run did not record the objectGUID
			g, err := j.adGroup(ctx, x.dn)
			if err != nil {
				return "", err
			}
			if g != nil && g.GUID == x.guid {
				continue
			}
		}
		return fmt.Sprintf("the ledger object %s has %q as %s, which is not that of the group %s: it was altered, or another group is there now; look at both", e.Key(), x.guid, x.field, x.dn), nil
	}
	return "", nil
}

// adSourceOf sets, in the intent, the Active Directory group through which a restore gives a license. This is the group
// that the person left, even under a new DN. If that group is gone, it is the group that the policy names now. The
// result "note" names a difference from the entry. The result "refusal" is the reason if neither group can be used.
func (j *job) adSourceOf(ctx context.Context, l *policy.License, in *ledger.Intent) (note, refusal string, err error) {
	left := in.Source
	present, err := j.adGroup(ctx, l.Group.Name)
	if err != nil {
		return "", "", err
	}
	found, refusal, err := j.adLeft(ctx, l, in, present)
	if err != nil || refusal != "" {
		return "", refusal, err
	}
	if found != nil {
		if in.Source, in.SourceGUID = found.ID, found.GUID; !strings.EqualFold(left, found.ID) {
			note = fmt.Sprintf("the group %s is called %s now", left, found.ID)
		}
		return note, "", nil
	}
	if present == nil || strings.EqualFold(l.Group.Name, left) {
		return "", fmt.Sprintf("the group %s cannot restore %s: it is gone; name the present group of the license in the policy and restore again", left, in.License), nil
	}
	in.Source, in.SourceGUID = present.ID, present.GUID
	return fmt.Sprintf("restored by the group %s, since %s is gone", l.Group, left), "", nil
}

// adLeft returns the Active Directory group that the person left, or nil if it is gone. The parameter "present" is the
// group that the policy names now, or nil. The result "refusal" is the reason why the restore must not add the person
// to any group.
func (j *job) adLeft(ctx context.Context, l *policy.License, in *ledger.Intent, present *directory.Group) (found *directory.Group, refusal string, err error) {
	if in.SourceGUID == "" {
		return j.adByDN(ctx, l, in)
	}
	if found, err = j.adGroup(ctx, directory.GroupByGUID(in.SourceGUID, "")); err != nil {
		return nil, "", err
	}
	switch {
	case found != nil && (present != nil && present.GUID == in.SourceGUID || j.run.Begin.Former[in.License].GUID == in.SourceGUID):
		return found, "", nil
	case found != nil:
		return nil, fmt.Sprintf("the ledger says that %s was held by the group that is %s now, which the policy does not name for it; if the license group was renamed, name it so in the policy and restore again", in.License, found.ID), nil
	case present != nil && strings.EqualFold(l.Group.Name, in.Source):
		return nil, fmt.Sprintf("the group that was left (objectGUID %s) is gone, and another one (%s) is at %s now: nobody is put into it; if it gives the license, do that by hand", in.SourceGUID, present.GUID, in.Source), nil
	}
	return nil, "", nil
}

// adByDN is adLeft for entries of older versions, which have no objectGUID. It returns nil if no group has the DN, or
// if neither the policy nor the restored run names the DN for the license. It refuses a group that was created after
// the entry, because that is another group with the same DN.
func (j *job) adByDN(ctx context.Context, l *policy.License, in *ledger.Intent) (found *directory.Group, refusal string, err error) {
	if !j.known(l, in.License, in.Source) {
		return nil, "", nil
	}
	if found, err = j.adGroup(ctx, in.Source); err != nil || found == nil {
		return nil, "", err
	}
	if found.Created.After(in.At) {
		return nil, fmt.Sprintf("the group at %s was made on %s, after the license was taken on %s: it is another one, and nobody is put into it; if it gives the license, do that by hand",
			in.Source, found.Created.Format(time.DateOnly), in.At.Format(time.DateOnly)), nil
	}
	return found, "", nil
}

// adTarget reports whether the target group in the ledger entry still gives the license that the change gave (in.To).
// This is so if the restored run or the policy names this group for the license. The parameter "to" is that license in
// the policy, or nil.
func (j *job) adTarget(ctx context.Context, to *policy.License, in *ledger.Intent) (bool, error) {
	if in.TargetGUID == "" {
		return j.known(to, in.To, in.Target), nil
	}
	if j.run.Begin.Former[in.To].GUID == in.TargetGUID {
		return true, nil
	}
	if to == nil || to.Group == nil || to.Group.Source != directory.AD {
		return false, nil
	}
	g, err := j.adGroup(ctx, to.Group.Name)
	return g != nil && g.GUID == in.TargetGUID, err
}
