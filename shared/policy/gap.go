package policy

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// The type "gaps" collects the unknown values of one verdict. Values with the same explanation share a sentence.
type gaps struct {
	names     []string
	sentences []sentence
}

type sentence struct {
	subjects  []string
	predicate string // the rest of the sentence for one subject, such as "was not read"
}

// The method "add" adds an unknown value. It does nothing if the name is in the list already.
func (g *gaps) add(name, subject, predicate string) {
	if slices.Contains(g.names, name) {
		return
	}
	g.names = append(g.names, name)
	same := func(s sentence) bool { return s.predicate == predicate }
	if i := slices.IndexFunc(g.sentences, same); i >= 0 {
		g.sentences[i].subjects = append(g.sentences[i].subjects, subject)
		return
	}
	g.sentences = append(g.sentences, sentence{[]string{subject}, predicate})
}

// String returns the sentences, separated by semicolons.
func (g *gaps) String() string {
	parts := make([]string, len(g.sentences))
	for i, s := range g.sentences {
		parts[i] = s.String()
	}
	return strings.Join(parts, "; ")
}

// String returns a sentence such as "a was not read" or "a, b and c were not read".
func (s sentence) String() string {
	last := len(s.subjects) - 1
	if last == 0 {
		return s.subjects[0] + " " + s.predicate
	}
	verb, rest, _ := strings.Cut(s.predicate, " ")
	switch verb {
	case "was":
		verb = "were"
	case "is":
		verb = "are"
	case "has":
		verb = "have"
	}
	return strings.Join(s.subjects[:last], ", ") + " and " + s.subjects[last] + " " + verb + " " + rest
}

// undecidedReason names the unknown values of a decision and why they are unknown.
func (j *Judge) undecidedReason(r *Rule, p *directory.Person, d decision) (unknowns []string, reason string) {
	var g gaps
	if d.holder == directory.Unset {
		holderGap(&g, r.License, p)
	}
	if d.exempt.flag == directory.Unset {
		j.exemptGap(&g, p, d.exempt)
	}
	if d.scope.flag == directory.Unset {
		j.conditionGap(&g, p, r.scope, d.scope.value)
	}
	if d.when.flag == directory.Unset {
		j.conditionGap(&g, p, r.when, d.when.value)
	}
	if d.grace.unknown != nil {
		d.grace.unknown(&g)
	}
	return g.names, g.String()
}

func (j *Judge) exemptGap(g *gaps, p *directory.Person, e exemption) {
	switch {
	case e.value != nil:
		j.conditionGap(g, p, j.policy.exempt.when, e.value)
	case e.group != nil:
		g.add("exempt", "exemption", e.group.gap(p))
	case e.kindOpen && p.KindHidden():
		fieldGaps(g, p.WithLeftOut(), directory.KindField)
	case e.kindOpen && p.KindUnread():
		g.add("kind", "the kind of the account", "is not known: "+sourceGap(directory.AD, p))
	case e.kindOpen && len(g.names) == 0: // left out if the license is unknown, because the license alone is a sufficient reason
		g.add("kind", "the kind of the account", "is not known: "+sourceGap(directory.Entra, p))
	case e.kindOpen:
	case e.lost:
		g.add("exempt", "exemption", "is not known: far fewer accounts are exempt by exempt.when or by their kind than in an earlier run; bring back the attribute that is lost and plan for everybody, or plan with --accept-feeds if that is right")
	default:
		g.add("exempt", "exemption", "is not known: "+sourceGap(directory.Entra, p))
	}
}

const hiresLost = "got lost: far fewer accounts have a hire date than in an earlier run; let idleseat read employeeHireDate again, or plan with --accept-feeds if that is right"

// fieldGaps adds the reasons why idleseat cannot see the named fields of Active Directory. It returns false if idleseat
// can see all of them.
func fieldGaps(g *gaps, p *directory.Person, names ...string) (any bool) {
	for _, name := range names {
		f, _ := directory.FieldNamed(name)
		if hidden, _ := f.Hidden(p); hidden != "" {
			g.add(name, name, (&attribute{name: name, fields: []*directory.Field{f}}).gap(p))
			any = true
		}
	}
	return any
}

func (j *Judge) conditionGap(g *gaps, p *directory.Person, c *condition, value ref.Val) {
	switch v := value.(type) {
	case *types.Unknown:
		for _, id := range v.IDs() {
			trails, _ := v.GetAttributeTrails(id)
			for _, t := range trails {
				g.add(t.Variable(), t.Variable(), j.policy.attributes[t.Variable()].gap(p))
			}
		}
	case *types.Err:
		if name := c.valueOf[v.NodeID()]; name != "" {
			g.add(name, name, "has no value")
			return
		}
		for _, a := range c.reads {
			g.add(a.name, a.name, "cannot be computed with: "+v.Error())
		}
		if len(c.reads) == 0 {
			g.add("condition", "the condition", "cannot be computed: "+v.Error())
		}
	}
}

func (a *attribute) gap(p *directory.Person) string {
	if a.group != nil {
		return a.group.gap(p)
	}
	for _, f := range a.fields {
		if f.Name == directory.KindName && (p.KindHidden() || p.KindUnread()) {
			f, _ = directory.FieldNamed(directory.KindField)
			p = p.WithLeftOut()
		}
		signal, dated := f.Signal()
		hidden, disputed := "", false
		if p.AD != nil {
			hidden, disputed = f.Hidden(p)
		}
		switch state := p.State(f.Source); {
		case len(a.fields) > 1 && absent(p, f.Source):
			continue
		case state == directory.NotRead:
			return a.unread(f.Source, p)
		case state != directory.Present:
			return "is not known: " + sourceGap(f.Source, p)
		case disputed:
			return "is not known: the domain controllers give different values of " + hidden + " of this person; plan again when they have replicated the change, and look for one that does not replicate"
		case hidden != "":
			return "may not be read: the account of idleseat has no right to see " + hidden + " of this person; grant it to read the attribute"
		case dated && p.Stale[signal] != "":
			return "cannot be trusted: " + p.Stale[signal]
		case dated && f.Source == directory.Entra && p.Entra.Agent():
			return "is not known: Microsoft does not say whether an agent's tokens count as sign-ins"
		case f.Name == directory.Hired && p.Entra.HiredInDoubt:
			return hiresLost
		case signal.Reported() && f.Of(p).State == directory.Unknown:
			return reportGap(p, signal)
		case f.Meaning == directory.Activity && f.Of(p).State == directory.Unknown:
			return lostGap(f, p)
		}
	}
	switch v := a.found(p); {
	case a.ofLicense():
		return "is not known: lastUpdatedDateTime was not read of every way in which the license is held, or the license is one of Active Directory"
	case v.State == directory.NoneSince:
		return fmt.Sprintf("is none since %s, and whether there is an earlier one is not known, since the usage report reaches back no further; a rule that means such people, too, says %s.earlierThan(now - days(45)) || %s.hasNoValue(), with the days it needs, and at most %d of them",
			dayOf(v.Time), a.name, a.name, int(v.Through.Sub(v.Time)/day))
	case !v.Through.IsZero():
		return fmt.Sprintf("is not known after %s, the day up to which the usage report tells anything; plan again when a newer one is there, or give the rule more days", dayOf(v.Through))
	case a.kind == directory.Text && v.State == directory.Known && v.Text == "":
		return fmt.Sprintf(`has no value, and the condition does not say what holds then; add && %s != "" to leave such people alone, or || %s == "" to mean them, too`, a.name, a.name)
	case v.State == directory.None:
		return "has no value"
	}
	return "was not read"
}

// The method "unread" returns why the attribute is unknown if a directory was not read. An attribute can be the newest
// of several dates, some from Active Directory and some from elsewhere. For such an attribute, the method also says
// what to write in the policy if Active Directory is not set up. For "kind" the policy cannot change anything: its only
// field is of Entra ID, but Active Directory may show another kind.
func (a *attribute) unread(s directory.Source, p *directory.Person) string {
	for _, other := range a.fields {
		switch {
		case s != directory.AD || other.Source == s:
		case len(a.fields) == 1:
			return "is not known: " + sourceGap(s, p)
		default:
			return fmt.Sprintf("is not known: Active Directory was not read, and %s asks it; if it is not set up, write %s: %s under attributes", a.source, a.name, other.Name)
		}
	}
	return "was not read"
}

func reportGap(p *directory.Person, s directory.Signal) string {
	for _, use := range p.Entra.Uses {
		if use.Signal == s && !use.Shown.IsZero() {
			return "went back: an earlier usage report showed activity on " + dayOf(use.Shown) + ", and this one does not; it is undecided until a newer day comes; if that is right, plan with --accept-feeds"
		}
		if use.Signal == s {
			return "is not known: the usage report has the person and does not say when they were active, as it does of somebody without a license of the workload, whose name it has twice, or whose account is newer than the day"
		}
	}
	return "is not known: the usage report does not have the person by the name " + p.Entra.UserPrincipalName + "; it has only license holders, by the names of some days ago, and nobody whose account is newer; plan again in three days if the person holds a license"
}

func lostGap(f *directory.Field, p *directory.Person) string {
	const cure = "; it is undecided until a date comes that is not earlier; if that is right, plan with --accept-feeds"
	since, late := dayOf(p.DatesLost(f.Source)), p.DatesLate(f.Source)
	switch newest, read := f.WentBack(p); {
	case newest.IsZero() && !late.IsZero():
		return "came late: on " + dayOf(late) + " an older date appeared that an earlier reading should have shown, and newer ones may follow; it is decided again by the next run on another night, if no further one appears; if that is right, plan with --accept-feeds"
	case p.DatesLost(f.Source).IsZero():
		return "cannot be trusted: a date of the account lies in the future"
	case newest.IsZero():
		return "got lost: no date has come since " + since + ", and earlier data do not show that the account never had one; if that is right, plan with --accept-feeds"
	case read.IsZero():
		return "got lost: no date has come since " + since + ", and the newest known one is " + dayOf(newest) + cure
	default:
		return "went back: since " + since + " it is " + dayOf(read) + ", and the newest known one is " + dayOf(newest) + cure
	}
}

func (q *MemberQuery) gap(p *directory.Person) string {
	if state := p.State(q.Ref.Source); state == directory.Present || state == directory.NoAccount && slices.Contains(p.Unreadable, q.key) {
		if q.Ref.Source == directory.AD && p.AD != nil && p.AD.Hides("primaryGroupID") && !slices.Contains(p.Unreadable, q.key) {
			return "is not known: the account of idleseat has no right to see primaryGroupID of this person, which may be " + q.Ref.String() + "; grant it to read the attribute"
		}
		if q.Ref.Source == directory.AD {
			return "is not known: group " + q.Ref.String() + " could not be read; is it there, and may the account of idleseat read its members?"
		}
		return "is not known: group " + q.Ref.String() + " could not be read"
	}
	return "is not known: " + sourceGap(q.Ref.Source, p)
}

func sourceGap(s directory.Source, p *directory.Person) string {
	name := "Entra"
	if s == directory.AD {
		name = "Active Directory"
	}
	switch {
	case p.State(s) == directory.NoAccount:
		return "no account in " + name
	case p.State(s) != directory.NotRead && p.Doubt != "":
		return p.Doubt
	}
	return name + " was not read"
}
