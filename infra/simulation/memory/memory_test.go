package memory

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// TestPeak: the peak of this process is at least the memory that it uses. The peak of a small child process is far
// smaller.
func TestPeak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	const most = 64 << 20
	used := make([]byte, most)
	for i := range used {
		used[i] = 1
	}
	own, err := Peak(os.Getpid())
	if err != nil || own < most {
		t.Errorf("this process: %d bytes, %v", own, err)
	}
	child := exec.Command("cat")
	input, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = input.Write([]byte("x"))
	_, _ = output.Read(make([]byte, 1)) // the answer shows that the child runs its own program
	if got, err := Peak(child.Process.Pid); err != nil || got == 0 || got > most/2 {
		t.Errorf("the child: %d bytes, %v", got, err)
	}
	_ = input.Close()
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := Peak(child.Process.Pid); err == nil {
		t.Error("a process that has ended has a peak")
	}
	runtime.KeepAlive(used)
}
