package usage

import (
	"bytes"
	"testing"
)

// FuzzRead reads any text as a report of each kind. If Read accepts the text, its table must stay the same when it is
// written and read again.
func FuzzRead(f *testing.F) {
	f.Add(activeHead + activeRow("ann@x.example", "False", "True", "2026-11-20", "", "2026-01-02"))
	f.Add(activeHead + activeRow("", "True", "False", "2026-13-40", "0001-01-01", "tomorrow"))
	f.Add(copilotHead + copilotRow("ann@x.example", "2026-11-20") + copilotRow("ANN@x.example", ""))
	f.Add(copilotHead + "2026-11-21,180,\"")
	f.Add("\ufeff")
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range Reports {
			table, _, err := Read(t.Context(), file(text), r, now)
			if err != nil {
				continue
			}
			b, err := table.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			again, err := Decode(b)
			if err != nil {
				t.Fatalf("%s: %v", r.Name, err)
			}
			if c, err := again.Bytes(); err != nil || !bytes.Equal(b, c) {
				t.Errorf("%s: kept as %q, read as %q, %v", r.Name, b, c, err)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"version":1,"rows":4611686018427387904,"signals":[]}`))
	f.Add([]byte(`{"version":1,"rows":1,"signals":["copilot"]}` + "\n12345678\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if table, err := Decode(b); err == nil && len(table.rows) != table.Rows {
			t.Errorf("%d rows of %d", len(table.rows), table.Rows)
		}
	})
}
