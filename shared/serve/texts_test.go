package serve

import (
	"testing"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/story"
)

// TestMadeKeysHaveTexts: the code makes some keys of texts from a name, for example the key of a stage of a run. Each
// of these keys must have a text in every language.
func TestMadeKeysHaveTexts(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, s := range []runs.Stage{runs.StageUnreadable, runs.StageReading, runs.StageDeciding, runs.StagePlanned, runs.StageApplying, runs.StageEnded} {
		keys = append(keys, "stage."+string(s), "stage."+string(s)+".about")
	}
	for _, s := range []story.State{story.Damaged, story.Pending, story.Taken, story.Announced, story.GivenBack, story.Cooling, story.Exempt, story.Undecided, story.Refused, story.Idle, story.Return, story.Kept, story.NotHeld} {
		keys = append(keys, "story."+string(s))
		if _, ok := tones[s]; !ok && s != story.NotHeld {
			t.Errorf("the state %s has no colour", s)
		}
	}
	for _, o := range []ledger.Outcome{ledger.Done, ledger.Announced, ledger.Unsure, ledger.RolledBack, ledger.Failed, ledger.Restored} {
		keys = append(keys, "ended."+string(o))
	}
	for _, about := range []story.About{story.Why, story.Next, story.Before, story.ToDo} {
		keys = append(keys, "about."+string(about))
	}
	for _, v := range []plan.Verdict{plan.Apply, plan.Review, plan.Hold, plan.Nothing} {
		keys = append(keys, "verdict."+string(v))
	}
	for _, m := range []policy.Mode{policy.Audit, policy.Review, policy.Enforce} {
		keys = append(keys, "mode."+string(m))
	}
	for _, why := range []string{"host", "method", "foreign", "key"} {
		keys = append(keys, "refusal."+why)
	}
	for _, title := range []string{"missing", "unfinished", "question", "damaged", "failed"} {
		keys = append(keys, "message."+title, "message."+title+".about")
	}
	for _, lang := range page.Langs {
		for _, key := range keys {
			if !page.In(lang).Has(key) {
				t.Errorf("%s: the key %s has no text", lang, key)
			}
		}
	}
}
