package command

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// BenchmarkPlan measures the real `plan` in a process of its own. The benchmark serves the company over HTTP and LDAPS.
// It reports the time and the peak memory, which is the kernel's maximum resident set.
func BenchmarkPlan(b *testing.B) {
	for _, users := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(users), func(b *testing.B) {
			company, err := sandbox.Start(sandbox.Options{Users: users, Seed: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer company.Close()
			dir := b.TempDir()
			policy := regexp.MustCompile(`(?m)^limits:.*$`).ReplaceAll(company.Policy(), []byte("limits: {perRun: 200}"))
			if err := os.WriteFile(dir+"/policy.yaml", policy, 0o600); err != nil {
				b.Fatal(err)
			}
			var peak, cpu float64
			for range b.N {
				cmd := exec.Command(os.Args[0], "plan", "--format", "json", "--policy", dir+"/policy.yaml", "--store", dir+"/store")
				cmd.Env = append(company.Env(), "IDLESEAT_TEST_MAIN=1", "TMPDIR="+dir)
				cmd.Stderr = os.Stderr
				if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != exitHeld { // so many matches are on hold
					b.Fatal(err)
				}
				usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
				peak = max(peak, float64(usage.Maxrss)/1024)
				cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
			}
			b.ReportMetric(peak, "MB-peak")
			b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(users)*float64(b.N)/b.Elapsed().Seconds(), "people/s")
		})
	}
}
