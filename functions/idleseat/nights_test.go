package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// nightsDefault are the seeds and the nights of an ordinary test run.
const (
	nightsSeeds = 1
	nightsCount = 40
)

// TestNightsBeforeTheJudge lets companies live for many nights, each in a process of
// its own in which the command runs on a simulated clock, and judges every removal by
// the truth at the moment of the write. IDLESEAT_TEST_NIGHTS sets how many seeds, or
// "seed:N" for one.
func TestNightsBeforeTheJudge(t *testing.T) {
	t.Parallel()
	first, seeds := 1, nightsSeeds
	if text := os.Getenv("IDLESEAT_TEST_NIGHTS"); text != "" {
		one, single := strings.CutPrefix(text, "seed:")
		n, err := strconv.Atoi(one)
		if err != nil {
			t.Fatal(err)
		}
		if seeds = n; single {
			first, seeds = n, n
		}
	}
	removed, returned, clear, missed := 0, 0, 0, 0
	for seed := first; seed <= seeds; seed++ {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "IDLESEAT_TEST_WORLD="+strconv.Itoa(seed), "TMPDIR="+t.TempDir())
		out, err := cmd.CombinedOutput()
		var told story
		if at := bytes.LastIndexByte(bytes.TrimSpace(out), '\n'); json.Unmarshal(out[max(0, at+1):], &told) != nil {
			t.Errorf("seed %d: %v\n%s", seed, err, out)
			continue
		}
		for _, f := range told.Faults {
			if f.Why == judge.Missed {
				missed++
			} else {
				t.Errorf("seed %d: %s", seed, f)
			}
		}
		removed, returned, clear = removed+told.Removed, returned+told.Given, clear+told.Clear
	}
	t.Logf("%d seeds: %d removed, %d given back, %d missed of %d clear", seeds-first+1, removed, returned, missed, clear)
	if removed < 10*(seeds-first+1) || returned == 0 {
		t.Errorf("only %d removals and %d returns: the judge saw little", removed, returned)
	}
	if missed*100 > clear {
		t.Errorf("%d of %d clear cases were missed, more than one in a hundred", missed, clear)
	}
}

// story is what a world came to.
type story struct {
	Removed, Given, Clear int
	Faults                []judge.Fault
}

// world is a company, its truth, and the tool that looks after its licenses.
type world struct {
	*judge.Judge
	told      story
	dice      *rand.Rand
	clock     atomic.Int64 // nanoseconds since 1970
	box       *sandbox.Sandbox
	people    []human
	dir       string // of the policy and the store
	policy    string // in force
	outsider  bool   // somebody else acts, not the tool
	assigning int    // the person whose direct licenses are being changed
}

// human is somebody and their habits.
type human struct {
	id     string
	daily  float64 // the chance of a use on one day
	entra  bool
	ad     bool
	late   []time.Time // uses that Graph does not show yet
	citrix bool
	e3     bool
}

const (
	nightE3     = "m365-e3"
	nightCitrix = "citrix"
)

// worldMain lives one world and prints its story.
func worldMain(seed uint64) {
	w := &world{dice: rand.New(rand.NewPCG(seed, 13)), assigning: -1, Judge: judge.New(
		judge.Rule{License: nightE3, Idle: 60 * day, Grace: 14 * day},
		judge.Rule{License: nightCitrix, Idle: 90 * day, Grace: 90 * day})}
	w.clock.Store(time.Date(2026, 2, 2, 2, 0, 0, 0, time.UTC).UnixNano())
	clock = w.now
	var err error
	w.box, err = sandbox.Start(sandbox.Options{Users: 150, Seed: seed, Now: w.now, LicenseDelay: 40 * time.Second, Lag: time.Minute, Witness: w.saw})
	if err != nil {
		panic(err)
	}
	defer w.box.Close()
	w.box.Intercept(func(next http.Handler) http.Handler { // each request takes its time
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.pass(300 * time.Millisecond)
			next.ServeHTTP(rw, r)
		})
	})
	w.settleIn()
	for range nightsCount {
		w.live()
		w.night()
	}
	w.told.Clear, w.told.Faults = w.Judge.Clear(), w.Judge.Faults()
	text, err := json.Marshal(w.told)
	if err != nil {
		panic(err)
	}
	fmt.Printf("\n%s\n", text)
}

func (w *world) now() time.Time { return time.Unix(0, w.clock.Load()).UTC() }

func (w *world) pass(d time.Duration) { w.clock.Add(int64(d)) }

// settleIn tells the judge who is there, and leads the command to the company.
func (w *world) settleIn() {
	w.policy = strings.NewReplacer("then: {changeTo: exchange-online}", "then: {changeTo: exchange-online, onReturn: restore}",
		"then: remove", "then: {remove: true, onReturn: restore}").Replace(string(w.box.Policy()))
	var err error
	if w.dir, err = os.MkdirTemp("", "idleseat-world-"); err != nil {
		panic(err)
	}
	w.publish()
	for _, v := range append(w.box.Env(), "IDLESEAT_POLICY="+w.dir+"/policy.yaml", "IDLESEAT_STORE="+w.dir+"/store") {
		name, value, _ := strings.Cut(v, "=")
		_ = os.Setenv(name, value)
	}
	for i := range w.box.Company.Size() {
		w.people = append(w.people, w.meet(i))
	}
}

// publish writes the policy as it is now in force.
func (w *world) publish() {
	if err := os.WriteFile(w.dir+"/policy.yaml", []byte(w.policy), 0o600); err != nil {
		panic(err)
	}
}

// except exempts somebody by name, as an administrator does who was asked to.
func (w *world) except(i int) {
	p := w.box.Company.Person(i)
	if p.Entra == nil || strings.Contains(w.policy, p.Entra.UserPrincipalName) {
		return
	}
	w.policy = strings.Replace(w.policy, "users:  [", "users:  ["+p.Entra.UserPrincipalName+", ", 1)
	w.publish()
	w.Exempt(w.people[i].id, w.now(), w.now(), true)
}

// meet tells the judge of one person.
func (w *world) meet(i int) human {
	p := w.box.Company.Person(i)
	h := human{entra: p.Entra != nil, ad: p.AD != nil}
	var made time.Time
	if h.ad {
		h.id, made = p.AD.SID, p.AD.Created
	}
	if h.entra {
		h.id = p.Entra.ID
		if p.Entra.Created.After(made) {
			made = p.Entra.Created
		}
	}
	w.Hire(h.id, made, p.Kind != sandbox.SharedMailbox)
	long := made
	if h.entra {
		if slices.ContainsFunc(p.Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == e3ID && a.Active() }) {
			w.Hold(h.id, nightE3, long)
			h.e3 = true
		}
		if last := p.Entra.LastActivity(); !last.IsZero() {
			w.Used(h.id, last, last, nightE3)
		}
		if p.Entra.Enabled != directory.Yes || p.Entra.EmployeeType != "Employee" || p.Kind == sandbox.NoADAccount && p.Entra.LastActivity().IsZero() || p.Kind == sandbox.WrongAnchor || !movable(p) {
			w.Outside(h.id, nightE3, long, long, true)
		}
		upn := p.Entra.UserPrincipalName
		if p.Kind == sandbox.Guest || upn == "breakglass@contoso.example" || upn == "anna@contoso.example" || slices.Contains(p.Groups, "LIC-Exempt") || slices.Contains(p.Groups, "LIC-Exempt-Leave") {
			w.Exempt(h.id, long, long, true)
		}
	}
	if h.ad {
		if h.citrix = slices.Contains(p.ADGroups, sandbox.CitrixGroup); h.citrix {
			w.Hold(h.id, nightCitrix, long)
		}
		if !p.LastLogon.IsZero() {
			w.Used(h.id, p.LastLogon, p.LastLogon, nightCitrix)
		}
		if p.Kind == sandbox.WrongAnchor {
			w.Outside(h.id, nightCitrix, long, long, true)
		}
	}
	if h.daily = 0.002; p.Activity == sandbox.Active {
		h.daily = 0.5
	}
	return h
}

const e3ID = "05e9a617-0261-4cee-bb44-138d3ef5d965"

// movable tells that the license is held in one way that can be changed.
func movable(p sandbox.Person) bool {
	ways := 0
	for _, a := range p.Entra.Assignments {
		if a.SKU == e3ID {
			if ways++; a.Group != "" && !slices.Contains(p.Groups, "LIC-M365-E3") {
				return false
			}
		}
	}
	return ways == 1 && p.Entra.UsageLocation != ""
}

// saw judges what happens in the company, at the moment it happens.
func (w *world) saw(e sandbox.Event) {
	h := &w.people[e.Person]
	license := ""
	switch {
	case e.Group == "LIC-M365-E3", e.SKU == e3ID && w.assigning == e.Person:
		license = nightE3
	case e.Group == "Citrix Users":
		license = nightCitrix
	}
	if e.What != sandbox.LicenseGained && e.What != sandbox.LicenseLost {
		w.assigning = -1
	}
	switch e.What {
	case sandbox.LicensesAssigned:
		w.assigning = e.Person
	case sandbox.MemberAdded, sandbox.LicenseGained:
		if license != "" {
			w.told.Given++
			w.Given(h.id, license, e.At, e.At)
		}
	case sandbox.MemberRemoved, sandbox.LicenseLost:
		if license != "" && !w.outsider {
			w.told.Removed++
			w.Judge.Removed(h.id, license, e.At)
		}
		if e.LostMailbox {
			w.Mailbox(h.id, e.At, 1, 0)
		}
	}
}

// live lets a day pass: people use what they have, some stop, some come back, and the
// help desk gives licenses back by hand.
func (w *world) live() {
	began := w.now()
	w.pass(day + time.Duration(w.dice.Int64N(int64(2*time.Hour))) - time.Hour)
	for i := range w.people {
		h := &w.people[i]
		for _, at := range h.late {
			w.box.Company.SignInAt(i, at)
			w.Used(h.id, at, w.now(), nightE3)
		}
		h.late = nil
		switch luck := w.dice.Float64(); {
		case luck < 0.004 && h.daily > 0.1:
			h.daily = 0 // leaves
		case luck < 0.001:
			h.daily = 0.5 // comes back
		}
		if w.dice.Float64() >= h.daily {
			continue
		}
		at := began.Add(time.Duration(w.dice.Int64N(int64(w.now().Sub(began)))))
		if h.entra {
			if w.dice.IntN(5) == 0 {
				h.late = append(h.late, at)
			} else {
				w.box.Company.SignInAt(i, at)
				w.Used(h.id, at, w.now(), nightE3)
			}
		}
		if h.ad && w.dice.IntN(3) > 0 {
			w.logOn(i)
		}
		w.helpDesk(i)
	}
}

func (w *world) logOn(i int) {
	w.box.Company.LogOn(i)
	now := w.now().Truncate(time.Second)
	w.Used(w.people[i].id, now, now, nightCitrix)
}

// helpDesk gives back by hand what somebody who is at work has lost.
func (w *world) helpDesk(i int) {
	if w.dice.IntN(2) == 0 {
		return
	}
	w.outsider = true
	defer func() { w.outsider = false }()
	h, p := &w.people[i], w.box.Company.Person(i)
	if h.citrix && !slices.Contains(p.ADGroups, sandbox.CitrixGroup) {
		w.box.Company.SetMember(i, "Citrix Users", true)
	}
	if h.e3 && w.dice.IntN(3) == 0 && !slices.ContainsFunc(p.Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == e3ID }) {
		w.box.Company.SetMember(i, "LIC-M365-E3", true)
	}
}

// night plans and applies, and lets somebody come back between the two.
func (w *world) night() {
	out, status := w.command("plan", "--format", "json")
	var p plan.Plan
	if err := json.Unmarshal(out, &p); err != nil {
		fmt.Printf("plan ended with %d: %s\n", status, out)
	}
	w.Night(w.now(), string(p.Verdict), p.HoldReasons)
	for _, c := range p.Changes {
		w.Planned(c.User, c.License)
	}
	if p.Verdict == plan.Hold || p.Run == "" {
		return
	}
	w.pass(time.Duration(w.dice.IntN(90)) * time.Minute)
	for i := range w.people {
		h := &w.people[i]
		planned := slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.User == h.id })
		switch luck := w.dice.IntN(20); {
		case !planned:
		case luck == 0 && h.ad:
			w.logOn(i)
		case luck == 1:
			w.except(i)
		}
	}
	for range 6 {
		w.pass(5 * time.Minute)
		out, _ := w.command("apply", p.Run, "--yes", "--format", "json")
		if !bytes.Contains(out, []byte(`"pending"`)) {
			return
		}
	}
}

// command runs one command in this process.
func (w *world) command(args ...string) ([]byte, int) {
	var out, errs bytes.Buffer
	status := run(&app{context.Background(), strings.NewReader(""), &out, &errs}, args)
	if status == exitFailed || status == exitUsage {
		fmt.Printf("%s idleseat %s: status %d: %s\n", w.now().Format(time.RFC3339), strings.Join(args, " "), status, errs.String())
	}
	return out.Bytes(), status
}
