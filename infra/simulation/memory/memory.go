// Package memory measures the memory of processes that tests start, on Linux.
package memory

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// Peak returns the largest resident set that a running process has had, in bytes. It does not use ru_maxrss, which a
// child takes over from its parent: until it executes a program it shares the parent's memory (exec_mmap in fs/exec.c
// of Linux; os/exec starts children by CLONE_VM). So it would be at least that of the test.
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
