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
		Person("u"), License("u", "l"), Entry("u", "l", 5),
	}
	want := []string{
		"runs/r/begin.json", "runs/r/manifest.json", "runs/r/entra/0007/a1.parquet", "runs/r/people/0007-0123456789abcdef.parquet", "runs/r/entra/calls/0012.json", "runs/r/ad/since.json", "runs/r/ad/input/one.json", "runs/relay-check/ad/probe.json", "runs/doctor-check/probe.json", "runs/doctor-check/once.json",
		"runs/r/mailboxes/a.jsonl.gz", "runs/r/usage/m365-a.bin", "runs/r/known/0003.gz", "runs/r/dateless/0003.jsonl.gz", "runs/r/history/a.jsonl.gz", "runs/r/history/freed-a.jsonl.gz", "runs/r/decisions/0003.jsonl.gz", "runs/r/plan.json", "runs/r/changes.csv", "runs/r/report.html", "runs/r/point.json", "runs/r/results/settled.json",
		"history/plans/r.json", "history/others/r.json", "history/overrides/r.json", "history/withdrawn/r.json", "history/backtests/r.json", "history/withdrawn/r/u.json",
		"ledger/u/", "ledger/u/l/", "ledger/u/l/000005.json",
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
