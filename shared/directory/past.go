package directory

import "time"

// The places of the dates of activity in Past.Newest. An account of Active Directory has only the last one.
const (
	interactive = iota
	nonInteractive
	successful
	logon = 0
)

// ActivityDates is the largest number of dates of activity that an account has.
const ActivityDates = 3

// Past is what earlier readings know of an account. The zero value means that no earlier reading saw the account.
type Past struct {
	// Seen is the first reading of an unbroken series that saw the account.
	Seen time.Time
	// Newest are the newest dates of activity that any reading saw, by field. Zero: none. They are in whole seconds.
	Newest [ActivityDates]time.Time
	// EnabledSince is the first reading of an unbroken series that saw the account enabled. Zero: the very first
	// reading did, or the account is disabled.
	EnabledSince time.Time
	// Joined is the last reading that saw the account together with an account in the other directory that belongs to
	// the person or contradicts it. Zero: no reading did, or it was long ago.
	Joined time.Time
	// Contradicted is the contradiction that the last reading of both directories showed.
	Contradicted Contradiction
	// MemberSince is the first reading of an unbroken series that saw the account in a group. The key is the
	// GroupRef.Key of a group that gives a license. A group without an entry gave the license before the first reading,
	// or does not give it.
	MemberSince map[string]time.Time
	// MemberBefore holds the same for groups that this reading could not read and an earlier reading knew. It has an
	// entry for each of Accounts.Remembered that the account was in.
	MemberBefore map[string]time.Time
}

// MemberOf stores since when the account is in a group.
func (p *Past) MemberOf(key string, since time.Time) {
	if p.MemberSince == nil {
		p.MemberSince = map[string]time.Time{}
	}
	p.MemberSince[key] = since
}

// WasMemberOf stores since when the account was in a group that this reading could not read.
func (p *Past) WasMemberOf(key string, since time.Time) {
	if p.MemberBefore == nil {
		p.MemberBefore = map[string]time.Time{}
	}
	p.MemberBefore[key] = since
}

// apart is the shortest time between readings that count as two days. A nightly schedule may start a little earlier
// than the night before.
const apart = 20 * time.Hour

// SeenOnce reports whether no reading of an earlier day saw the account.
func (p *Past) SeenOnce(now time.Time) bool { return p.Seen.IsZero() || now.Sub(p.Seen) < apart }

// Activity returns the dates of activity of the account, in the order of Past.Newest.
func (u *EntraUser) Activity() [ActivityDates]time.Time {
	return [...]time.Time{interactive: u.LastInteractive, nonInteractive: u.LastNonInteractive, successful: u.LastSuccessful}
}

// Activity returns the dates of activity of the account, in the order of Past.Newest.
func (a *ADUser) Activity() [ActivityDates]time.Time {
	return [ActivityDates]time.Time{logon: a.LastLogonTimestamp}
}

// Past returns what earlier readings know of the account in a source. It returns nil when the person has no account
// there.
func (p *Person) Past(s Source) *Past {
	switch {
	case s == AD && p.AD != nil:
		return &p.AD.Past
	case s == Entra && p.Entra != nil:
		return &p.Entra.Past
	}
	return nil
}

// SeenOnce reports whether no reading of an earlier day saw one of the person's accounts.
func (p *Person) SeenOnce(now time.Time) bool {
	for _, s := range [...]Source{Entra, AD} {
		if past := p.Past(s); past != nil && past.SeenOnce(now) {
			return true
		}
	}
	return false
}

// missed sets the state of an account to Missing when this reading did not find it and a recent reading did. A lost
// page, a lost right and a changed filter all look like an account that is gone.
func (p *Person) missed(s Source, joined time.Time) {
	if joined.IsZero() {
		return
	}
	if s == AD {
		p.ADState = Missing
	} else {
		p.EntraState = Missing
	}
	p.Doubt = "an account in " + s.name() + " was known on " + joined.Format(time.DateOnly) + ", and was not read this time; if it is gone for good, plan with --accept-feeds, or wait for 30 days"
}

// EnabledSince returns since when the account in a source is known to be enabled, as in Past. Zero: it was enabled
// before the first reading. With Unset, it is not known whether the account is enabled.
func (p *Person) EnabledSince(s Source) (since time.Time, enabled Flag) {
	switch past := p.Past(s); {
	case past == nil:
		return time.Time{}, Unset
	case s == AD:
		return past.EnabledSince, p.AD.Enabled
	default:
		return past.EnabledSince, p.Entra.Enabled
	}
}

// MemberSince returns since when the account in a source is known to be in a group that gives a license. Zero: it was
// in the group before the first reading.
func (p *Person) MemberSince(s Source, key string) time.Time {
	if past := p.Past(s); past != nil {
		return past.MemberSince[key]
	}
	return time.Time{}
}

// WentBack returns the newest date of the field that any reading saw, when the date of this reading is earlier or
// missing. It is zero otherwise. read is the date of this reading.
func (f *Field) WentBack(p *Person) (newest, read time.Time) {
	past := p.Past(f.Source)
	if past == nil || f.Meaning != Activity || f.report != 0 {
		return time.Time{}, time.Time{}
	}
	return f.wentBack(past, f.read(p).Time)
}

func (f *Field) wentBack(past *Past, read time.Time) (newest, now time.Time) {
	for _, i := range f.dates {
		if t := past.Newest[i]; t.After(newest) {
			newest = t
		}
	}
	if !newest.After(read) {
		return time.Time{}, read
	}
	return newest, read
}
