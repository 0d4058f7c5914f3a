package serve

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/report/page"
)

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"line": plain.Line, "lines": plain.Lines, "run": runAddress, "under": under,
}).ParseFS(files, "templates/*.html"))

// content returns what a document shows: a template of this package with a view. view gets the words of a language.
func content[T any](name string, view func(*page.Words) T) func(*page.Words, bool) (template.HTML, error) {
	return func(w *page.Words, _ bool) (template.HTML, error) {
		var out bytes.Buffer
		if err := templates.ExecuteTemplate(&out, name, view(w)); err != nil {
			return "", err
		}
		return template.HTML(out.String()), nil
	}
}

// document is a page of this site. here is the address of the entry of the menu to which it belongs.
func document(title func(*page.Words) string, here string, content func(*page.Words, bool) (template.HTML, error)) *page.Document {
	return &page.Document{Title: title, Content: content, Menu: menu(here)}
}

// titled returns the title of a page by its key.
func titled(key string) func(*page.Words) string {
	return func(w *page.Words) string { return w.T(key) + " – idleseat" }
}

// menu returns the entries of the menu.
func menu(here string) func(*page.Words) []page.Link {
	return func(w *page.Words) (links []page.Link) {
		for _, e := range []struct{ to, key string }{{"/", "serve.runs"}, {"/people", "serve.people"}, {"/policy", "serve.policy"}, {"/what-if", "serve.whatif"}} {
			links = append(links, page.Link{Href: e.to, Text: w.T(e.key), Here: e.to == here})
		}
		return links
	}
}

// show answers with a page.
func (a *asked) show(status int, d *page.Document) error {
	var out bytes.Buffer
	if err := d.Write(&out); err != nil {
		return err
	}
	a.send(status, d.Policy(), out.Bytes())
	return nil
}

// send answers with the HTML of a page, whose Content-Security-Policy is given.
func (a *asked) send(status int, policy string, html []byte) {
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.Header().Set("Content-Security-Policy", policy+"; frame-ancestors 'none'")
	a.w.WriteHeader(status)
	_, _ = a.w.Write(html) // an error means that nobody reads the answer
}

// message answers with a page that has a title and a text, both by their keys, and a detail as the engine says it.
func (a *asked) message(status int, title, text, detail string) {
	d := document(titled(title), "", content("message", func(w *page.Words) any {
		return struct {
			*page.Words
			Title, Text, Detail string
		}{w, w.T(title), w.T(text), detail}
	}))
	if err := a.show(status, d); err != nil {
		http.Error(a.w, err.Error(), http.StatusInternalServerError)
	}
}

// json answers with a value as JSON.
func (a *asked) json(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("answer as JSON: %w", err)
	}
	a.w.Header().Set("Content-Type", "application/json")
	a.w.WriteHeader(http.StatusOK)
	_, _ = a.w.Write(text) // an error means that nobody reads the answer
	return nil
}
