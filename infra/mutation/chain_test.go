package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The variable "small" has the files of a module in which most operators find a place for a mutant. The tests of the
// module kill all mutants except one.
var small = map[string]string{
	"go.mod": "module example.test/m\n\ngo 1.26\n",
	"shared/small/small.go": `package small

import (
	"errors"
	"fmt"
	"time"
)

type door struct{ open, log int }

func (d *door) enter(n int) { defer d.shut(); d.open += n }

func (d *door) shut() { d.open--; d.log++ }

func late(now, then time.Time) bool { return then.Before(now.Add(-time.Hour)) }

func within(n int) error {
	if n >= 3 || n < 0 {
		return fmt.Errorf("%d is %t", n, n > 3)
	}
	return nil
}

func odd(all []int) (n int, some bool) {
	for _, v := range all {
		if v%2 == 0 {
			continue
		}
		n = n + v
		some = true
	}
	return min(n, 9), some && !(n == 1)
}

var errNo = errors.New("no")

func ask(yes bool) (string, error) {
	switch {
	case yes:
		return "yes", nil
	}
	return "", errNo
}
`,
	"shared/small/small_test.go": `package small

import (
	"testing"
	"time"
)

func TestDoor(t *testing.T) {
	d := &door{}
	if d.enter(2); *d != (door{open: 1, log: 1}) {
		t.Error(*d)
	}
}

func TestLate(t *testing.T) {
	now := time.Unix(1e9, 0)
	for ago, want := range map[time.Duration]bool{0: false, time.Hour: false, time.Hour + 1: true} {
		if got := late(now, now.Add(-ago)); got != want {
			t.Error(ago, got)
		}
	}
}

func TestWithin(t *testing.T) {
	for n, want := range map[int]bool{-1: false, 1: true, 2: true, 3: false} { // 0 is not tested, so one mutant lives
		if got := within(n) == nil; got != want {
			t.Error(n, got)
		}
	}
}

func TestOdd(t *testing.T) {
	for _, c := range []struct{ in []int; n int; some bool }{{nil, 0, false}, {[]int{1}, 1, false}, {[]int{2}, 0, false}, {[]int{5, 2}, 5, true}, {[]int{5, 3, 7}, 9, true}} {
		if n, some := odd(c.in); n != c.n || some != c.some {
			t.Error(c, n, some)
		}
	}
}

func TestAsk(t *testing.T) {
	if s, err := ask(true); s != "yes" || err != nil {
		t.Error(s, err)
	}
	if s, err := ask(false); s != "" || err == nil {
		t.Error(s, err)
	}
}
`,
}

var smallMutants = []string{
	"small/small.go ask: error to nil: errNo",
	"small/small.go ask: forced false: yes",
	"small/small.go ask: forced true: yes",
	"small/small.go door.enter: left out: d.open += n",
	"small/small.go door.enter: left out: defer d.shut()",
	"small/small.go door.shut: left out: d.log++",
	"small/small.go door.shut: left out: d.open--",
	"small/small.go late: Before or at: then.Before(now.Add(-time.Hour))",
	"small/small.go late: forced false: then.Before(now.Add(-time.Hour))",
	"small/small.go late: forced true: then.Before(now.Add(-time.Hour))",
	"small/small.go late: shifted the other way: -time.Hour",
	"small/small.go odd: % to *: v%2",
	"small/small.go odd: && to ||: some && !(n == 1)",
	"small/small.go odd: + to -: n + v",
	"small/small.go odd: == to !=: n == 1",
	"small/small.go odd: == to !=: v%2 == 0",
	"small/small.go odd: dropped !: !(n == 1)",
	"small/small.go odd: flipped: true",
	"small/small.go odd: forced false: some && !(n == 1)",
	"small/small.go odd: forced false: v%2 == 0",
	"small/small.go odd: forced true: some && !(n == 1)",
	"small/small.go odd: forced true: v%2 == 0",
	"small/small.go odd: left alone: some && !(n == 1)",
	"small/small.go odd: left out: continue",
	"small/small.go odd: left out: n = n + v",
	"small/small.go odd: left out: some = true",
	"small/small.go odd: min to max: min(n, 9)",
	"small/small.go odd: right alone: some && !(n == 1)",
	"small/small.go within: < to <=: n < 0",
	"small/small.go within: < to >=: n < 0",
	"small/small.go within: >= to <: n >= 3",
	"small/small.go within: >= to >: n >= 3",
	"small/small.go within: error to nil: fmt.Errorf(\"%d is %t\", n, n > 3)",
	"small/small.go within: forced false: n >= 3 || n < 0",
	"small/small.go within: forced true: n >= 3 || n < 0",
	"small/small.go within: left alone: n >= 3 || n < 0",
	"small/small.go within: right alone: n >= 3 || n < 0",
	"small/small.go within: || to &&: n >= 3 || n < 0",
}

// smallLiving is the only living mutant of the package small. It gives a different result only for the input 0, which
// no test uses.
var smallLiving = []string{
	"small/small.go within: < to <=: n < 0",
}

// TestMutantsOfASmallPackageMeetItsTests makes the mutants of the module "small" and runs its tests on them. It is not
// parallel, because go list needs the working folder of the process.
func TestMutantsOfASmallPackageMeetItsTests(t *testing.T) {
	root := t.TempDir()
	for name, text := range small {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
	sources, module, err := load([]string{"./shared/small"})
	if err != nil {
		t.Fatal(err)
	}
	w, mutants, err := furnish(filepath.Join(root, "bin"), module, root, sources)
	if err != nil {
		t.Fatal(err)
	}
	packages, err := list("./shared/small")
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.compile(packages[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := w.learn(s); err != nil {
		t.Fatal(err)
	}
	var names, living []string
	for _, m := range mutants {
		names = append(names, m.name)
		dead, err := w.kills(m, s, ownBudget)
		if err != nil {
			t.Fatal(err)
		}
		if !dead {
			living = append(living, m.name)
		}
	}
	slices.Sort(names)
	if d := cmp.Diff(smallMutants, names); d != "" {
		t.Errorf("mutants (-want +got):\n%s", d)
	}
	if d := cmp.Diff(smallLiving, living); d != "" {
		t.Errorf("living (-want +got):\n%s", d)
	}
}
