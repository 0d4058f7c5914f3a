package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

//go:embed switch.go.txt
var switchSource string

// The type "workshop" is a folder with the rewritten files and the test binaries. Its file "page" has the number of the
// mutant that is switched on, and the list of mutants that a test reached. Test processes map this file into memory.
type workshop struct {
	dir     string
	overlay string
	page    string
	count   int // number of mutants
	locked  *os.File
}

// The function "furnish" numbers the mutants, and writes the rewritten files into the folder. It also writes an
// overlay: with it, the go command compiles the rewritten files in place of the real files.
func furnish(dir, module, root string, sources []*source) (*workshop, []*mutant, error) {
	w := &workshop{dir: dir, overlay: filepath.Join(dir, "overlay.json"), page: filepath.Join(dir, "page")}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	if err := w.lock(); err != nil {
		return nil, nil, err
	}
	replaced := map[string]string{}
	put := func(path, text string) error {
		sum := sha256.Sum256([]byte(path))
		at := filepath.Join(dir, hex.EncodeToString(sum[:8])+"_"+filepath.Base(path)+".txt") // with the suffix .txt, the go command does not treat the file as a part of this module
		replaced[path] = at
		return os.WriteFile(at, []byte(text), 0o644)
	}
	var all []*mutant
	for _, s := range sources {
		sites := find(s)
		for _, at := range sites {
			for _, m := range at.mutants {
				m.id = len(all) + 1
				all = append(all, m)
			}
		}
		if len(sites) == 0 {
			continue
		}
		if err := put(s.path, rewrite(s, sites, module+"/shared/mutated")); err != nil {
			return nil, nil, err
		}
	}
	w.count = len(all)
	text := strings.NewReplacer("PATH", strconv.Quote(w.page), "COUNT", strconv.Itoa(w.count)).Replace(switchSource)
	if err := put(filepath.Join(root, "shared", "mutated", "switch.go"), text); err != nil {
		return nil, nil, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return nil, nil, err
	}
	return w, all, os.WriteFile(w.overlay, overlay, 0o644)
}

// The method "lock" returns an error if another run uses the folder. The second run would switch mutants in the test
// processes of the first.
func (w *workshop) lock() error {
	f, err := os.OpenFile(filepath.Join(w.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	w.locked = f // the file stays locked until the process ends
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another run is at work in %s: %w", w.dir, err)
	}
	return nil
}

// The method "turn" switches a mutant on for processes that start later, and clears the list of reached mutants. The
// id 0 switches all mutants off.
func (w *workshop) turn(id int) error {
	page := make([]byte, 4+w.count+1)
	binary.LittleEndian.PutUint32(page, uint32(id))
	return os.WriteFile(w.page, page, 0o644)
}

// The method "reached" returns the numbers of the mutants whose code has run in a test process since the last call of
// "turn".
func (w *workshop) reached() ([]int, error) {
	page, err := os.ReadFile(w.page)
	if err != nil {
		return nil, err
	}
	var ids []int
	for id := 1; id <= w.count; id++ {
		if page[4+id] != 0 {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// The type "suite" is the test binary of one package. It contains the mutants of every package in "judged" that the
// tests use.
type suite struct {
	pkg    string // path of the package in the module
	dir    string // working folder of the tests
	binary string
	sum    string
	tests  []test
}

// The method "compile" builds the tests of a package. It returns nil if the package has no tests.
func (w *workshop) compile(p listed) (*suite, error) {
	pkg := strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")
	s := &suite{pkg: pkg, dir: p.Dir, binary: filepath.Join(w.dir, strings.ReplaceAll(pkg, "/", "_")+".test")}
	if err := os.Remove(s.binary); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", w.overlay, "-o", s.binary, p.ImportPath)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go test -c %s: %w\n%s", pkg, err, out)
	}
	content, err := os.ReadFile(s.binary)
	if os.IsNotExist(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	s.sum = hex.EncodeToString(sum[:])
	return s, nil
}
