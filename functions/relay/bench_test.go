package main

import (
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/memory"
	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// BenchmarkReadEveryone measures how the built relay reads 50,000 people from a real domain controller, and after that
// only what has changed. Each of the two readings has its own process, because the peak memory is a figure of a whole
// process.
func BenchmarkReadEveryone(b *testing.B) {
	const people = 50_000
	var o samba.Options
	for i := range people {
		o.People = append(o.People, samba.Person{ADUser: directory.ADUser{
			DN: samba.DN(sambaName(i), samba.PeopleOU), SAMAccount: sambaName(i), Enabled: directory.Yes, LastLogonTimestamp: time.Now().AddDate(0, 0, -100),
		}})
	}
	o.Groups = []samba.Group{{DN: sambaGroup(0), Members: dns(o.People[:1000])}}
	d := samba.Run(b, o)
	for b.Loop() {
		r := newRigOn(b, 30*time.Second, sambaDomain{Domain: d, group: sambaGroup(0)})
		read := func(attempt int, since string) (got snapshot.Reading, peak float64) {
			p, m := r.start(), r.everyone()
			m.Attempt, m.Since = attempt, since
			end, err := r.ask(m).Wait(b.Context())
			if err != nil || end.Error != "" {
				b.Fatalf("%+v, %v", end, err)
			}
			most, err := memory.Peak(p.Process.Pid)
			if err != nil {
				b.Fatal(err)
			}
			p.kill()
			if err := store.GetJSON(b.Context(), r.store, "runs/run-1/ad/"+string(rune('0'+attempt))+".json", &got); err != nil || got.People != people {
				b.Fatalf("%d people, %v", got.People, err)
			}
			return got, float64(most) / (1 << 20)
		}
		full, peak := read(0, "")
		b.ReportMetric(peak, "MB-peak")
		const since = "runs/run-1/ad/since.json"
		if err := store.PutJSON(b.Context(), r.store, since, full); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		changes, peak := read(1, since)
		if changes.WhyFull != "" {
			b.Errorf("read in full: %s", changes.WhyFull)
		}
		b.ReportMetric(peak, "MB-peak-changes")
		b.ReportMetric(time.Since(start).Seconds(), "s-changes")
	}
}
