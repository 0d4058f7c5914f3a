package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/idleseat/idleseat/shared/plain"
)

// joiner is an invisible character that keeps two letters from meaning something together.
const joiner = "\u2060"

// code writes text as a code span, in which nothing has a meaning, so that it can be copied as it is (GFM 0.29, section
// 6.3). In a table a bar ends the cell also in a code span, and a backtick ends the span; a text that has one is written
// as prose.
func code(text string) string {
	text = strings.TrimSpace(plain.OneLine(text))
	if text == "" || strings.ContainsAny(text, "|`") {
		return prose(text)
	}
	return "`" + text + "`"
}

// prose writes text so that Markdown shows it as it is, in a cell of a table or after the beginning of a line. Markup is
// escaped with a backslash, or with a character reference where a table has its own rules (GFM 0.29, sections 6.1, 6.2
// and 4.10). GitHub makes links, mentions and pictures of what is left: of names after @, numbers after #, GH-1,
// addresses with a scheme or www, and :names:. A joiner breaks these.
func prose(text string) string {
	runes := []rune(strings.TrimSpace(plain.OneLine(text[:min(len(text), mostReason*utf8.UTFMax)]))) // cut before all of a long text is read
	if len(runes) > mostReason || len(text) > mostReason*utf8.UTFMax {
		runes = append(runes[:min(len(runes), mostReason)], '…')
	}
	var out strings.Builder
	for i, r := range runes {
		switch {
		case strings.ContainsRune(`|\&<>`+"`", r):
			fmt.Fprintf(&out, "&#%d;", r)
		case r == '$': // GitHub's own way against mathematics ("Writing mathematical expressions", dollar signs)
			out.WriteString("<span>$</span>")
		case strings.ContainsRune("*_[]~", r):
			out.WriteString(`\` + string(r))
		default:
			out.WriteRune(r)
		}
		if i+1 < len(runes) && links(runes[:i+1], runes[i+1]) {
			out.WriteString(joiner)
		}
	}
	if out.Len() == 0 {
		return "–"
	}
	return out.String()
}

// links reports whether GitHub may make a link, a mention or a picture of the runes so far and the next one.
func links(before []rune, next rune) bool {
	if next == ' ' {
		return false
	}
	last := strings.ToLower(string(before[max(0, len(before)-3):]))
	return strings.HasSuffix(last, "@") || strings.HasSuffix(last, "#") || strings.HasSuffix(last, ":") || strings.HasSuffix(last, "gh-") || strings.HasSuffix(last, "www")
}
