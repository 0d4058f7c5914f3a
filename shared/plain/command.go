package plain

import (
	"regexp"
	"strings"
)

// The expression "stored" matches a command between back quotes that works on a store, such as `idleseat runs`.
var stored = regexp.MustCompile("`idleseat (?:apply|backtest|explain|history|plan|reevaluate|restore|run|runs|savings|serve|show)(?: [^`]*)?`")

// InStore adds the option --store to each command between back quotes that works on a store and has neither --store nor
// --aws. The texts come from code that does not have the location of the store. If "store" is empty, the text stays
// unchanged.
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
