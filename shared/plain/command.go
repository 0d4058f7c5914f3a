package plain

import (
	"regexp"
	"strings"
)

// The expression "stored" matches a command between back quotes, such as `idleseat runs`. Only commands that work on a
// store match.
var stored = regexp.MustCompile("`idleseat (?:apply|backtest|explain|history|plan|reevaluate|restore|run|runs|savings|serve|show)(?: [^`]*)?`")

// InStore adds the option --store to each command between back quotes that works on a store and has neither --store nor
// --aws. It returns the text unchanged if the argument "store" is empty. The code that writes the texts does not know
// the location of the store, so the text gets the location here.
func InStore(text, store string) string {
	if store == "" {
		return text
	}
	return stored.ReplaceAllStringFunc(text, func(command string) string {
		if strings.Contains(command, " --store ") || strings.Contains(command, " --aws ") {
			return command
		}
		return strings.TrimSuffix(command, "`") + " --store " + Word(store) + "`"
	})
}
