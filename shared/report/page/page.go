// Package page writes what a run did as a page: report.html, which is one file without any outside request, and the
// parts that the pages of idleseat serve are made of. A page says nothing that its figures do not say. All texts are in
// English and Swedish. A reason without words in a language stands as it was stored. Text from a directory is hostile.
// html/template escapes it, or it is written as JSON or set as text content, so it never becomes markup.
package page

import (
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/idleseat/idleseat/shared/report"
)

// Document is one page. Without a language it holds its content in every language and has a switch; the browser's
// language decides which one shows first.
type Document struct {
	Lang Lang // empty for all languages
	// Title returns the text of the window's title.
	Title func(*Words) string
	// Content returns what stands on the page. first is true for the language that shows without JavaScript.
	Content func(w *Words, first bool) (template.HTML, error)
	// Data has the tables of the page; nil if it has none.
	Data *Data
	// Menu returns links to other pages. It is nil in a file that stands alone.
	Menu func(*Words) []Link
	// Live makes the page follow what it shows. It is nil for a page that does not change.
	Live *Live
}

// Live says how an open page learns that it has changed. The page asks the address From, on its own site, which answers
// with JSON: "version", and "live", which is false when nothing will change any more. When the version is another one,
// the page loads itself anew. It does not while the reader writes or has opened a person, and does not ask while nobody
// sees it.
type Live struct {
	From    string
	Version string // of the page as it is now
	Every   time.Duration
}

// Seconds returns Every in seconds.
func (l *Live) Seconds() int { return int(l.Every.Seconds()) }

// Link is an entry of the menu of a page.
type Link struct {
	Href, Text string
	Here       bool // the link leads to this page
}

// content is the body of a page in one language.
type content struct {
	*Words
	Title string
	Body  template.HTML
	Menu  []Link
	// Switch means that the page has other languages, to which a button changes.
	Switch bool
	Other  Lang
}

// Write writes the page as HTML.
func (d *Document) Write(w io.Writer) error {
	langs := Langs
	if d.Lang != "" {
		langs = []Lang{d.Lang}
	}
	var all []content
	for i, lang := range langs {
		words := In(lang)
		body, err := d.Content(words, i == 0)
		if err != nil {
			return fmt.Errorf("page in %s: %w", lang, err)
		}
		c := content{Words: words, Title: d.Title(words), Body: body, Switch: len(langs) > 1, Other: langs[(i+1)%len(langs)]}
		if d.Menu != nil {
			c.Menu = d.Menu(words)
		}
		all = append(all, c)
	}
	data, err := d.Data.encode(langs)
	if err != nil {
		return err
	}
	shell := struct {
		Contents []content
		Data     template.JS
		Policy   string
		Style    template.CSS
		Boot     template.JS
		Script   template.JS
		Live     *Live
		Follow   template.JS
	}{all, template.JS(data), d.Policy(), template.CSS(style), template.JS(boot), template.JS(script), d.Live, template.JS(follow)}
	if err := templates.ExecuteTemplate(w, "document", shell); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// Write writes report.html: everything that n says about a run, in one file and in every language.
func Write(w io.Writer, n *report.Night) error {
	return Report(n).Write(w)
}

// Report returns the page of a run.
func Report(n *report.Night) *Document {
	clean := Clean(*n)
	n = &clean
	tables := tablesOf(n)
	return &Document{
		Title: func(w *Words) string { return w.T("report.title", shortRun(n)) },
		Content: func(w *Words, first bool) (template.HTML, error) {
			return render("report", newNightView(w, n, tables, first))
		},
		Data: tables,
	}
}
