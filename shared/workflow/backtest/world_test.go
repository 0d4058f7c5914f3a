package backtest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/evaluate"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	day    = 24 * time.Hour
)

var firstNight = time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)

type person struct {
	id, sid    string
	department string
	role       string
	licensed   []string // products in Entra ID
	given      time.Time
	created    time.Time
	guest      bool
	inGroup    bool        // whether the person is in the group of exempt people
	citrix     bool        // whether the person is in the group of Citrix
	signIns    []time.Time // ascending
	logOns     []time.Time // ascending
	from, to   int         // the first and the last night on which the person is in the directories
	// The function "hidden" reports whether the dates are missing on a night, and "disabled" whether the account is
	// disabled.
	hidden, disabled func(night int) bool
}

// The function "last" returns the newest time that is not after "at". The times must be ascending.
func last(times []time.Time, at time.Time) (newest time.Time) {
	for _, t := range times {
		if t.After(at) {
			break
		}
		newest = t
	}
	return newest
}

type world struct {
	people     []person
	policy     string
	partitions func(night int) int
	broken     [2][]int // by source: the nights on which the source shows no dates
	withAD     bool
	planned    bool // whether each night is evaluated and planned, so that later nights can compare with it
}

func never(int) bool { return false }

func asOf(night int) time.Time { return firstNight.Add(time.Duration(night) * day) }

func runOf(night int) string {
	return snapshot.NewRun(asOf(night), [4]byte{})
}

const (
	exemptKey = "entra:LIC-Exempt"
	citrixKey = "ad/direct:cn=citrix,dc=x"
)

func (w *world) keep(t testing.TB, s store.Store, nights ...int) {
	t.Helper()
	for _, n := range nights {
		if err := w.night(t.Context(), s, n); err != nil {
			t.Fatalf("night %d: %v", n, err)
		}
	}
}

func (w *world) night(ctx context.Context, s store.Store, n int) error {
	at, run := asOf(n), runOf(n)
	b := &snapshot.Begin{
		Run: run, Started: at, Read: at, AsOf: at, Tenant: tenant, Partitions: w.partitions(n), Policy: w.policy,
		SKUs: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}},
	}
	p, err := load(w.policy)
	if err != nil {
		return err
	}
	for _, q := range p.MemberQueries() {
		b.Members = append(b.Members, q.Key())
	}
	m := &snapshot.Manifest{Run: run, Taken: at}
	if err := snapshot.PutBegin(ctx, s, b); err != nil {
		return err
	}
	for _, src := range []directory.Source{directory.Entra, directory.AD} {
		if src == directory.AD && !w.withAD {
			m.Readings[src] = snapshot.Reading{Source: src, Absent: true}
			continue
		}
		if m.Readings[src], err = w.read(ctx, s, b, src, n); err != nil {
			return err
		}
	}
	if w.planned {
		if m.History, err = history.MakeDigest(ctx, s, run, at); err != nil {
			return err
		}
	}
	if err := errors.Join(m.Weave(ctx, s, b.Partitions), snapshot.Seal(ctx, s, m)); err != nil || !w.planned {
		return err
	}
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return err
	}
	worker, err := evaluate.NewWorker(r)
	if err != nil {
		return err
	}
	for i := range b.Partitions {
		if err := worker.Partition(ctx, i); err != nil {
			return err
		}
	}
	_, err = gate.Run(ctx, s, run, at)
	return err
}

func (w *world) read(ctx context.Context, s store.Store, b *snapshot.Begin, src directory.Source, n int) (r snapshot.Reading, err error) {
	writer, err := snapshot.NewWriter(s, b, src, "1", b.Read)
	if err != nil {
		return r, err
	}
	for i := range w.people {
		p := &w.people[i]
		if n < p.from || n > p.to {
			continue
		}
		if src == directory.AD && p.sid != "" {
			u := p.inAD(b.Read, n)
			if slices.Contains(w.broken[src], n) {
				u.LastLogonTimestamp = time.Time{}
			}
			err = errors.Join(err, writer.AddAD(u))
			if p.citrix {
				err = errors.Join(err, writer.AddMember(citrixKey, p.sid, p.sid))
			}
		}
		if src == directory.Entra {
			u := p.inEntra(b.Read, n, w.withAD)
			if slices.Contains(w.broken[src], n) {
				u.LastInteractive, u.LastNonInteractive, u.LastSuccessful = time.Time{}, time.Time{}, time.Time{}
			}
			err = errors.Join(err, writer.AddEntra(u))
			if p.inGroup {
				err = errors.Join(err, writer.AddMember(exemptKey, u.ID, u.PartitionKey()))
			}
		}
	}
	if err == nil {
		r, err = writer.Finish(ctx)
	}
	return r, errors.Join(err, writer.Close())
}

func (p *person) inEntra(at time.Time, n int, withAD bool) *directory.EntraUser {
	u := &directory.EntraUser{
		ID: p.id, UserPrincipalName: p.id + "@x.example", DisplayName: "Name of " + p.id, UserType: "Member", Department: p.department,
		EmployeeType: p.role, Enabled: directory.FlagOf(!p.disabled(n)), Created: p.created,
	}
	if p.sid != "" && withAD {
		u.Synced, u.SID, u.ImmutableID = true, p.sid, "guid-"+p.id
	}
	if p.guest {
		u.UserType = "Guest"
	}
	for _, sku := range p.licensed {
		u.Assignments = append(u.Assignments, directory.Assignment{SKU: sku, State: "Active", Updated: p.given})
	}
	if !p.hidden(n) {
		u.LastInteractive = last(p.signIns, at)
		u.LastNonInteractive = u.LastInteractive
		if !u.LastNonInteractive.IsZero() {
			u.LastNonInteractive = u.LastNonInteractive.Add(-time.Hour)
		}
	}
	return u
}

func (p *person) inAD(at time.Time, n int) *directory.ADUser {
	return &directory.ADUser{
		SID: p.sid, GUID: "guid-" + p.id, SAMAccount: p.id, UserPrincipalName: p.id + "@x.example", Department: p.department,
		Enabled: directory.FlagOf(!p.disabled(n)), Created: p.created, LastLogonTimestamp: last(p.logOns, at),
	}
}

// habit describes when a person is active. The field "every" is the average number of days between two activities. The
// person is inactive between "stops" and "resume", in days after the first night.
type habit struct {
	every         float64
	stops, resume float64
}

// The method "times" returns the times of activity. They begin 300 days before the first night.
func (h habit) times(r *rand.Rand, nights int) (all []time.Time) {
	at := -h.every*r.Float64() - 300
	for at < float64(nights)+1 {
		if at < h.stops || at >= h.resume {
			all = append(all, firstNight.Add(time.Duration(at*float64(day))).Truncate(time.Second))
		}
		at += h.every * (0.5 + r.Float64())
	}
	return all
}

// newPerson returns an employee with an old license who is in the directories on all nights.
func newPerson(i int) person {
	return person{
		id: fmt.Sprintf("id-%04d", i), department: []string{"Sales", "Research", "Legal", ""}[i%4], role: "Employee", licensed: []string{"sku-e3"},
		created: firstNight.AddDate(-3, 0, 0), given: firstNight.AddDate(-2, 0, 0), to: 1 << 20, hidden: never, disabled: never,
	}
}
