package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/relay/protocol"
)

// The method "questions" returns the Active Directory groups whose members the relay must read. If the relay cannot
// read the group of an exemption, it brings no evidence at all. So a job that only returns licenses, and needs no
// exemptions, asks only for the groups of its changes.
func (j *job) questions(ctx context.Context) (groups []protocol.Group, err error) {
	add := func(g protocol.Group) {
		if g.DN != "" && !slices.ContainsFunc(groups, func(known protocol.Group) bool { return known.Key() == g.Key() }) {
			groups = append(groups, g)
		}
	}
	for _, q := range j.memberQueries() {
		if q.Ref.Source == directory.AD && !j.onlyGivesBack() {
			g := protocol.Group{DN: q.Ref.Name, Direct: q.Direct}
			if least := j.least(q); least > 1 { // the relay asks for one member in any case
				g.Least = least
			}
			add(g)
		}
	}
	entries, err := j.entries(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range j.run.Policy.Licenses {
		of := func(e *ledger.Entry) bool { return e.License == l.Name || e.To == l.Name }
		if l.Group == nil || l.Group.Source != directory.AD || j.onlyGivesBack() && !slices.ContainsFunc(entries, of) {
			continue
		}
		add(protocol.Group{DN: l.Group.Name, Direct: true})
		for _, guid := range []string{j.readGUID(l.Group.Name), j.run.Begin.Former[l.Name].GUID} {
			add(protocol.Group{DN: directory.GroupByGUID(guid, ""), Direct: true}) // the ledger names the group by its objectGUID
		}
	}
	for _, e := range entries {
		add(protocol.Group{DN: j.nameOf(e.License, e.Source, e.SourceGUID), Direct: true})
		add(protocol.Group{DN: j.nameOf(e.To, e.Target, e.TargetGUID), Direct: true})
	}
	return groups, nil
}

// The method "entries" returns the Active Directory ledger entries of the job's changes that are not final. If such a
// change restores an earlier change, the entry of the earlier change is also in the result. The relay must read the
// groups of these entries, because the policy may name other groups by now.
func (j *job) entries(ctx context.Context) (all []*ledger.Entry, err error) {
	for _, of := range j.batches {
		for i := range of.Changes {
			c := &of.Changes[i]
			if j.results.Final(c) {
				continue
			}
			page, err := j.ledger.Of(ctx, c.Person())
			if err != nil {
				return nil, err
			}
			for _, entry := range []func(context.Context, string) (*ledger.Entry, error){page.Latest, page.Standing} {
				e, err := entry(ctx, c.License)
				if err != nil && !errors.Is(err, ledger.ErrDamaged) { // a damaged change is refused later
					return nil, err
				}
				if err == nil && e != nil && plan.Via(e.Via).WrittenIn() == directory.AD {
					all = append(all, e)
				}
			}
		}
	}
	return all, nil
}

// The method "nameOf" returns the name by which a restore or a rollback looks for a group of a ledger entry. It returns
// "" if the group must not be looked for. That is so if the entry is of an older version without an objectGUID, and
// neither the policy nor the restored run names the group for the license.
func (j *job) nameOf(license, dn, guid string) string {
	if guid == "" && !j.known(j.run.Policy.LicenseNamed(license), license, dn) {
		return ""
	}
	return directory.GroupByGUID(guid, dn)
}
