package command

import (
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
)

// powershell is the value of --shell for PowerShell. Every other value means a POSIX shell.
const powershell = "powershell"

func shellOf(system string) string {
	if system == "windows" {
		return powershell
	}
	return "sh"
}

func exported(shell string, variables []string) string {
	parts := make([]string, len(variables))
	for i, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		if shell == powershell {
			parts[i] = "$env:" + name + " = " + plain.Literal(value)
		} else {
			parts[i] = name + "=" + plain.Word(value)
		}
	}
	if shell == powershell {
		return strings.Join(parts, "; ")
	}
	return "export " + strings.Join(parts, " ")
}

// The method "serve" keeps the simulated company running until the operator ends the demo.
func (d *demo) serve(shell string) error {
	graph, ad := []string{}, []string{}
	for _, v := range d.company.Env() {
		if strings.HasPrefix(v, "IDLESEAT_AD_") {
			ad = append(ad, v)
		} else {
			graph = append(graph, v)
		}
	}
	ours := []string{"IDLESEAT_POLICY=" + d.policyFile(), "IDLESEAT_STORE=" + d.storeFolder()}
	d.out.printf("It answers until you press Ctrl-C here. Paste these lines into another terminal:\n\n")
	for _, variables := range [][]string{graph, ad, ours} {
		d.out.printf("%s\n", exported(shell, variables))
	}
	d.out.printf("\nThen, there:\n")
	for _, step := range [][2]string{
		{"idleseat plan", "reads the company, and prints the plan and the command that applies it"},
		{"idleseat explain ingrid.halvorsen.2@contoso.example", "why, or why not"},
		{"idleseat serve --open", "the same in a browser"},
		{"idleseat restore ingrid.halvorsen.2@contoso.example", "restores what was taken"},
	} {
		d.out.printf("  %-52s  %s\n", step[0], step[1])
	}
	d.out.printf("The policy to edit is %s\n", d.policyFile())
	if d.out.err != nil {
		return d.out.err
	}
	<-d.Context.Done()
	if err := d.company.Close(); err != nil {
		return fmt.Errorf("end the simulated company, whose policy and runs are in %s: %w", d.folder, err)
	}
	d.out.printf("\nThe company is gone. Its policy and its runs remain in %s\n", d.folder)
	return nil
}
