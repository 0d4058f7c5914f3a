package serve

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/story"
)

// errQuestion is the error for an address that lacks a required parameter, or has a parameter with an impossible
// value.
var errQuestion = errors.New("the address does not say what is wanted")

type storyView struct {
	*page.Words
	*story.Story
	Answers  []answerView
	Licenses []licenseView
}

type licenseView struct {
	*page.Words
	*story.License
}

type answerView struct {
	*page.Words
	story.Answer
	Tone  string
	Lines []story.Line
}

// The variable "tones" has the colors of the states. A state without an entry has no color.
var tones = map[story.State]string{
	story.Damaged: "bad", story.Pending: "undecided", story.Taken: "bad", story.Announced: "undecided", story.Undecided: "undecided",
	story.Refused: "undecided", story.Idle: "bad", story.Return: "good", story.GivenBack: "good", story.Kept: "good", story.Cooling: "good", story.Exempt: "good",
}

func (s *Site) person(a *asked) error {
	user := strings.TrimSpace(a.given("user"))
	if user == "" {
		return fmt.Errorf("%w: it names no person", errQuestion)
	}
	done, err := s.wait(a.ctx())
	if err != nil {
		return err
	}
	all, err := story.Of(a.ctx(), s.Store, story.Question{Run: a.given("run"), User: user, Now: s.Clock.Now(), Store: s.Elsewhere})
	done()
	if err != nil {
		return err
	}
	all = page.InStore(all, s.Elsewhere)
	d := document(func(*page.Words) string {
		return cmp.Or(all[0].DisplayName, all[0].UserPrincipalName, all[0].User) + " – idleseat"
	}, "/people", a.given("run"), content("person", func(w *page.Words) any {
		view := struct {
			*page.Words
			People []storyView
		}{Words: w}
		for _, one := range all {
			v := storyView{Words: w, Story: one}
			for i := range one.Answers {
				x := &one.Answers[i]
				v.Answers = append(v.Answers, answerView{w, *x, tones[x.State], one.Lines(x)})
			}
			for i := range one.Ledger {
				v.Licenses = append(v.Licenses, licenseView{w, &one.Ledger[i]})
			}
			view.People = append(view.People, v)
		}
		return view
	}))
	return a.show(http.StatusOK, d)
}

// Age returns the age that a date in the profile had at the time of the run. It returns "" for a value without a known
// date.
func (v *storyView) Age(value story.Value) string {
	if value.Days == nil {
		return ""
	}
	return v.Count("age.days", *value.Days)
}
