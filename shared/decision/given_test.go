package decision

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// One rule gave a license in exchange for another one. A second rule takes the new license only when the person has
// been idle since the exchange for all the days that the second rule requires.
func TestJustGiven(t *testing.T) {
	t.Parallel()
	const exoRule = "\n  - {name: exo-idle, license: exo, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}\n"
	for name, tc := range map[string]struct {
		days int // days since E3 was changed
		to   string
		want policy.Outcome
		why  string
	}{
		"last night":        {1, "exo", policy.Keep, "cooling down: given in place of e3 on 2026-11-22, and not taken again before"},
		"60 days ago":       {60, "exo", policy.Keep, "cooling down: given in place of e3 on 2026-09-24"},
		"61 days ago":       {61, "exo", policy.Reclaim, ""},
		"something else":    {1, "", policy.Reclaim, ""},
		"given long before": {400, "exo", policy.Reclaim, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exo := directory.Assignment{SKU: "sku-exo", Group: "g-exo", State: "Active"}
			r := world{entra: []directory.EntraUser{accountOf("p", 200, exo), accountOf("busy", 1)}}.seal(t)
			book := ledger.In(r.store)
			e, err := book.Begin(t.Context(), ledger.Intent{Person: "id-p", License: "e3", Run: "r0", Rule: "m365", To: tc.to, Via: "entra-group", At: daysAgo(tc.days)}, nil)
			if err == nil {
				err = book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: daysAgo(tc.days)})
			}
			if err != nil {
				t.Fatal(err)
			}
			key, err := history.MakeDigest(t.Context(), r.store, "run", asOf)
			if err != nil {
				t.Fatal(err)
			}
			if r.History, err = history.Load(t.Context(), r.store, &snapshot.Manifest{Run: "run", History: key}); err != nil {
				t.Fatal(err)
			}
			if r.Policy, err = policy.Load("p", []byte(strings.TrimRight(text, "\n")+exoRule)); err != nil {
				t.Fatal(err)
			}
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("exo-idle")
			d := r.Decide(judge, rule, p, judge.Ask(rule, p), nil, nil)
			if d.Outcome != tc.want || (tc.why == "") != (d.Refused == "") || !strings.HasPrefix(d.Refused, tc.why) {
				t.Errorf("outcome %s, refused %q; want %s, %q", d.Outcome, d.Refused, tc.want, tc.why)
			}
		})
	}
}
