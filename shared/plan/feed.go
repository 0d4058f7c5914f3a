package plan

import (
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// FeedState is the health of one signal, such as the sign-ins in Entra ID, in one run.
type FeedState string

const (
	Healthy   FeedState = "healthy"
	Unhealthy FeedState = "unhealthy"
	Absent    FeedState = "absent"
)

// Feed is the health of a signal, with a reason if it is not healthy. The feed of the sign-ins or logons also says
// whether the list of people from that directory is complete.
type Feed struct {
	State  FeedState `json:"state"`
	Reason string    `json:"reason,omitempty"`
	// Incomplete means that accounts may be missing in the reading. If it is false, an unhealthy feed only makes its
	// dates unknown.
	Incomplete bool `json:"incomplete,omitempty"`
}

// FeedFacts has the figures of one signal in one run, over all people.
type FeedFacts struct {
	directory.Freshness
	Absent       bool
	Failed       string
	PartialLogon string    // why the last logons are incomplete; empty if they are complete
	Baseline     *Baseline // nil if there is nothing to compare with
	// First is true if there is no earlier healthy reading to compare with. A minimum share of dates (firstDates) then
	// decides whether the signal is healthy.
	First bool
}

// Baseline has the figures of a signal in its last healthy reading.
type Baseline struct {
	Run        string    `json:"run,omitempty"`
	Partitions int       `json:"partitions,omitempty"` // the number of parts into which that run divided the people
	Read       time.Time `json:"read"`                 // when the run read the source
	directory.Freshness
}

// fewerPeople and fewerDates are the largest fractions of people and dates that a source may lose between two healthy
// runs. A greater loss suggests a fault: a filter, a missing right or a truncated list can hide a tenth of the people.
// If a company really lost so many people in one night, an operator accepts the loss with --accept-feeds. Directories
// never remove a date, so the number of dates falls only with the people.
const (
	fewerPeople = 0.10
	fewerDates  = 0.03
	few         = 5 // a loss of up to 5 people or dates does not suggest a fault
)

// firstDates is the share of settled accounts (directory.Freshness.Settled) that must have a date if there is no
// earlier reading. Most accounts for which a company pays are in use, and a broken source loses nearly all dates. The
// share is below 1 because service accounts, and people who only read mail on an old phone, have no dates.
const firstDates = 0.5

func (f *FeedFacts) tooFewDates() bool {
	return f.First && f.Settled-f.SettledWithActivity > few && float64(f.SettledWithActivity) < firstDates*float64(f.Settled)
}

func (b *Baseline) fewerPeople(now directory.Freshness) bool {
	return b.Sampled-now.Sampled > max(few, int(fewerPeople*float64(b.Sampled)))
}

func (b *Baseline) fewerDates(now directory.Freshness) bool {
	left := max(0, b.Sampled-now.Sampled)
	return b.WithActivity-now.WithActivity > left+max(few, int(fewerDates*float64(b.WithActivity)))
}

// fewerHired is the largest fraction of hire dates that Entra ID may lose between two healthy runs.
const fewerHired = 0.10

// FewerHired reports whether far fewer accounts have a hire date now, or none has one where several had one. It returns
// false if b is nil.
func (b *Baseline) FewerHired(now directory.Freshness) bool {
	if b == nil {
		return false
	}
	return b.WithHired > 1 && now.WithHired == 0 || b.WithHired-now.WithHired > max(few, int(fewerHired*float64(b.WithHired)))
}

// Health judges one signal at the planning time asOf. The result is Incomplete if the source could not be read, or
// lists far fewer people than before: an account that is not in the list may then exist. If the signal is unhealthy for
// another reason, only its dates are unknown.
func Health(s directory.Signal, f FeedFacts, asOf time.Time) Feed {
	feed := f.health(s, asOf)
	short := f.Failed != "" || f.Sampled == 0 || f.Baseline != nil && f.Baseline.fewerPeople(f.Freshness)
	feed.Incomplete = feed.State == Unhealthy && short
	return feed
}

func (f *FeedFacts) health(s directory.Signal, asOf time.Time) Feed {
	unhealthy := func(format string, args ...any) Feed {
		return Feed{State: Unhealthy, Reason: fmt.Sprintf(format, args...)}
	}
	switch age := asOf.Sub(f.Newest); {
	case f.Absent:
		return Feed{State: Absent, Reason: "not set up"}
	case f.Failed != "":
		return unhealthy("%s", f.Failed)
	case f.PartialLogon != "":
		return unhealthy("%s", f.PartialLogon)
	case f.Sampled == 0 && s.Reported():
		return unhealthy("it tells of nobody who has a license")
	case f.Sampled == 0:
		return unhealthy("it returned no people")
	case f.WithActivity == 0 && s.Reported():
		return unhealthy("the report has no %s date of any of %d people: its column is broken, or nobody has used it for %d days", s.Date(), f.Sampled, int(s.Horizon()/(24*time.Hour)))
	case f.WithActivity == 0:
		return unhealthy("none of %d people has a %s date: the permission, the premium license or the feed itself is gone", f.Sampled, s.Date())
	case f.Newest.IsZero():
		return unhealthy("every %s date lies in the future", s.Date())
	case f.Baseline != nil && f.Baseline.fewerPeople(f.Freshness):
		return unhealthy("it has %d people and had %d on %s: part of the list is missing; if that is right, plan with --accept-feeds", f.Sampled, f.Baseline.Sampled, f.Baseline.Read.Format(time.DateOnly))
	case f.Baseline != nil && f.Baseline.fewerDates(f.Freshness):
		return unhealthy("%d people have a %s date and %d had one on %s: dates got lost; if that is right, plan with --accept-feeds", f.WithActivity, s.Date(), f.Baseline.WithActivity, f.Baseline.Read.Format(time.DateOnly))
	case f.tooFewDates():
		return unhealthy("only %d of %d enabled accounts that are older than 30 days have a %s date, and no earlier run tells whether that is right; if it is, plan with --accept-feeds", f.SettledWithActivity, f.Settled, s.Date())
	case age > s.Stalled():
		return unhealthy("the newest %s date of anybody is %s, %d days before the planning instant: the feed has stalled", s.Date(), f.Newest.Format(time.RFC3339), int(age/(24*time.Hour)))
	}
	return Feed{State: Healthy}
}

// Stale returns why the activity dates of the signal are unknown, or "" if it is healthy.
func (f Feed) Stale() string {
	if f.State == Healthy {
		return ""
	}
	return f.Reason
}
