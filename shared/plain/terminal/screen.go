// Package terminal fits text to the terminal that shows it: lines as wide as the window, columns that align whatever
// the script of a name, a few colors, and one line that is overwritten while a command works. Text for a file or a pipe
// stays as it is.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Screen says what the reader of a stream can show. The zero value is a file or a pipe.
type Screen struct {
	Width int  // columns; 0 if lines may have any length
	Color bool // whether escape sequences may change colors
}

// narrowest is the smallest width that text is fitted to. In a narrower window the terminal breaks the lines.
const narrowest = 40

// Of returns the screen that w writes to. variable looks up an environment variable. NO_COLOR, if it is not empty, turns
// colors off (https://no-color.org), and so does TERM=dumb.
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
