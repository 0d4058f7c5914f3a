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

// The variable "boot" has a script that sets the colors that the reader chose. The script runs before the browser shows
// the page.
//
//go:embed assets/boot.js
var boot string

// The variable "script" has the script that makes the tables of a page and their controls. One function wraps the
// files, so that no name in them is global.
var script = "(function () {\n\"use strict\";\n" + texts + tables + person + "})();\n"

//go:embed assets/texts.js
var texts string

//go:embed assets/tables.js
var tables string

//go:embed assets/person.js
var person string

// The variable "follow" has a script that reloads a live page after a change.
//
//go:embed assets/follow.js
var follow string

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"share": chart.Share,
}).ParseFS(files, "templates/*.html"))

// Policy returns the Content-Security-Policy of the page. Only the style sheet and the scripts of this package may run,
// so markup that an attacker brings into a page can neither run nor load anything. Only a live page may send requests,
// to its own site.
func (d *Document) Policy() string {
	scripts, connect := digest(boot)+" "+digest(script), ""
	if d.Live != nil {
		scripts, connect = scripts+" "+digest(follow), " connect-src 'self';"
	}
	return fmt.Sprintf("default-src 'none'; style-src %s; script-src %s;%s img-src data:; base-uri 'none'; form-action 'self'", digest(style), scripts, connect)
}

// The function "digest" returns the hash with which a Content-Security-Policy allows a script or a style sheet (W3C,
// CSP Level 3, hash-source).
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func render(name string, view any) (template.HTML, error) {
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, name, view); err != nil {
		return "", err
	}
	return template.HTML(out.String()), nil
}
