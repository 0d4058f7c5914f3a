package directory

import "time"

// Contradiction has bits that say how an account contradicted others when both directories were last read. Package
// known stores these bits.
type Contradiction uint8

// The kinds of contradictions.
const (
	// Disagreed means that two accounts have one SID, but the anchor shows that they are different accounts.
	Disagreed Contradiction = 1 << iota
	// Shared means that several accounts in a directory claim the same key.
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

// The method "shows" is for a contradiction in this reading. The method "contradicted" is for one of an earlier
// reading.
func (p *Person) shows(c Contradiction, why string) {
	p.contradiction = c
	p.contradict(why)
}

// The method "holds" reports whether a contradiction from an earlier reading is still believed. The argument "met" says
// that this reading found a matching account in the other directory, and "read" that it covered all of it. A full
// reading may still miss the account, for example on a lost page. So it ends the contradiction only if no recent
// reading saw both accounts (Joined is zero).
func (p *Past) holds(met, read bool) bool {
	c := p.Contradicted
	if met {
		c &= Shared // the two accounts agree, but this reading may have missed a third account
	}
	return c != 0 && (!read || !p.Joined.IsZero())
}

// The method "doubted" makes the values of the person unknown, and returns true, if the memory of an account is lost,
// or if an earlier contradiction is still believed. The argument "past" belongs to an account in one directory, and
// "other" is the other directory. The arguments "met" and "read" are those of Past.holds.
func (p *Person) doubted(past *Past, other Source, met, read bool) bool {
	if past.ForgottenBy == "" {
		return p.contradicted(past, other, met, read)
	}
	p.forgotten = true
	if p.EntraState == NoAccount {
		p.EntraState = Missing
	}
	p.contradict("what run " + past.ForgottenBy + " knew of it cannot be read any more, so nobody can tell whether a date is missing or went back; it is decided again by the next run, which compares with this one; to decide it now, plan with --accept-feeds")
	return true
}

// The method "contradicted" makes the person contradictory, and returns true, if an earlier contradiction is still
// believed.
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

// The method "sentence" says how the accounts contradict each other, since when, and what ends this.
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

// Met stores in the Past of both accounts which contradiction this reading showed, or none. If the reading has both
// accounts or shows a contradiction, it also sets Joined to "read", the time of the reading. If only an earlier reading
// showed the contradiction, Met changes nothing.
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
