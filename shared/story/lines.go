package story

import "slices"

// About is the topic of a line of a story, and its label on a terminal.
type About string

// The topics of the lines.
const (
	Why    About = "why"    // the rule that decides, and the parts of the rule that settle the verdict
	Next   About = "next"   // the day on which the license is taken if the person stays away
	Before About = "before" // the earlier changes of the license
	ToDo   About = "to do"  // actions for an operator
)

// Line is one sentence of a story.
type Line struct {
	About About
	Text  string
}

// Lines returns the lines that Text writes about one answer of the story. The sentence x.Says is not one of them.
func (s *Story) Lines(x *Answer) []Line {
	t, past := &text{story: s}, s.pastOf(x.License)
	lines := []Line{{Why, t.why(x, past)}, {Next, t.next(x)}, {Before, before(x, past)}}
	for _, what := range x.Do {
		lines = append(lines, Line{ToDo, what})
	}
	return slices.DeleteFunc(lines, func(l Line) bool { return l.Text == "" })
}
