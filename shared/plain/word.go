package plain

import "strings"

// Word quotes a word for a POSIX shell (POSIX.1-2024, Shell Command Language, 2.2 Quoting). A harmless word stays
// unchanged.
func Word(word string) string {
	harmless := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./-_", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !harmless(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Literal quotes text as one word for PowerShell. It doubles the five characters that PowerShell reads as a single
// quotation mark (PowerShell language specification 3.0, 2.3.5.2).
func Literal(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("'‘’‚‛", r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	return "'" + b.String() + "'"
}
