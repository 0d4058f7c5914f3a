package decision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

type csv string

func (c csv) Report(_ context.Context, _ string, _ []string, read func(io.Reader) error) error {
	return read(strings.NewReader(string(c)))
}

// reported returns a usage report of Copilot and the stored form of its table. In the report, p@x.example last used
// Copilot 105 days before asOf, and busy@x.example three days before asOf.
func reported(t *testing.T, key string) (usage.Reading, []byte) {
	t.Helper()
	text := csv(`Report Refresh Date,User Principal Name,Report Period,Is Deleted,Last Activity Date
2026-11-21,p@x.example,180,False,2026-08-10
2026-11-21,busy@x.example,180,False,2026-11-20
2026-11-21,cloud@x.example,180,False,2026-08-10
2026-11-21,both@x.example,180,False,2026-08-10
2026-11-21,busy-cloud@x.example,180,False,2026-11-20
2026-11-21,never@x.example,180,False,
2026-11-21,listed-name@x.example,180,False,2026-08-10
`)
	of := usage.Of([]directory.Signal{directory.CopilotUse})[0]
	table, facts, err := usage.Read(t.Context(), text, of, asOf)
	if err != nil {
		t.Fatal(err)
	}
	object, err := table.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(object)
	return usage.Reading{Name: of.Name, Key: key, SHA256: hex.EncodeToString(sum[:]), Signals: facts}, object
}

func withCopilot(t *testing.T, text string) string {
	t.Helper()
	text = replaceOnce(t, text, "when: AzureAdSistaLogon.earlierThan(now - days(90))", "when: copilot.earlierThan(now - days(90))")
	if !strings.Contains(text, "attributes: {") {
		return text + "attributes: {copilot: copilot.lastActivity}\n"
	}
	return strings.Replace(text, "attributes: {", "attributes: {copilot: copilot.lastActivity, ", 1)
}

// A date of a usage report counts only if the report was read and its signal is healthy.
func TestReportsOfARun(t *testing.T) {
	t.Parallel()
	const key = "runs/run/usage/copilot"
	reading, object := reported(t, key)
	late := reading
	late.Signals = map[string]usage.Facts{}
	for name, facts := range reading.Signals {
		facts.Failed = "the report is of last month"
		late.Signals[name] = facts
	}
	edited := withCopilot(t, text)
	for name, tc := range map[string]struct {
		policy   string
		readings []usage.Reading
		object   string
		outcome  policy.Outcome
		state    plan.FeedState
		reason   string // a part of the reason for the state
		err      error
	}{
		"read":                  {edited, []usage.Reading{reading}, string(object), policy.Reclaim, plan.Healthy, "", nil},
		"not trusted":           {edited, []usage.Reading{late}, string(object), policy.Undecided, plan.Unhealthy, "the report is of last month", nil},
		"not read":              {edited, nil, "", policy.Undecided, plan.Unhealthy, "its usage report was not read", nil},
		"failed, without table": {edited, []usage.Reading{{Name: "copilot", Failed: "403"}}, "", policy.Undecided, plan.Unhealthy, "403", nil},
		"another has no table":  {edited, []usage.Reading{{Name: "m365", Failed: "403"}, reading}, string(object), policy.Reclaim, plan.Healthy, "", nil},
		"the table is damaged":  {edited, []usage.Reading{reading}, "half", 0, plan.Healthy, "", store.ErrDamaged},
		"the table is gone":     {edited, []usage.Reading{reading}, "", 0, plan.Healthy, "", store.ErrNotFound},
		"no rule reads it":      {text, nil, "", policy.Reclaim, "", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := holder()
			w.policy, w.manifest = tc.policy, func(m *snapshot.Manifest) { m.Reports = tc.readings }
			r := w.seal(t)
			if tc.object != "" {
				if err := store.PutBytes(t.Context(), r.store, key, []byte(tc.object)); err != nil {
					t.Fatal(err)
				}
			}
			if f := r.Feeds[directory.CopilotUse]; f.State != tc.state || !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("%s: %s", f.State, f.Reason)
			}
			var h directory.Accounts
			if err := r.Read(t.Context(), 0, &h); !errors.Is(err, tc.err) || (err != nil) != (tc.err != nil) {
				t.Fatalf("read: %v", err)
			}
			if tables, err := r.Reports(); !errors.Is(err, tc.err) || tc.object != "" && tc.err == nil && len(tables) != 1 {
				t.Errorf("%d tables, %v", len(tables), err)
			}
			if tc.err != nil {
				return
			}
			if got := r.asked(t, "m365-long"); got.Outcome != tc.outcome {
				t.Errorf("%s: %s", got.Outcome, got.Reason)
			}
		})
	}
}
