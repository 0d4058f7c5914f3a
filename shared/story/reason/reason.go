// Package reason has the reasons why a license is not changed. The packages that decide write a reason as an English
// text, and runs store only this text. From the text, this package finds a stable code, words in English and Swedish,
// and a remedy. It also knows the texts of older versions, because their runs are still shown.
package reason

import (
	"regexp"
	"slices"
	"strings"
)

// Language is a language in which this package has words, such as English.
type Language string

const (
	English Language = "en"
	Swedish Language = "sv"
)

// The type "form" is the text of one reason, with places for the parts that vary. It need only match the beginning of a
// text, unless it ends in "$". A place takes at least one character: {s} takes the subject of the reason, {n} the event
// of a date, {d} a day or a time (shown as a day), {r} another reason, and {} any other part.
type form struct {
	code string
	text string
	// english has the words for a reader who does not know idleseat. If it is empty, the reader sees the text of the
	// reason.
	english string
	swedish string
	remedy  string // the key of a remedy

	places   []string   // the places in the order of text
	literals [][]string // the texts that may stand before each place, and after the last place
	whole    bool
}

// Part is one cause in a reason. A reason may have several causes, separated by semicolons.
type Part struct {
	Code   string // the code; "" for a text without a form
	Remedy string // the key of the remedy, or ""
	Text   string // the text as a run stored it

	form  *form
	taken []string
	tail  string // the end of Text, which the form does not cover
}

// In returns the words of the cause in a language. A text without a form stays unchanged.
func (p *Part) In(l Language) string {
	switch {
	case p.form == nil:
		return p.Text
	case l == Swedish:
		return p.form.filled(p.form.swedish, p.taken, l)
	case p.form.english != "":
		return p.form.filled(p.form.english, p.taken, l)
	}
	text, _ := strings.CutSuffix(p.Text, p.tail)
	if n := len(p.taken); n > 0 && p.form.places[n-1] == "{r}" {
		text = strings.TrimSuffix(text, p.taken[n-1]) + Words(l, p.taken[n-1])
	}
	return text + p.tail
}

var place = regexp.MustCompile(`\{[sndr]?\}`)

var forms = compiled(slices.Concat(changes, accounts, values))

func compiled(list []form) []form {
	for i := range list {
		f := &list[i]
		text, whole := strings.CutSuffix(f.text, "$")
		f.whole, f.places = whole, place.FindAllString(text, -1)
		for j, literal := range place.Split(text, -1) {
			alternatives := []string{literal}
			for one, several := range plural {
				if rest, is := strings.CutPrefix(literal, one); is && j == 1 && f.places[0] == "{s}" {
					alternatives = append(alternatives, several+rest)
				}
			}
			f.literals = append(f.literals, alternatives)
		}
	}
	return list
}

const mostPlaces = 6

var plural = map[string]string{" is ": " are ", " was ": " were ", " has ": " have "}

// The method "match" returns what a text has at each place of the form, or false if the text does not have the form. A
// place ends at the first occurrence of the words that follow it. A last place takes the rest of the text, but {d} ends
// at a space, a comma or a semicolon. A regular expression would take ten times as long, and a night has many reasons.
func (f *form) match(text string) (taken []string, is bool) {
	var all [mostPlaces]string
	rest, is := strings.CutPrefix(text, f.literals[0][0])
	for i := 0; is && i < len(f.places); i++ {
		var got string
		switch next := f.literals[i+1]; {
		case next[0] != "":
			got, rest, is = cut(rest, next)
		case f.places[i] == "{d}":
			end := strings.IndexAny(rest+" ", " ,;")
			got, rest = rest[:end], rest[end:]
		default:
			got, rest = rest, ""
		}
		is = is && got != "" && !(f.places[i] == "{d}" && strings.ContainsAny(got, " ,;"))
		all[i] = got
	}
	if !is || f.whole && rest != "" {
		return nil, false
	}
	return slices.Clone(all[:len(f.places)]), true
}

// The function "cut" splits text at the first occurrence of one of the separators.
func cut(text string, separators []string) (before, after string, found bool) {
	at, length := -1, 0
	for _, s := range separators {
		if i := strings.Index(text, s); i >= 0 && (at < 0 || i < at) {
			at, length = i, len(s)
		}
	}
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+length:], true
}

// Parts returns the causes in a reason, in order. If the text after a semicolon is no cause, it belongs to the cause
// before the semicolon.
func Parts(text string) (parts []Part) {
	text = strings.TrimPrefix(text, "undecided: ")
	if f, taken := find(text); f != nil && strings.Contains(f.text, "; ") {
		return []Part{f.part(text, taken)}
	}
	for _, piece := range split(text) {
		f, taken := find(piece)
		switch {
		case f != nil:
			parts = append(parts, f.part(piece, taken))
		case len(parts) == 0:
			parts = append(parts, Part{Text: piece})
		default:
			last := &parts[len(parts)-1]
			last.tail += "; " + piece
			last.Text += "; " + piece
		}
	}
	return parts
}

// The function "split" splits text at its semicolons, except inside quotation marks: a name from a directory may
// contain semicolons.
func split(text string) (pieces []string) {
	begin, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(text[i:], "; "):
			pieces = append(pieces, text[begin:i])
			begin = i + 2
		}
	}
	return append(pieces, text[begin:])
}

func find(text string) (*form, []string) {
	for i := range forms {
		if taken, is := forms[i].match(text); is {
			return &forms[i], taken
		}
	}
	return nil, nil
}

func (f *form) part(text string, taken []string) Part {
	p := Part{Code: f.code, Remedy: f.remedy, Text: text, form: f, taken: taken}
	if n := len(taken); n > 0 && f.places[n-1] == "{r}" {
		if inner := Parts(taken[n-1]); inner[0].Code != "" {
			p.Code, p.Remedy = inner[0].Code, inner[0].Remedy
		}
	}
	return p
}

var number = regexp.MustCompile(`\$[1-9]`)

// The method "filled" replaces $1, $2 and so on in the words of a form by the parts of the reason in these places.
func (f *form) filled(words string, taken []string, l Language) string {
	return number.ReplaceAllStringFunc(words, func(place string) string {
		i := place[1] - '1'
		switch what := f.places[i]; {
		case what == "{r}":
			return Words(l, taken[i])
		case what == "{d}":
			date, _, _ := strings.Cut(taken[i], "T")
			return date
		case what == "{s}" && l == Swedish:
			return subject(taken[i])
		case what == "{n}" && l == Swedish:
			return noun(taken[i])
		}
		return taken[i]
	})
}

// Words returns a whole reason in a language.
func Words(l Language, text string) string {
	var words []string
	for _, p := range Parts(text) {
		words = append(words, p.In(l))
	}
	return strings.Join(slices.Compact(words), "; ")
}

// Of returns the code of a reason and the key of its remedy, or "". If the reason has several causes, the cause whose
// remedy is first in Remedies counts.
func Of(text string) (code, remedy string) {
	best := len(remedies)
	for _, p := range Parts(text) {
		if at := remedyAt(p.Remedy); code == "" || at < best {
			code, remedy, best = p.Code, p.Remedy, at
		}
	}
	return code, remedy
}

func remedyAt(key string) int {
	if i := slices.IndexFunc(remedies, func(r remedy) bool { return r.key == key }); i >= 0 {
		return i
	}
	return len(remedies)
}

// Remedies returns the keys of all remedies. Special remedies come before general remedies.
func Remedies() []string {
	keys := make([]string, len(remedies))
	for i, r := range remedies {
		keys[i] = r.key
	}
	return keys
}

// Do returns a sentence that says in a language what an operator can do. The parameter "key" is the key of a remedy.
// For an unknown key, the result is "".
func Do(l Language, key string) string {
	i := remedyAt(key)
	if i == len(remedies) {
		return ""
	}
	if l == Swedish {
		return remedies[i].swedish
	}
	return remedies[i].english
}

// The function "subject" translates the subject of a reason into Swedish. Names of attributes stay unchanged.
func subject(text string) string {
	switch text {
	case "exemption":
		return "undantaget"
	case "the kind of the account":
		return "kontots slag"
	case "the hire date":
		return "anställningsdatumet"
	case "the size of the mailbox":
		return "postlådans storlek"
	case "the condition":
		return "villkoret"
	}
	return strings.NewReplacer(" and ", " och ", "license ", "licensen ").Replace(text)
}

// The function "noun" translates the event of a date, such as "sign-in" or "Teams activity", into Swedish.
func noun(text string) string {
	if text == "sign-in" {
		return "inloggning"
	}
	if workload, is := strings.CutSuffix(text, " activity"); is {
		return "aktivitet i " + workload
	}
	return text
}
