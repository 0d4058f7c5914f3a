// Package judge decides whether the tool was right to take a license. The tool is the product under test. A world
// simulates a company that uses the tool. A story is the list of events in a world. The world sends the judge every
// event, with the earliest time at which the tool can know the event. The judge decides about every removal at the
// moment of the write. Package judge imports no package of the product, and reads no file of the product.
//
// The terms of the package:
//
//   - use: the person signs in, or logs on if the rule is about logons. The tool can know a use
//     when the directory shows the use. The directory may show a use a day late.
//   - known: the directory has shown the fact for longer than Slack. The tool may miss a fact
//     that appeared later, because time passes between the last reading and the write of the tool.
//   - out of reach: the tool cannot reach a controller in this night. The tool can know a logon at this
//     controller when the logon is older than Lag. By then, another controller has the replicated date,
//     or it says that it has received no changes from there since. Silence of a controller is never
//     the answer that nobody logged on there. A removal within Lag is not wrong because of the logon.
//   - erased: no controller shows the logon any longer, because the only controller with its date was
//     demoted or was restored from a backup. The tool cannot know it, so the judge ignores the logon.
//   - wrong: the tool took a license although it could know a reason to wait, such as a use within the
//     rule's idle period, a leave, an exemption, or an announcement that was too late.
//   - back: a person is back when the leave ends, even if the person uses nothing then. The
//     company's list of leaves says when a leave ends. The tool can know the list at once. An
//     announcement from before the end does not count.
//   - seen: after the event, a nightly run of the tool read the directory of the license. Between two such
//     nights, an account may be blocked and enabled again, or a license may be lost and given again. The
//     tool cannot notice these events, so the judge ignores them.
//   - stranger: a second machine with its own store took the license. It cannot know the facts that only
//     the first machine's store contains, such as which licenses were restored. The first machine cannot
//     know that somebody restored a license that the second machine took.
//   - forgotten: the tool's store was restored from a backup. The tool does not know which licenses it took
//     after the backup was made.
//   - outside: the rule does not cover the person, or nobody can know whether it does.
//   - stuck: the state of the company makes a change of the license unsafe. The judge records no fault,
//     whether the tool changes the license or not.
//   - restored: somebody gave the license after the tool took it. The event counts once the tool has read the
//     effect of its write, or a night has read the directory since the write. Before that, the tool cannot
//     distinguish the event from a write that was never carried out, so the judge ignores the event.
//   - twice: the tool took the license two times, and nobody gave the license between these times.
//   - hidden: no plan listed the removal, or the plan was on hold and nobody overrode the hold, or
//     the removal was beyond the limit.
//   - beyond the limit: within Window, the tool took the license from a larger share of the
//     holders than the rule's limit. The judge does not count a license if somebody restored the
//     license, or if an override accepted the removal. The share may exceed the limit by the
//     factor Mercy, because the tool counts only the holders that it sees. A number of licenses up
//     to Few is never beyond the limit.
//   - without: the tool took a person's last license for a mailbox, even if only for a moment. The
//     judge ignores this event if somebody else took another license for the mailbox within Slack
//     before the tool's write, or later. The tool may not know of such a late event.
//   - lost: at the end of the story, a change is not finished, or a license that the tool took
//     cannot be restored.
//   - astray: the tool took the license by one group, and gives it back by another.
//   - early: the tool says that a change is done, although the license has not followed the group
//     yet.
//   - silent: a night has no verdict, or a plan is on hold without a reason.
//   - clear: a person and a license are a clear case while the license is unused and the tool may
//     take the license.
//   - missed: a case was clear for longer than Patience and the rule's notice together, and the
//     tool did not take the license.
//
// Each fault except a missed case proves an error of the tool. A few missed cases are acceptable, because the tool must
// often wait in a company where something breaks every night. Command nights therefore compares the number of missed
// cases with the number of clear cases.
package judge

import (
	"fmt"
	"slices"
	"time"
)

const (
	// Slack is the longest time between the tool's last reading and its write. The tool may miss a fact that a directory
	// first shows within this time before the write.
	Slack = 2 * time.Minute
	// Lag is how old a logon at a controller out of reach must be, so that the tool can know it. Replication between two
	// sites may take this long.
	Lag = 6 * time.Hour
	// Patience is how long a case may be clear, in addition to the rule's notice, before the case counts as missed.
	Patience = 30 * 24 * time.Hour
	// Window is the period over which the judge counts the taken licenses and compares them with Rule.Limit. Up to Few
	// taken licenses are never a fault, whatever their share of the holders. Above Few, the share may be up to Mercy times
	// the limit.
	Window = 25 * 24 * time.Hour
	Few    = 11
	Mercy  = 1.2
)

// Rule is a rule of the company's policy. The judge does not read the policy, so the fields say what the author of the
// policy intends.
type Rule struct {
	License string
	// Idle is how long the license must have been unused before the tool may take it. If the license was restored, the
	// restore must be at least this old, too.
	Idle time.Duration
	// Grace applies to a person who was never active. The tool may take the license only if the person's newest account
	// is at least this old.
	Grace time.Duration
	// NewHolder is how long the person must have held the license before the tool may take it. EnabledAgain is how long
	// the account must have been enabled. Zero means no minimum.
	NewHolder, EnabledAgain time.Duration
	// Undated means that the directories do not say since when a person has held the license. A license that a person gets
	// before the first night then counts as held for a long time.
	Undated bool
	// Notice is how long before a removal the tool must announce the removal. Zero means no announcement.
	Notice time.Duration
	// Limit is the share of the holders from whom the tool may take the license within Window, if no administrator accepts
	// more. Zero means no limit.
	Limit float64
	// Mailbox means that the license gives a mailbox.
	Mailbox bool
}

// Why is a kind of fault.
type Why string

// The kinds of faults. The comment of the package explains each kind.
const (
	Wrong   Why = "wrong"
	Without Why = "without"
	Twice   Why = "twice"
	Lost    Why = "lost"
	Astray  Why = "astray"
	Early   Why = "early"
	Silent  Why = "silent"
	Hidden  Why = "hidden"
	Missed  Why = "missed"
)

// Fault is an error of the tool. A missed case may also have another cause.
type Fault struct {
	Why     Why
	At      time.Time
	Person  string // empty: the fault concerns the whole night
	License string
	What    string // a sentence
}

func (f Fault) String() string {
	return fmt.Sprintf("%s %s: %s %s: %s", f.At.UTC().Format(time.RFC3339), f.Why, f.Person, f.License, f.What)
}

// Judge stores what is true in one simulated company, and compares each removal of a license with it.
type Judge struct {
	rules  map[string]Rule // rules by license
	people map[string]*person
	faults []Fault
	seen   map[string]time.Time // time of the last night that read the directory, by license
	reads  map[string]int       // number of nights that read the directory, by license
	clear  int
}

// New returns a judge with the given rules. If two rules are for one license, the last one applies.
func New(rules ...Rule) *Judge {
	j := &Judge{rules: map[string]Rule{}, seen: map[string]time.Time{}, reads: map[string]int{}, people: map[string]*person{}}
	for _, r := range rules {
		j.rules[r.License] = r
	}
	return j
}

// Faults returns the faults so far, in the order in which the judge found them.
func (j *Judge) Faults() []Fault { return slices.Clone(j.faults) }

// Clear returns the number of clear cases so far. In a clear case, the tool may take an unused license from a person.
func (j *Judge) Clear() int { return j.clear }

func (j *Judge) fault(why Why, e Event, what string) {
	j.faults = append(j.faults, Fault{why, e.At, e.Person, e.License, what})
}

func (j *Judge) removed(e Event, p *person, l *license) {
	if !l.taken.IsZero() {
		j.fault(Twice, e, "it was taken on "+day(l.taken)+", and nobody gave it since")
	}
	if !l.planned {
		j.fault(Hidden, e, "no plan lists it")
	}
	known := *l
	if e.Stranger {
		known = license{since: time.Unix(0, 0), announced: e.At.Add(-j.rules[e.License].Notice)}
	}
	if why := j.keeps(p, &known, e.License, e.At.Add(-Slack), e.At, e.Stranger); why != "" {
		j.fault(Wrong, e, why)
	}
	l.accepted = l.accepted || e.Stranger
	l.held, l.taken, l.way, l.strange, l.ended, l.freed = false, e.At, e.Way, e.Stranger, false, false
	if e.Stranger { // for the first machine, the stranger is like an administrator who takes a license
		l.released = e.At
	} else { // a removal by the first machine uses up the announcement; a removal by the stranger does not
		l.notice, l.announced = l.announced, time.Time{}
	}
	delete(p.clear, e.License)
	if !l.accepted {
		j.bounded(e)
	}
}

// The method "bounded" counts the licenses that the tool has taken within Window, with this removal. It records a fault
// if they are a larger share of the holders than the rule's limit allows.
func (j *Judge) bounded(e Event) {
	taken, holders, limit := 0, 0, j.rules[e.License].Limit
	for _, p := range j.people {
		l := p.licenses[e.License]
		switch {
		case l == nil:
		case l.held:
			holders++
		case e.At.Sub(l.taken) <= Window:
			holders++
			if !l.accepted {
				taken++
			}
		}
	}
	if limit > 0 && taken > Few && float64(taken) > Mercy*limit*float64(holders) {
		j.fault(Hidden, e, fmt.Sprintf("with it %d of %d were taken within %d days, and nobody accepted that many", taken, holders, int(Window.Hours()/24)))
	}
}

// The method "keeps" returns the reason why a person must keep a license at the time "at", or "" if there is none. It
// ignores facts that a directory first showed after the time "known". If "stranger" is set, a second machine with its
// own store takes the license, and cannot know since when the account has been enabled.
func (j *Judge) keeps(p *person, l *license, name string, known, at time.Time, stranger bool) string {
	r := j.rules[name]
	last := newest(p.used[name], known)
	given := newest(l.given, known)
	back := since(p.away[name], known)
	switch {
	case p.nobody:
		return "the account is no person"
	case state(p.exempt, known):
		return "exempt"
	case !back.IsZero() && at.Sub(back) <= r.Idle:
		return "on leave until " + day(back) + ", or back for too short a time"
	case state(p.outside[name], known):
		return "the rule does not concern this person"
	case !last.IsZero() && at.Sub(last) <= r.Idle:
		return "last used on " + day(last)
	case last.IsZero() && at.Sub(p.made[name]) < r.Grace:
		return "never used, and new since " + day(p.made[name])
	case !given.IsZero() && at.Sub(given) <= r.Idle:
		return "restored on " + day(given)
	case r.NewHolder > 0 && at.Sub(l.since) < r.NewHolder:
		return "holds it only since " + day(l.since)
	case r.EnabledAgain > 0 && !stranger && state(p.enabled[name], known) && at.Sub(since(p.enabled[name], known)) < r.EnabledAgain:
		return "enabled only since " + day(since(p.enabled[name], known))
	case r.Notice > 0 && (l.announced.IsZero() || l.announced.Before(back) || at.Sub(l.announced) < r.Notice):
		return "not announced for long enough"
	}
	return ""
}

// The method "since" returns the time from which the tool can believe that a person holds a license. This is the time
// of the event, with one exception: if the directories do not date the license and no night has read them yet, the
// method returns the year 1970, so that the license counts as held for a long time.
func (j *Judge) since(e Event) time.Time {
	if j.rules[e.License].Undated && j.seen[e.License].IsZero() {
		return time.Unix(0, 0)
	}
	return e.At
}

func (j *Judge) night(e Event) {
	for name := range j.rules {
		if e.Text != "" && e.Text != Failed && !slices.Contains(e.Unread, name) {
			j.seen[name] = e.At
			j.reads[name]++
		}
	}
	switch {
	case e.Text == "":
		j.fault(Silent, e, "the night has no verdict")
	case e.Text == "hold" && len(e.Reasons) == 0:
		j.fault(Silent, e, "the night is held for no reason")
	}
	for id, p := range j.people {
		for name, l := range p.licenses {
			j.wait(Event{At: e.At, Person: id, License: name}, p, l)
		}
	}
}

// The method "wait" is called each night for each person and license. It records the fault Missed if the tool could
// have taken the unused license for longer than Patience and the rule's notice together.
func (j *Judge) wait(e Event, p *person, l *license) {
	rule, ruled := j.rules[e.License]
	if !ruled || !l.held || l.stuck || p.missed[e.License] || j.unannounced(p, l, e) != "" {
		delete(p.clear, e.License)
		return
	}
	switch began, waits := p.clear[e.License]; {
	case !waits:
		p.clear[e.License] = e.At
		j.clear++
	case e.At.Sub(began) > Patience+rule.Notice:
		p.missed[e.License] = true
		j.fault(Missed, e, "may be taken since "+day(began))
	}
}

// The method "unannounced" returns the reason why a person must keep a license, apart from a missing announcement. The
// tool may announce a removal at any time, so a missing announcement is no reason for a missed case.
func (j *Judge) unannounced(p *person, l *license, e Event) string {
	told := *l
	told.announced = e.At.Add(-j.rules[e.License].Notice)
	return j.keeps(p, &told, e.License, e.At.Add(-Slack), e.At, false)
}
