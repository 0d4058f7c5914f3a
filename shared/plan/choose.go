package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
)

// Pick is a line of an operator's file that names changes of a plan.
type Pick struct {
	Line int    // the line of the file, from 1
	Name string // userPrincipalName, object id or SID of the person; letter case does not matter
	// License is the license that the line names. If it is empty, the line names all changes of the person.
	License string
}

// Choice describes which changes of a plan an operator wants: those that Only names, or all if Only is nil, without
// those that Except names. Of these, it takes at most the first Limit changes in the order of the plan. A Limit of 0
// means no limit.
type Choice struct {
	Only, Except []Pick
	Limit        int
}

const mostFaults = 10

// Choose returns the changes and notices that the choice selects, in the order of the plan. It fails if a Pick matches
// no change, or changes of several people, and the error names the lines of these Picks. It also fails if the choice
// selects nothing.
func (p *Plan) Choose(c Choice) ([]Change, error) {
	all := slices.Concat(p.Changes, p.Notices)
	only, err := picked(all, c.Only, "--only")
	if err != nil {
		return nil, err
	}
	except, err := picked(all, c.Except, "--except")
	if err != nil {
		return nil, err
	}
	var kept []Change
	for i := range all {
		if (c.Only == nil || only[i]) && !except[i] && (c.Limit == 0 || len(kept) < c.Limit) {
			kept = append(kept, all[i])
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("nothing is left of the %s of run %s", plain.Many(len(all), "change"), p.Run)
	}
	return kept, nil
}

// The function "picked" looks up the lines of an operator's file in the changes of a plan. It returns the indexes of
// the changes that a line names. The parameter "flag" is the command-line flag for the file.
func picked(all []Change, picks []Pick, flag string) (map[int]bool, error) {
	found, faults := map[int]bool{}, []string{}
	for _, pick := range picks {
		people := map[string]bool{}
		for i := range all {
			if pick.names(&all[i]) {
				found[i], people[all[i].User] = true, true
			}
		}
		switch {
		case len(people) == 0 && pick.License != "":
			faults = append(faults, fmt.Sprintf("line %d: the plan has no change of %s for %q", pick.Line, pick.License, pick.Name))
		case len(people) == 0:
			faults = append(faults, fmt.Sprintf("line %d: the plan has no change for %q", pick.Line, pick.Name))
		case len(people) > 1:
			faults = append(faults, fmt.Sprintf("line %d: %q is the name of %d people in the plan; write the id", pick.Line, pick.Name, len(people)))
		}
	}
	switch n := len(faults); {
	case n == 0:
		return found, nil
	case n > mostFaults:
		faults = append(faults[:mostFaults], fmt.Sprintf("and %s more", plain.Many(n-mostFaults, "line")))
	}
	return nil, errors.New(flag + ": " + strings.Join(faults, "; "))
}

func (k *Pick) names(c *Change) bool {
	if k.License != "" && k.License != c.License {
		return false
	}
	return slices.ContainsFunc([]string{c.UserPrincipalName, c.User, c.SID}, func(name string) bool { return name != "" && strings.EqualFold(name, k.Name) })
}
