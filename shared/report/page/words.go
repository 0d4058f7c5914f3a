package page

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/story/reason"
)

// Lang is a language of the pages.
type Lang string

const (
	English Lang = "en"
	Swedish Lang = "sv"
)

// Langs are the languages of the pages. The first language is the default.
var Langs = []Lang{English, Swedish}

var catalogues = map[Lang]map[string]string{
	English: joined(withRemedies(english, reason.English), englishServe, englishBacktest),
	Swedish: joined(withRemedies(swedish, reason.Swedish), swedishServe, swedishBacktest),
}

func joined(all map[string]string, more ...map[string]string) map[string]string {
	for _, texts := range more {
		maps.Copy(all, texts)
	}
	return all
}

// LangOf returns the first known language in the argument "header", or English. The argument is an Accept-Language
// header (RFC 9110, section 12.5.4) or the value of the parameter lang.
func LangOf(header string) Lang {
	for tag := range strings.SplitSeq(header, ",") {
		tag, _, _ = strings.Cut(strings.TrimSpace(strings.ToLower(tag)), ";")
		primary, _, _ := strings.Cut(tag, "-")
		if slices.Contains(Langs, Lang(primary)) {
			return Lang(primary)
		}
	}
	return English
}

// Words are the texts of one language. The methods of Words write numbers and dates as the language writes them.
type Words struct {
	Lang  Lang
	texts map[string]string
}

// In returns the words of a language.
func In(lang Lang) *Words { return &Words{Lang: lang, texts: catalogues[lang]} }

// T returns the text of a key. The values replace the %s in the text. If the key does not exist, T returns the key.
func (w *Words) T(key string, values ...any) string {
	text, ok := w.texts[key]
	if !ok {
		return key
	}
	if len(values) == 0 {
		return text
	}
	for i, v := range values {
		if n, is := v.(int); is {
			values[i] = w.N(n)
		}
	}
	return fmt.Sprintf(text, values...)
}

// Has reports whether the language has a text for the key.
func (w *Words) Has(key string) bool { return w.texts[key] != "" }

// Or returns the text of the key prefix.key. Without such a text, it returns the argument "key".
func (w *Words) Or(prefix, key string) string {
	if text := w.texts[prefix+"."+key]; text != "" {
		return text
	}
	return key
}

// Reason returns the words for a stored reason, or the stored text. A reason that another version stored may have no
// words.
func (w *Words) Reason(text string) string { return reason.Words(reason.Language(w.Lang), text) }

// Count returns the text of key.one for the number 1, and else the text of key.many.
func (w *Words) Count(key string, n int) string {
	if n == 1 {
		return w.T(key+".one", n)
	}
	return w.T(key+".many", n)
}

// N writes an integer with separators between the thousands.
func (w *Words) N(n int) string { return w.number(strconv.Itoa(n), "") }

// F writes a number with the given number of decimals.
func (w *Words) F(x float64, decimals int) string {
	whole, part, _ := strings.Cut(strconv.FormatFloat(x, 'f', decimals, 64), ".")
	return w.number(whole, part)
}

func (w *Words) number(whole, part string) string {
	apart, comma, minus := ",", ".", ""
	if w.Lang == Swedish {
		apart, comma = "\u00a0", ","
	}
	if rest, negative := strings.CutPrefix(whole, "-"); negative {
		whole, minus = rest, "\u2212"
	}
	var groups []string
	for len(whole) > 3 {
		groups = append(groups, whole[len(whole)-3:])
		whole = whole[:len(whole)-3]
	}
	groups = append(groups, whole)
	slices.Reverse(groups)
	text := minus + strings.Join(groups, apart)
	if part != "" {
		text += comma + part
	}
	return text
}

// Amount writes an amount without its currency. It writes no decimals if the amount is an integer, or has at least four
// digits before the decimals.
func (w *Words) Amount(x float64) string {
	if x >= 1000 || x <= -1000 || x == float64(int(x)) {
		return w.F(x, 0)
	}
	return w.F(x, 2)
}

// Percent writes the argument "part" as a percentage of the argument "whole". It writes one decimal below 10 % and
// above 99 %, where a small difference matters. If "whole" is zero, it writes a dash.
func (w *Words) Percent(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	p := 100 * float64(part) / float64(whole)
	decimals := 0
	if p > 0 && p < 10 || p > 99 && p < 100 {
		decimals = 1
	}
	if p > 0 && p < 0.1 {
		return "< " + w.F(0.1, 1) + "\u00a0%"
	}
	return w.F(p, decimals) + "\u00a0%"
}

// Day writes a date in UTC. For a zero time, Day writes a dash.
func (w *Words) Day(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	t = t.UTC()
	return fmt.Sprintf("%d\u00a0%s\u00a0%d", t.Day(), strings.Fields(w.T("months"))[t.Month()-1], t.Year())
}

// Moment writes a day and a time in UTC. For a zero time, Moment writes a dash.
func (w *Words) Moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return w.Day(t) + ", " + t.UTC().Format("15:04") + "\u00a0UTC"
}

// forScript returns the texts that the script of the page needs.
func (w *Words) forScript() map[string]string {
	texts := maps.Clone(w.texts)
	maps.DeleteFunc(texts, func(key, _ string) bool {
		for _, prefix := range []string{"js.", "col.", "via.", "status.", "remedy.", "how.", "table.", "outcome."} {
			if strings.HasPrefix(key, prefix) {
				return false
			}
		}
		return true
	})
	return texts
}
