package directory

import "time"

// Contradiction is a set of bits that say how an account contradicts other accounts, as seen in a reading of both
// directories. Package known stores these bits, so their values must not change.
type Contradiction uint8

// The kinds of contradictions.
const (
	// Disagreed means that two accounts have one SID, but the anchor shows that they are different accounts.
	Disagreed Contradiction = 1 << iota
	// Shared means that two accounts in one directory have the same SID, or claim the same account in the other
	// directory.
	Shared
)

// The method "contradict" makes the values of the person unknown. The licenses in Entra ID stay known, because the
// Entra account itself is not in doubt.
func (p *Person) contradict(why string) {
	p.Doubt = why
	p.ADState = Contradictory
	if p.Entra != nil {
		p.EntraState = Contradictory
	}
}

// The method "shows" records that this reading shows a contradiction, and makes the values of the person unknown. The
// argument "why" is a sentence for operators.
func (p *Person) shows(c Contradiction, why string) {
	p.contradiction = c
	p.contradict(why)
}

// The method "holds" reports whether a contradiction from an earlier reading is still believed. The argument "met" says
// that this reading found a matching account in the other directory. The argument "read" says that the other directory
// was read in full. A matching account ends Disagreed. Otherwise a full reading ends the contradiction only if no
// recent reading saw both accounts (Joined is zero). Even a full reading may miss an account, for example on a lost
// page.
func (p *Past) holds(met, read bool) bool {
	c := p.Contradicted
	if met {
		c &= Shared // the two accounts agree, but this reading may have missed a third account
	}
	return c != 0 && (!read || !p.Joined.IsZero())
}

// The method "doubted" makes the values of the person unknown, and returns true, in two cases: what earlier runs stored
// about an account can no longer be read, or an earlier contradiction is still believed. The argument "past" belongs to
// an account in one directory, and "other" is the other directory. The argument "met" says that this reading found a
// matching account there, and "read" that it read the other directory in full.
func (p *Person) doubted(past *Past, other Source, met, read bool) bool {
	if past.Forgotten.IsZero() {
		return p.contradicted(past, other, met, read)
	}
	p.forgotten = true
	if p.EntraState == NoAccount {
		p.EntraState = Missing
	}
	const rest = " knew of it cannot be read any more, so nobody can tell whether a date is missing or went back; it is decided again by the next run on another night, which compares with this one; to decide it now, plan with --accept-feeds"
	if past.ForgottenBy == "" {
		p.contradict("what an earlier run" + rest)
	} else {
		p.contradict("what run " + past.ForgottenBy + rest)
	}
	return true
}

// The method "contradicted" makes the values of the person unknown, and returns true, if a contradiction from an
// earlier reading is still believed. Its arguments are those of "doubted".
func (p *Person) contradicted(past *Past, other Source, met, read bool) bool {
	if !past.holds(met, read) {
		return false
	}
	if p.EntraState == NoAccount {
		p.EntraState = Missing
	}
	p.contradict(past.sentence(other, read))
	return true
}

// The method "sentence" returns a sentence that says how the accounts contradicted each other, when, and what ends this
// doubt.
func (p *Past) sentence(other Source, read bool) string {
	what, when := "its accounts in Entra ID and Active Directory contradicted each other", "in an earlier reading"
	if p.Contradicted&Shared != 0 {
		what = "another account claimed the same SID or onPremisesImmutableId"
	}
	if !p.Joined.IsZero() {
		when = "on " + p.Joined.Format(time.DateOnly)
	}
	why := other.name() + " was not read in full this time; it is decided again when both directories are read and agree; if " + other.name() + " is no longer set up, plan with --accept-feeds"
	if read {
		why = "one of the accounts was not read this time; if it is gone for good, plan with --accept-feeds, or wait for 30 days"
	}
	return what + " " + when + ", and " + why
}

// Met stores the contradiction that this reading shows, or zero, in the Past of both accounts. If the reading has both
// accounts or shows a contradiction, Met also sets Joined to "read", the time of the reading. If only an earlier
// reading showed the contradiction, Met changes nothing.
func (p *Person) Met(read time.Time) {
	shown := p.contradiction != 0
	if !shown && !p.forgotten && p.ADState == Contradictory {
		return
	}
	together := shown || p.EntraState == Present && p.ADState == Present || p.forgotten && p.claimed != nil
	note := func(past *Past) {
		past.Contradicted = p.contradiction
		if together {
			past.Joined = read
		}
	}
	if p.Entra != nil {
		note(&p.Entra.Past)
	}
	if p.AD != nil {
		note(&p.AD.Past)
	} else if p.claimed != nil {
		note(&p.claimed.Past)
	}
}
