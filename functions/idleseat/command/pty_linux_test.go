package command

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The type "session" is a command in its own terminal.
type session struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	ended  chan struct{} // closed after the last output of the command has arrived
	mu     sync.Mutex
	shown  bytes.Buffer
	more   chan struct{} // gets a value when output arrives
}

func (s *shell) terminal(width uint16, args ...string) *session {
	s.t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		s.t.Skip("no terminals here: ", err)
	}
	s.t.Cleanup(func() { _ = master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		s.t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: width}); err != nil {
		s.t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer slave.Close()
	if err := keepOutput(slave); err != nil {
		s.t.Fatal(err)
	}
	x := &session{t: s.t, master: master, cmd: exec.Command(os.Args[0], args...), ended: make(chan struct{}), more: make(chan struct{}, 1)}
	x.cmd.Env, x.cmd.Dir = s.env, s.dir
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = slave, slave, slave
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := x.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = x.cmd.Process.Kill() })
	go x.read()
	return x
}

// The function "keepOutput" sets NOFLSH on a terminal. Without it, Linux discards output that nobody has read yet when
// Ctrl-C arrives, and also the first output after the signal.
func keepOutput(slave *os.File) error {
	modes, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	modes.Lflag |= unix.NOFLSH
	return unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, modes)
}

func (x *session) read() {
	defer close(x.ended)
	part := make([]byte, 4096)
	for {
		n, err := x.master.Read(part)
		x.mu.Lock()
		x.shown.Write(part[:n])
		x.mu.Unlock()
		select {
		case x.more <- struct{}{}:
		default:
		}
		if err != nil { // EIO after the end of the command
			return
		}
	}
}

func (x *session) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return strings.ReplaceAll(x.shown.String(), "\r\n", "\n")
}

// The constant "patience" is the maximum time that a test waits for a command. A busy machine may need that long.
const patience = 3 * time.Minute

func (x *session) until(want string) {
	x.t.Helper()
	late := time.After(patience)
	for !strings.Contains(x.text(), want) {
		select {
		case <-x.more:
		case <-x.ended:
			if !strings.Contains(x.text(), want) {
				x.t.Fatalf("ended without %q:\n%s", want, x.text())
			}
		case <-late:
			x.t.Fatalf("waited for %q:\n%s", want, x.text())
		}
	}
}

// The method "types" sends keys to the command. \x03 is Ctrl-C.
func (x *session) types(keys string) {
	x.t.Helper()
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// The method "ends" waits until the command ends. It returns the exit status and the text that is then on the screen.
func (x *session) ends() (status int, screen string) {
	x.t.Helper()
	select {
	case <-x.ended:
	case <-time.After(patience):
		x.t.Fatalf("does not end:\n%s", x.text())
	}
	_ = x.cmd.Wait()
	return x.cmd.ProcessState.ExitCode(), left(x.text())
}

// The expression "overwritten" matches text that a command has printed and then erased, such as a progress line.
var overwritten = regexp.MustCompile(`[^\n]*\r\x1b\[K`)

func left(text string) string { return overwritten.ReplaceAllString(text, "") }
