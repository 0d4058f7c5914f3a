package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

var idle = time.Date(2026, 9, 14, 9, 0, 0, 0, time.UTC)

func open(t *testing.T) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newPlan(changes ...plan.Change) *plan.Plan {
	return &plan.Plan{Run: "run", Currency: "SEK", Changes: changes}
}

func TestPutChanges(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // the wanted cell of the spreadsheet, by the text in the directory
		"plain@x.example": "plain@x.example", "": "", `O'Brien, "Bo"`: `O'Brien, "Bo"`, "two\nlines": "two�lines", "bidi \u202e": "bidi �", "\x1b[2J": "�[2J", "\u200b=1": "�=1", "＝1": "'＝1", "a=b+c-d@e": "a=b+c-d@e",
		`=cmd|' /C calc'!A0`: `'=cmd|' /C calc'!A0`, "+1": "'+1", "-1": "'-1", "@SUM(1)": "'@SUM(1)", "\t=1": "�=1", "\n=1": "�=1", `=1,"2"`: `'=1,"2"`,
		"Anna;=1+1;x": "Anna;'=1+1;x", "Anna, +1": "Anna, '+1", `x|"@SUM(1)`: `x|"'@SUM(1)`, `"=1"`: `"'=1"`, " =1": " '=1", ";;=1;-1": ";;'=1;'-1", "Berg; Bo": "Berg; Bo",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			p := newPlan(
				plan.Change{User: "id", UserPrincipalName: text, Rule: text, License: text, To: text, Via: plan.Direct, Reason: text, IdleSince: &idle, MonthlySaving: 35},
				plan.Change{User: "S-1-5", Via: plan.ADGroup, MonthlySaving: 0.5},
			)
			if err := PutChanges(t.Context(), s, nil, p); err != nil {
				t.Fatal(err)
			}
			written, err := store.GetBytes(t.Context(), s, "runs/run/changes.csv", store.MaxJSON)
			if err != nil {
				t.Fatal(err)
			}
			written, marked := bytes.CutPrefix(written, []byte("\ufeff"))
			if !marked {
				t.Error("a spreadsheet would not read it as UTF-8")
			}
			got, err := csv.NewReader(bytes.NewReader(written)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			rows := [][]string{
				{"user", "userPrincipalName", "rule", "license", "to", "via", "reason", "idleSince", "monthlySaving", "currency", "displayName", "department", "idleSinceDate"},
				{"id", want, want, want, want, "direct", want, "2026-09-14T09:00:00Z", "35.00", "SEK", "", "", "2026-09-14"},
				{"S-1-5", "", "", "", "", "ad-group", "", "never", "0.50", "SEK", "", "", ""},
			}
			if d := cmp.Diff(rows, got); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
		})
	}
}

func TestPutChangesFails(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	if err := PutChanges(t.Context(), failing{open(t), down}, nil, newPlan()); !errors.Is(err, down) {
		t.Errorf("error %v", err)
	}
}

type failing struct {
	store.Store
	err error
}

func (f failing) Put(context.Context, string, io.ReadSeeker) error { return f.err }
