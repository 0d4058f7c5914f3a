package terminal

import (
	"io"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
)

// Out is a stream of text for a terminal, a file or a pipe. It replaces runes that are not printable (package plain).
type Out struct {
	to     io.Writer
	filter *plain.Writer
	screen Screen
	flows  bool   // whether Write also fits lines to the screen
	live   *Line  // the progress line, which Out erases before it writes; may be nil
	begun  string // the incomplete last line of the text that Print got

	// Edit changes text before the text is fitted to the screen. Print and Table always call it. Write calls it only if
	// the field "flows" is set. Edit may be nil.
	Edit func(text string) string
}

// NewOut returns a stream to w. Unless the argument "flows" is set, Write leaves lines whole, so a caller can write CSV
// or a script.
func NewOut(w io.Writer, s Screen, flows bool, live *Line) *Out {
	return &Out{to: w, filter: plain.Text(w), screen: s, flows: flows, live: live}
}

// Write writes b. If the field "flows" is set, Write fits the lines of b to the screen. A text without a line end, such
// as a question, appears at once.
func (o *Out) Write(b []byte) (n int, err error) {
	if err := o.Flush(); err != nil {
		return 0, err
	}
	o.live.Erase()
	if !o.flows {
		return o.filter.Write(b)
	}
	if o.screen.Width == 0 {
		_, err := o.filter.Write([]byte(o.edited(string(b))))
		return len(b), err
	}
	if _, err := io.WriteString(o.to, o.fitted(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Flowing returns a writer that fits lines to the screen, as Print does.
func (o *Out) Flowing() io.Writer { return printing{o} }

type printing struct{ out *Out }

func (p printing) Write(b []byte) (int, error) {
	if err := p.out.Print(string(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Print fits text to the screen and writes it. A line appears when it is complete, or when Flush is called.
func (o *Out) Print(text string) error {
	o.begun += text
	end := strings.LastIndexByte(o.begun, '\n') + 1
	if end == 0 {
		return nil
	}
	lines := o.begun[:end]
	o.begun = o.begun[end:]
	return o.show(o.fitted(lines))
}

// Table writes rows in columns that fit the screen. The first row is the header.
func (o *Out) Table(rows [][]string) error {
	if err := o.Flush(); err != nil {
		return err
	}
	safe := make([][]string, len(rows))
	for i, row := range rows {
		for _, cell := range row {
			safe[i] = append(safe[i], plain.OneLine(o.edited(cell)))
		}
	}
	return o.show(o.screen.Table(safe))
}

// Flush shows an incomplete line.
func (o *Out) Flush() error {
	if o.begun == "" {
		return nil
	}
	begun := o.begun
	o.begun = ""
	return o.show(o.fitted(begun))
}

func (o *Out) fitted(text string) string {
	return o.screen.Paint(o.screen.Wrap(plain.Lines(o.edited(text))))
}

func (o *Out) edited(text string) string {
	if o.Edit == nil {
		return text
	}
	return o.Edit(text)
}

func (o *Out) show(text string) error {
	o.live.Erase()
	_, err := io.WriteString(o.to, text)
	return err
}
