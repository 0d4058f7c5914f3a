package story

import "slices"

// About says what a line of a story is about. It is the label of the line in a terminal.
type About string

// What the lines are about.
const (
	Why    About = "why"    // the rule that decides, and what settles the verdict
	Next   About = "next"   // when the license is taken if the person stays away
	Before About = "before" // what runs did to the license
	ToDo   About = "to do"  // what an operator can do
)

// Line is one sentence of a story.
type Line struct {
	About About
	Text  string
}

// Lines returns what Text says about one of the answers of the story, after the sentence Says.
func (s *Story) Lines(x *Answer) []Line {
	t, past := &text{story: s}, s.pastOf(x.License)
	lines := []Line{{Why, t.why(x, past)}, {Next, t.next(x)}, {Before, before(x, past)}}
	for _, what := range x.Do {
		lines = append(lines, Line{ToDo, what})
	}
	return slices.DeleteFunc(lines, func(l Line) bool { return l.Text == "" })
}
