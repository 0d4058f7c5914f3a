package weather

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

type tool struct {
	*rig
	dir   string
	store *Store
}

func newTool(t *testing.T, seed uint64, users int, edit *strings.Replacer) *tool {
	t.Helper()
	x := &tool{rig: newRig(t, seed, users), dir: t.TempDir()}
	if err := os.WriteFile(x.dir+"/policy.yaml", []byte(edit.Replace(string(x.Policy()))), 0o600); err != nil {
		t.Fatal(err)
	}
	behind, err := store.Open(t.Context(), x.dir+"/store")
	if err != nil {
		t.Fatal(err)
	}
	x.store = x.Store(behind)
	return x
}

func (x *tool) run(args ...string) (stdout []byte, status int, stderr string) {
	env := map[string]string{"IDLESEAT_POLICY": x.dir + "/policy.yaml", "IDLESEAT_STORE": "weather"}
	for _, v := range x.Env() {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	var out, errs bytes.Buffer
	p := command.Process{
		Context: context.Background(), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: x.clock, Version: "test",
		Variable:  func(name string) (string, bool) { v, set := env[name]; return v, set },
		OpenStore: func(context.Context, string) (store.Store, error) { return x.store, nil },
		ViewStore: func(context.Context, string) (store.Store, error) { return store.ReadOnly(x.store), nil },
		Browse:    func(context.Context, string) error { return errors.ErrUnsupported },
	}
	status = p.Run(args)
	return out.Bytes(), status, errs.String()
}

func (x *tool) morning(t *testing.T, active []int) {
	t.Helper()
	_ = x.clock.Sleep(t.Context(), 24*time.Hour)
	for _, i := range active {
		x.Company.SignInAt(i, x.clock.Now().Add(-3*time.Hour))
		if x.Company.Person(i).AD != nil {
			x.Company.LogOn(i)
		}
	}
}

// The method "active" returns the people who signed in within the last ten days.
func (x *tool) active() (who []int) {
	for i := range x.Company.Size() {
		if e := x.Company.Person(i).Entra; e != nil && x.clock.Now().Sub(e.LastActivity()) < 10*24*time.Hour {
			who = append(who, i)
		}
	}
	return who
}

// The method "plan" makes a plan. The result "changes" has the changes of the plan. The result "seatless" has the
// changes that the plan refuses only because no seat is free. The result "told" describes the plan, for the message of
// a failed test.
func (x *tool) plan(t *testing.T) (changes, seatless []string, told string) {
	t.Helper()
	out, status, errs := x.run("plan", "--format", "json")
	var p struct {
		plan.Plan
		Refused []plan.Decision `json:"refused"`
	}
	if err := json.Unmarshal(out, &p); err != nil && status == 0 {
		t.Fatalf("plan: %v in %s", err, out)
	}
	for _, c := range p.Changes {
		changes = append(changes, c.UserPrincipalName+" "+c.License)
	}
	for _, d := range p.Refused {
		if strings.HasPrefix(d.Reason, "no free seat") {
			seatless = append(seatless, d.UserPrincipalName+" "+d.License)
		}
	}
	return changes, seatless, fmt.Sprintf("status %d, %s %q %s", status, p.Verdict, p.HoldReasons, errs)
}

// TestNoWeatherMakesAChange plans the same night twice: with faults, and then without. Faults must not add a change:
// each change of the first plan must also be in the second plan, or be refused there only because no seat is free. The
// second plan must have changes even if the plans of the earlier nights were on hold.
func TestNoWeatherMakesAChange(t *testing.T) {
	t.Parallel()
	about := slices.Concat(graphPeople, ldapPeople)
	told := slices.Concat(graphBodies, graphLists, graphDenied, about, []Kind{LDAPSizeLimit, LDAPEntryTwice, LDAPShuffled, StoreBodyCut, StoreListCut})
	tests := map[string]struct {
		limit string
		kinds []Kind
	}{
		"plans are held":     {"percent: 1", about},
		"plans are not held": {"percent: 100", told},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newTool(t, 3, 140, strings.NewReplacer("percent: 10", tt.limit))
			active := x.active()
			for range 2 { // after two plans, the tool has earlier readings
				if changes, _, told := x.plan(t); len(changes) == 0 || strings.Contains(told, "hold") != (name == "plans are held") {
					t.Fatalf("a calm night: %d changes, %s", len(changes), told)
				}
				x.morning(t, active)
			}
			for night, kind := range tt.kinds {
				x.Begin(Plan{Night: night, Often: 0.5, Kinds: []Kind{kind}})
				stormy, _, told := x.plan(t)
				x.Begin(Plan{})
				calm, seatless, toldCalm := x.plan(t)
				if len(calm) == 0 || strings.Contains(toldCalm, "unhealthy") {
					t.Errorf("%s: the calm plan after it has %d changes: %s", kind, len(calm), toldCalm)
				}
				for _, c := range stormy {
					if !slices.Contains(calm, c) && !slices.Contains(seatless, c) {
						t.Errorf("%s: %s is changed for the weather; %s", kind, c, told)
					}
				}
				x.morning(t, active)
			}
		})
	}
}
