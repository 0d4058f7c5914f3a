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

// The method "questions" returns the Active Directory groups whose members the relay must read.
func (j *job) questions(ctx context.Context) (groups []protocol.Group, err error) {
	add := func(g protocol.Group) {
		if g.DN != "" && !slices.ContainsFunc(groups, func(known protocol.Group) bool { return known.Key() == g.Key() }) {
			groups = append(groups, g)
		}
	}
	for _, q := range j.memberQueries() {
		if q.Ref.Source == directory.AD {
			g := protocol.Group{DN: q.Ref.Name, Direct: q.Direct}
			if least := j.least(q); least > 1 { // the relay asks for one member without being told
				g.Least = least
			}
			add(g)
		}
	}
	for _, l := range j.run.Policy.Licenses {
		if l.Group != nil && l.Group.Source == directory.AD {
			add(protocol.Group{DN: l.Group.Name, Direct: true})
			for _, guid := range []string{j.readGUID(l.Group.Name), j.run.Begin.Former[l.Name].GUID} {
				add(protocol.Group{DN: directory.GroupByGUID(guid, ""), Direct: true}) // the ledger names the group by its objectGUID
			}
		}
	}
	names, err := j.inLedger(ctx)
	for _, name := range names {
		add(protocol.Group{DN: name, Direct: true})
	}
	return groups, err
}

// The method "inLedger" returns the Active Directory groups that the ledger names for the changes of the batches, and
// for what they restore. The policy may name another group for the license by now.
func (j *job) inLedger(ctx context.Context) (names []string, err error) {
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
					names = append(names, j.nameOf(e.License, e.Source, e.SourceGUID), j.nameOf(e.To, e.Target, e.TargetGUID))
				}
			}
		}
	}
	return names, nil
}

// The method "nameOf" returns the name by which a restore or a rollback looks for a group of a ledger entry. It returns
// "" if it does not look for the group: an entry of an older version, without an objectGUID, is not believed if nothing
// else names its group for the license.
func (j *job) nameOf(license, dn, guid string) string {
	if guid == "" && !j.known(j.run.Policy.LicenseNamed(license), license, dn) {
		return ""
	}
	return directory.GroupByGUID(guid, dn)
}
