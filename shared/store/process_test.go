package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The test binary starts itself again as another process, which uses the same folder.
const (
	envChild  = "STORE_TEST_CHILD" // the kind of child
	envFolder = "STORE_TEST_FOLDER"
	raceKeys  = 100
)

func TestMain(m *testing.M) {
	run := map[string]func(ctx context.Context, s Store) error{"race": race, "crash": crash}[os.Getenv(envChild)]
	if run == nil {
		os.Exit(m.Run())
	}
	s, err := Open(context.Background(), os.Getenv(envFolder))
	if err == nil {
		err = run(context.Background(), s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The function "race" waits for a signal, tries to create every key, and prints the keys that it created.
func race(ctx context.Context, s Store) error {
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	for i := range raceKeys {
		key := raceKey(i)
		switch err := s.PutIfAbsent(ctx, key, body(fmt.Sprint(os.Getpid()))); {
		case err == nil:
			fmt.Println(key)
		case !errors.Is(err, ErrExists):
			return err
		}
	}
	return nil
}

func raceKey(i int) string { return fmt.Sprintf("ledger/%d/%d.json", i/10, i) }

const crashStatus = 7

func crash(ctx context.Context, s Store) error {
	die := func() error { os.Exit(crashStatus); return nil }
	return s.Put(ctx, "runs/1/plan.json", tripwire{newPattern(1 << 20), die})
}

func child(t *testing.T, kind, folder string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), envChild+"="+kind, envFolder+"="+folder)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestFolderProcessesRace(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	type racer struct {
		*exec.Cmd
		out *bufio.Scanner
	}
	var racers []*racer
	var start []func()
	for range 2 {
		r := &racer{Cmd: child(t, "race", folder)}
		in, err := r.StdinPipe()
		wantErr(t, nil, err)
		out, err := r.StdoutPipe()
		wantErr(t, nil, err)
		wantErr(t, nil, r.Start())
		r.out = bufio.NewScanner(out)
		if !r.out.Scan() || r.out.Text() != "ready" {
			t.Fatalf("racer says %q, not ready", r.out.Text())
		}
		racers = append(racers, r)
		start = append(start, func() { fmt.Fprintln(in, "go") })
	}
	for _, s := range start {
		s()
	}
	s := newFolder(t, folder)
	var won []string
	for _, r := range racers {
		for r.out.Scan() {
			won = append(won, r.out.Text())
			wantObject(t, s, r.out.Text(), fmt.Sprint(r.Process.Pid))
		}
		wantErr(t, nil, r.Wait())
	}
	var want []string
	for i := range raceKeys {
		want = append(want, raceKey(i))
	}
	slices.Sort(want)
	slices.Sort(won)
	if diff := cmp.Diff(want, won); diff != "" {
		t.Errorf("each key must be won once (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string(nil), temps(t, folder)); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
}

// The function "temps" returns the files of unfinished writes in a folder.
func temps(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, tempDir, "*"))
	wantErr(t, nil, err)
	return files
}

func TestFolderCrash(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	mustPut(t, newFolder(t, folder), "runs/1/plan.json", "old")
	var exit *exec.ExitError
	if err := child(t, "crash", folder).Run(); !errors.As(err, &exit) || exit.ExitCode() != crashStatus {
		t.Fatalf("the writer should have died: %v", err)
	}
	left := temps(t, folder)
	if len(left) != 1 {
		t.Fatalf("a dying writer leaves one file, not %q", left)
	}

	s := newFolder(t, folder)
	wantObject(t, s, "runs/1/plan.json", "old")
	got, err := collect(s.List(t.Context(), ""))
	wantErr(t, nil, err)
	if diff := cmp.Diff([]string{"runs/1/plan.json"}, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(left, temps(t, folder)); diff != "" {
		t.Errorf("a young file may belong to a living writer (-want +got):\n%s", diff)
	}
}
