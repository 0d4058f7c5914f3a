package command

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Messages of the parser that usageWords replaces.
var (
	unknownFlag = regexp.MustCompile(`^unknown flag (--?[^ ,]+)(?:, did you mean (?:one of )?(.+)\?)?$`)
	unexpected  = regexp.MustCompile(`^unexpected argument (.+?)(?:, did you mean (?:one of )?(.+)\?)?$`)
	noValue     = regexp.MustCompile(`^(--[^:]+): expected .* value but got "EOL"`)
	noArgument  = regexp.MustCompile(`^expected "(<.+>)"$`)
	noCommand   = regexp.MustCompile(`^expected (?:one of )?"`)
	noFlags     = regexp.MustCompile(`^missing flags: (.+)$`)
)

// The function "misused" returns an error that says in plain words what is wrong with the command line.
func misused(k *kong.Kong, err error) error {
	node := k.Model.Node
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil && parse.Context.Selected() != nil {
		node = parse.Context.Selected()
	}
	return usageError{errors.New(sentences(usageWords(k, node, err.Error()), fmt.Sprintf("see %s --help", node.FullPath())))}
}

// The function "sentences" joins two parts of a message. After a question, the second part begins a new sentence.
func sentences(first, second string) string {
	if strings.HasSuffix(first, "?") {
		return first + " " + strings.ToUpper(second[:1]) + second[1:]
	}
	return first + "; " + second
}

var argumentWords = map[string]string{
	"<run>":  "the id of a run, as `idleseat runs` lists them",
	"<user>": "a user: userPrincipalName, object id, SID or account name",
}

func usageWords(k *kong.Kong, node *kong.Node, text string) string {
	name := cmp.Or(node.Path(), k.Model.Name)
	if m := unknownFlag.FindStringSubmatch(text); m != nil {
		if others := haveFlag(k.Model.Node, strings.TrimLeft(m[1], "-")); len(others) > 0 {
			return fmt.Sprintf("%s has no flag %s; %s", name, m[1], theyHave(others))
		}
		return fmt.Sprintf("%s has no flag %s%s", name, m[1], perhaps(m[2]))
	}
	if m := unexpected.FindStringSubmatch(text); m != nil {
		if len(node.Children) > 0 {
			return fmt.Sprintf("there is no command %s%s", m[1], perhaps(m[2]))
		}
		return fmt.Sprintf("%s takes no further argument, and %q is one; a text with blanks needs quotes", name, m[1])
	}
	if m := noValue.FindStringSubmatch(text); m != nil {
		return m[1] + " needs a value behind it"
	}
	if m := noArgument.FindStringSubmatch(text); m != nil {
		return name + " needs " + cmp.Or(argumentWords[m[1]], m[1])
	}
	if m := noFlags.FindStringSubmatch(text); m != nil {
		return name + " needs " + m[1]
	}
	if noCommand.MatchString(text) && len(node.Children) > 0 {
		if node.Parent == nil {
			return "give a command, such as plan"
		}
		var names []string
		for _, c := range node.Children {
			names = append(names, c.Name)
		}
		return fmt.Sprintf("give a command of %s: ", node.FullPath()) + strings.Join(names, ", ")
	}
	return text
}

// The function "perhaps" returns the end of a message with the parser's suggestion. Without a suggestion, it returns
// "".
func perhaps(suggested string) string {
	if suggested == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", strings.ReplaceAll(strings.ReplaceAll(suggested, `"`, ""), ", ", " or "))
}

func haveFlag(node *kong.Node, name string) (commands []string) {
	for _, c := range node.Leaves(true) {
		if slices.ContainsFunc(c.Flags, func(f *kong.Flag) bool { return f.Name == name }) {
			commands = append(commands, c.Path())
		}
	}
	return commands
}

func theyHave(commands []string) string {
	if last := len(commands) - 1; last > 0 {
		return strings.Join(commands[:last], ", ") + " and " + commands[last] + " have it"
	}
	return commands[0] + " has it"
}
