package command

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type manCmd struct{}

// Run prints the manual page in the format of man(7).
func (manCmd) Run(a *Process, k *kong.Context) error {
	_, err := fmt.Fprint(a.Stdout, manual(k.Model, a.Version))
	return err
}

// The function "manual" returns the manual page. It makes the page from the parser's own description of the commands.
func manual(model *kong.Application, version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH IDLESEAT 1 \"\" \"idleseat %s\"\n.SH NAME\nidleseat \\- %s\n", roff(version), roff(model.Help))
	b.WriteString(".SH SYNOPSIS\n.B idleseat\n.I COMMAND\n.RI [ FLAGS ]\n.SH COMMANDS\n")
	for _, n := range everyNode(model.Node) {
		if !n.Leaf() {
			continue
		}
		fmt.Fprintf(&b, ".SS %s\n%s\n", roff(n.Summary()), roff(n.Help))
		for _, p := range n.Positional {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(p.Summary()), roff(p.Help))
		}
		for _, f := range n.Flags {
			writeFlag(&b, f)
		}
	}
	b.WriteString(".SH FLAGS OF EVERY COMMAND\n")
	for _, f := range model.Flags {
		writeFlag(&b, f)
	}
	b.WriteString(".SH EXIT STATUS\n")
	for status, means := range statuses {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", status, roff(means))
	}
	fmt.Fprintf(&b, ".SH ENVIRONMENT\n%s\n.PP\n%s\n", roff(strings.Join(settings(model), ", ")+"."),
		roff("Their meaning is in docs/operations.md. The sign-in to Microsoft Graph has the variables of the Azure SDK, such as AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET."))
	return b.String()
}

var statuses = [...]string{
	exitDone:    "Done.",
	exitFailed:  "The store, a snapshot or a source that every rule needs could not be read, or changes failed.",
	exitUsage:   "The command line, the policy, the tenant or the user is wrong. No run was made.",
	exitHeld:    "Held or refused by a safety check.",
	exitPending: "Of run alone: changes are pending. The next run continues them, or the messages have the commands that restore them.",
	exitUnread:  "Of run alone: a source could not be read.",
}

func writeFlag(b *strings.Builder, f *kong.Flag) {
	if f.Hidden {
		return
	}
	help := f.Help
	if len(f.Envs) > 0 {
		help += " Default: $" + strings.Join(f.Envs, ", $") + "."
	}
	value := ""
	switch choices := choicesOf(f); {
	case len(choices) > 0:
		value = "=" + strings.Join(choices, "|")
	case !f.IsBool():
		value = "=" + f.FormatPlaceHolder()
	}
	fmt.Fprintf(b, ".TP\n.B \\-\\-%s\n%s\n", roff(f.Name+value), roff(help))
}

// roff escapes a text, so that it is no request in the format of man(7).
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		return `\&` + text
	}
	return text
}
