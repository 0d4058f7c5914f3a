package notice

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The type "language" has the form of dates. Without a form, dates are written like 2026-11-30.
type language struct {
	form   string // day, month and year
	months [12]string
}

func (l language) day(t time.Time) string {
	t = t.UTC()
	if l.form == "" {
		return t.Format(time.DateOnly)
	}
	return fmt.Sprintf(l.form, t.Day(), l.months[t.Month()-1], t.Year())
}

// The variable "languages" has the built-in languages by BCP 47 tag. Norwegian is Bokmål.
var languages = map[string]language{
	"en": {"%d %s %d", [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}},
	"sv": {"%d %s %d", [12]string{"januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"}},
	"nb": {"%d. %s %d", [12]string{"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember"}},
}

// Default is the language if there is no text in the person's language and the policy names no language.
const Default = "en"

var builtin = map[string]Text{
	"en": must(`Your license {{.License}} will be {{if .To}}changed to {{.To}}{{else}}taken back{{end}} on {{.Day}}`,
		`Hello {{.Name}},

You hold the license {{.License}}. {{if .LastUse}}Its last known use was on {{.LastUse}}.{{else}}No use of it is known.{{end}}
A license that nobody uses is needed by somebody else. From {{.Day}} on, yours will be {{if .To}}changed to {{.To}}{{else}}taken back{{end}}.

Do you still need it? Then use it before {{.Day}}, and you keep it.
Do you have a question, or are you away at that time? Then answer this mail.
`),
	"sv": must(`Din licens {{.License}} {{if .To}}byts mot {{.To}}{{else}}tas tillbaka{{end}} den {{.Day}}`,
		`Hej {{.Name}},

Du har licensen {{.License}}. {{if .LastUse}}Den användes senast den {{.LastUse}}, såvitt vi vet.{{else}}Såvitt vi vet har den aldrig använts.{{end}}
En licens som ingen använder behövs av någon annan. Från och med den {{.Day}} {{if .To}}byts din mot {{.To}}{{else}}tas din tillbaka{{end}}.

Behöver du den fortfarande? Använd den i så fall före den {{.Day}}, så behåller du den.
Har du en fråga, eller är du borta då? Svara i så fall på det här mejlet.
`),
	"nb": must(`Lisensen din {{.License}} blir {{if .To}}byttet til {{.To}}{{else}}tatt tilbake{{end}} {{.Day}}`,
		`Hei {{.Name}},

Du har lisensen {{.License}}. {{if .LastUse}}Så vidt vi vet ble den sist brukt {{.LastUse}}.{{else}}Så vidt vi vet er den aldri brukt.{{end}}
En lisens som ingen bruker, trengs av noen andre. Fra og med {{.Day}} blir din {{if .To}}byttet til {{.To}}{{else}}tatt tilbake{{end}}.

Trenger du den fortsatt? Bruk den i så fall før {{.Day}}, så beholder du den.
Har du spørsmål, eller er du borta da? Svar i så fall på denne e-posten.
`),
}

// The function "must" compiles a built-in notice. It panics on a mistake, which is a fault of this program.
func must(subject, body string) Text {
	s, wrong := Compile(subject)
	b, too := Compile(body)
	if wrong != nil || too != nil {
		panic(fmt.Sprintf("a built-in notice is wrong: %v, %v", wrong, too))
	}
	return Text{s, b}
}

// BuiltIn returns the tags of the built-in languages, sorted.
func BuiltIn() []string { return slices.Sorted(maps.Keys(builtin)) }

// Texts has the notices of a policy in all languages.
type Texts struct {
	Own      map[string]Text // the company's texts, by tag in lower case; they replace the built-in texts
	Language string          // the language for people without a text in their own language
}

// Has reports whether there is a text for the tag.
func (s *Texts) Has(tag string) bool {
	_, own := s.Own[tag]
	_, known := builtin[tag]
	return own || known
}

// Write returns a notice. The parameter "preferred" is the property preferredLanguage of Microsoft Graph, such as
// "sv-SE", or "". Write uses the text for this tag, or else the text for its first part ("sv"). If neither exists, it
// uses the text for s.Language.
func (s *Texts) Write(preferred string, about Facts) (Message, error) {
	tag := s.choose(strings.ToLower(strings.TrimSpace(preferred)))
	t, own := s.Own[tag]
	if !own {
		t = builtin[tag]
	}
	first, _, _ := strings.Cut(tag, "-")
	return t.write(languages[sameAs(first)], about)
}

func (s *Texts) choose(preferred string) string {
	first, _, _ := strings.Cut(preferred, "-")
	for _, tag := range []string{preferred, first, sameAs(first)} {
		if s.Has(tag) {
			return tag
		}
	}
	return s.Language
}

// sameAs returns "nb" (Bokmål) for the tags "no" and "nn", because the tag "no" can mean either Norwegian language, and
// readers of "nn" understand Bokmål. It returns any other tag unchanged.
func sameAs(tag string) string {
	if tag == "no" || tag == "nn" {
		return "nb"
	}
	return tag
}
