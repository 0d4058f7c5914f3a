package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "bucket" returns the bucket of the store, or "" if the store is a folder.
func (e *exam) bucket() string {
	rest, s3 := strings.CutPrefix(e.Location, "s3://")
	if !s3 {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func (e *exam) mendStore(err error) *Mend {
	if b := e.bucket(); b != "" {
		return same("Sign in to AWS with the rights s3:GetObject, s3:PutObject and s3:ListBucket on the bucket, and its key's; the commands show who you are and what is missing.",
			"aws sts get-caller-identity\naws s3 ls "+quoted("s3://"+strings.Map(plainLetter, b)+"/"))
	}
	if info, err := os.Stat(e.Location); err == nil && !info.IsDir() {
		return setTo("Name a folder, with --store or by the variable.", "IDLESEAT_STORE", "idleseat-store")
	}
	m := &Mend{Do: "Give the folder to yourself alone, or name another folder with --store."}
	if errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "chmod") {
		m.Bash = "chmod -R u+rwX,go-w " + word(e.Location)
		m.PowerShell = "icacls " + literal(e.Location) + " /inheritance:r /grant:r \"${env:USERNAME}:(OI)(CI)F\" /T"
		return m
	}
	m.Bash, m.PowerShell = "df -h "+word(e.Location), "Get-PSDrive -PSProvider FileSystem"
	m.Do = "Look whether there is space and whether the path is right, or name another folder with --store."
	return m
}

// plainLetter is a mapping for strings.Map that drops runes that a name of a bucket or of a queue must not have.
func plainLetter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
		return r
	}
	return -1
}

// checkStore writes an object and reads it back. It also asks for a missing object, because without the right
// s3:ListBucket S3 answers with a refusal.
func checkStore(ctx context.Context, e *exam) ([]Finding, func()) {
	if e.StoreErr != nil {
		return one(Finding{State: Failed, Means: sentence("%v", e.StoreErr), Mend: e.mendStore(e.StoreErr)})
	}
	if e.Store == nil {
		return one(Finding{State: NotTried, Means: sentence("Not tried, because %s keeps its runs in its bucket. To examine the bucket, name it with --store s3://BUCKET", e.Stack)})
	}
	wrote, read := rand.Text(), ""
	err := store.PutJSON(ctx, e.Store, layout.DoctorProbe(), wrote)
	if err == nil {
		err = store.GetJSON(ctx, e.Store, layout.DoctorProbe(), &read)
	}
	if err != nil {
		return one(Finding{State: Failed, Means: sentence("%v", err), Mend: e.mendStore(err)})
	}
	if read != wrote {
		return one(Finding{State: Failed, Means: sentence("Object %s was written, but another was read: somebody else examines the store, or it shows old objects", layout.DoctorProbe()), Mend: e.again()})
	}
	if err := store.GetJSON(ctx, e.Store, layout.DoctorProbe()+"-"+rand.Text(), &read); !errors.Is(err, store.ErrNotFound) {
		return one(Finding{State: Failed, Means: sentence("The store does not say that an object is missing, so nothing can be asked for: %v", err), Mend: e.mendStore(err)})
	}
	for _, err := range e.Store.List(ctx, layout.Runs) {
		if err != nil {
			return one(Finding{State: Failed, Means: sentence("%v", err), Mend: e.mendStore(err)})
		}
		break
	}
	return one(Finding{State: OK, Means: sentence("Objects can be written, read and listed in %s", e.Location)})
}

// checkConditional creates an object only if it does not exist. The store must refuse to create it again, because this
// refusal stops two runs from taking the same license.
func checkConditional(ctx context.Context, e *exam) ([]Finding, func()) {
	err := store.PutJSONProven(ctx, e.Store, layout.DoctorOnce(), "created once")
	switch {
	case err == nil, errors.Is(err, store.ErrExists): // an earlier examination created it
		return one(Finding{State: OK, Means: "The store refuses to create an object a second time, so two runs cannot take the same license."})
	case errors.Is(err, store.ErrOverwrites):
		m := same("Use AWS S3, a folder, or a server that honours If-None-Match on PutObject.", "")
		m.Bash, m.PowerShell = setVariable("IDLESEAT_STORE", "idleseat-store")
		return one(Finding{State: Failed, Means: sentence("%v", err), Mend: m})
	}
	return one(Finding{State: Failed, Means: sentence("%v", err), Mend: e.mendStore(err)})
}

func checkLastRun(ctx context.Context, e *exam) ([]Finding, func()) {
	names, err := snapshot.Runs(ctx, e.Store)
	if err != nil {
		return one(Finding{State: Failed, Means: sentence("%v", err), Mend: e.mendStore(err)})
	}
	for _, name := range names {
		o, err := runs.Look(ctx, e.Store, name, e.now)
		if err != nil {
			return one(Finding{State: Failed, Means: sentence("%v", err), Mend: e.mendStore(err)})
		}
		if o.User == "" && o.Restore == "" {
			return one(e.lastRun(o))
		}
	}
	return one(Finding{State: NotTried, Means: "Not tried, because the store has no run about everybody yet.", Mend: e.command("Make the first plan; it changes nothing.", "plan", "")})
}

func (e *exam) lastRun(o *runs.Overview) Finding {
	f := Finding{About: o.Run, State: OK, Means: fmt.Sprintf("It began %s ago; its plan has %s, verdict %s.", age(e.now.Sub(o.Started)), plain.Many(o.Changes, "change"), o.Verdict)}
	show := e.command("See what it says.", "show", o.Run)
	switch {
	case len(o.Damage) > 0:
		f.State, f.Means, f.Mend = Failed, sentence("It is damaged: %s", strings.Join(o.Damage, "; ")), show
	case o.Stage != runs.StagePlanned && o.Stage != runs.StageApplying && o.Stage != runs.StageEnded:
		f.State, f.Means, f.Mend = Warning, fmt.Sprintf("It began %s ago and has no plan: it still works, or it has died.", age(e.now.Sub(o.Started))), show
	case o.Verdict == plan.Hold:
		f.State, f.Means, f.Mend = Warning, sentence("Its plan is on hold: %s", strings.Join(o.HoldReasons, "; ")), show
	case o.Stage == runs.StageApplying:
		f.State, f.Means, f.Mend = Warning, "Some of its changes have not ended.", e.command("Finish them, in the modes review and enforce.", "apply", o.Run)
	case e.now.Sub(o.Started) > old:
		f.State, f.Means, f.Mend = Warning, fmt.Sprintf("It began %s ago, so nothing was decided since.", age(e.now.Sub(o.Started))), e.command("Make a new plan.", "plan", "")
	}
	return f
}

// The method "command" returns a Mend with a command of idleseat for the same store and policy. The parameter "run" is
// an argument of the command, or "".
func (e *exam) command(do, command, run string) *Mend {
	m := same(do, "idleseat "+command)
	add := func(before, text string) {
		m.Bash += before + word(text)
		m.PowerShell += before + literal(text)
	}
	if run != "" {
		add(" ", run)
	}
	if command == "doctor" && e.Stack != "" {
		add(" --aws ", e.Stack)
	}
	if v, _ := e.Variable("IDLESEAT_POLICY"); v != e.PolicyFile && e.PolicyFile != "" && command != "show" {
		add(" --policy ", e.PolicyFile)
	}
	if v, _ := e.Variable("IDLESEAT_STORE"); v != e.Location && e.Location != "" {
		add(" --store ", e.Location)
	}
	return m
}
