package decision

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

// When an account is read again, Recall finds out whether a date of the account was lost. It compares the account with
// the run's own reading if this reading was healthy and had everybody. Otherwise it compares the account with the
// reading of the previous run.
func TestRecallOfAFreshReading(t *testing.T) {
	t.Parallel()
	dated := directory.EntraUser{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(9)}
	for name, tc := range map[string]struct {
		change func(*Run)
		run    *directory.EntraUser // the run's reading of the account; nil if it was not read
		fresh  directory.EntraUser
		lost   bool
	}{
		"the run saw the date":             {nil, &dated, directory.EntraUser{ID: "a", Created: daysAgo(900)}, true},
		"the run saw none":                 {nil, &directory.EntraUser{ID: "a", Created: asOf.AddDate(0, 0, 1)}, directory.EntraUser{ID: "a", Created: asOf.AddDate(0, 0, 1)}, false},
		"the run was not healthy":          {func(r *Run) { r.Feeds[0].State = plan.Unhealthy }, &dated, directory.EntraUser{ID: "a", Created: daysAgo(900)}, false},
		"the run was for one person":       {func(r *Run) { r.Begin.User = "a" }, &dated, directory.EntraUser{ID: "a", Created: daysAgo(900)}, true}, // the night before should have seen the account
		"the run was, the account is new":  {func(r *Run) { r.Begin.User = "a" }, &dated, directory.EntraUser{ID: "a", Created: asOf.AddDate(0, 0, 1)}, false},
		"accepted, but the run saw a date": {func(r *Run) { r.Begin.AcceptFeeds = true }, &dated, directory.EntraUser{ID: "a", Created: daysAgo(900)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := firstNight(t)
			first.read(t, accountsIn([]directory.EntraUser{{ID: "busy", LastSuccessful: daysAgo(1)}}))
			r := first.nextNight(2)
			r.read(t, accountsIn([]directory.EntraUser{{ID: "busy", LastSuccessful: daysAgo(1)}, *tc.run}))
			if tc.change != nil {
				tc.change(r)
			}
			h := accountsIn([]directory.EntraUser{tc.fresh})
			if err := r.Recall(t.Context(), h, r.Begin.Read.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if got := !h.Entra[0].DatesLost.IsZero(); got != tc.lost {
				t.Errorf("lost %t", got)
			}
		})
	}
	r := firstNight(t)
	if err := store.PutBytes(t.Context(), r.store, "runs/run/known/0000.gz", []byte("half")); err != nil {
		t.Fatal(err)
	}
	h := accountsIn([]directory.EntraUser{{ID: "id-busy", Created: daysAgo(900)}})
	if err := r.Recall(t.Context(), h, asOf); err != nil || h.Entra[0].DatesLost.IsZero() || !h.Entra[0].Past.Forgotten.IsZero() {
		t.Errorf("a damaged table is not made again from the run's own reading: %+v, %v", h.Entra[0], err)
	}
}

// A run of an older version listed an account as one whose dates are missing. The account stays in doubt for lostFor
// (90 days) from the first night without its dates, or longer if a rule has a longer span.
func TestListOfOlderRunIsOver(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		policy string
		days   int // days since the dates were first missing
		state  plan.FeedState
		user   directory.EntraUser
		want   bool
	}{
		"lately":                   {text, 30, plan.Healthy, directory.EntraUser{ID: "lost"}, true},
		"a second less than long":  {text, -1, plan.Healthy, directory.EntraUser{ID: "lost"}, true},
		"for long":                 {text, 90, plan.Healthy, directory.EntraUser{ID: "lost"}, false},
		"a rule looks back longer": {strings.Replace(text, "days(90)", "days(365)", 1), 90, plan.Healthy, directory.EntraUser{ID: "lost"}, true},
		"the feed is in doubt":     {text, 30, plan.Unhealthy, directory.EntraUser{ID: "lost"}, false},
		"a date has come":          {text, 30, plan.Healthy, directory.EntraUser{ID: "lost", LastInteractive: daysAgo(1)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			since := asOf.AddDate(0, 0, 1-tc.days)
			if tc.days < 0 {
				since = asOf.AddDate(0, 0, 1-90).Add(time.Second)
			}
			err := store.PutLines(t.Context(), r.store, "runs/run/dateless/0000.jsonl.gz", func(emit func(any) error) error {
				return emit(activityGap{Account: "lost", Since: since})
			})
			if err != nil {
				t.Fatal(err)
			}
			next := r.nextNight(1)
			if next.Policy, err = policy.Load("p", []byte(tc.policy)); err != nil {
				t.Fatal(err)
			}
			next.Feeds[directory.Entra].State = tc.state
			tc.user.Created = daysAgo(900)
			h := accountsIn([]directory.EntraUser{tc.user})
			if err := next.recall(t.Context(), h, next.lastReadings(), next.Begin.Read, false); err != nil {
				t.Fatal(err)
			}
			if got := h.Entra[0].DatesLost; got.IsZero() == tc.want || tc.want && !got.Equal(since) {
				t.Errorf("lost since %s, want %t", got, tc.want)
			}
		})
	}
	r := firstNight(t)
	if err := store.PutBytes(t.Context(), r.store, "runs/run/dateless/0000.jsonl.gz", []byte("half")); err != nil {
		t.Fatal(err)
	}
	next := r.nextNight(1)
	if err := next.recall(t.Context(), accountsIn([]directory.EntraUser{{ID: "a"}}), next.lastReadings(), next.Begin.Read, false); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a damaged list: %v", err)
	}
}

func TestReadingAtTheInstantOfTheLast(t *testing.T) {
	t.Parallel()
	r := firstNight(t)
	user := directory.EntraUser{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(9)}
	r.read(t, accountsIn([]directory.EntraUser{user}))
	user.LastInteractive = time.Time{}
	h := accountsIn([]directory.EntraUser{user})
	r.nextNight(0).read(t, h)
	if h.Entra[0].DatesLost.IsZero() {
		t.Error("the date that is gone is not missed")
	}
}

// A run took a license, and the data still show that the person holds it. The license counts as held again only if the
// data were read long enough after the change (directory.Settling). Otherwise the verdict is undecided, because the
// data may be from before the change.
func TestTakenAWhileAgo(t *testing.T) {
	t.Parallel()
	r := world{entra: []directory.EntraUser{accountOf("p", 200, e3ByGroup), accountOf("busy", 1)}}.seal(t)
	read := r.Begin.Read
	for taken, want := range map[time.Time]policy.Outcome{
		read.Add(-directory.Settling - time.Second): policy.Keep, // restored by somebody else
		read.Add(-directory.Settling):               policy.Undecided,
		read.Add(time.Hour):                         policy.Undecided,
	} {
		judge, err := r.Judge(asOf)
		if err != nil {
			t.Fatal(err)
		}
		p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("m365")
		d := r.Decide(judge, rule, p, judge.Ask(rule, p), &history.Item{State: history.Taken, Run: "r0", Rule: "m365", To: "exo", Began: taken, At: taken}, nil)
		if d.Outcome != want || (d.HeldAgain == "r0") != (want == policy.Keep) {
			t.Errorf("taken at %s: %s, held again %q", taken, d.Outcome, d.HeldAgain)
		}
		if said := fmt.Sprintf("undecided: run r0 took the license on %s, and these data may be from before that", dayOf(taken)); (d.Reason == said) != (want == policy.Undecided) {
			t.Errorf("taken at %s: %s", taken, d.Reason)
		}
	}
}

// A person was removed from a group of Active Directory, and a read on one controller confirmed this. Another
// controller may list the person for hours (directory.Replicating). Until then, a read that shows the person does not
// mean that the person holds the license again.
func TestTakenInActiveDirectoryAWhileAgo(t *testing.T) {
	t.Parallel()
	idle := directory.ADUser{GUID: "g7", SID: "S-1-5-21-7", UserPrincipalName: "p@x.example", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(200)}
	r := world{ad: []directory.ADUser{idle}, citrix: []string{idle.SID}}.seal(t)
	for ago, again := range map[time.Duration]string{time.Hour: "", directory.Replicating: "", directory.Replicating + time.Second: "r0"} {
		judge, err := r.Judge(asOf)
		if err != nil {
			t.Fatal(err)
		}
		p, rule, taken := only(t, r, "p@x.example"), r.Policy.RuleNamed("citrix"), r.Begin.Read.Add(-ago)
		past := &history.Item{State: history.Taken, Run: "r0", Rule: "citrix", Via: plan.ADGroup, Began: taken, At: taken}
		if d := r.Decide(judge, rule, p, judge.Ask(rule, p), past, nil); d.HeldAgain != again {
			t.Errorf("taken %s ago: held again %q", ago, d.HeldAgain)
		}
	}
}
