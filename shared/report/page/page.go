// Package page writes report.html, which makes no request, and the parts of the pages of idleseat serve. Texts are in
// English and Swedish. A reason without words in a language appears as the run stored it. Text from a directory may be
// hostile: html/template escapes it, or the script reads it from JSON and sets it as text content.
package page

import (
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/idleseat/idleseat/shared/report"
)

// Document is one page. If Lang is empty, the page has its content in every language, and the browser and a button
// choose one.
type Document struct {
	Lang Lang // empty for all languages
	// Title returns the text of the window's title.
	Title func(*Words) string
	// Content returns the body of the page. The argument "first" is true for the language that shows without JavaScript.
	Content func(w *Words, first bool) (template.HTML, error)
	// Data has the tables of the page. It is nil for a page without tables.
	Data *Data
	// Menu returns links to other pages. It is nil for report.html, which is a single file.
	Menu func(*Words) []Link
	// Live makes the page reload itself after a change. It is nil for a page that does not change.
	Live *Live
}

// Live says how an open page learns about a change. At the interval Every, the page requests the address From on its
// own site. The answer is JSON with the members "version" and "live", which is false after the last change. The page
// reloads itself when "version" differs from the field Version.
type Live struct {
	From    string
	Version string // the version of the page at the time of writing
	Every   time.Duration
}

// Seconds returns Every in seconds.
func (l *Live) Seconds() int { return int(l.Every.Seconds()) }

// Link is an entry of the menu of a page.
type Link struct {
	Href, Text string
	Here       bool // the link leads to this page
}

type content struct {
	*Words
	Title string
	Body  template.HTML
	Menu  []Link
	// Switch means that a button shows the content in the language Other.
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

// Write writes report.html: all data of n, in one file and in every language.
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
