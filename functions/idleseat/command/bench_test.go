package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// BenchmarkPlan measures the command plan in its own process, against a company that is served over HTTP and LDAPS.
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
				cmd.Env = append(company.Env(), "IDLESEAT_TEST_MAIN=1", "IDLESEAT_TEST_PEAK="+dir+"/peak", "TMPDIR="+dir)
				cmd.Env = append(cmd.Env, "IDLESEAT_AD_TIMEOUT=10m") // the simulated controller may need longer than the default timeout, because it looks up all its people before it answers
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, os.Stderr
				if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != exitHeld { // a plan with so many matches exceeds the limits and is on hold
					b.Fatal(err)
				}
				everybodyRead(b, out.Bytes())
				text, err := os.ReadFile(dir + "/peak")
				if err != nil {
					b.Fatal(err)
				}
				size, err := strconv.ParseFloat(string(text), 64)
				if err != nil {
					b.Fatal(err)
				}
				peak = max(peak, size/(1<<20))
				cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
			}
			b.ReportMetric(peak, "MB-peak")
			b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
			objects, size := kept(b, filepath.Join(dir, "store", "runs"))
			b.ReportMetric(float64(objects)/float64(b.N), "objects/op")
			b.ReportMetric(float64(size)/1e6/float64(b.N), "MB-kept/op")
			b.ReportMetric(float64(users)*float64(b.N)/b.Elapsed().Seconds(), "people/s")
		})
	}
}

func everybodyRead(b *testing.B, out []byte) {
	b.Helper()
	var p printed
	if err := json.Unmarshal(out, &p); err != nil {
		b.Fatal(err)
	}
	for _, source := range []string{"entra", "ad"} {
		if is := p.Sources[source]; is.State != plan.Healthy {
			b.Fatalf("%s is %s: %s", source, is.State, is.Reason)
		}
	}
}

// The function "kept" returns the number of objects that are stored for runs, and their total size in bytes.
func kept(b *testing.B, runs string) (objects, size int64) {
	b.Helper()
	kinds := map[string]int64{}
	err := filepath.WalkDir(runs, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(runs, path)
		if folders := strings.Split(filepath.ToSlash(relative), "/"); len(folders) > 1 {
			kinds[folders[1]] += info.Size()
		}
		objects, size = objects+1, size+info.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d objects, bytes of each kind: %v", objects, kinds)
	return objects, size
}
