// Package plain makes directory text safe to show. Anybody may have written a name in a directory, with sequences that
// move the cursor of a terminal, change colors, reorder text or hide letters. All such sequences need runes that are
// not printable (unicode.IsPrint). The package replaces these runes, and bytes that are not UTF-8 (Unicode Technical
// Report 36, "Security Considerations").
package plain

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Line returns text as a single line. U+FFFD replaces each rune that is not printable.
func Line(text string) string { return strings.Map(shown, text) }

// OneLine replaces each line feed of text by a blank, and returns Line of the result.
func OneLine(text string) string { return Line(strings.ReplaceAll(text, "\n", " ")) }

// Prefixed returns the prefix and the text, or "" if the text is empty.
func Prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// Lines replaces the same runes as Line, but keeps line feeds.
func Lines(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return shown(r)
	}, text)
}

func shown(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

// Writer passes printable runes and line feeds to another writer, and replaces the others.
type Writer struct {
	to      io.Writer
	instead func(r rune) string // returns the replacement for a rune that is not printable
	begun   []byte              // the first bytes of a rune whose other bytes have not arrived yet
	err     error
}

// Text returns a Writer that writes U+FFFD in place of every rune that is not printable.
func Text(to io.Writer) *Writer {
	return &Writer{to: to, instead: func(rune) string { return string(unicode.ReplacementChar) }}
}

// JSON returns a Writer for a JSON text. In JSON, only strings can contain runes that are not printable. The Writer
// escapes these runes (RFC 8259, section 7), so the decoded value stays the same.
func JSON(to io.Writer) *Writer {
	return &Writer{to: to, instead: func(r rune) string {
		if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
			return fmt.Sprintf(`\u%04x\u%04x`, high, low)
		}
		return fmt.Sprintf(`\u%04x`, r)
	}}
}

// Write writes b. If b ends within a rune, Write keeps the bytes of that rune until the missing bytes arrive.
func (w *Writer) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	text := append(w.begun, b...)
	var out []byte
	for len(text) > 0 && utf8.FullRune(text) {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == '\n' || unicode.IsPrint(r) && !(r == utf8.RuneError && size == 1):
			out = append(out, text[:size]...)
		default:
			out = append(out, w.instead(r)...)
		}
		text = text[size:]
	}
	w.begun = append([]byte(nil), text...)
	if _, w.err = w.to.Write(out); w.err != nil {
		return 0, w.err
	}
	return len(b), nil
}
