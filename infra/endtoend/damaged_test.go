package endtoend

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// TestDamagedPlanOfAnEarlierNight: the first night leaves changes pending, and its plan is then damaged or lost. The
// next night still works, and reports the damage. A restore of the first night succeeds, because a restore reads only
// the ledger.
func TestDamagedPlanOfAnEarlierNight(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(text []byte) []byte{
		"truncated": func(text []byte) []byte { return text[:len(text)/2] },
		"altered": func(text []byte) []byte {
			return bytes.Replace(text, []byte(`"mode":"enforce"`), []byte(`"mode":"review"`), 1)
		},
		"missing": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slow := company
			slow.Users, slow.LicenseDelay = 60, 24*time.Hour
			r := newRig(t, options{company: slow, mode: "enforce", hurried: true})
			first, failure := r.run(nightly)
			if failure != nil || first["results"].(map[string]any)["pending"] == nil {
				t.Fatalf("%+v: the first night left nothing pending: %v", failure, first)
			}
			run := first["run"].(string)
			r.spoil(layout.Plan(run), damage)
			second, failure := r.run(nightly)
			if failure != nil {
				t.Fatalf("the damaged plan stops the next night: %+v", failure)
			}
			p, err := runs.GetPlan(t.Context(), r.store, second["run"].(string))
			if err != nil {
				t.Fatal(err)
			}
			said := "run " + run + " cannot finish what it began: its plan cannot be read: "
			if !slices.ContainsFunc(p.Notes, func(n string) bool { return strings.HasPrefix(n, said) }) || len(p.Pending) == 0 || len(p.Resumes) != 0 {
				t.Errorf("pending %d, resumes %q, notes %q", len(p.Pending), p.Resumes, p.Notes)
			}
			r.longAgo()
			restored, failure := r.run(fmt.Sprintf(`{"restore":%q}`, run))
			if failure != nil {
				t.Fatalf("the damaged plan stops its restore: %+v", failure)
			}
			results, _ := restored["results"].(map[string]any)
			if results["failed"] != nil || results["refused"] != nil || restored["changes"].(float64) == 0 || results["done"] == nil {
				t.Errorf("the restore ended with %v", restored)
			}
		})
	}
}

// The method "spoil" damages an object. If "damage" is nil, S3 answers that the object does not exist.
func (r *rig) spoil(key string, damage func(text []byte) []byte) {
	r.Helper()
	if damage == nil {
		gone := func(w http.ResponseWriter, req *http.Request) bool {
			if !strings.HasSuffix(req.URL.Path, "/"+key) {
				return false
			}
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte("<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")) // an error means that the client disconnected
			return true
		}
		r.faulty.Store(&gone)
		return
	}
	text, err := store.GetBytes(r.Context(), r.store, key, 10<<20)
	if err != nil {
		r.Fatal(err)
	}
	spoilt := damage(slices.Clone(text))
	if bytes.Equal(spoilt, text) {
		r.Fatalf("%s is as before:\n%s", key, text)
	}
	if err := store.PutBytes(r.Context(), r.store, key, spoilt); err != nil {
		r.Fatal(err)
	}
}
