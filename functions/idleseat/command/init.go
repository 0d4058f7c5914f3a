package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/workflow/draft"
)

type initCmd struct {
	Policy   string             `help:"The policy file to write; ${default} when not given. Its golden people and its note go beside it." env:"IDLESEAT_POLICY" placeholder:"F" default:"policy.yaml"`
	Currency string             `help:"Currency of the prices, three capital letters." placeholder:"EUR"`
	Price    map[string]float64 `help:"What a seat of a license costs in a month, like m365-e3=39; give the flag once for each license." placeholder:"NAME=PRICE"`
	Exempt   []string           `help:"People from whom no rule takes a license, such as accounts for an emergency." placeholder:"U"`
	Citrix   string             `help:"Distinguished name of the group of Active Directory that gives Citrix." placeholder:"DN"`
	Model    string             `name:"citrix-model" help:"How seats of Citrix are counted: user, device or concurrent. Only with user does a person who leaves the group free a seat." enum:"user,device,concurrent," default:"" placeholder:"MODEL"`
	Force    bool               `help:"Overwrite files that exist."`
}

// The method "files" returns the names of the policy, the golden people (made-up people with the expected verdicts) and
// the note, for example policy.yaml, policy_test.yaml and policy_note.md.
func (c *initCmd) files() [3]string {
	extension := filepath.Ext(c.Policy)
	name := strings.TrimSuffix(c.Policy, extension)
	return [3]string{c.Policy, name + "_test" + extension, name + "_note.md"}
}

// Run writes a first policy from the data of the tenant. It changes nothing in a directory.
func (c *initCmd) Run(a *Process) error {
	if err := c.free(); err != nil {
		return err
	}
	src, err := a.sources()
	if err != nil {
		return err
	}
	const unwritten = "no file was written, and nothing was changed in a directory"
	seen, err := c.read(a, src)
	if err != nil {
		return a.stopped(err, unwritten)
	}
	wishes := draft.Wishes{Currency: c.Currency, Prices: c.Price, Exempt: c.Exempt, Citrix: c.Citrix, Model: c.Model}
	if a.atTerminal() {
		if err := interview(seen, &wishes, a.ask); err != nil {
			return a.stopped(err, unwritten)
		}
	}
	d, err := draft.Write(seen, wishes, filepath.Base(c.Policy), a.Clock.Now())
	if errors.Is(err, draft.ErrNothing) || errors.Is(err, draft.ErrModel) {
		return usageError{fmt.Errorf("no file was written: %w", err)}
	}
	if err != nil {
		return fmt.Errorf("no file was written: %w", err)
	}
	if err := c.write(d); err != nil {
		return err
	}
	return c.say(a, seen, d)
}

func (c *initCmd) free() error {
	if c.Force {
		return nil
	}
	for _, file := range c.files() {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return usageError{fmt.Errorf("%s exists, and nothing was written; name another file with --policy, or overwrite it with --force", file)}
		}
	}
	return nil
}

func (c *initCmd) read(a *Process, src sources) (*draft.Seen, error) {
	e, forest, err := src.connect(a.Clock)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	var ad draft.ActiveDirectory
	if forest != nil { // a nil *Forest in the interface would not equal nil
		defer forest.Close()
		ad = forest
	}
	bar := newProgress(a)
	bar.begins("reading what the tenant has")
	defer bar.clear()
	return draft.Read(a.Context, e, ad, bar.people)
}

// The method "write" writes the policy, the golden people and the note. Without --force, it overwrites no file, not
// even one that was created since the command began.
func (c *initCmd) write(d *draft.Draft) error {
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if c.Force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	for i, text := range [3][]byte{d.Policy, d.Golden, d.Note} {
		if err := writeFile(c.files()[i], how, text); err != nil {
			return fmt.Errorf("write the policy and what belongs to it: %w", err)
		}
	}
	return nil
}

func writeFile(path string, how int, text []byte) error {
	file, err := os.OpenFile(path, how, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

// The method "say" prints facts about the tenant, the names of the files, and the next commands.
func (c *initCmd) say(a *Process, seen *draft.Seen, d *draft.Draft) error {
	out, files := &printer{w: a.Stdout}, c.files()
	out.printf("What tenant %s has. Nothing was changed there.\n", seen.Tenant)
	for _, sentence := range d.Told {
		out.printf("  - %s\n", sentence)
	}
	file := ""
	if v, _ := a.Variable("IDLESEAT_POLICY"); v != c.Policy {
		file = " --policy " + plain.Word(c.Policy)
	}
	out.printf("\nwrote %s (mode audit), %s and %s\n\n", files[0], files[1], files[2])
	out.printf("What comes next:\n  idleseat doctor%s\n  idleseat policy explain %s\n  idleseat policy test %s\n  idleseat plan%s\n\n", file, plain.Word(c.Policy), plain.Word(c.Policy), file)
	out.printf("The first plan of a tenant is usually held, because more than 10 %% of the holders are idle. That is no fault.\nThe plan then says what to do.\n")
	return out.err
}
