package evaluate_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// BenchmarkReport writes the report of a night of the simulated company. It reports the size of the file and the peak
// of the memory. IDLESEAT_BENCH_PEOPLE sets the number of people (1,000,000).
func BenchmarkReport(b *testing.B) {
	people := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("IDLESEAT_BENCH_PEOPLE")); err == nil {
		people = n
	}
	ctx := context.Background()
	folder := b.TempDir()
	s, err := store.Open(ctx, folder)
	if err != nil {
		b.Fatal(err)
	}
	snapshotOf(b, ctx, s, people, sandboxPolicy(b))
	night(b, ctx, s, "bench", nil)
	if _, err := gate.Run(ctx, s, "bench", time.Now()); err != nil {
		b.Fatal(err)
	}
	debug.FreeOSMemory()
	b.ReportMetric(float64(memory())/1e6, "before-MB")
	peak, done := make(chan uint64), make(chan struct{})
	go func() { peak <- peakMemory(done) }()
	for b.Loop() {
		if err := report.Put(ctx, s, "bench", page.Write); err != nil {
			b.Fatal(err)
		}
	}
	close(done)
	b.ReportMetric(float64(<-peak)/1e6, "peak-MB")
	file, err := os.Stat(filepath.Join(folder, filepath.FromSlash(layout.Report("bench"))))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(file.Size())/1e6, "file-MB")
}

// The function "memory" returns the bytes of memory that the process has from the system.
func memory() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64() - sample[1].Value.Uint64()
}

func peakMemory(done <-chan struct{}) (peak uint64) {
	for {
		peak = max(peak, memory())
		select {
		case <-done:
			return peak
		case <-time.After(5 * time.Millisecond):
		}
	}
}
