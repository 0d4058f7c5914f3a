package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func whole(x float64) string { return fmt.Sprintf("%.0f", x) }

func TestTicks(t *testing.T) {
	t.Parallel()
	for most, want := range map[float64][]float64{
		1: {0, 1}, 3: {0, 1, 2, 3}, 4: {0, 1, 2, 3, 4}, 5: {0, 2, 4, 6}, 41: {0, 20, 40, 60}, 100: {0, 50, 100}, 3844: {0, 1000, 2000, 3000, 4000}, 1_000_000: {0, 500_000, 1_000_000},
	} {
		if d := cmp.Diff(want, ticks(most)); d != "" {
			t.Errorf("%g (-want +got):\n%s", most, d)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values []float64
		top    float64
		isCut  bool
	}{
		"nothing":                  {nil, 1, false},
		"one bar":                  {[]float64{80}, 80, false},
		"alike":                    {[]float64{10, 20, 30}, 30, false},
		"one towers":               {[]float64{900, 100, 90}, 120, true},
		"two tower":                {[]float64{900, 500, 100}, 120, true},
		"exactly four times":       {[]float64{400, 100, 100}, 400, false},
		"two of very unlike sizes": {[]float64{3844, 380, 70}, 84, true},
	} {
		top, isCut := cut(c.values)
		if top != c.top || isCut != c.isCut {
			t.Errorf("%s: up to %g, cut %t; want %g, %t", name, top, isCut, c.top, c.isCut)
		}
	}
}

// TestDrawing parses drawings of hostile texts as XML.
func TestDrawing(t *testing.T) {
	t.Parallel()
	hostile := `</svg><script>&"'`
	columns := Columns{
		ID: "c", Title: hostile, Description: hostile, Across: hostile, Up: hostile, Mark: 1, MarkLabel: hostile, Number: whole,
		Bars: []Bar{{Label: hostile, Tick: hostile, Value: 900}, {Label: "b", Value: 3, Class: hostile}, {Label: "c", Tick: "c", Value: 2, Apart: true}},
	}
	line := Line{ID: "l", Title: hostile, Description: hostile, Across: hostile, Up: hostile, Number: whole,
		Points: []Point{{At: 0, Label: hostile, Tick: hostile, Value: 1, Class: hostile}, {At: 1, Label: "b", Value: 5}}}
	for name, drawing := range map[string]string{"columns": string(columns.SVG()), "line": string(line.SVG()), "no bars": string((&Columns{Number: whole}).SVG()), "no points": string((&Line{Number: whole}).SVG()), "share": string(Share(0.5, hostile)), "table": string(Table([]string{hostile, hostile}, [][]string{{hostile, hostile}}))} {
		titles := 0
		for d := xml.NewDecoder(strings.NewReader(drawing)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, drawing)
			}
			if e, ok := token.(xml.StartElement); ok {
				if e.Name.Local == "script" {
					t.Errorf("%s: a text became an element", name)
				}
				if e.Name.Local == "title" {
					titles++
				}
			}
		}
		if name != "share" && name != "table" && titles == 0 {
			t.Errorf("%s has no title", name)
		}
	}
}

func TestShareIsNeverWiderThanItsPlace(t *testing.T) {
	t.Parallel()
	for fraction, want := range map[float64]string{0.5: `width="50%"`, 2: `width="100%" height="100%" rx="3"/></svg>`, 0.0001: `width="0.4%"`} {
		if got := string(Share(fraction, "stage")); !strings.Contains(got, want) {
			t.Errorf("%g: %s lacks %s", fraction, got, want)
		}
	}
	if got := string(Share(0, "stage")); strings.Contains(got, "stage") {
		t.Errorf("nothing has a bar: %s", got)
	}
}
