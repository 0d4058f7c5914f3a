package decision

import (
	"context"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// Reclaimed returns the indices of the rules that reclaim from a person. It returns false if the person's row is open.
// The caller must then evaluate the rules.
func (p *Plain) Reclaimed(person *directory.Person) (rules []int, settled bool) {
	past := person.Past(directory.Entra)
	if past == nil {
		past = person.Past(directory.AD)
	}
	if past.Row == 0 {
		return nil, false
	}
	for i, verdicts := range p.verdicts {
		if verdicts[past.Row-1] == policy.PlainReclaim {
			rules = append(rules, i)
		}
	}
	return rules, true
}

// The method "put" adds some people to h: those whom the columns alone do not decide (p.open), and those from whom a rule
// reclaims.
func (p *screening) put(ctx context.Context, h *directory.Accounts) error {
	wanted := slices.Clone(p.open)
	for _, verdicts := range p.verdicts {
		for row, v := range verdicts {
			wanted[row] = wanted[row] || v == policy.PlainReclaim
		}
	}
	rows := rowsOf(wanted)
	if err := p.run.Manifest.Put(h, p.people, rows, p.run.columns); err != nil {
		return err
	}
	entra, ad := h.Entra, h.AD // in the order of the rows
	for _, row := range rows {
		if p.has(directory.Entra, row) {
			p.settle(&entra[0].Past, directory.Entra, row)
			entra = entra[1:]
		}
		if p.has(directory.AD, row) {
			p.settle(&ad[0].Past, directory.AD, row)
			ad = ad[1:]
		}
	}
	return p.run.addPast(ctx, h)
}

func (p *screening) has(s directory.Source, row int) bool { return p.keys[s].Rows[row] != table.None }

// The method "settle" is for an account of a person whose verdicts the columns settle. It sets Past.Row, by which later
// steps recognize such a person, and Past.Seen. It does nothing if the row is open.
func (p *screening) settle(past *directory.Past, s directory.Source, row int) {
	if p.open[row] {
		return
	}
	past.Row = row + 1
	if l := p.past[s]; l.table != nil {
		past.Seen = l.of(uint64(p.keys[s].Rows[row])).Seen.Time()
	}
}

func (r *Run) putOpen(ctx context.Context, people *snapshot.People, open []bool, h *directory.Accounts) error {
	if err := r.Manifest.Put(h, people, rowsOf(open), r.columns); err != nil {
		return err
	}
	return r.addPast(ctx, h)
}

func rowsOf(wanted []bool) (rows []int) {
	for row, is := range wanted {
		if is {
			rows = append(rows, row)
		}
	}
	return rows
}
