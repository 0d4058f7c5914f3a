package directory

import "time"

// Indexes into Past.Newest. An Active Directory account has only "logon".
const (
	interactive = iota
	nonInteractive
	successful
	logon = 0
)

// ActivityDates is the largest number of activity dates of an account.
const ActivityDates = 3

// Past is what earlier readings saw of an account. It is zero if none saw it.
type Past struct {
	// Seen is the first reading of the latest unbroken series that saw the account.
	Seen time.Time
	// Newest has the newest activity dates of all readings, in whole seconds. Zero means that no reading saw one.
	Newest [ActivityDates]time.Time
	// LoggedOn is the newest logon that the domain controllers showed just before a change. The replicated date may be
	// up to 14 days earlier. It is zero if there is none, or if it is so old that the replicated dates show later
	// logons.
	LoggedOn time.Time
	// EnabledSince is the first reading of the latest unbroken series that saw the account enabled. It is zero if each
	// reading did, or if the account is disabled.
	EnabledSince time.Time
	// Joined is the last reading that saw the account together with one in the other directory, which belongs to the
	// person or contradicts this one. It is zero if there is no recent one.
	Joined time.Time
	// Contradicted is the contradiction in the last reading of both directories.
	Contradicted Contradiction
	// ForgottenBy is the run whose memory of the account can no longer be read, or empty.
	ForgottenBy string
	// MemberSince has, by GroupRef.Key of a group that gives a license, the first reading of the latest unbroken series
	// that saw the account in the group. It is zero if the account was in it before the first reading.
	MemberSince map[string]time.Time
	// MemberBefore is MemberSince for groups of the last reading that this one could not read, by the items of
	// Accounts.Remembered.
	MemberBefore map[string]time.Time
	// Row is the account's row in the table of people, from 1. It is set only if earlier readings have nothing that
	// could change a verdict. Of the other fields, only Seen is then set.
	Row int
}

// MemberOf records since when the account has been in a group.
func (p *Past) MemberOf(key string, since time.Time) {
	if p.MemberSince == nil {
		p.MemberSince = map[string]time.Time{}
	}
	p.MemberSince[key] = since
}

// WasMemberOf is MemberOf for a group that this reading could not read.
func (p *Past) WasMemberOf(key string, since time.Time) {
	if p.MemberBefore == nil {
		p.MemberBefore = map[string]time.Time{}
	}
	p.MemberBefore[key] = since
}

// The constant "apart" is the shortest time between readings of different days. A nightly run may start a little early.
const apart = 20 * time.Hour

// SeenOnce reports whether no earlier night confirms what this reading shows.
func (p *Past) SeenOnce(now time.Time) bool { return p.Seen.IsZero() || now.Sub(p.Seen) < apart }

// Activity returns the activity dates of the account, in the order of Past.Newest.
func (u *EntraUser) Activity() [ActivityDates]time.Time {
	return [...]time.Time{interactive: u.LastInteractive, nonInteractive: u.LastNonInteractive, successful: u.LastSuccessful}
}

// Activity returns the activity dates of the account, in the order of Past.Newest.
func (a *ADUser) Activity() [ActivityDates]time.Time {
	return [ActivityDates]time.Time{logon: a.LastLogonTimestamp}
}

// Past returns what earlier readings saw of the person's account in s, or nil if there is no account.
func (p *Person) Past(s Source) *Past {
	switch {
	case s == AD && p.AD != nil:
		return &p.AD.Past
	case s == Entra && p.Entra != nil:
		return &p.Entra.Past
	}
	return nil
}

// SeenOnce reports whether Past.SeenOnce is true for one of the accounts.
func (p *Person) SeenOnce(now time.Time) bool {
	for _, s := range [...]Source{Entra, AD} {
		if past := p.Past(s); past != nil && past.SeenOnce(now) {
			return true
		}
	}
	return false
}

// The method "missed" sets the state to Missing if a recent reading found the account and this one did not. It may
// still exist: a lost page, a lost right and a changed filter look like a deleted account.
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

// Enabling has the fields that say whether an account of Active Directory is enabled. An expired account is not.
var Enabling = []string{"ad.accountEnabled", "ad.expires"}

// EnabledSince returns since when the account in s has been enabled, or zero if it was so before the first reading. The
// result "enabled" is Unset if this reading does not show it, or if the domain controllers differ: one of them may show
// an account that is enabled again.
func (p *Person) EnabledSince(s Source) (since time.Time, enabled Flag) {
	switch past := p.Past(s); {
	case past == nil:
		return time.Time{}, Unset
	case s == AD && (p.AD.Hides("userAccountControl") || p.AD.Hides("accountExpires")):
		return past.EnabledSince, Unset
	case s == AD:
		return past.EnabledSince, p.AD.Enabled
	default:
		return past.EnabledSince, p.Entra.Enabled
	}
}

// MemberSince returns since when the account in s has been in a group that gives a license, or zero if it was so before
// the first reading.
func (p *Person) MemberSince(s Source, key string) time.Time {
	if past := p.Past(s); past != nil {
		return past.MemberSince[key]
	}
	return time.Time{}
}

// WentBack returns the newest date of any reading and the date of this reading, if the newest is later. Otherwise
// "newest" is zero.
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
