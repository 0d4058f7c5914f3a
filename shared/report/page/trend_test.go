package page_test

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/browser/sample"
)

// TestTrendIsATable: the text alternative of the charts has a row for each run and a column for each figure.
func TestTrendIsATable(t *testing.T) {
	t.Parallel()
	n := sample.Night(1, 50, 5)
	if len(n.Trend) < 2 {
		t.Fatalf("%d runs are no trend", len(n.Trend))
	}
	main, _, _ := strings.Cut(written(t, n), "<template")
	_, section, _ := strings.Cut(main, `<section id="trend"`)
	section, _, _ = strings.Cut(section, "</section>")
	if charts := strings.Count(section, `<svg class="chart"`); charts != 4 {
		t.Errorf("%d charts, want 4", charts)
	}
	_, rows, _ := strings.Cut(section, "<tbody>")
	if got, want := strings.Count(rows, "<tr>"), len(n.Trend); got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
	if got, want := strings.Count(rows, `<td class="num">`), 4*len(n.Trend); got != want {
		t.Errorf("%d figures, want %d", got, want)
	}
}
