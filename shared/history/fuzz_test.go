package history

import (
	"bytes"
	"compress/gzip"
	"errors"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// FuzzPast stores any bytes as a digest, a Planned and results. Load must accept them or return an ErrDamaged, and the
// next run must still be able to make its digest.
func FuzzPast(f *testing.F) {
	const at = `"2026-11-23T09:00:00Z"`
	f.Add(`{"head":{"run":"r","at":`+at+`}}`+"\n"+`{"user":"u","license":"l","state":"taken","run":"r","began":`+at+`,"at":`+at+`}`+"\n",
		`{"run":"20261122T090000Z-00000000","touches":[{"user":"u","license":"l"}],"feeds":[null,null]}`, `{"results":[{"user":"u","license":"l","status":"failed"}]}`)
	f.Add(`{"setback":{"user":"u"}}`+"\n", `{"touches":null}`, `{"results":null}`)
	f.Add("{}\n", `{"feeds":[{"run":"r","read":`+at+`}]}`, `[]`)
	f.Add("\n", "", "{")
	f.Fuzz(func(t *testing.T, lines, planned, results string) {
		const run = "20261122T090000Z-00000000"
		var zipped bytes.Buffer
		zip := gzip.NewWriter(&zipped)
		_, _ = zip.Write([]byte(lines))
		_ = zip.Close()
		var s store.Memory
		m := &snapshot.Manifest{Run: run, History: "runs/" + run + "/history/x.jsonl.gz"}
		if err := snapshot.Seal(t.Context(), &s, m); err != nil {
			t.Fatal(err)
		}
		for key, body := range map[string][]byte{m.History: zipped.Bytes(), layout.Noted(layout.Plans, run): []byte(planned), "runs/" + run + "/results/entra-0001.json": []byte(results)} {
			if err := store.PutBytes(t.Context(), &s, key, body); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(t.Context(), &s, m); err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("error %v", err)
		}
		if _, err := MakeDigest(t.Context(), &s, "20261123T090000Z-00000000", time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)); err != nil {
			t.Errorf("the next run has no past: %v", err)
		}
	})
}
