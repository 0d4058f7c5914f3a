package terminal

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Line is one line at the end of the screen that shows the progress of a command. A nil Line shows nothing.
type Line struct {
	mu    sync.Mutex
	w     io.Writer
	width int
	text  func() string // makes the text of the line; nil before Begin and after End
	shown bool
	ends  chan struct{}
}

// NewLine returns a line on w, or nil if the screen is a file or a pipe.
func NewLine(w io.Writer, s Screen) *Line {
	if s.Width == 0 {
		return nil
	}
	return &Line{w: w, width: s.Width}
}

// The constant "repaint" is the time between two updates of the line, which keep the times in its text current.
const repaint = time.Second

// Begin shows the line at once, and again every second until End is called. The function "text" makes the text of the
// line. It must not call methods of the line.
func (l *Line) Begin(text func() string) {
	if l == nil {
		return
	}
	l.End()
	l.mu.Lock()
	ends := make(chan struct{})
	l.text, l.ends = text, ends
	l.mu.Unlock()
	l.Show()
	go func() {
		ticks := time.NewTicker(repaint)
		defer ticks.Stop()
		for {
			select {
			case <-ends:
				return
			case <-ticks.C:
				l.Show()
			}
		}
	}()
}

// Show updates the line on the screen.
func (l *Line) Show() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == nil {
		return
	}
	l.shown = true
	fmt.Fprintf(l.w, "\r\x1b[K%s", columns.Truncate(l.text(), l.width-1, "…"))
}

// Erase clears the line until Show is called.
func (l *Line) Erase() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shown {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
	l.shown = false
}

// End clears the line and stops its updates.
func (l *Line) End() {
	if l == nil {
		return
	}
	l.mu.Lock()
	if l.ends != nil {
		close(l.ends)
	}
	l.text, l.ends = nil, nil
	l.mu.Unlock()
	l.Erase()
}
