package command

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/store"
)

// storeFlag is the flag of every command that writes or reads runs.
type storeFlag struct {
	Store string `help:"Where runs are kept: a folder or s3://bucket/prefix; ${default} when not given." env:"IDLESEAT_STORE" placeholder:"S" default:"idleseat-store"`
}

func (f storeFlag) open(a *Process) (store.Store, error) {
	if scheme, _, ok := strings.Cut(f.Store, "://"); ok && scheme != "s3" {
		return nil, usageError{fmt.Errorf("--store %q is neither a folder nor s3://bucket/prefix", f.Store)}
	}
	return a.OpenStore(a.Context, f.Store)
}

// next returns a command that continues this one with the same store.
func (f storeFlag) next(a *Process, command string) string {
	if v, _ := a.Variable("IDLESEAT_STORE"); v == f.Store {
		return "idleseat " + command
	}
	return "idleseat " + command + " --store " + f.Store
}

// policyFlag is the flag of every command that plans.
type policyFlag struct {
	Policy string `help:"The policy file." env:"IDLESEAT_POLICY" placeholder:"F"`
}

// formatFlag chooses what is printed on stdout.
type formatFlag struct {
	Format string `help:"text, or json: one object on stdout and nothing else there." enum:"text,json" default:"text"`
}

func (f formatFlag) json() bool { return f.Format == "json" }

// load reads and compiles the policy file.
func (f policyFlag) load() (*policy.Policy, string, error) {
	if f.Policy == "" {
		return nil, "", usageError{errors.New("no policy: give --policy FILE or set IDLESEAT_POLICY")}
	}
	text, err := readSmall(f.Policy)
	if err != nil {
		return nil, "", usageError{fmt.Errorf("read the policy: %w", err)}
	}
	p, err := policy.Load(f.Policy, text)
	return p, string(text), err
}

// file returns the absolute path of the policy file on this machine, so that a later command finds it from any folder.
// It is empty when no file is given.
func (f policyFlag) file() (string, error) {
	if f.Policy == "" {
		return "", nil
	}
	path, err := filepath.Abs(f.Policy)
	if err != nil {
		return "", usageError{fmt.Errorf("find the policy: %w", err)}
	}
	return path, nil
}

// inForce returns the text of the policy in force. It reads the given file, or else the file by which the run was
// planned. It is empty for a run that does not name its file.
func (f policyFlag) inForce(b *snapshot.Begin) (string, error) {
	if f.Policy == "" && b.PolicyFile == "" {
		return "", nil
	}
	planned := f.Policy == ""
	f.Policy = cmp.Or(f.Policy, b.PolicyFile)
	_, text, err := f.load()
	if planned && err != nil {
		err = fmt.Errorf("the policy file of run %s, whose plan may be applied only while it is unchanged (another one: --policy FILE): %w", b.Run, err)
	}
	return text, err
}

// maxFile bounds policy and test files in bytes.
const maxFile = 1 << 20

func readSmall(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		return nil, fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return text, err
}

// sources are the settings of the two directories.
type sources struct {
	Entra entra.Config
	AD    activedirectory.Config
}

// lookup is an envconfig.Lookuper.
type lookup func(name string) (value string, set bool)

// Lookup looks up a variable.
func (l lookup) Lookup(name string) (string, bool) { return l(name) }

// sources reads the settings of the directories from the environment.
func (a *Process) sources() (sources, error) {
	var s sources
	if err := envconfig.ProcessWith(a.Context, &envconfig.Config{Target: &s, Lookuper: lookup(a.Variable)}); err != nil {
		return s, usageError{fmt.Errorf("read the environment (IDLESEAT_AD_TIMEOUT is a duration like 30s): %w", err)}
	}
	return s, nil
}

// connect prepares both directories. The second one is nil when it is not set up.
func (s sources) connect(by clock.Clock) (*entra.Client, *activedirectory.Forest, error) {
	e, err := entra.New(s.Entra, by)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("set up Entra ID: %w", err)}
	}
	if !s.AD.Configured() {
		return e, nil, nil
	}
	ad, err := activedirectory.NewForest(s.AD, by.Now)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("set up Active Directory: %w", err)}
	}
	return e, ad, nil
}

func newRun(now time.Time) string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return snapshot.NewRun(now, random)
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(a *Process) error {
	_, err := fmt.Fprintln(a.Stdout, a.Version)
	return err
}
