package policy

import (
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

const goldenLag = 2 * day

// The method "reports" reads usage reports: their fields and "through", the last day that they cover. A date is a day,
// or "none" if the report shows no activity in its span. A field that is left out is unknown, as if the report did not
// list the person.
func (g *golden) reports(n *yaml.Node, p *directory.Person) {
	const through = "through"
	o := g.object(n, "reports", append(reportFields(), through)...)
	if p.Entra == nil {
		g.fault(n, "a report is about an account in Entra ID, and the person has none")
		return
	}
	last := g.now.Add(-goldenLag).Truncate(day)
	if at := o.fields[through]; at != nil {
		last, _ = g.date(at, through)
	}
	uses := map[directory.Signal]*directory.Use{}
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		f, known := directory.FieldNamed(name)
		if !known {
			continue
		}
		signal, _ := f.Signal()
		if uses[signal] == nil {
			uses[signal] = &directory.Use{Signal: signal, Through: last}
		}
		value := directory.Value{State: directory.None}
		if item := o.fields[name]; item.Value != "none" {
			at, _ := g.date(item, name)
			value = directory.Value{State: directory.Known, Time: at.Truncate(day).Add(day - time.Second)} // the end of the day, as in package usage
		}
		if f.Meaning == directory.Activity {
			uses[signal].Last = value
		} else {
			uses[signal].Assigned = value
		}
	}
	for _, signal := range slices.Sorted(maps.Keys(uses)) {
		p.Entra.Uses = append(p.Entra.Uses, *uses[signal])
	}
}

func reportFields() []string {
	return slices.DeleteFunc(directory.FieldNames(), func(name string) bool {
		f, _ := directory.FieldNamed(name)
		signal, _ := f.Signal()
		return !signal.Reported()
	})
}
