package layout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKeysStayAsTheyAre: a key of the store must not change, because existing runs use it, and the permissions of
// deployed functions name it.
func TestKeysStayAsTheyAre(t *testing.T) {
	t.Parallel()
	got := []string{
		Begin("r"), Manifest("r"), Part("r", "entra", 7, "a1"), Table("r", "people", 7, "0123456789abcdef0123"), EntraCall("r", 12), Since("r"), Input("r", "one"), Probe(), DoctorProbe(), DoctorOnce(),
		Mailboxes("r", "a"), Usage("r", "m365", "a"), Known("r", 3), ActivityGaps("r", 3), History("r", "a"), Freed("r", "a"), Decisions("r", 3), Plan("r"), Changes("r"), Report("r"), Point("r"), Result("r", "settled"),
		Noted(Plans, "r"), Noted(Others, "r"), Noted(Overrides, "r"), Noted(Withdrawn, "r"), Noted(Backtests, "r"), Stop("r", "u"),
		Person("u"), License("u", "l"), Entry("u", "l", 5), Beside("u", "l", 5, InTarget), Beside("u", "l", 5, Done), Beside("u", "l", 5, Second), Beside("u", "l", 5, Nth(ADGone, 1)), Beside("u", "l", 5, Nth(ADGone, 2)),
		Everyone("r", 2), Evidence("r", "0003", "2-a"), Written("r", "0003", "2-a"),
	}
	want := []string{
		"runs/r/begin.json", "runs/r/manifest.json", "runs/r/entra/0007/a1.parquet", "runs/r/people/0007-0123456789abcdef.parquet", "runs/r/entra/calls/0012.json", "runs/r/ad/since.json", "runs/r/ad/input/one.json", "runs/relay-check/ad/probe.json", "runs/doctor-check/probe.json", "runs/doctor-check/once.json",
		"runs/r/mailboxes/a.jsonl.gz", "runs/r/usage/m365-a.bin", "runs/r/known/0003.gz", "runs/r/dateless/0003.jsonl.gz", "runs/r/history/a.jsonl.gz", "runs/r/history/freed-a.jsonl.gz", "runs/r/decisions/0003.jsonl.gz", "runs/r/plan.json", "runs/r/changes.csv", "runs/r/report.html", "runs/r/point.json", "runs/r/results/settled.json",
		"history/plans/r.json", "history/others/r.json", "history/overrides/r.json", "history/withdrawn/r.json", "history/backtests/r.json", "history/withdrawn/r/u.json",
		"ledger/u/", "ledger/u/l/", "ledger/u/l/000005.json", "ledger/u/l/000005.in-target.json", "ledger/u/l/000005.done.json", "ledger/u/l/000005.second-try.json", "ledger/u/l/000005.ad-gone.json", "ledger/u/l/000005.ad-gone-2.json",
		"runs/r/ad/2.json", "runs/r/ad/evidence/0003/2-a.json", "runs/r/ad/results/0003/2-a.json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestIsLinePart(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{"runs/r/ad/0000/1.jsonl.gz": true, Part("r", "ad", 0, "1"): false} {
		if IsLinePart(key) != want {
			t.Errorf("IsLinePart(%q) = %v", key, !want)
		}
	}
}

func TestIsRun(t *testing.T) {
	t.Parallel()
	for folder, want := range map[string]bool{"20261123T020000Z-1a2b3c4d": true, "r": true, "lease": false, "relay-check": false, "doctor-check": false} {
		if IsRun(folder) != want {
			t.Errorf("IsRun(%q) = %v", folder, !want)
		}
	}
}

func TestSeqIn(t *testing.T) {
	t.Parallel()
	type parts struct {
		Seq           int
		Beside, Known bool
	}
	for name, want := range map[string]parts{
		"000005.json": {5, false, true}, "000005.in-target.json": {5, true, true}, "1000000.json": {1000000, false, true},
		"5.json": {}, "0000005.json": {}, "000005": {}, "000005.Done.json": {}, "x000005.json": {}, "99999999999999999999.json": {},
	} {
		var got parts
		if got.Seq, got.Beside, got.Known = SeqIn(name); got != want {
			t.Errorf("SeqIn(%q) = %+v, want %+v", name, got, want)
		}
	}
}

func TestNameIn(t *testing.T) {
	t.Parallel()
	if run := NameIn(Plans, Noted(Plans, "r")); run != "r" {
		t.Errorf("run %q", run)
	}
	if person := NameIn(Stopped("r"), Stop("r", "u")); person != "u" {
		t.Errorf("person %q", person)
	}
}
