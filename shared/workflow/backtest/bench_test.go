package backtest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/table"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
	"github.com/idleseat/idleseat/shared/workflow/evaluate"
)

// benchDays includes the number of days that each rule has in the policy. The backtest would add this number to the
// list, and a rule would have thirteen thresholds in place of twelve.
var benchDays = []int{14, 21, 30, 38, 45, 52, 60, 75, 90, 105, 120, 150}

// BenchmarkBacktest tries twelve thresholds of two rules on all kept nights. IDLESEAT_BENCH_NIGHTS and
// IDLESEAT_BENCH_PEOPLE set the numbers of nights (365) and people (100,000). IDLESEAT_BENCH_KEPT names a folder that
// keeps the nights for the next benchmark. For comparison, DuckDB answers the same question from the same files.
func BenchmarkBacktest(b *testing.B) {
	nights, people := fromEnvironment("IDLESEAT_BENCH_NIGHTS", 365), fromEnvironment("IDLESEAT_BENCH_PEOPLE", 100_000)
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // the values that the commands use
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(144 << 20))
	folder := os.Getenv("IDLESEAT_BENCH_KEPT")
	if folder == "" {
		folder = b.TempDir()
	}
	s, err := store.Open(b.Context(), folder)
	if err != nil {
		b.Fatal(err)
	}
	text := benchPolicy(b)
	if _, err := os.Stat(filepath.Join(folder, "runs", runOf(nights-1), "manifest.json")); err != nil {
		begun := time.Now()
		keepCompany(b, s, text, people, nights)
		b.Logf("%d nights of %d people were written in %s", nights, people, time.Since(begun).Round(time.Second))
	}
	threads := runtime.GOMAXPROCS(0)
	q := backtest.Question{PolicyName: "policy", Policy: []byte(text), Days: benchDays, Regret: 0.02, Within: 30, Now: asOf(nights), Workers: threads}
	var a *backtest.Answer
	var clock, cpu float64
	for b.Loop() {
		started, used := time.Now(), processed(b)
		if a, err = backtest.Run(b.Context(), s, q); err != nil {
			b.Fatal(err)
		}
		clock, cpu = time.Since(started).Seconds(), processed(b)-used
	}
	b.ReportMetric(float64(people)*float64(nights)/clock, "people-nights/s")
	b.ReportMetric(peak(b), "MB-peak")
	besideDuckDB(b, folder, text, a, threads, clock, cpu)
}

// BenchmarkWhatIf compares two policies on one night. IDLESEAT_BENCH_PEOPLE sets the number of people (100,000).
func BenchmarkWhatIf(b *testing.B) {
	s, err := store.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	text := benchPolicy(b)
	keepCompany(b, s, text, fromEnvironment("IDLESEAT_BENCH_PEOPLE", 100_000), 2)
	other, err := policy.Varied("policy", []byte(text), policy.Variant{Rule: "m365-idle-60", From: 60, To: 45})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		d, err := backtest.WhatIf(b.Context(), s, runOf(1), "policy", other)
		if err != nil || len(d.Rules) != 2 {
			b.Fatal(d, err)
		}
	}
}

func fromEnvironment(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func benchPolicy(b *testing.B) string {
	b.Helper()
	served, err := sandbox.Start(sandbox.Options{Users: 20})
	if err != nil {
		b.Fatal(err)
	}
	defer served.Close()
	return string(served.Policy())
}

func processed(b *testing.B) float64 {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

// The function "peak" returns the peak memory of this process in MB, since the process began.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // not Linux
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kB, _ := strconv.ParseFloat(strings.Fields(after)[0], 64)
	return kB / 1024
}

// keepCompany keeps nights of the simulated company. It copies the tables of the first night for each later night and
// changes the dates of use, because writing account by account is slow.
func keepCompany(b *testing.B, s store.Store, text string, people, nights int) {
	b.Helper()
	p, err := load(text)
	if err != nil {
		b.Fatal(err)
	}
	first, err := firstOf(b.Context(), s, text, p, people)
	if err != nil {
		b.Fatal(err)
	}
	for n := range nights {
		m := first
		if n > 0 {
			if m, err = laterOf(b.Context(), s, text, p, first, n); err != nil {
				b.Fatal(err)
			}
		}
		if m.History, err = history.MakeDigest(b.Context(), s, m.Run, asOf(n)); err == nil {
			err = snapshot.Seal(b.Context(), s, m)
		}
		if err == nil {
			err = remembered(b.Context(), s, m.Run)
		}
		if err != nil {
			b.Fatalf("night %d: %v", n, err)
		}
	}
}

func beginOf(text string, p *policy.Policy, people, n int) *snapshot.Begin {
	begin := &snapshot.Begin{
		Run: runOf(n), Started: asOf(n), Read: asOf(n), AsOf: asOf(n), Tenant: sandbox.TenantID, Partitions: max(1, (people+7999)/8000), Policy: text, People: people,
		SKUs: []directory.SKU{{ID: "05e9a617-0261-4cee-bb44-138d3ef5d965", PartNumber: "SPE_E3"}, {ID: "4b9405b0-7788-4568-add1-99614e613b69", PartNumber: "EXCHANGESTANDARD"}},
	}
	for _, q := range p.MemberQueries() {
		begin.Members = append(begin.Members, q.Key())
	}
	return begin
}

func firstOf(ctx context.Context, s store.Store, text string, p *policy.Policy, people int) (*snapshot.Manifest, error) {
	c := sandbox.NewCompany(sandbox.Options{Users: people, Seed: 1, Now: func() time.Time { return asOf(0) }})
	begin := beginOf(text, p, people, 0)
	m := &snapshot.Manifest{Run: begin.Run, Taken: begin.Read}
	var writers [2]*snapshot.Writer
	for src := range writers {
		var err error
		if writers[src], err = snapshot.NewWriter(s, begin, directory.Source(src), "1", begin.Read); err != nil {
			return nil, err
		}
		defer writers[src].Close()
	}
	citrix := directory.GroupRef{Source: directory.AD, Name: sandbox.CitrixGroup}.Key(true)
	for i := range c.Size() {
		one := c.Person(i)
		// The SQL query reads nothing but the tables. For some people, idleseat needs more facts than these. Such
		// people get no license here, so that idleseat and the query count the same hits.
		doubtful := i < 20 || one.Kind == sandbox.NoADAccount || one.Kind == sandbox.WrongAnchor
		if u := one.Entra; u != nil {
			for k := range u.Assignments {
				u.Assignments[k].Updated = firstNight.AddDate(-1, 0, 0)
			}
			if doubtful {
				u.Assignments = nil
			}
			if err := writers[directory.Entra].AddEntra(u); err != nil {
				return nil, err
			}
		}
		if u := one.AD; u != nil {
			err := writers[directory.AD].AddAD(u)
			if len(one.ADGroups) > 0 && !doubtful {
				err = errors.Join(err, writers[directory.AD].AddMember(citrix, u.SID, u.SID))
			}
			if err != nil {
				return nil, err
			}
		}
	}
	for src, w := range writers {
		var err error
		if m.Readings[src], err = w.Finish(ctx); err != nil {
			return nil, err
		}
	}
	return m, errors.Join(snapshot.PutBegin(ctx, s, begin), m.Weave(ctx, s, begin.Partitions))
}

func laterOf(ctx context.Context, s store.Store, text string, p *policy.Policy, first *snapshot.Manifest, n int) (*snapshot.Manifest, error) {
	begin := beginOf(text, p, first.Readings[directory.Entra].People, n)
	m := *first
	m.Run, m.Taken = begin.Run, begin.Read
	m.People = append([]snapshot.Part(nil), first.People...)
	for i := range m.Readings {
		m.Readings[i].Newest = begin.Read.Add(-time.Hour)
	}
	for i := range m.People {
		object, err := store.GetBytes(ctx, s, m.People[i].Key, 1<<30)
		if err != nil {
			return nil, err
		}
		if object, err = livedUntil(object, n); err != nil {
			return nil, err
		}
		sum := sha256.Sum256(object)
		part := &m.People[i]
		part.SHA256, part.Bytes = hex.EncodeToString(sum[:]), len(object)
		part.Key = layout.Table(m.Run, "people", part.Partition, part.SHA256)
		if err := s.PutIfAbsent(ctx, part.Key, bytes.NewReader(object)); err != nil {
			return nil, err
		}
	}
	return &m, snapshot.PutBegin(ctx, s, begin)
}

// livedUntil changes the table of people of the first night into the table of night n. A tenth of the people stop
// being active, and half of this tenth come back.
func livedUntil(object []byte, n int) ([]byte, error) {
	file, err := table.Open(object)
	if err != nil {
		return nil, err
	}
	columns, err := file.Read(file.Names())
	if err != nil {
		return nil, err
	}
	dates, keys := map[string]*table.Column{}, &table.Column{}
	for _, c := range columns {
		dates[c.Name] = c
		if c.Name == "names" {
			keys = c
		}
	}
	for row, key := range keys.Rows {
		r := rand.New(rand.NewPCG(uint64(key), uint64(row)))
		h := habit{every: []float64{1, 1, 1, 1, 1, 7, 7, 30, 90, 1e6}[r.IntN(10)], stops: 1e9, resume: 1e9}
		if r.IntN(10) == 0 {
			h.stops = float64(r.IntN(365))
			if r.IntN(2) == 0 {
				h.resume = h.stops + 20 + float64(r.IntN(120))
			}
		}
		last := asOf(n).Add(-time.Duration((0.1 + h.every*r.Float64()) * float64(day)))
		since := firstNight.Add(time.Duration(h.stops * float64(day)))
		if back := firstNight.Add(time.Duration(h.resume * float64(day))); last.After(since) && last.Before(back) {
			last = since
		}
		if last.Before(firstNight) {
			continue
		}
		steady := last.Truncate(max(time.Second, time.Duration(h.every*float64(day)))) // rounded, so that no later night has an earlier date
		if steady.Before(firstNight) {
			continue
		}
		for _, name := range []string{"entra_last_interactive_sign_in", "entra_last_successful_sign_in", "ad_last_logon_timestamp"} {
			if c := dates[name]; c.Rows[row] != table.None {
				c.Rows[row] = max(c.Rows[row], steady.UnixMicro())
			}
		}
	}
	var out bytes.Buffer
	err = table.Write(&out, "people", columns)
	return out.Bytes(), err
}

// The function "remembered" evaluates a night and stores its table of known accounts. Later nights compare their dates
// with the dates in this table.
func remembered(ctx context.Context, s store.Store, run string) error {
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return err
	}
	w, err := evaluate.NewWorker(r)
	if err != nil {
		return err
	}
	for n := range r.Begin.Partitions {
		if err := w.Partition(ctx, n); err != nil {
			return err
		}
	}
	left := &history.Planned{Run: run, AsOf: r.Begin.AsOf, Expires: r.Begin.AsOf, Touches: []history.Touch{}}
	for src := range left.Known {
		if r.Feeds[src].State != plan.Healthy {
			return fmt.Errorf("run %s: %s: %s", run, directory.Source(src), r.Feeds[src].Reason)
		}
		left.Known[src] = &plan.Baseline{Run: run, Partitions: r.Begin.Partitions, Read: r.Begin.Read, Freshness: r.Manifest.Readings[src].Freshness}
	}
	left.Feeds = left.Known
	return history.PutPlanned(ctx, s, left, true)
}
