package weather

import "slices"

// Plan is the weather of one night: the kinds of faults, and the probability with which each kind affects an operation.
// A night without kinds is calm.
type Plan struct {
	Night int
	Often float64 // probability, from 0 to 1
	Kinds []Kind
}

// The variable "troubled" has three groups of nights with faults: 70 % of these nights have one or two kinds of faults,
// 25 % have three to five, and 5 % have eight to twelve. "upTo" is the share of a group together with the groups before
// it. "often" is the probability with which each kind affects an operation.
var troubled = []struct {
	upTo        float64
	least, most int
	often       float64
}{
	{0.70, 1, 2, 0.05},
	{0.95, 3, 5, 0.10},
	{1.00, 8, 12, 0.20},
}

const calmNights = 0.7

// Plan draws the weather of a night at random. The share of calm nights depends on the severity: 100 % at 0, 70 % at 1,
// and 10 % at 3.
func (w *Weather) Plan(night int, severity float64) Plan {
	d := dice(hash(w.seed, night, "plan", "", 0))
	roll := func() dice { return dice(d.next()) }
	p := Plan{Night: night}
	if roll().float() >= (1-calmNights)*severity {
		return p
	}
	share := roll().float()
	for _, t := range troubled {
		if share >= t.upTo {
			continue
		}
		kinds := slices.Clone(Kinds())
		p.Often = t.often
		for range t.least + roll().below(t.most-t.least+1) {
			i := roll().below(len(kinds))
			p.Kinds = append(p.Kinds, kinds[i])
			kinds = slices.Delete(kinds, i, i+1)
		}
		return p
	}
	return p
}
