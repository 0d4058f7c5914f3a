package command

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/store"
)

type storeFlag struct {
	Store string `help:"Where runs are kept: a folder or s3://bucket/prefix; ${default} when not given." env:"IDLESEAT_STORE" placeholder:"S" default:"idleseat-store"`
}

func (f storeFlag) open(a *Process) (store.Store, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return a.OpenStore(a.Context, f.Store)
}

// The method "existing" opens a store for a command that goes on with a run. The method "open" would create an empty
// store in a mistyped place.
func (f storeFlag) existing(a *Process) (store.Store, error) {
	if _, err := f.view(a); err != nil {
		return nil, err
	}
	return f.open(a)
}

func (f storeFlag) view(a *Process) (store.Store, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	s, err := a.ViewStore(a.Context, f.Store)
	if errors.Is(err, store.ErrNotFound) {
		return nil, usageError{fmt.Errorf("there is no store in %q; name another one with --store, or make the first run:  %s", f.Store, f.next(a, "plan --policy policy.yaml"))}
	}
	return s, err
}

func (f storeFlag) check() error {
	if scheme, _, ok := strings.Cut(f.Store, "://"); ok && scheme != "s3" {
		return usageError{fmt.Errorf("--store %q is neither a folder nor s3://bucket/prefix", f.Store)}
	}
	if info, err := os.Stat(f.Store); err == nil && !info.IsDir() {
		return fmt.Errorf("the store %q is a file; name a folder", f.Store)
	}
	return nil
}

func (f storeFlag) next(a *Process, command string) string {
	if at := f.elsewhere(a); at != "" {
		command += " --store " + plain.Word(at)
	}
	return "idleseat " + command
}

// The method "elsewhere" returns the value of --store that further commands need. It returns "" if the environment
// names the store.
func (f storeFlag) elsewhere(a *Process) string {
	if v, _ := a.Variable("IDLESEAT_STORE"); v == f.Store {
		return ""
	}
	return f.Store
}

type policyFlag struct {
	Policy string `help:"The policy file." env:"IDLESEAT_POLICY" placeholder:"F"`
}

type formatFlag struct {
	Format string `help:"text, or json: one object on stdout and nothing else there." enum:"text,json" default:"text"`
}

func (f formatFlag) json() bool { return f.Format == "json" }

func (f policyFlag) load() (*policy.Policy, string, error) {
	if f.Policy == "" {
		return nil, "", usageError{errors.New("no policy: give --policy FILE or set IDLESEAT_POLICY; idleseat init writes a first one")}
	}
	text, err := readSmall(f.Policy)
	if err != nil {
		return nil, "", usageError{fmt.Errorf("cannot read the policy: %w", err)}
	}
	p, err := policy.Load(f.Policy, text)
	return p, string(text), err
}

// loadStart returns a value of the type "start" with the policy. The caller sets the other fields.
func (f policyFlag) loadStart() (start, error) {
	rules, text, err := f.load()
	if err != nil {
		return start{}, err
	}
	file, err := f.file()
	return start{policy: rules, text: text, file: file}, err
}

// The method "file" returns the absolute path of the policy file, so that a later command finds it from any folder. It
// returns "" if the flag names no file.
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

// inForce returns the text of the policy that is in force, for the plan of a run. The parameter "b" is the begin.json
// of the run. If the run names its policy file, the text comes from --policy, or else from that file. A run of a
// deployment names no file. For such a run, the text comes from policy.yaml in the store, or else from --policy.
func (f policyFlag) inForce(a *Process, s store.Store, b *snapshot.Begin) (string, error) {
	if b.PolicyFile == "" {
		text, err := store.GetBytes(a.Context, s, layout.Policy, maxFile)
		switch {
		case err == nil:
			_, err = policy.Load(layout.Policy+" of the store", text)
			return string(text), err
		case !errors.Is(err, store.ErrNotFound):
			return "", fmt.Errorf("read the policy in force: %w", err)
		case f.Policy == "":
			return "", usageError{fmt.Errorf("the policy in force is unknown: run %s names no policy file, and the store has no %s; give --policy FILE", b.Run, layout.Policy)}
		}
	}
	planned := f.Policy == ""
	f.Policy = cmp.Or(f.Policy, b.PolicyFile)
	_, text, err := f.load()
	if planned && err != nil {
		err = fmt.Errorf("the policy file of run %s, whose plan may be applied only while it is unchanged (another one: --policy FILE): %w", b.Run, err)
	}
	return text, err
}

// maxFile is the maximum size of a file that readSmall reads, in bytes.
const maxFile = 1 << 20

// readSmall returns the text of a file of at most maxFile bytes. An error contains the name of the file.
func readSmall(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist", path)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder; name a file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		return nil, fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return text, err
}

type sources struct {
	Entra   entra.Config
	AD      activedirectory.Config
	Channel channelConfig
}

type lookup func(name string) (value string, set bool)

func (l lookup) Lookup(name string) (string, bool) { return l(name) }

func (a *Process) sources() (sources, error) {
	var s sources
	if err := envconfig.ProcessWith(a.Context, &envconfig.Config{Target: &s, Lookuper: lookup(a.Variable)}); err != nil {
		timeout, _ := a.Variable("IDLESEAT_AD_TIMEOUT") // all other variables are plain text, so only this one can be malformed
		return s, usageError{fmt.Errorf("IDLESEAT_AD_TIMEOUT is %q; write a number with its unit, like 30s", timeout)}
	}
	return s, nil
}

// The method "connect" returns clients for both directories. The second one is nil if Active Directory is not
// configured.
func (s sources) connect(by clock.Clock) (*entra.Client, *activedirectory.Forest, error) {
	e, err := entra.New(s.Entra, by)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("settings of Entra ID: %w", err)}
	}
	if !s.AD.Configured() {
		return e, nil, nil
	}
	ad, err := activedirectory.NewForest(s.AD, by.Now)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("settings of Active Directory: %w", err)}
	}
	return e, ad, nil
}

func newRun(now time.Time) string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return snapshot.NewRun(now, random)
}

type versionCmd struct{}

func (versionCmd) Run(a *Process) error {
	_, err := fmt.Fprintln(a.Stdout, a.Version)
	return err
}
