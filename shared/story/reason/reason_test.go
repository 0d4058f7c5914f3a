package reason_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/story/reason"
)

func TestParts(t *testing.T) {
	t.Parallel()
	type part struct{ Code, English, Swedish string }
	for text, want := range map[string][]part{
		`undecided: site has no value, and the condition does not say what holds then; add && site != "" to leave such people alone, or || site == "" to mean them, too; hired and created were not read`: {
			{"emptyText", "site has no value, and the rule does not say what holds then", "site saknar värde, och regeln säger inte vad som gäller då"},
			{"notRead", "hired and created were not read", "hired och created har inte lästs"},
		},
		"license citrix is not known: member of ad:CN=C or not, two Entra accounts carry the same SID": {
			{"sameSID", "whether the person is a member of ad:CN=C is not known: two Entra accounts carry the same SID", "om personen är medlem i ad:CN=C är okänt: två Entra-konton har samma SID"},
		},
		"AzureAdSistaLogon cannot be trusted: the newest sign-in date of anybody is 2026-11-20T02:00:00Z, 9 days before the planning instant: the feed has stalled": {
			{"feedStalled", "no sign-in of anyone has been recorded since 2026-11-20 (9 days before this plan), so the sign-in data seem to have stopped", "ingen inloggning har registrerats för någon sedan 2026-11-20 (9 dagar före planen), så uppgifterna verkar ha slutat komma"},
		},
		"failed in the last run: Graph answered 403; no longer held; tried again from 2026-12-03 on": {
			{"setback", "failed in the last run: Graph answered 403; no longer held; tried again from 2026-12-03 on", "failed in the last run: Graph answered 403; no longer held; nytt försök från och med 2026-12-03"},
		},
		// The text in quotation marks is a name, so it contains no causes.
		`held through the group "x; damaged ledger: \"; no longer held; $1", which is not entra:A of the policy`: {
			{"otherGroup", `it comes from the group "x; damaged ledger: \"; no longer held; $1", and the policy names the group entra:A`, `den kommer från gruppen "x; damaged ledger: \"; no longer held; $1", och policyn anger gruppen entra:A`},
		},
		"what a later version says; and more of it": {{"", "what a later version says; and more of it", "what a later version says; and more of it"}},
		"x is not known: what a later version says": {{"notKnown", "x is not known: what a later version says", "x är okänt: what a later version says"}},
		"": {{}},
	} {
		var got []part
		for _, p := range reason.Parts(text) {
			got = append(got, part{p.Code, p.In(reason.English), p.In(reason.Swedish)})
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
	}
}

// TestNounOfEverySignal: the Swedish text of a reason about the dates of a signal contains no English word. This holds
// for every signal.
func TestNounOfEverySignal(t *testing.T) {
	t.Parallel()
	for s := range directory.Signal(directory.Signals) {
		text := "x cannot be trusted: every " + s.Date() + " date lies in the future"
		if words := reason.Words(reason.Swedish, text); strings.Contains(words, "activity") || strings.Contains(words, "sign-in") || !strings.Contains(words, "i framtiden") {
			t.Errorf("%s: %s", s, words)
		}
	}
}

// TestOf: if a reason has several causes, the cause whose remedy comes first in the variable "remedies" counts.
func TestOf(t *testing.T) {
	t.Parallel()
	const several = "undecided: x was not read; y cannot be trusted: a date of the account lies in the future"
	if code, remedy := reason.Of(several); code != "dateInFuture" || remedy != "future" {
		t.Errorf("code %q, remedy %q", code, remedy)
	}
	if code, remedy := reason.Of("nothing known"); code != "" || remedy != "" {
		t.Errorf("a text without a form has the code %q", code)
	}
}

func BenchmarkParts(b *testing.B) {
	for b.Loop() {
		for text := range stored {
			reason.Parts(text)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(stored)), "ns/reason")
}
