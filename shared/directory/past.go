package directory

import "time"

// Indexes into Past.Newest. An Active Directory account has only the date at the index "logon".
const (
	interactive = iota
	nonInteractive
	successful
	logon = 0
)

// ActivityDates is the largest number of activity dates that an account has.
const ActivityDates = 3

// Past is what earlier readings know about an account. The zero value means that no earlier reading saw the account.
type Past struct {
	// Seen is the first reading of the latest unbroken series of readings that saw the account.
	Seen time.Time
	// Newest holds the newest activity dates that any reading saw, in whole seconds. A zero time means that no reading
	// saw a date.
	Newest [ActivityDates]time.Time
	// LoggedOn is the newest logon to Active Directory that a call read from the domain controllers just before a
	// change. The replicated date may be up to 14 days earlier. LoggedOn is zero if no call read such a date, or if the
	// date is so old that the replicated dates show every later logon.
	LoggedOn time.Time
	// EnabledSince is the first reading of the latest unbroken series of readings that saw the account enabled. It is
	// zero if every reading saw the account enabled, or if the account is disabled.
	EnabledSince time.Time
	// Joined is the last reading that saw the account together with an account in the other directory. The other
	// account belongs to the person or contradicts this account. Joined is zero if there is no such reading or if the
	// reading is too old.
	Joined time.Time
	// Contradicted is the contradiction that the last reading of both directories showed.
	Contradicted Contradiction
	// ForgottenBy is the run whose memory of the account can no longer be read. It is empty if no memory is lost.
	ForgottenBy string
	// MemberSince maps GroupRef.Key of a group that grants a license to the time since when the account has been in the
	// group. The time is the first reading of the latest unbroken series of readings that saw the account in the group.
	// The time is zero if the account was in the group before the first reading.
	MemberSince map[string]time.Time
	// MemberBefore is like MemberSince, for groups that this reading could not read. It has only groups to which the
	// account belonged in the last reading. Its keys are the items of Accounts.Remembered.
	MemberBefore map[string]time.Time
	// Row is the account's row in the table of people, counted from 1. It is set only if the columns of the table show
	// that earlier readings know nothing that could change a verdict. Seen is then the only other field that is set.
	Row int
}

// MemberOf records since when the account has been in a group.
func (p *Past) MemberOf(key string, since time.Time) {
	if p.MemberSince == nil {
		p.MemberSince = map[string]time.Time{}
	}
	p.MemberSince[key] = since
}

// WasMemberOf records since when the account had been in a group that this reading could not read.
func (p *Past) WasMemberOf(key string, since time.Time) {
	if p.MemberBefore == nil {
		p.MemberBefore = map[string]time.Time{}
	}
	p.MemberBefore[key] = since
}

// The constant "apart" is the shortest time between two readings that count as separate days. It is shorter than a day
// because a nightly run may start a little earlier than the run of the night before.
const apart = 20 * time.Hour

// SeenOnce reports whether the time since Seen is shorter than the constant "apart". In that case no earlier night
// confirms what this reading shows.
func (p *Past) SeenOnce(now time.Time) bool { return p.Seen.IsZero() || now.Sub(p.Seen) < apart }

// Activity returns the activity dates of the account, in the order of Past.Newest.
func (u *EntraUser) Activity() [ActivityDates]time.Time {
	return [...]time.Time{interactive: u.LastInteractive, nonInteractive: u.LastNonInteractive, successful: u.LastSuccessful}
}

// Activity returns the activity dates of the account, in the order of Past.Newest.
func (a *ADUser) Activity() [ActivityDates]time.Time {
	return [ActivityDates]time.Time{logon: a.LastLogonTimestamp}
}

// Past returns what earlier readings know about the person's account in s. It returns nil if the person has no account
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

// SeenOnce reports whether Past.SeenOnce is true for at least one of the person's accounts.
func (p *Person) SeenOnce(now time.Time) bool {
	for _, s := range [...]Source{Entra, AD} {
		if past := p.Past(s); past != nil && past.SeenOnce(now) {
			return true
		}
	}
	return false
}

// The method "missed" sets the state of the account to Missing if a recent reading found the account and this reading
// did not. The account may still exist: a lost page, a lost right and a changed filter all look like a deleted account.
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

// EnabledSince returns since when the account in s has been enabled. The result "since" is zero if the account was
// enabled before the first reading. The result "enabled" is Unset if this reading does not show whether the account is
// enabled.
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

// MemberSince returns since when the account in s has been in a group that grants a license. It returns the zero time
// if the account was in the group before the first reading.
func (p *Person) MemberSince(s Source, key string) time.Time {
	if past := p.Past(s); past != nil {
		return past.MemberSince[key]
	}
	return time.Time{}
}

// WentBack compares the date from this reading with the newest date that any reading saw. If the newest date is later
// than the date from this reading, WentBack returns both dates. Otherwise the result "newest" is zero.
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
