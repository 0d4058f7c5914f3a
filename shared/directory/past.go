package directory

import "time"

// Indexes into Past.Newest. An Active Directory account has only one date, at the index "logon".
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
	// Seen is the time of a reading: the first of the latest unbroken series of readings that saw the account.
	Seen time.Time
	// Newest has the newest activity dates of all readings, in whole seconds, even if a reading lacked the account since.
	// Zero means that no reading saw one.
	Newest [ActivityDates]time.Time
	// LoggedOn is the newest logon that the domain controllers showed when a run read the person again before a change.
	// The replicated date may be up to 14 days earlier. LoggedOn is zero if no run read such a logon. It also becomes zero
	// after some time, because the replicated dates then show every later logon.
	LoggedOn time.Time
	// EnabledSince is the time of the first reading of the latest unbroken series that saw the account enabled. It is zero
	// if every reading saw the account enabled, or if the account is disabled.
	EnabledSince time.Time
	// Joined is the time of the last reading that saw this account together with an account in the other directory that
	// belongs to the same person or contradicts this one. It is zero if there is no such reading of the last 30 days.
	Joined time.Time
	// Contradicted is the contradiction in the last reading of both directories, or zero.
	Contradicted Contradiction
	// Forgotten is the first reading after earlier stored facts about the account could no longer be read. It is zero if
	// there is no such reading of this night.
	Forgotten time.Time
	// ForgottenBy is the run with these facts. It is empty if another run of this night looked for them.
	ForgottenBy string
	// Late is the last reading in which an activity date appeared that an earlier reading should have shown. It is zero
	// if there is no such reading of this night. The dates of the account are in doubt then.
	Late time.Time
	// MemberSince has the time of the first reading of the latest unbroken series that saw the account in a group that
	// gives a license. The map's key is the GroupRef.Key. A member without an entry was in the group before the first
	// reading.
	MemberSince map[string]time.Time
	// MemberBefore has the values of MemberSince for the groups that the last reading could read and this one could not.
	// The map's key is an item of Accounts.Remembered.
	MemberBefore map[string]time.Time
	// Row is the account's row in the snapshot's table of people, counted from 1. It is set only if the columns of this
	// table decide every verdict about the person. Of the other fields, only Seen is then set. Otherwise Row is 0.
	Row int
}

// MemberOf records since when the account has been in a group.
func (p *Past) MemberOf(key string, since time.Time) {
	if p.MemberSince == nil {
		p.MemberSince = map[string]time.Time{}
	}
	p.MemberSince[key] = since
}

// WasMemberOf works like MemberOf, for a group that this reading could not read. The argument "key" is an item of
// Accounts.Remembered.
func (p *Past) WasMemberOf(key string, since time.Time) {
	if p.MemberBefore == nil {
		p.MemberBefore = map[string]time.Time{}
	}
	p.MemberBefore[key] = since
}

// The constant "apart" is the shortest time between the readings of two nights. Readings that are closer count as one
// night. It is less than a day, because a nightly run may start a little early.
const apart = 20 * time.Hour

// Apart reports whether two readings are of two nights. A doubt about one reading ends with a reading of another night,
// because a second run soon after it reads the same data.
func Apart(earlier, later time.Time) bool { return later.Sub(earlier) >= apart }

// SeenOnce reports whether no reading of an earlier night saw the account, so that nothing confirms what this one
// shows.
func (p *Past) SeenOnce(now time.Time) bool { return p.Seen.IsZero() || !Apart(p.Seen, now) }

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

// SeenOnce reports whether Past.SeenOnce is true for the person's account in a directory. It is false without account.
func (p *Person) SeenOnce(s Source, now time.Time) bool {
	past := p.Past(s)
	return past != nil && past.SeenOnce(now)
}

// The method "missed" sets the state of the account in s to Missing if a recent reading saw it, so that "joined" is not
// zero. The caller did not find the account, but it may still exist: a lost page, a lost right and a changed filter
// look like a deleted account.
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

// EnabledSince returns since when the account in s has been enabled. The time is zero if the account was enabled before
// the first reading, or if the person has no account in s. The result "enabled" is Unset without an account, and if
// this reading does not show whether the account is enabled. It is also Unset if the domain controllers differ, because
// the account may have been enabled again on one of them.
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

// MemberSince returns since when the account in s has been in a group that gives a license. The time is zero if the
// account joined the group before the first reading.
func (p *Person) MemberSince(s Source, key string) time.Time {
	if past := p.Past(s); past != nil {
		return past.MemberSince[key]
	}
	return time.Time{}
}

// WentBack looks whether the field's activity date is earlier in this reading than in an earlier one. If so, "newest"
// is the newest date of the earlier readings. Otherwise it is zero. The result "read" is the date of this reading.
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
