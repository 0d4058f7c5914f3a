package endtoend

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/awsfake/lambdas"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// BenchmarkColdStart reports the median time from the start of the process to the answer, for each function and an
// empty function. The functions answer with a refusal, so they use no network.
func BenchmarkColdStart(b *testing.B) {
	nothing := filepath.Join(b.TempDir(), "nothing")
	if out, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", nothing, "./testdata/nothing").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	env := []string{
		"IDLESEAT_STORE=" + b.TempDir(), "IDLESEAT_GRAPH_URL=http://127.0.0.1:1/v1.0", "IDLESEAT_STATE_MACHINE=" + machineARN, "AWS_REGION=" + region,
		"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "HOME=/nonexistent",
	}
	median := func(binary string) time.Duration {
		var all []time.Duration
		for range 20 {
			f := &lambdas.Function{Name: "f", Binary: binary, Env: env, Timeout: time.Minute, Memory: 512}
			_, _ = f.Invoke(b.Context(), []byte(`{"op":"none"}`)) // a refusal is the expected answer
			f.Close()
			all = append(all, f.ColdStarts()...)
		}
		if len(all) != 20 {
			b.Fatalf("%s answered %d times", binary, len(all))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	for b.Loop() {
		base := median(nothing)
		b.ReportMetric(float64(base.Microseconds())/1000, "ms-nothing")
		for name := range functionLimits {
			if name == "reevaluate-apply" { // this function has the same binary as reevaluate
				continue
			}
			took := median(filepath.Join(built, name))
			b.ReportMetric(float64(took.Microseconds())/1000, "ms-"+name)
			b.ReportMetric(took.Seconds()/base.Seconds(), "x-"+name)
		}
	}
}

// BenchmarkNight runs two nights for 1,000 and for 100,000 people, in mode audit and in mode enforce. In mode enforce,
// a night makes at most 200 changes. The benchmark reports the peak memory and the processor time of each function
// over both nights, and the S3 reads and writes of each night.
func BenchmarkNight(b *testing.B) {
	for _, people := range []int{1000, 100_000} {
		for _, mode := range []string{"audit", "enforce"} {
			b.Run(fmt.Sprintf("%d/%s", people, mode), func(b *testing.B) { benchmarkNight(b, people, mode) })
		}
	}
}

func benchmarkNight(b *testing.B, people int, mode string) {
	limits := regexp.MustCompile(`limits:.*`)
	for b.Loop() {
		r := newRig(b, options{company: sandbox.Options{Users: people, Seed: 1}, mode: mode, patient: true, edit: func(policy string) string {
			return limits.ReplaceAllString(policy, "limits: {stopAbove: {percent: 90, count: 90000}, perRun: 200}")
		}})
		out, failure := r.run(nightly)
		if failure != nil {
			b.Fatal(failure)
		}
		b.Logf("verdict %v, counts %v, results %v", out["verdict"], out["counts"], out["results"])
		first := map[string]int{}
		for _, c := range r.made {
			first[c.action]++
		}
		if _, failure := r.run(nightly); failure != nil { // the second night also reads what the first night has stored
			b.Fatal(failure)
		}
		all := map[string]int{}
		for _, c := range r.made {
			all[c.action]++
		}
		for name, f := range r.functions {
			f.Close()
			name = strings.TrimPrefix(name, "arn:")
			b.ReportMetric(float64(f.PeakMemory())/(1<<20), "MB-"+name)
			b.ReportMetric(f.CPU().Seconds(), "cpu-s-"+name)
		}
		for action, unit := range map[string]string{"s3:PutObject": "puts", "s3:GetObject": "gets"} {
			b.ReportMetric(float64(first[action]), unit)
			b.ReportMetric(float64(all[action]-first[action]), "next-"+unit)
		}
	}
}
