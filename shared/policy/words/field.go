package words

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// fieldWords has the words for a field. A text or a date has a noun. If "whole" is set, the noun already names the
// source. Otherwise the sentence adds the name of the directory. A date of use also has clauses for "ever" and "never".
// A flag has two clauses and no noun.
type fieldWords struct {
	noun    string
	whole   bool
	yes, no string // of a flag: true and false; of a use: ever and never
}

func fieldNamed(l Language, name string) (fieldWords, bool) {
	if w, ok := fields[l][name]; ok {
		return w, true
	}
	_, bare, _ := strings.Cut(name, ".")
	if number, ok := strings.CutPrefix(bare, "extensionAttribute"); ok {
		return fieldWords{noun: fields[l]["extensionAttribute"].noun + " " + number}, true
	}
	w, ok := fields[l][bare]
	return w, ok
}

func (t *tongue) place(f *directory.Field) string {
	source, _, _ := strings.Cut(f.Name, ".")
	return t.directories[source]
}

func (s *speaker) noun(f *directory.Field) string {
	w, ok := fieldNamed(s.language, f.Name)
	switch {
	case !ok || w.noun == "":
		return "`" + f.Name + "`"
	case w.whole:
		return w.noun
	}
	return fmt.Sprintf(s.in, w.noun, s.place(f))
}

// The method "attribute" returns the words for the fields of an attribute. If the policy maps the attribute, its name
// follows. If it has several fields, later calls return only the name.
func (s *speaker) attribute(a policy.Attribute) string {
	if s.told[a.Name] {
		return a.Name
	}
	text := s.value(a)
	if !a.Own {
		return text
	}
	s.told[a.Name] = len(a.Fields) > 1
	return s.own(a, text)
}

func (s *speaker) own(a policy.Attribute, text string) string {
	if !a.Own {
		return text
	}
	return fmt.Sprintf(s.named, text, a.Name)
}

func (s *speaker) value(a policy.Attribute) string {
	if len(a.Fields) == 1 {
		return s.noun(a.Fields[0])
	}
	var nouns, places []string
	bare := map[string]bool{}
	for _, f := range a.Fields {
		w, _ := fieldNamed(s.language, f.Name)
		nouns, places = append(nouns, s.noun(f)), append(places, s.place(f))
		if bare[w.noun] = true; w.whole {
			bare[f.Name] = true
		}
	}
	if len(bare) == 1 {
		w, _ := fieldNamed(s.language, a.Fields[0].Name)
		return fmt.Sprintf(s.latest, w.noun, s.list(places, s.both))
	}
	return fmt.Sprintf(s.latestOf, s.list(nouns, s.both))
}

// The method "flag" returns the clause for true or, if negated is set, for false.
func (s *speaker) flag(a policy.Attribute, negated bool) string {
	text := ""
	if a.Group != nil {
		form := s.isMember
		if negated {
			form = s.notMember
		}
		text = fmt.Sprintf(form, s.quoted(a.Group.Name), s.directories[a.Group.Source.String()])
	} else {
		w, _ := fieldNamed(s.language, a.Fields[0].Name)
		text = w.yes
		if negated {
			text = w.no
		}
		text = strings.ReplaceAll(text, "%s", s.place(a.Fields[0]))
	}
	return s.own(a, text)
}

// The method "dated" returns the words for a date with a value or, if "none" is set, without one.
func (s *speaker) dated(a policy.Attribute, none bool) string {
	w, _ := fieldNamed(s.language, a.Fields[0].Name)
	form := s.hasDate
	switch one := len(a.Fields) == 1; {
	case one && w.no != "" && none:
		return s.own(a, w.no)
	case one && w.yes != "":
		return s.own(a, w.yes)
	case one || s.told[a.Name]:
		if none {
			form = s.noDate
		}
		return fmt.Sprintf(form, s.attribute(a))
	}
	var nouns []string
	for _, f := range a.Fields {
		nouns = append(nouns, s.noun(f))
	}
	if form = s.hasDates; none {
		form = s.noDates
	}
	return s.own(a, fmt.Sprintf(form, s.list(nouns, s.both)))
}

// The function "ahead" reports whether a date of the attribute may be in the future.
func ahead(a policy.Attribute) bool {
	return slices.ContainsFunc(a.Fields, func(f *directory.Field) bool { return f.Meaning == directory.Plain })
}
