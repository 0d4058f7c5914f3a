package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"github.com/idleseat/idleseat/shared/report/page/chart"
)

//go:embed assets/style.css
var style string

// boot runs before anything shows: it sets the colours that the reader chose.
//
//go:embed assets/boot.js
var boot string

//go:embed assets/page.js
var script string

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"share": chart.Share,
}).ParseFS(files, "templates/*.html"))

// Policy is the Content-Security-Policy of every page. Only the style sheet and the scripts of this package run, so even
// markup that came into a page could neither run nor load anything.
func Policy() string {
	return fmt.Sprintf("default-src 'none'; style-src %s; script-src %s %s; img-src data:; base-uri 'none'; form-action 'self'", digest(style), digest(boot), digest(script))
}

// digest names a text for a Content-Security-Policy (W3C, CSP Level 3, hash-source).
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// render executes a template of this package.
func render(name string, view any) (template.HTML, error) {
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, name, view); err != nil {
		return "", err
	}
	return template.HTML(out.String()), nil
}
