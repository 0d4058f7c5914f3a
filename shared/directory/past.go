package directory

import "time"

// The dates of activity of an account, by their place in Past.Newest. An account
// of Active Directory has the last one alone.
const (
	interactive = iota
	nonInteractive
	successful
	logon = 0
)

// ActivityDates is how many dates of activity an account has at most.
const ActivityDates = 3

// Past is what earlier readings tell of an account, beside what was read of it
// now. The zero value tells nothing: no earlier reading saw the account.
type Past struct {
	// Seen is the first reading in an unbroken series that saw the account.
	Seen time.Time
	// Newest are the newest dates of activity that any reading saw, by field; zero:
	// none. They are whole seconds.
	Newest [ActivityDates]time.Time
	// EnabledSince is the first reading in an unbroken series that saw the account
	// enabled. Zero: the first reading of all did, or the account is disabled.
	EnabledSince time.Time
	// Joined is the last reading that saw the account together with the person's
	// account in the other directory, or with one that it contradicts, if that was not
	// long ago; zero: none did.
	Joined time.Time
	// Contradicted is the contradiction that the last reading of both sides showed.
	Contradicted Contradiction
	// MemberSince is, by GroupRef.Key of groups that give a license, the first reading
	// in an unbroken series that saw the account in the group. A group without an entry
	// has given the license for longer than anybody knows, or does not give it.
	MemberSince map[string]time.Time
	// MemberBefore is the same of groups that this reading could not read, as an earlier
	// one knew it, with an entry for each of Accounts.Remembered that the account was in.
	MemberBefore map[string]time.Time
}

// MemberOf notes since when the account is in a group.
func (p *Past) MemberOf(key string, since time.Time) {
	if p.MemberSince == nil {
		p.MemberSince = map[string]time.Time{}
	}
	p.MemberSince[key] = since
}

// WasMemberOf notes since when the account was in a group that is not read now.
func (p *Past) WasMemberOf(key string, since time.Time) {
	if p.MemberBefore == nil {
		p.MemberBefore = map[string]time.Time{}
	}
	p.MemberBefore[key] = since
}

// apart is the least time between two readings that are not of one day. A nightly
// schedule may begin a little earlier than the night before.
const apart = 20 * time.Hour

// SeenOnce tells that no reading of an earlier day saw the account.
func (p *Past) SeenOnce(now time.Time) bool { return p.Seen.IsZero() || now.Sub(p.Seen) < apart }

// Activity are the dates of activity of the account, in the order of Past.Newest.
func (u *EntraUser) Activity() [ActivityDates]time.Time {
	return [...]time.Time{interactive: u.LastInteractive, nonInteractive: u.LastNonInteractive, successful: u.LastSuccessful}
}

// Activity are the dates of activity of the account, in the order of Past.Newest.
func (a *ADUser) Activity() [ActivityDates]time.Time {
	return [ActivityDates]time.Time{logon: a.LastLogonTimestamp}
}

// Past is what earlier readings tell of the account of a source; nil when there is
// no account.
func (p *Person) Past(s Source) *Past {
	switch {
	case s == AD && p.AD != nil:
		return &p.AD.Past
	case s == Entra && p.Entra != nil:
		return &p.Entra.Past
	}
	return nil
}

// SeenOnce tells that no reading of an earlier day saw one of the person's accounts.
func (p *Person) SeenOnce(now time.Time) bool {
	for _, s := range [...]Source{Entra, AD} {
		if past := p.Past(s); past != nil && past.SeenOnce(now) {
			return true
		}
	}
	return false
}

// missed makes a half that was not found Missing when a recent reading knew it. A lost
// page, a lost right and a filter all look like an account that is gone.
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

// EnabledSince is since when the account of a source is known to be enabled, as in
// Past; zero: longer than anybody knows. Unset: it is not known whether it is.
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

// MemberSince is since when the account of a source is known to be in a group that gives
// a license; zero: longer than anybody knows.
func (p *Person) MemberSince(s Source, key string) time.Time {
	if past := p.Past(s); past != nil {
		return past.MemberSince[key]
	}
	return time.Time{}
}

// WentBack is the newest date of a field that any reading saw, when the date read now
// is earlier or missing. It is zero otherwise. read is the date read now.
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
