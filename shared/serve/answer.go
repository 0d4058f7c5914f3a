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

// The function "content" returns the function that page.Document.Content needs. That function executes the template
// "name" with the data that "view" makes in the language of the page.
func content[T any](name string, view func(*page.Words) T) func(*page.Words, bool) (template.HTML, error) {
	return func(w *page.Words, _ bool) (template.HTML, error) {
		var out bytes.Buffer
		if err := templates.ExecuteTemplate(&out, name, view(w)); err != nil {
			return "", err
		}
		return template.HTML(out.String()), nil
	}
}

// The function "document" returns a page of this site. The arguments "here" and "run" are those of the function "menu".
func document(title func(*page.Words) string, here, run string, content func(*page.Words, bool) (template.HTML, error)) *page.Document {
	return &page.Document{Title: title, Content: content, Menu: menu(here, run)}
}

// The function "titled" returns a function that makes the title of a page. The argument "key" is the key of its text.
func titled(key string) func(*page.Words) string {
	return func(w *page.Words) string { return w.T(key) + " – idleseat" }
}

// The function "menu" returns the entries of the menu. The entry whose address is "here" is marked as the present page.
// The pages in the menu are about the run "run", or about the newest run if it is empty. So the menu in the report of
// an older run stays with that run. The list of runs always has the same address.
func menu(here, run string) func(*page.Words) []page.Link {
	return func(w *page.Words) []page.Link {
		links := []page.Link{{Href: "/", Text: w.T("serve.runs"), Here: here == "/"}}
		for _, e := range []struct{ to, text string }{{"/people", w.T("serve.people")}, {"/policy", w.T("serve.policy")}, {"/what-if", w.T("serve.whatif")}} {
			links = append(links, page.Link{Href: under(e.to, "run", run), Text: e.text, Here: here == e.to})
		}
		return links
	}
}

func (a *asked) show(status int, d *page.Document) error {
	var out bytes.Buffer
	if err := d.Write(&out); err != nil {
		return err
	}
	a.send(status, d.Policy(), out.Bytes())
	return nil
}

// The method "send" answers with HTML. The argument "policy" is the Content-Security-Policy of the page.
func (a *asked) send(status int, policy string, html []byte) {
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.Header().Set("Content-Security-Policy", policy+"; frame-ancestors 'none'")
	a.w.WriteHeader(status)
	_, _ = a.w.Write(html) // an error means that the browser closed the connection
}

// The method "message" answers with a page that has a title, a text and a detail. The arguments "title" and "text" are
// keys of texts. The page shows "detail" unchanged.
func (a *asked) message(status int, title, text, detail string) {
	d := document(titled(title), "", "", content("message", func(w *page.Words) any {
		return struct {
			*page.Words
			Title, Text, Detail string
		}{w, w.T(title), w.T(text), detail}
	}))
	if err := a.show(status, d); err != nil {
		http.Error(a.w, err.Error(), http.StatusInternalServerError)
	}
}

func (a *asked) json(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("answer as JSON: %w", err)
	}
	a.w.Header().Set("Content-Type", "application/json")
	a.w.WriteHeader(http.StatusOK)
	_, _ = a.w.Write(text) // an error means that the browser closed the connection
	return nil
}
