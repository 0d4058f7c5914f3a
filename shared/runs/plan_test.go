package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

var (
	asOf = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	idle = asOf.AddDate(0, 0, -70)
)

func open(t *testing.T) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newPlan(changes ...plan.Change) *plan.Plan {
	p := &plan.Plan{
		Run: "run", AsOf: asOf, Tenant: "tenant", Mode: policy.Review, Verdict: plan.Review, HoldReasons: []string{}, Currency: "SEK",
		Sources: map[string]plan.Feed{"entra": {State: plan.Healthy}, "ad": {State: plan.Unhealthy, Reason: "no route"}},
		Changes: append([]plan.Change{}, changes...), ManifestHash: "m", PolicyHash: "p", Tool: "v1", Created: asOf, Expires: asOf.Add(time.Hour),
	}
	p.Bind()
	return p
}

func each(all ...plan.Decision) Each {
	return func(_ context.Context, each func(*plan.Decision) error) (decision.Summary, error) {
		for i := range all {
			if err := each(&all[i]); err != nil {
				return decision.Summary{}, err
			}
		}
		return decision.Summary{}, nil
	}
}

func raw(t *testing.T, s store.Store, key string) []byte {
	t.Helper()
	b, err := store.GetBytes(t.Context(), s, key, store.MaxJSON)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func keys(t *testing.T, b []byte) []string {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(b, &object); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return slices.Sorted(maps.Keys(object))
}

// TestPlanIsTheContractsObject: plan.json is one JSON object with all keys that docs promise to other programs. Its
// lists have the promised members.
func TestPlanIsTheContractsObject(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := newPlan(plan.Change{User: "u", To: "exo", IdleSince: &idle}, plan.Change{User: "never"})
	err := PutPlan(t.Context(), s, p, each(
		plan.Decision{User: "r", UserPrincipalName: `"r"@x`, Rule: "m365", License: "e3", Outcome: policy.Reclaim, Reason: "idle", Refused: "held twice"},
		plan.Decision{User: "u", Outcome: policy.Reclaim, Reason: "idle"},
		plan.Decision{User: "x", UserPrincipalName: "x@x", Rule: "citrix", License: "citrix", Outcome: policy.Undecided, Reason: "not read"},
		plan.Decision{User: "y", UserPrincipalName: "y@x", Rule: "citrix", License: "citrix", Outcome: policy.Undecided, Reason: "down"},
		plan.Decision{User: "z", Outcome: policy.Exempt},
	))
	if err != nil {
		t.Fatal(err)
	}
	b := raw(t, s, "runs/run/plan.json")
	d := json.NewDecoder(bytes.NewReader(b))
	var object map[string]json.RawMessage
	if err := d.Decode(&object); err != nil || d.More() {
		t.Fatalf("not one object: %v in %s", err, b)
	}
	contract := []string{
		"run", "asOf", "tenant", "mode", "planHash", "verdict", "holdReasons", "counts", "deferred", "sources", "changes", "refused", "undecided", "monthlySaving", "currency",
	}
	for _, key := range contract {
		if _, there := object[key]; !there {
			t.Errorf("the key %s is missing", key)
		}
	}
	if d := cmp.Diff([]string{"exempt", "keep", "reclaim", "undecided", "users"}, keys(t, object["counts"])); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
	wantSources := `{"ad":{"state":"unhealthy","reason":"no route"},"entra":{"state":"healthy"}}`
	if d := cmp.Diff(wantSources, string(object["sources"])); d != "" {
		t.Errorf("sources (-want +got):\n%s", d)
	}
	wantChanges := `[{"user":"u","userPrincipalName":"","rule":"","license":"","to":"exo","via":"","reason":"","idleSince":"2026-09-14T09:00:00Z","monthlySaving":0},` +
		`{"user":"never","userPrincipalName":"","rule":"","license":"","via":"","reason":"","idleSince":null,"monthlySaving":0}]`
	if d := cmp.Diff(wantChanges, string(object["changes"])); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	wantRefused := `[{"user":"r","userPrincipalName":"\"r\"@x","rule":"m365","license":"e3","reason":"held twice"}]`
	if d := cmp.Diff(wantRefused, string(object["refused"])); d != "" {
		t.Errorf("refused (-want +got):\n%s", d)
	}
	wantUndecided := `[{"user":"x","userPrincipalName":"x@x","rule":"citrix","license":"citrix","reason":"not read"},{"user":"y","userPrincipalName":"y@x","rule":"citrix","license":"citrix","reason":"down"}]`
	if d := cmp.Diff(wantUndecided, string(object["undecided"])); d != "" {
		t.Errorf("undecided (-want +got):\n%s", d)
	}
}

func TestEmptyListsAreLists(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := PutPlan(t.Context(), s, newPlan(), each()); err != nil {
		t.Fatal(err)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw(t, s, "runs/run/plan.json"), &object); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"holdReasons", "changes", "refused", "undecided"} {
		if got := string(object[key]); got != "[]" {
			t.Errorf("%s is %s, want []", key, got)
		}
	}
}

func TestGetPlan(t *testing.T) {
	t.Parallel()
	s := open(t)
	want := newPlan(plan.Change{User: "u", IdleSince: &idle, MonthlySaving: 35})
	if err := PutPlan(t.Context(), s, want, each(plan.Decision{User: "r", Outcome: policy.Reclaim, Refused: "why"})); err != nil {
		t.Fatal(err)
	}
	got, err := GetPlan(t.Context(), s, "run")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("plan (-put +got):\n%s", d)
	}
	for _, run := range []string{"other", "../run", "", "a\x00b"} {
		if _, err := GetPlan(t.Context(), s, run); !errors.Is(err, ErrNoPlan) {
			t.Errorf("run %q: %v", run, err)
		}
	}
}

// TestPlanOfFormat1: GetPlan accepts a plan of format 1, whose hash covers values of the plan and not its stored
// bytes.
func TestPlanOfFormat1(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/format-1/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t)
	for name, tc := range map[string]struct {
		text string
		fits bool
	}{
		"as it was":      {string(text), true},
		"another person": {strings.Replace(unsealed(t, text), "anna@x.example", "cleo@x.example", 1), false},
		"another change": {strings.Replace(unsealed(t, text), `"to":"exo"`, `"to":""`, 1), false},
		"as format 2":    {strings.Replace(unsealed(t, text), `{"run"`, `{"hashed":["asOf","changes"],"run"`, 1), false},
	} {
		if err := store.PutBytes(t.Context(), s, "runs/run/plan.json", []byte(tc.text)); err != nil {
			t.Fatal(err)
		}
		p, err := GetPlan(t.Context(), s, "run")
		if (err == nil) != tc.fits || err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (len(p.Changes) != 1 || len(p.Pending) != 1 || p.Hashed != nil) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// The function "unsealed" removes the seal, the member "sha256", from the text of a plan, as a forger could do.
func unsealed(t *testing.T, text []byte) string {
	t.Helper()
	return regexp.MustCompile(`,"sha256":"[0-9a-f]+"`).ReplaceAllString(string(text), "")
}

// TestPlanOfALaterVersion: the hash covers a member of a change that this version does not know.
func TestPlanOfALaterVersion(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := newPlan(plan.Change{User: "u", License: "e3"})
	if err := PutPlan(t.Context(), s, p, each()); err != nil {
		t.Fatal(err)
	}
	later := strings.Replace(unsealed(t, raw(t, s, "runs/run/plan.json")), `{"user":"u"`, `{"ticket":"T-1","user":"u"`, 1)
	later = strings.Replace(later, `"hashed":["asOf","changes"`, `"window":"night","hashed":["asOf","changes"`, 1)
	later = strings.Replace(later, `"verdict"],"`, `"verdict","window"],"`, 1)
	text, _, _ := strings.Cut(later, `,"refused"`)
	hash, err := plan.HashOf([]byte(text + "}"))
	if err != nil {
		t.Fatal(err)
	}
	later = strings.Replace(later, p.PlanHash, hash, 1)
	for name, tc := range map[string]struct {
		text string
		fits bool
	}{
		"as it was":                    {later, true},
		"another ticket":               {strings.Replace(later, "T-1", "T-2", 1), false},
		"another window":               {strings.Replace(later, `"night"`, `"day"`, 1), false},
		"the ticket is gone":           {strings.Replace(later, `"ticket":"T-1",`, "", 1), false},
		"the window is not bound":      {strings.Replace(later, `,"window"]`, "]", 1), false},
		"the changes are not bound":    {strings.Replace(later, `"changes","m`, `"m`, 1), false},
		"the members are not in order": {strings.Replace(later, `"asOf","changes"`, `"changes","asOf"`, 1), false},
	} {
		if err := store.PutBytes(t.Context(), s, "runs/run/plan.json", []byte(tc.text)); err != nil {
			t.Fatal(err)
		}
		if p, err := GetPlan(t.Context(), s, "run"); (err == nil) != tc.fits || err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestDamagedPlans(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := PutPlan(t.Context(), s, newPlan(plan.Change{User: "anna", IdleSince: &idle}), each()); err != nil {
		t.Fatal(err)
	}
	good := raw(t, s, "runs/run/plan.json")
	list := bytes.Index(good, []byte(`,"refused"`))
	tests := map[string][]byte{
		"another person":  bytes.Replace(good, []byte("anna"), []byte("cleo"), 1),
		"another instant": bytes.Replace(good, []byte("2026-11-23"), []byte("2026-11-24"), 1),
		"another tenant":  bytes.Replace(good, []byte(`"tenant"`), []byte(`"tenan+"`), 2),
		"another hash":    bytes.Replace(good, []byte(`"planHash":"`), []byte(`"planHash":"0`), 1),
		"another run":     bytes.Replace(good, []byte(`"run":"run"`), []byte(`"run":"ruin"`), 1),
		"no changes":      bytes.Replace(good, []byte(`"changes"`), []byte(`"other"`), 1),
		"changes twice":   bytes.Replace(good, []byte(`"currency"`), []byte(`"changes":[],"currency"`), 1),
		"wrong type":      bytes.Replace(good, []byte(`"deferred":0`), []byte(`"deferred":"0"`), 1),
		"a quarter":       good[:len(good)/4],
		"half":            good[:len(good)/2],
		"most of it":      good[:list-10],
		"empty":           {},
		"a list":          []byte("[]"),
		"a number":        []byte("7"),
		"not JSON":        []byte("plan"),
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			if bytes.Equal(body, good) {
				t.Fatal("nothing is altered")
			}
			if err := store.PutBytes(t.Context(), s, "runs/run/plan.json", body); err != nil {
				t.Fatal(err)
			}
			if p, err := GetPlan(t.Context(), s, "run"); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("plan %+v, error %v", p, err)
			}
		})
	}
}

// TestPutPlanFails: PutPlan stores no plan if the decisions cannot be read.
func TestPutPlanFails(t *testing.T) {
	t.Parallel()
	s := open(t)
	broken := errors.New("broken")
	calls := 0
	for _, fails := range []int{1, 2} { // call 1 lists the refused people, and call 2 the undecided people
		calls = 0
		err := PutPlan(t.Context(), s, newPlan(), func(context.Context, func(*plan.Decision) error) (decision.Summary, error) {
			if calls++; calls == fails {
				return decision.Summary{}, broken
			}
			return decision.Summary{}, nil
		})
		if !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
		if _, err := GetPlan(t.Context(), s, "run"); !errors.Is(err, ErrNoPlan) {
			t.Errorf("there is a plan all the same: %v", err)
		}
	}
}

// TestInterruptedPlan: an error is not permanent if the read of a plan breaks off, because a later read may succeed. If
// the stored plan itself is too short, the error is store.ErrDamaged, wherever the plan ends.
func TestInterruptedPlan(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	nothing := func(string, *Listed) error { return nil }
	for _, listed := range []int{0, 50} { // the first half of the plan ends before the lists, or within the lists
		refused := slices.Repeat([]plan.Decision{{User: "r", Outcome: policy.Reclaim, Refused: "why"}}, listed)
		if err := PutPlan(t.Context(), s, newPlan(), each(refused...)); err != nil {
			t.Fatal(err)
		}
		if err := EachListed(t.Context(), failing.Cut(s, 1), "run", nothing); !errors.Is(err, failing.Err) || Gone(err) {
			t.Errorf("%d listed: the lists: %v", listed, err)
		}
	}
	whole := raw(t, s, "runs/run/plan.json")
	for size := range len(whole) - len("\n") {
		if err := store.PutBytes(t.Context(), s, "runs/run/plan.json", whole[:size]); err != nil {
			t.Fatal(err)
		}
		if err := EachListed(t.Context(), s, "run", nothing); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("the object ends after %d bytes: %v", size, err)
		}
	}
	if err := PutPlan(t.Context(), s, newPlan(), each()); err != nil {
		t.Fatal(err)
	}
	if _, err := GetPlan(t.Context(), failing.Cut(s, 1), "run"); !errors.Is(err, failing.Err) || Gone(err) {
		t.Errorf("the plan: %v", err)
	}
}

// TestListedStops: EachListed returns an error of its callback as it is.
func TestListedStops(t *testing.T) {
	t.Parallel()
	s, stop := &store.Memory{}, errors.New("the terminal is gone")
	if err := PutPlan(t.Context(), s, newPlan(), each(plan.Decision{User: "r", Outcome: policy.Reclaim, Refused: "why"})); err != nil {
		t.Fatal(err)
	}
	if err := EachListed(t.Context(), s, "run", func(string, *Listed) error { return stop }); !errors.Is(err, stop) || Gone(err) {
		t.Errorf("error %v", err)
	}
}
