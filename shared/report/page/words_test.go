package page

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/browser/sample"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/story/reason"
)

var places = regexp.MustCompile(`%(?:\[\d\])?s|%\d`)

func TestEveryTextIsInBothLanguages(t *testing.T) {
	t.Parallel()
	if d := cmp.Diff(slices.Sorted(maps.Keys(english)), slices.Sorted(maps.Keys(swedish))); d != "" {
		t.Errorf("keys (-English +Swedish):\n%s", d)
	}
	for key, text := range english {
		in := func(s string) []string { return slices.Sorted(slices.Values(places.FindAllString(s, -1))) }
		if d := cmp.Diff(in(text), in(swedish[key])); d != "" {
			t.Errorf("places of %s (-English +Swedish):\n%s", key, d)
		}
		if text == "" || swedish[key] == "" {
			t.Errorf("%s has an empty text", key)
		}
	}
}

// TestKeysInUse: each key that templates, scripts and code use has a text. Otherwise a page would show the key. Each
// text is used.
func TestKeysInUse(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	// Other packages use the texts for their pages.
	for _, root := range []string{".", "../../serve", "../../workflow/backtest/lookback"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || path == "english.go" || path == "backtest.go" || path == "remedies.go" || path == "swedish.go" || path == "englishserve.go" || path == "swedishserve.go" {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	text := all.String()
	for _, found := range regexp.MustCompile(`\b(?:T|Count)\(? ?"([a-z][A-Za-z]*\.[A-Za-z.]*[A-Za-z])"`).FindAllStringSubmatch(text, -1) {
		if english[found[1]] == "" && english[found[1]+".one"] == "" {
			t.Errorf("the key %s has no text", found[1])
		}
	}
	for key := range english {
		prefix, _, _ := strings.Cut(key, ".")
		if slices.Contains([]string{"table", "col", "via", "status", "feed", "kind", "remedy", "how", "trend", "left", "outcome", "stage", "refusal", "message", "story", "ended", "verdict", "mode", "about"}, prefix) {
			continue // the code builds the key from a name; the tests below check each such key
		}
		if base := strings.TrimSuffix(strings.TrimSuffix(key, ".many"), ".one"); !strings.Contains(text, `"`+base+`"`) && !strings.HasPrefix(key, "js.page.") {
			t.Errorf("nothing names the key %s", key)
		}
	}
}

func TestMadeKeys(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, table := range tablesOf(sample.Night(1, 5000, 100)).Tables {
		keys = append(keys, "table."+table.ID)
		for _, c := range table.Columns {
			keys = append(keys, "col."+c.Name)
		}
	}
	for _, s := range []runs.Status{runs.Done, runs.Announced, runs.Pending, runs.Kept, runs.Refused, runs.Failed} {
		keys = append(keys, "status."+string(s))
	}
	for _, v := range plan.Targets() {
		keys = append(keys, "via."+string(v))
	}
	for _, s := range []plan.FeedState{plan.Healthy, plan.Unhealthy, plan.Absent} {
		keys = append(keys, "feed."+string(s))
	}
	for _, r := range reason.Remedies() {
		keys = append(keys, "remedy."+r)
	}
	for _, name := range []string{"exempt", "notAsked", "notAskedOrUndecided", "active", "activeOrUndecided", "unclear", "undecided", "refused", "deferred", "announced", "notDone", "other"} {
		keys = append(keys, "left."+name)
	}
	for _, key := range keys {
		if english[key] == "" {
			t.Errorf("the key %s has no text", key)
		}
	}
}

func TestNumbersAndDates(t *testing.T) {
	t.Parallel()
	en, sv := In(English), In(Swedish)
	day := time.Date(2026, 3, 9, 23, 30, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct{ got, want string }{
		{en.N(1234567), "1,234,567"}, {sv.N(1234567), "1\u00a0234\u00a0567"}, {en.N(-1000), "−1,000"}, {en.N(999), "999"},
		{en.F(1234.5, 2), "1,234.50"}, {sv.F(1234.5, 2), "1\u00a0234,50"},
		{en.Amount(12.5), "12.50"}, {en.Amount(12), "12"}, {en.Amount(1234.56), "1,235"},
		{en.Percent(1, 0), "–"}, {en.Percent(1, 3), "33\u00a0%"}, {sv.Percent(1, 30), "3,3\u00a0%"}, {en.Percent(1, 1_000_000), "< 0.1\u00a0%"}, {en.Percent(999, 1000), "99.9\u00a0%"},
		{en.Day(day), "9\u00a0Mar\u00a02026"}, {sv.Moment(day), "9\u00a0mars\u00a02026, 22:30\u00a0UTC"}, {en.Day(time.Time{}), "–"},
		{en.Count("figure.seat", 1), "1 seat"}, {en.Count("figure.seat", 2000), "2,000 seats"},
		{age(en, day.Add(-30*time.Minute), day), "less than an hour old"}, {age(en, day.Add(-time.Hour), day), "1 hour old"}, {age(sv, day.Add(-50*time.Hour), day), "2 dagar gammalt"},
		{age(en, day.Add(-71*time.Hour), day), "3 days old"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestLangOf(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]Lang{"": English, "sv": Swedish, "sv-SE,sv;q=0.9,en;q=0.8": Swedish, "de, sv-FI;q=0.5": Swedish, "en-GB": English, "de": English, ";,-": English} {
		if got := LangOf(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	settled := func(s map[runs.Status]int) *report.Settled { return &report.Settled{At: sample.AsOf, Statuses: s} }
	stopped := func(s map[runs.Status]int) *report.Settled {
		return &report.Settled{At: sample.AsOf, Statuses: s, Refused: "expired", Begun: true}
	}
	overridden := settled(map[runs.Status]int{runs.Done: 9, runs.Pending: 1})
	overridden.Override = "H"
	for name, c := range map[string]struct {
		night           report.Night
		tone, head, cmd string
	}{
		"held by limits":  {report.Night{Run: "R", PlanHash: "H", Verdict: plan.Hold, Overridable: true}, "warn", "On hold", "idleseat apply R --override-limits H"},
		"held in audit":   {report.Night{Run: "R", PlanHash: "H", Mode: policy.Audit, Verdict: plan.Hold, Overridable: true}, "warn", "On hold", "idleseat plan"},
		"held by health":  {report.Night{Run: "R", Verdict: plan.Hold}, "warn", "On hold", "idleseat plan"},
		"nothing":         {report.Night{Verdict: plan.Nothing}, "good", "Nothing to do", ""},
		"audit":           {report.Night{Run: "R", Mode: policy.Audit, Verdict: plan.Review}, "info", "Only looking", "idleseat plan"},
		"review":          {report.Night{Run: "R", Mode: policy.Review, Verdict: plan.Review}, "info", "Waits for approval", "idleseat apply R"},
		"apply":           {report.Night{Run: "R", Mode: policy.Enforce, Verdict: plan.Apply}, "info", "Ready to apply", "idleseat apply R"},
		"done":            {report.Night{Run: "R", Verdict: plan.Apply, Settled: settled(map[runs.Status]int{runs.Done: 3})}, "good", "Done", "idleseat restore --run R"},
		"restored":        {report.Night{Run: "X", Restores: "R", Verdict: plan.Review, Settled: settled(map[runs.Status]int{runs.Done: 3})}, "good", "Done", ""},
		"failed":          {report.Night{Run: "R", Settled: settled(map[runs.Status]int{runs.Done: 3, runs.Failed: 1})}, "bad", "Done, with failures", "idleseat restore --run R"},
		"pending":         {report.Night{Run: "R", Settled: settled(map[runs.Status]int{runs.Pending: 1})}, "warn", "Not finished", "idleseat apply R"},
		"in a deployment": {report.Night{Run: "R", PlanHash: "H", Deployment: "prod", Verdict: plan.Review}, "info", "Waits for approval", "idleseat approve R H --aws prod"},
		"held there":      {report.Night{Run: "R", PlanHash: "H", Deployment: "prod", Verdict: plan.Hold, Overridable: true}, "warn", "On hold", "idleseat approve R H --aws prod --override-limits"},
		"audit there":     {report.Night{Run: "R", Deployment: "prod", Mode: policy.Audit, Verdict: plan.Review}, "info", "Only looking", "idleseat plan --aws prod"},
		"pending there":   {report.Night{Run: "R", PlanHash: "H", Deployment: "prod", Settled: settled(map[runs.Status]int{runs.Pending: 1})}, "warn", "Not finished", "idleseat approve R H --aws prod"},
		"pending, held":   {report.Night{Run: "R", PlanHash: "H", Deployment: "prod", Verdict: plan.Hold, Overridable: true, Settled: overridden}, "warn", "Not finished", "idleseat approve R H --aws prod --override-limits"},
		"pending, here":   {report.Night{Run: "R", PlanHash: "H", Verdict: plan.Hold, Overridable: true, Settled: overridden}, "warn", "Not finished", "idleseat apply R --override-limits H"},
		"pending, plain":  {report.Night{Run: "R", PlanHash: "H", Verdict: plan.Hold, Overridable: true, Settled: settled(map[runs.Status]int{runs.Pending: 1})}, "warn", "Not finished", "idleseat apply R"},
		"done there":      {report.Night{Run: "R", Deployment: "a b", Settled: settled(map[runs.Status]int{runs.Done: 1})}, "good", "Done", "idleseat restore --run R --aws 'a b'"},
		"stopped at last": {report.Night{Run: "R", Settled: &report.Settled{Refused: "expired"}}, "bad", "Stopped by a safety check", "idleseat plan"},
		"stopped midway":  {report.Night{Run: "R", Settled: stopped(map[runs.Status]int{runs.Done: 90, runs.Pending: 10})}, "bad", "Stopped by a safety check", "idleseat restore --run R"},
		"stopped, begun":  {report.Night{Run: "R", Deployment: "prod", Settled: stopped(map[runs.Status]int{runs.Pending: 10})}, "bad", "Stopped by a safety check", "idleseat restore --run R --aws prod"},
		"stopped, ended":  {report.Night{Run: "R", Settled: stopped(map[runs.Status]int{runs.Done: 3})}, "good", "Done", "idleseat restore --run R"},
		"stopped restore": {report.Night{Run: "X", Restores: "R", Settled: stopped(map[runs.Status]int{runs.Done: 1, runs.Pending: 1})}, "bad", "Stopped by a safety check", "idleseat apply X"},
	} {
		s := newState(In(English), &c.night)
		if got := strings.Join(s.Commands, "\n"); s.Tone != c.tone || s.Headline != c.head || got != c.cmd {
			t.Errorf("%s: %s, %s, %s; want %s, %s, %s", name, s.Tone, s.Headline, got, c.tone, c.head, c.cmd)
		}
		if begun := c.night.Settled != nil && c.night.Settled.Begun; begun && (strings.Contains(s.Lead, "Nobody lost") || len(s.Statuses) == 0) {
			t.Errorf("%s: %q, statuses %v", name, s.Lead, s.Statuses)
		}
	}
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	r := &report.Rule{Name: "r", Threshold: 60, Idled: make([]int, 366)}
	for d := range r.Idled {
		r.Idled[d] = 2
	}
	h := histogram(In(English), r, "x")
	under, over, total := 0.0, 0.0, 0.0
	for i, b := range h.Bars {
		total += b.Value
		switch {
		case b.Class == "over":
			over += b.Value
		default:
			under += b.Value
		}
		if (i < h.Mark) != (b.Class == "under") {
			t.Errorf("bar %d (%s) is %s, and the threshold is after bar %d", i, b.Label, b.Class, h.Mark)
		}
	}
	if under != 120 || over != 612 || total != 732 || len(h.Bars) > mostBars+1 {
		t.Errorf("%g under, %g over, %g in all, in %d bars; want 120, 612, 732, at most %d", under, over, total, len(h.Bars), mostBars+1)
	}
	for threshold := range 400 {
		if width := barWidth(365, threshold); threshold%width != 0 {
			t.Errorf("threshold %d lies within a bar of %d days", threshold, width)
		}
	}
}

// TestFunnel: the page shows the holders of a rule in stages, each with fewer people. The people of a stage are those
// of the next stage and those whom the page lists as leaving between the two.
func TestFunnel(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Rule{
		"all decided":    {Holders: 100, Exempt: 5, Asked: 80, Keep: 85, Idle: 10, Refused: 2, Deferred: 3, Announced: 1, Changed: 4},
		"some undecided": {Holders: 4016, Exempt: 83, Asked: 3513, Keep: 3671, Idle: 241, Undecided: 21, Refused: 15, Changed: 226},
		"known where":    {Holders: 4016, Exempt: 83, Asked: 3513, Keep: 3671, Idle: 241, Undecided: 21, UndecidedHolders: 19, UndecidedAsked: 12, Refused: 15, Changed: 226},
		"some not done":  {Holders: 100, Asked: 100, Keep: 80, Idle: 20, Refused: 2, Changed: 11},
		"nobody":         {},
	} {
		steps := newRuleView(In(English), &report.Night{}, &r, 0).Steps
		for i, s := range steps[:len(steps)-1] {
			rest := s.Count
			for _, l := range s.Left {
				rest -= l.Count
			}
			if rest != steps[i+1].Count {
				t.Errorf("%s: after %s %d remain, and %s has %d", name, s.Name, rest, steps[i+1].Name, steps[i+1].Count)
			}
		}
	}
}
