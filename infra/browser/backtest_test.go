package browser_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/idleseat/idleseat/infra/browser"
	"github.com/idleseat/idleseat/infra/browser/sample"
	"github.com/idleseat/idleseat/shared/workflow/backtest/lookback"
)

func TestBacktestShows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backtest.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := lookback.Write(f, sample.Backtest(5000)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: path}).String()
	b := browser.Start(t)
	for name, view := range map[string]browser.View{
		"wide": browser.Wide, "narrow": browser.Narrow, "narrow-dark-swedish": {Width: 380, Height: 800, Dark: true, Lang: "sv-SE"},
	} {
		t.Run(name, func(t *testing.T) {
			tab := b.Open(t, address, view)
			tab.Shot("backtest-" + name)
			if wide := browser.Eval[int64](tab, `document.documentElement.scrollWidth`); wide > view.Width {
				t.Errorf("the page is %d pixels wide in a window of %d", wide, view.Width)
			}
			if got := browser.Eval[string](tab, `document.querySelector('[data-table="backtest"] [role=status]').textContent`); got == "" {
				t.Error("the table of departments does not work")
			}
			tab.Accessible(t)
			tab.Quiet(address)
		})
	}
}
