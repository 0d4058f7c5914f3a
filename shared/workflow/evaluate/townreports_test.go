package evaluate_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

type csv string

func (c csv) Report(_ context.Context, _ string, _ []string, read func(io.Reader) error) error {
	return read(strings.NewReader(string(c)))
}

// The method "report" writes the usage reports that the policy needs. Some people are missing, some were never active,
// and some dates of the report of the night before are missing.
func (r *town) report(t *testing.T, s store.Store, m *snapshot.Manifest, text string, read time.Time) {
	t.Helper()
	p, err := policy.Load("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range usage.Of(p.Signals()) {
		table, facts, err := usage.Read(t.Context(), r.csv(of, read.AddDate(0, 0, -2)), of, read)
		if err != nil {
			t.Fatal(err)
		}
		if before := r.reports[of.Name]; before != nil {
			table.Follow(before)
		}
		r.reports[of.Name] = table
		object, err := table.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(object)
		reading := usage.Reading{Name: of.Name, Key: layout.Usage(m.Run, of.Name, "1"), SHA256: hex.EncodeToString(sum[:]), Signals: facts}
		if err := store.PutBytes(t.Context(), s, reading.Key, object); err != nil {
			t.Fatal(err)
		}
		m.Reports = append(m.Reports, reading)
	}
}

func (r *town) csv(of usage.Report, refreshed time.Time) csv {
	head := []string{"Report Refresh Date", "User Principal Name", "Report Period", "Is Deleted"}
	for _, c := range of.Columns {
		head = append(head, c.Last)
		if c.Has != "" {
			head = append(head, c.Assigned, c.Has)
		}
	}
	lines := []string{strings.Join(head, ",")}
	for i := range r.entra {
		if r.rarely(8) {
			continue
		}
		cells := []string{refreshed.Format(time.DateOnly), strings.ToLower(r.entra[i].UserPrincipalName), "180", "False"}
		for _, c := range of.Columns {
			last, late := "", 0
			if c.Signal == directory.CopilotUse {
				late = 20 * (refreshed.Day() % 2) // the signal is unhealthy every other night
			}
			if !r.rarely(4) {
				last = refreshed.AddDate(0, 0, -late-r.IntN(60)*r.IntN(4)).Format(time.DateOnly)
			}
			cells = append(cells, last)
			if c.Has != "" {
				cells = append(cells, "", r.one("True", "True", "True", "False"))
			}
		}
		lines = append(lines, strings.Join(cells, ","))
	}
	return csv(strings.Join(lines, "\n") + "\n")
}
