package apply

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// TestReportsAreReadAgain: apply reads the usage reports again and evaluates the rules with them. If a report is
// unhealthy now, only the rules that read it become undecided.
func TestReportsAreReadAgain(t *testing.T) {
	t.Parallel()
	const (
		rules = `
tenant: ` + tenant + `
mode: enforce
attributes: {copilotUse: copilot.lastActivity}
licenses: {e3: {sku: SPE_E3}, visio: {sku: VISIO, group: {entra: LIC-VISIO}}}
exempt: {groups: [{entra: LIC-Exempt}]}
rules:
  - {name: copilot, license: e3, when: copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue(), then: remove}
  - {name: visio, license: visio, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
`
		head  = "\ufeffReport Refresh Date,Report Period,User Principal Name,Display Name,Last Activity Date\r\n"
		other = "2026-11-21,180,busy@x.example,Busy,2026-11-20\r\n"
	)
	unused := plan.Change{User: "id-bo", Rule: "copilot", License: "e3", Via: plan.Direct}
	later := head + other + "2026-11-21,180,bo@x.example,Bo,2026-11-20\r\n"
	lost := func(t *testing.T, b *bench) {
		if err := store.PutBytes(t.Context(), b.Store, layout.Usage("run2", "copilot", "a"), []byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		change plan.Change
		report string
		newer  string                   // the report that a newer run read, if any
		stored func(*testing.T, *bench) // changes what that run stored
		want   runs.Status
		note   string
		wrote  []string
	}{
		"as planned":                   {unused, head + other + "2026-11-21,180,bo@x.example,Bo,\r\n", "", nil, runs.Done, "", []string{"ChangeLicenses id-bo -sku-e3"}},
		"used meanwhile":               {unused, head + other + "2026-11-21,180,BO@x.example,Bo,2026-11-20\r\n", "", nil, runs.Kept, "used Copilot 2 days ago", nil},
		"not in it any more":           {unused, head + other, "", nil, runs.Kept, "undecided: copilotUse is not known: the usage report does not have the person", nil},
		"refused":                      {unused, "", "", nil, runs.Kept, "undecided: copilotUse cannot be trusted: the usage report copilot: access refused", nil},
		"stalled":                      {unused, head + "2026-11-01,180,bo@x.example,Bo,\r\n", "", nil, runs.Kept, "undecided: copilotUse cannot be trusted: the usage report copilot: it is of 2026-11-01, 22 days old", nil},
		"without any date":             {unused, head + "2026-11-21,180,bo@x.example,Bo,\r\n", "", nil, runs.Kept, "the report has no Copilot activity date of any of 1 people", nil},
		"refused, another rule":        {freeAnna, "", "", nil, runs.Pending, "left the source group", []string{"RemoveMember g-visio id-anna"}},
		"a newer run saw a later day":  {unused, head + other + "2026-11-21,180,bo@x.example,Bo,\r\n", later, nil, runs.Kept, "undecided: copilotUse went back: an earlier usage report showed activity on 2026-11-20", nil},
		"a newer run saw no later day": {unused, head + other + "2026-11-21,180,bo@x.example,Bo,\r\n", head + other + "2026-11-21,180,bo@x.example,Bo,\r\n", nil, runs.Done, "", []string{"ChangeLicenses id-bo -sku-e3"}},
		"what a newer run saw is lost": {unused, head + other + "2026-11-21,180,bo@x.example,Bo,\r\n", later, lost, runs.Kept, "undecided: copilotUse cannot be trusted: what a newer run read is lost", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBenchOf(t, rules, tc.change)
			b.entra.users["id-bo"].UserPrincipalName, b.entra.users["id-bo"].Created = "bo@x.example", daysAgo(1000)
			if tc.newer != "" {
				b.entra.usage = map[string]string{"copilot": tc.newer}
				b.reports(t, "run2")
			}
			if tc.stored != nil {
				tc.stored(t, b)
			}
			b.entra.usage = map[string]string{"copilot": tc.report}
			b.apply(t, tc.want, tc.note)
			b.wrote(t, tc.wrote...)
		})
	}
}

// The method "reports" makes another run read the report on Copilot, after the plan was made.
func (b *bench) reports(t *testing.T, run string) {
	t.Helper()
	table, facts, err := usage.Read(t.Context(), b.entra, usage.Of([]directory.Signal{directory.CopilotUse})[0], asOf)
	if err != nil {
		t.Fatal(err)
	}
	text, err := table.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	key := layout.Usage(run, table.Report, "a")
	m := &snapshot.Manifest{Run: run, Reports: []usage.Reading{{Name: table.Report, Key: key, SHA256: hex.EncodeToString(sum[:]), Signals: facts}}}
	b.learns(t, run, asOf.Add(time.Minute), idle)
	if err := errors.Join(store.PutBytes(t.Context(), b.Store, key, text), snapshot.Seal(t.Context(), b.Store, m)); err != nil {
		t.Fatal(err)
	}
}
