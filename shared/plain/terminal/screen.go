// Package terminal fits text to a terminal: lines, columns in every script, colors, and a progress line. Text for a
// file or a pipe is not fitted and has no colors.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Screen describes where the reader of a stream sees the text. The zero value is a file or a pipe.
type Screen struct {
	Width int  // columns; 0 if lines may have any length
	Color bool // whether escape sequences may change colors
}

// The constant "narrowest" is the smallest width to which this package fits text. In a narrower window, the terminal
// itself breaks the lines.
const narrowest = 40

// Of returns the screen that w writes to, or the zero value if w is no terminal. The function "variable" looks up an
// environment variable. NO_COLOR (https://no-color.org) and TERM=dumb switch colors off.
func Of(w io.Writer, variable func(name string) (value string, set bool)) Screen {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return Screen{}
	}
	s := Screen{Width: 80}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
		s.Width = max(width, narrowest)
	}
	none, _ := variable("NO_COLOR")
	kind, _ := variable("TERM")
	s.Color = none == "" && kind != "dumb"
	return s
}
