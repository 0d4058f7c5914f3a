package plain

import (
	"regexp"
	"strings"
)

// stored matches a command of idleseat between back quotes that works on a store.
var stored = regexp.MustCompile("`idleseat (?:apply|backtest|explain|history|plan|reevaluate|restore|run|runs|savings|serve|show)(?: [^`]*)?`")

// InStore returns a text in which each command between back quotes names a store. Texts of a run are written where
// nobody knows how an operator will reach the store. The text stays as it is if store is empty.
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
