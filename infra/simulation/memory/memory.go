// Package memory measures the memory of processes on Linux, for tests that start the processes.
package memory

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// Peak returns the largest amount of memory that a running process has had so far (resident set, in bytes). It does not
// read ru_maxrss: until a child executes its program, it shares the memory of its parent, and ru_maxrss keeps this peak
// (exec_mmap in fs/exec.c of Linux; os/exec starts children with CLONE_VM).
func Peak(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := highWater.FindSubmatch(status)
	if m == nil {
		return 0, fmt.Errorf("process %d has ended", pid)
	}
	kB, err := strconv.ParseInt(string(m[1]), 10, 54)
	return kB << 10, err
}
