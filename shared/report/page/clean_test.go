package page

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/report"
)

func TestClean(t *testing.T) {
	t.Parallel()
	type inner struct {
		Text string
		At   time.Time
	}
	type outer struct {
		Texts  []string
		Map    map[string]inner
		To     *inner
		None   *inner
		Number int
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	dirty := outer{Texts: []string{"a\u202eb", "Åsa"}, Map: map[string]inner{"k\x00": {"x\ny", at}}, To: &inner{"\u200fz", at}, Number: 7}
	want := outer{Texts: []string{"a\ufffdb", "Åsa"}, Map: map[string]inner{"k\ufffd": {"x\ufffdy", at}}, To: &inner{"\ufffdz", at}, Number: 7}
	if d := cmp.Diff(want, Clean(dirty)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if dirty.Texts[0] != "a\u202eb" || dirty.To.Text != "\u200fz" {
		t.Error("Clean changed its argument")
	}
}

func TestInStore(t *testing.T) {
	t.Parallel()
	n := &report.Night{Changes: report.List[report.Row]{Rows: []report.Row{{Note: "pending: run R began it; `idleseat apply R` finishes it"}}}}
	placed := InStore(*n, "/srv/idle seat")
	if got, want := placed.Changes.Rows[0].Note, "pending: run R began it; `idleseat apply R --store '/srv/idle seat'` finishes it"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := InStore(*n, ""); cmp.Diff(*n, got) != "" || strings.Contains(n.Changes.Rows[0].Note, "--store") {
		t.Errorf("without a store: %+v; the argument: %+v", got.Changes, n.Changes)
	}
}
