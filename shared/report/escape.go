package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/idleseat/idleseat/shared/plain"
)

// The constant "joiner" is an invisible character. Within a text such as "GH-5", it prevents GitHub from making a link.
const joiner = "\u2060"

// The function "code" writes text as a code span, which a reader can copy unchanged (GFM 0.29, section 6.3). A bar
// would end the cell of a table, and a backtick would end the span. A text with one of them, or an empty text, becomes
// prose.
func code(text string) string {
	text = strings.TrimSpace(plain.OneLine(text))
	if text == "" || strings.ContainsAny(text, "|`") {
		return prose(text)
	}
	return "`" + text + "`"
}

// The function "prose" writes text so that Markdown shows the text unchanged. It cuts a text after mostReason
// characters, and writes a dash in place of an empty text. The text may stand in a cell of a table, or in a line after
// the beginning of the line (GFM 0.29, sections 6.1, 6.2 and 4.10). GitHub makes links, mentions and pictures even of
// some texts without markup, such as names after @. The function puts a joiner into such a text to prevent this.
func prose(text string) string {
	// Cut a long text first, so that the conversion does not read all of it.
	runes := []rune(strings.TrimSpace(plain.OneLine(text[:min(len(text), mostReason*utf8.UTFMax)])))
	if len(runes) > mostReason || len(text) > mostReason*utf8.UTFMax {
		runes = append(runes[:min(len(runes), mostReason)], '…')
	}
	var out strings.Builder
	for i, r := range runes {
		switch {
		case strings.ContainsRune(`|\&<>`+"`", r):
			fmt.Fprintf(&out, "&#%d;", r)
		case r == '$': // GitHub documents this form ("Writing mathematical expressions", dollar signs)
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

// The function "links" reports whether GitHub may make a link, a mention or a picture where the rune "next" follows the
// runes in the argument "before".
func links(before []rune, next rune) bool {
	if next == ' ' {
		return false
	}
	last := strings.ToLower(string(before[max(0, len(before)-3):]))
	return strings.HasSuffix(last, "@") || strings.HasSuffix(last, "#") || strings.HasSuffix(last, ":") || strings.HasSuffix(last, "gh-") || strings.HasSuffix(last, "www")
}
