package collect

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const mailboxText = `
tenant: ` + tenant + `
licenses: {e3: {sku: SPE_E3}, exo: {sku: EXCHANGESTANDARD, mailboxQuota: 50}}
rules: [{name: m365, license: e3, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: {changeTo: exo}}]
`

// TestKindsOfMailboxesStay: in some nights, the mailbox usage report cannot be read or shows no kind of a known
// mailbox. The kinds that were known before stay, so a room does not become a person. The kinds in a later report
// replace them.
func TestKindsOfMailboxesStay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	box := func(name, kind string) directory.Mailbox {
		return directory.Mailbox{UserPrincipalName: name, Kind: kind}
	}
	room := map[string]string{"room@x.example": "Room"}
	for _, night := range []struct {
		run    string
		report []directory.Mailbox
		fail   error
		after  func() error // what happens after the run
		want   map[string]string
	}{
		{"r1", nil, errDown, nil, nil},
		{"r2", []directory.Mailbox{box("bo@x.example", "User"), box("Room@x.example", "Room")}, nil, nil, room},
		{"r3", nil, errDown, nil, room},
		{"r4", []directory.Mailbox{box("2A5F", "User"), box("7C1B", "Room")}, nil, nil, room},
		{"r5", []directory.Mailbox{box("bo@x.example", ""), box("room@x.example", "")}, nil, func() error {
			return store.PutBytes(t.Context(), b.Store, layout.Begin("r5"), []byte("{"))
		}, room},
		{"r6", nil, errDown, func() error {
			err := snapshot.PutBegin(t.Context(), b.Store, &snapshot.Begin{Run: "r6-copy", Partitions: 1, Copy: "r1", Mailboxes: &snapshot.Mailboxes{}})
			return errors.Join(err, history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: "r6-copy"}, true))
		}, room},
		{"r7", nil, errDown, func() error { // a run of an earlier version
			err := snapshot.PutBegin(t.Context(), b.Store, &snapshot.Begin{Run: "r7-old", Partitions: 1, Mailboxes: &snapshot.Mailboxes{Failed: "503"}})
			return errors.Join(err, history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: "r7-old"}, true))
		}, room},
		{"r7-z", nil, errDown, nil, room},
		{"r8", []directory.Mailbox{box("bo@x.example", "User"), box("room@x.example", "User")}, nil, nil, map[string]string{}},
		{"r9", nil, errDown, nil, nil},
	} {
		b.entra.mailboxes, b.entra.fail = night.report, fails{"Mailboxes": night.fail}
		got, err := b.Begin(t.Context(), Start{Run: night.run, AsOf: asOf, Policy: load(t, mailboxText), Text: mailboxText})
		if err != nil {
			t.Fatal(err)
		}
		if (got.Mailboxes.Failed != "") != (night.fail != nil) || (got.Mailboxes.Key == "") != (night.fail != nil) {
			t.Errorf("run %s: %+v", night.run, got.Mailboxes)
		}
		if d := cmp.Diff(night.want, got.Mailboxes.Kinds); d != "" {
			t.Errorf("kinds in run %s (-want +got):\n%s", night.run, d)
		}
		if err := history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: night.run}, true); err != nil {
			t.Fatal(err)
		}
		if night.after != nil {
			if err := night.after(); err != nil {
				t.Fatal(err)
			}
		}
	}
	in := Start{Run: "s1", AsOf: asOf, Policy: load(t, mailboxText), Text: mailboxText}
	b.Store = failing.Key(b.Store, layout.Begin("r9"))
	if _, err := b.Begin(t.Context(), in); !errors.Is(err, failing.Err) {
		t.Errorf("without the last run: %v", err)
	}
}

// TestKindsOfMailboxesStayWithoutARule: when the rule that needs the mailbox usage report is gone from the policy, runs
// read the report as long as it shows a room or a shared mailbox, which other rules may ask about.
func TestKindsOfMailboxesStayWithoutARule(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	unguarded := strings.Replace(mailboxText, ", mailboxQuota: 50", "", 1)
	box := func(name, kind string) directory.Mailbox {
		return directory.Mailbox{UserPrincipalName: name, Kind: kind}
	}
	room, both := map[string]string{"room@x.example": "Room"}, map[string]string{"room@x.example": "Room", "info@x.example": "Shared"}
	report := []directory.Mailbox{box("room@x.example", "Room"), box("info@x.example", "Shared")}
	for _, night := range []struct {
		run, text string
		report    []directory.Mailbox
		fail      error
		read      bool              // whether begin.json says something about the report
		want      map[string]string // the kinds that the run knows
	}{
		{"r1", unguarded, report, nil, false, nil},
		{"r2", mailboxText, report[:1], nil, true, room},
		{"r3", unguarded, report, nil, true, both},
		{"r4", unguarded, nil, errDown, true, both},
		{"r5", unguarded, []directory.Mailbox{box("room@x.example", "User")}, nil, true, map[string]string{}},
		{"r6", unguarded, report, nil, false, nil},
	} {
		b.entra.mailboxes, b.entra.fail = night.report, fails{"Mailboxes": night.fail}
		got, err := b.Begin(t.Context(), Start{Run: night.run, AsOf: asOf, Policy: load(t, night.text), Text: night.text})
		if err != nil {
			t.Fatal(err)
		}
		if (got.Mailboxes != nil) != night.read {
			t.Errorf("run %s: %+v", night.run, got.Mailboxes)
		} else if night.read {
			if d := cmp.Diff(night.want, got.Mailboxes.Kinds); d != "" {
				t.Errorf("kinds in run %s (-want +got):\n%s", night.run, d)
			}
		}
		if err := history.PutPlanned(t.Context(), b.Store, &history.Planned{Run: night.run}, true); err != nil {
			t.Fatal(err)
		}
	}
	b.Store = failing.Key(b.Store, layout.Begin("r5"))
	if _, err := b.Begin(t.Context(), Start{Run: "s1", AsOf: asOf, Policy: load(t, unguarded), Text: unguarded}); !errors.Is(err, failing.Err) {
		t.Errorf("without an earlier run: %v", err)
	}
}
