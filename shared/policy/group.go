package policy

import (
	"cmp"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// MemberQuery is a question that a run must answer before it evaluates the rules: who belongs to a group, directly if
// Direct is set, or also through nested groups.
type MemberQuery struct {
	directory.Question

	key string
}

func newMemberQuery(ref directory.GroupRef, direct bool) MemberQuery {
	return MemberQuery{directory.Question{Ref: ref, Direct: direct}, ref.Key(direct)}
}

// The method "has" reports whether the person belongs to the group. A person who certainly has no account in the source
// does not belong to the group, even if the group was not read.
func (q *MemberQuery) has(p *directory.Person) directory.Flag {
	flag := p.MemberOf(q.Ref.Source, q.key)
	if flag == directory.Unset && absent(p, q.Ref.Source) && !mayBeListed(p, q.Ref.Source) {
		return directory.No
	}
	return flag
}

// The function "mayBeListed" reports whether a group in s may list the person although no account was read there. The
// settings of idleseat, such as a filter, may leave out an account of Active Directory that a group lists.
func mayBeListed(p *directory.Person, s directory.Source) bool {
	return s == directory.AD && p.Entra != nil && p.Entra.OnPremises()
}

// The function "absent" reports whether the person certainly has no account in s. There are two cases: s was read and
// has no account of the person, or s is Active Directory and nothing in the Entra account points to an account there
// (EntraUser.OnPremises).
func absent(p *directory.Person, s directory.Source) bool {
	switch p.State(s) {
	case directory.NoAccount:
		return true
	case directory.NotRead:
		return s == directory.AD && p.EntraState == directory.Present && !p.Entra.OnPremises()
	}
	return false
}

type located struct {
	ref          directory.GroupRef
	line, column int
}

// MemberQueries returns the questions of the policy, without duplicates. Nested members count for the groups in
// exempt.groups and in attributes. Only direct members count for a group whose membership is a license of some rule,
// and for an Active Directory group that gives a product.
func (p *Policy) MemberQueries() []directory.Question {
	var queries []directory.Question
	add := func(q MemberQuery) {
		if !slices.ContainsFunc(queries, func(have directory.Question) bool { return have.Key() == q.key }) {
			queries = append(queries, q.Question)
		}
	}
	for _, q := range p.exempt.groups {
		add(q)
	}
	for _, a := range p.mapped {
		if a.group != nil {
			add(*a.group)
		}
	}
	for _, r := range p.Rules {
		for _, q := range r.License.questions() {
			add(q)
		}
		if r.ChangeTo != nil && r.ChangeTo.Synced() {
			add(newMemberQuery(*r.ChangeTo.Group, true))
		}
	}
	return queries
}

// GroupRefs returns all groups that the file names, without duplicates, in the order of the file.
func (p *Policy) GroupRefs() []directory.GroupRef { return slices.Clone(p.groups) }

func inOrder(named []located) []directory.GroupRef {
	slices.SortFunc(named, func(a, b located) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	var refs []directory.GroupRef
	seen := map[string]bool{}
	for _, l := range named {
		if key := l.ref.Key(false); !seen[key] {
			seen[key] = true
			refs = append(refs, l.ref)
		}
	}
	return refs
}
