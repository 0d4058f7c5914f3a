package command

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/workflow/doctor"
)

type doctorCmd struct {
	storeFlag
	policyFlag
	formatFlag
	AWS   string `name:"aws" help:"Examine the deployment of this name (stack or module), too." placeholder:"STACK"`
	Shell string `help:"The shell whose commands are shown: bash or powershell; by the operating system when not given." enum:"bash,powershell," default:"" placeholder:"SHELL"`
}

type examined struct {
	Worst    doctor.State     `json:"worst"`
	Findings []doctor.Finding `json:"findings"`
}

// Run examines every prerequisite, and prints advice about each one that is not met. It changes nothing in a directory.
func (c *doctorCmd) Run(a *Process) error {
	src, err := a.sources()
	if err != nil {
		return err
	}
	p, closeAll := c.patient(a, src)
	defer closeAll()
	bar, ended := newProgress(a), atomic.Int32{}
	findings := doctor.Examine(a.Context, p, func(string) { bar.checks(int(ended.Add(1)), doctor.Count(&p)) })
	bar.clear()
	if c.json() {
		err = writeJSON(a.json, examined{doctor.Worst(findings), findings})
	} else {
		err = c.print(a, findings)
	}
	if err != nil {
		return err
	}
	return verdictOf(findings)
}

// The method "patient" connects to the systems that the command doctor examines. A failed connection becomes a finding,
// and not an error.
func (c *doctorCmd) patient(a *Process, src sources) (p doctor.Patient, closeAll func()) {
	p = doctor.Patient{Clock: a.Clock, Variable: a.Variable, PolicyFile: c.Policy, Bind: src.AD.Bind, Location: c.Store, Stack: c.AWS}
	p.Policy, _, p.PolicyErr = c.load()
	closeAll = func() {}
	if e, err := entra.New(src.Entra, a.Clock); err != nil {
		p.EntraErr = err
	} else {
		p.Entra, closeAll = e, e.Close
	}
	if src.AD.Configured() {
		forest, err := activedirectory.NewForest(src.AD, a.Clock.Now)
		if p.ADErr = err; err == nil { // a nil *Forest in the interface would not equal nil
			before := closeAll
			p.AD, closeAll = forest, func() { forest.Close(); before() }
		}
	}
	if !p.Away() || strings.Contains(c.Store, "://") { // a deployment has no store on this machine
		p.Store, p.StoreErr = c.open(a)
	}
	if src.Channel.File != "" {
		p.Channel, p.ChannelErr = src.Channel.client(a)
	}
	if c.AWS != "" {
		p.AWS, p.AWSErr = deploymentOf(a)
	}
	return p, closeAll
}

func deploymentOf(a *Process) (*doctor.AWS, error) {
	cloud, self, err := signedIn(a)
	if err != nil {
		return nil, err
	}
	return &doctor.AWS{
		Partition: self.Partition, Region: cloud.Region, Account: self.AccountID,
		Schedules: scheduler.NewFromConfig(cloud), Topics: sns.NewFromConfig(cloud), Queues: sqs.NewFromConfig(cloud), Machines: sfn.NewFromConfig(cloud),
	}, nil
}

// verdictOf returns an error with the names of the worst findings, if their state is failed or unknown. Other findings
// do not prevent a plan.
func verdictOf(findings []doctor.Finding) error {
	worst := doctor.Worst(findings)
	status := map[doctor.State]int{doctor.Failed: exitFailed, doctor.Unknown: exitHeld}[worst]
	if status == exitDone {
		return nil
	}
	var names []string
	for _, f := range findings {
		if f.State == worst {
			names = append(names, title(f))
		}
	}
	return endError{status, fmt.Errorf("%s: %s", worst, strings.Join(names, ", "))}
}

func title(f doctor.Finding) string { return f.Check + plain.Prefixed(": ", f.About) }

// foldAt is the maximum width of the text below a finding. Commands are not folded, so that an operator can paste them.
const foldAt = 78

func (c *doctorCmd) print(a *Process, findings []doctor.Finding) error {
	out, counts := &printer{w: a.Stdout}, map[doctor.State]int{}
	for _, f := range findings {
		counts[f.State]++
		out.printf("%-9s  %s\n", strings.ToUpper(string(f.State)), title(f))
		for _, line := range folded(oneLine(f.Means), foldAt-4) {
			out.printf("    %s\n", line)
		}
		if f.Mend != nil {
			c.printMend(out, f)
		}
	}
	if slices.ContainsFunc(findings, asksAzure) {
		out.printf("\nCommands that begin with az need the Azure CLI, and an administrator of the tenant who has called az login.\n")
	}
	out.printf("\n%d ok, %s, %d failed, %d unknown, %d not tried\n", counts[doctor.OK], plain.Many(counts[doctor.Warning], "warning"),
		counts[doctor.Failed], counts[doctor.Unknown], counts[doctor.NotTried])
	return out.err
}

func asksAzure(f doctor.Finding) bool {
	return f.Mend != nil && strings.Contains("\n"+f.Mend.Bash, "\naz ")
}

func (c *doctorCmd) printMend(out *printer, f doctor.Finding) {
	m, before := f.Mend, "To mend it: "
	if f.State == doctor.NotTried {
		before = ""
	}
	for _, line := range folded(before+oneLine(m.Do), foldAt-4) {
		out.printf("    %s\n", line)
	}
	command := m.Bash
	if cmp.Or(c.Shell, shellOf(runtime.GOOS)) == powershell {
		command = m.PowerShell
	}
	for line := range strings.Lines(command) {
		out.whole(6, strings.TrimRight(line, "\n"))
	}
}

// The function "folded" breaks text between words into lines of at most "width" letters. A longer word has a line of
// its own.
func folded(text string, width int) (lines []string) {
	line, letters := "", 0
	for word := range strings.FieldsSeq(text) {
		n := len([]rune(word))
		if letters > 0 && letters+1+n > width {
			lines, line, letters = append(lines, line), "", 0
		}
		if letters > 0 {
			line, letters = line+" ", letters+1
		}
		line, letters = line+word, letters+n
	}
	return append(lines, line)
}
