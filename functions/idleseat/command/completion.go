package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// The completion scripts are made from the parser's own description of the commands. So a script has the commands and
// flags that the parser accepts.

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"bash, zsh, fish or powershell."`
}

// Run prints a script for a shell.
func (c *completionCmd) Run(a *Process, k *kong.Context) error {
	var script string
	switch root := k.Model.Node; c.Shell {
	case "zsh":
		script = "#compdef idleseat\nautoload -U +X bashcompinit && bashcompinit\n" + bashScript(root)
	case "fish":
		script = fishScript(root)
	case "powershell":
		script = powerShellScript(root)
	default:
		script = bashScript(root)
	}
	_, err := fmt.Fprint(a.Stdout, script)
	return err
}

func everyNode(root *kong.Node) (nodes []*kong.Node) {
	nodes = []*kong.Node{root}
	for _, c := range root.Children {
		if !c.Hidden {
			nodes = append(nodes, everyNode(c)...)
		}
	}
	return nodes
}

func flagsOf(n *kong.Node) (flags []*kong.Flag) {
	for _, group := range n.AllFlags(true) {
		flags = append(flags, group...)
	}
	return flags
}

// The function "candidates" returns the words that may follow a command: its subcommands, and the values of an argument
// that allows only certain values.
func candidates(n *kong.Node) (words []string) {
	for _, c := range n.Children {
		if !c.Hidden {
			words = append(words, c.Name)
		}
	}
	if len(n.Positional) > 0 && n.Positional[0].Enum != "" {
		words = append(words, n.Positional[0].EnumSlice()...)
	}
	return words
}

func choicesOf(f *kong.Flag) []string {
	if f.Enum == "" {
		return nil
	}
	return f.EnumSlice()
}

// bashScript returns the script for bash. zsh uses the same script with its module bashcompinit. If the script offers
// no word, the shell offers the names of files.
func bashScript(root *kong.Node) string {
	var b strings.Builder
	b.WriteString(`_idleseat() {
  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" at=idleseat words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at ${COMP_WORDS[i]}" in
`)
	nodes := everyNode(root)
	for _, n := range nodes[1:] {
		fmt.Fprintf(&b, "    \"%s\") at=\"%s\" ;;\n", n.FullPath(), n.FullPath())
	}
	b.WriteString("    esac\n  done\n  COMPREPLY=()\n  case \"$at $prev\" in\n")
	for _, n := range nodes {
		for _, f := range flagsOf(n) {
			if !f.IsBool() {
				fmt.Fprintf(&b, "  \"%s --%s\") COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;\n", n.FullPath(), f.Name, strings.Join(choicesOf(f), " "))
			}
		}
	}
	b.WriteString("  esac\n  case \"$at\" in\n")
	for _, n := range nodes {
		var flags []string
		for _, f := range flagsOf(n) {
			flags = append(flags, "--"+f.Name)
		}
		fmt.Fprintf(&b, "  \"%s\") if [[ $cur == -* ]]; then words=\"%s\"; else words=\"%s\"; fi ;;\n", n.FullPath(), strings.Join(flags, " "), strings.Join(candidates(n), " "))
	}
	b.WriteString("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _idleseat idleseat\n")
	return b.String()
}

func fishScript(root *kong.Node) string {
	var b strings.Builder
	quote := func(text string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", " ").Replace(text) + "'"
	}
	for _, n := range everyNode(root) {
		var path []string
		for p := n; p.Parent != nil; p = p.Parent {
			path = append(path, "__fish_seen_subcommand_from "+p.Name)
		}
		slices.Reverse(path)
		words := candidates(n)
		here := path
		if len(words) > 0 {
			here = append(slices.Clone(path), "not __fish_seen_subcommand_from "+strings.Join(words, " "))
		}
		if len(n.Children) > 0 {
			for _, c := range n.Children {
				fmt.Fprintf(&b, "complete -c idleseat -f -n %s -a %s -d %s\n", quote(strings.Join(here, "; and ")), c.Name, quote(c.Help))
			}
		} else if len(words) > 0 {
			fmt.Fprintf(&b, "complete -c idleseat -f -n %s -a %s\n", quote(strings.Join(here, "; and ")), quote(strings.Join(words, " ")))
		}
		for _, f := range n.Flags {
			form := ""
			switch values := choicesOf(f); {
			case f.Hidden:
				continue
			case len(values) > 0:
				form = " -x -a " + quote(strings.Join(values, " "))
			case !f.IsBool():
				form = " -r"
			}
			condition := ""
			if len(path) > 0 {
				condition = " -n " + quote(strings.Join(path, "; and "))
			}
			fmt.Fprintf(&b, "complete -c idleseat%s -l %s%s -d %s\n", condition, f.Name, form, quote(f.Help))
		}
	}
	return b.String()
}

func powerShellScript(root *kong.Node) string {
	var b strings.Builder
	list := func(words []string) string {
		if len(words) == 0 {
			return "@()"
		}
		return "@('" + strings.Join(words, "','") + "')"
	}
	b.WriteString("$idleseatWords = @{\n")
	nodes := everyNode(root)
	for _, n := range nodes {
		words := candidates(n)
		for _, f := range flagsOf(n) {
			words = append(words, "--"+f.Name)
		}
		fmt.Fprintf(&b, "  '%s' = %s\n", n.FullPath(), list(words))
		for _, f := range flagsOf(n) {
			if values := choicesOf(f); len(values) > 0 {
				fmt.Fprintf(&b, "  '%s --%s' = %s\n", n.FullPath(), f.Name, list(values))
			}
		}
	}
	b.WriteString(`}
Register-ArgumentCompleter -Native -CommandName idleseat -ScriptBlock {
  param($word, $ast, $cursor)
  $at = 'idleseat'; $prev = ''
  foreach ($e in $ast.CommandElements | Select-Object -Skip 1) {
    if ($e.Extent.EndOffset -ge $cursor) { break }
    $prev = $e.ToString()
    if ($idleseatWords.ContainsKey("$at $prev") -and -not $prev.StartsWith('-')) { $at = "$at $prev" }
  }
  $words = $idleseatWords["$at $prev"]
  if (-not $prev.StartsWith('-') -or -not $words) { $words = $idleseatWords[$at] }
  $words | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`)
	return b.String()
}
