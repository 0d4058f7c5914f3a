package draft

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/policy"
)

// ErrModel is the error if the operator gives a model of Citrix seats, and no group of Citrix is known.
var ErrModel = errors.New("a model of Citrix seats is given, and no group of Citrix is known; name the group, too")

// ErrNothing is the error for a tenant from which no rule could take a license.
var ErrNothing = errors.New("nobody holds a product that costs money, and no group of Citrix is known, so there is nothing to write a rule about")

// Wishes are the values that the operator chose.
type Wishes struct {
	Currency string             // three capital letters; empty if unknown
	Prices   map[string]float64 // monthly price of a seat, by license name; Licenses returns the names
	Exempt   []string           // people from whom no rule takes a license
	Citrix   string             // DN of the group of Citrix
	Model    string             // model of the Citrix seats, such as "user"; empty if unknown
}

// Draft is a first policy, with its golden people and a note.
type Draft struct {
	Policy, Golden, Note []byte
	Told                 []string // the sentences of the note
}

// Licenses returns the names of the licenses of the new policy.
func Licenses(s *Seen, w Wishes) (all []string) {
	for _, l := range choose(s, w.Citrix).licenses() {
		all = append(all, l.name)
	}
	return all
}

// Write makes the first policy of a tenant, loads it and tests it with the golden people. The parameter "file" is the
// name of the policy file, for the texts.
//
// Write fails with ErrNothing if there is no license for a rule, and with ErrModel if a model is given without a group
// of Citrix. It fails with policy.Faults if a wish does not fit into a policy. A price for a license that the policy
// does not have is also an error.
func Write(s *Seen, w Wishes, file string, now time.Time) (*Draft, error) {
	c := choose(s, w.Citrix)
	if len(c.licenses()) == 0 {
		return nil, ErrNothing
	}
	if w.Model != "" && c.citrix == nil {
		return nil, ErrModel
	}
	for name := range w.Prices {
		if !slices.Contains(Licenses(s, w), name) {
			return nil, fmt.Errorf("a price is given for %q, and the licenses are %v", name, Licenses(s, w))
		}
	}
	d := &Draft{Policy: c.policy(w, file, now), Golden: c.golden(file)}
	p, err := policy.Load(file, d.Policy)
	if err != nil {
		return nil, err
	}
	report, err := policy.Test(p, "golden people of "+file, d.Golden)
	if err != nil {
		return nil, fmt.Errorf("the golden people of the new policy: %w", err)
	}
	if len(report.Failed) > 0 {
		f := report.Failed[0]
		return nil, fmt.Errorf("the new policy does not fit its golden people: %s: rule %s: expected %s, got %s: %s", f.Case, f.Rule, f.Expected, f.Got, f.Why)
	}
	d.Told = c.told(w)
	d.Note = c.note(d.Told, now)
	return d, nil
}
