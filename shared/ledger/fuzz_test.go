package ledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/store"
)

// FuzzObjects stores any bytes under the keys of one license. The ledger accepts an object only if it is about this
// license of this person. An error names the object.
func FuzzObjects(f *testing.F) {
	good := `{"person":"p","license":"l","run":"r","at":"2026-11-23T09:00:00Z"}`
	f.Add("000001.json", good, "000001.done.json", `{"outcome":"done"}`)
	f.Add("000001.json", strings.Replace(good, "{", `{"bound":true,`, 1), "000001.back.json", `{"outcome":"rolled back"}`)
	f.Add("000002.json", good, "notes.json", "")
	f.Add("999999.json", good, "1000000.json", good)
	f.Add("000001.leaving.json", "{}", "000001.json", "[")
	f.Fuzz(func(t *testing.T, first, text, second, other string) {
		var s store.Memory
		for name, body := range map[string]string{first: text, second: other} {
			if store.CheckKey("ledger/p/l/"+name) != nil || strings.Contains(name, "/") {
				return
			}
			if err := store.PutBytes(t.Context(), &s, "ledger/p/l/"+name, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
		l := In(&s)
		for _, read := range []func() (*Entry, error){
			func() (*Entry, error) { return l.Latest(t.Context(), "p", "l") },
			func() (*Entry, error) { return l.Standing(t.Context(), "p", "l") },
		} {
			e, err := read()
			switch {
			case err != nil && (!errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "ledger/p/l/")):
				t.Errorf("error %v", err)
			case err == nil && e != nil && (e.Person != "p" || e.License != "l" || e.Seq < 1 && e.Key() != "ledger/p/l/000000.json"):
				t.Errorf("believed: %+v", e)
			case err == nil && e != nil:
				_, _ = l.RollbackMark(t.Context(), e)
				_, _ = l.LeavingMark(t.Context(), e)
			}
		}
		for _, err := range l.All(t.Context()) {
			if err != nil {
				t.Error(err)
			}
		}
	})
}
