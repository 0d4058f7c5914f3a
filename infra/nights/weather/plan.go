package weather

import "slices"

// Plan is the weather of one night: the kinds of faults, and how often an operation meets each of them. A night
// without kinds is calm.
type Plan struct {
	Night int
	Often float64 // probability, from 0 to 1
	Kinds []Kind
}

// troubled describes the nights that are not calm. Each entry has its share of these nights, the number of kinds of
// faults, and how often an operation meets one of them. Most of these nights have a single kind.
var troubled = []struct {
	upTo        float64
	least, most int
	often       float64
}{
	{0.70, 1, 2, 0.05},
	{0.95, 3, 5, 0.10},
	{1.00, 8, 12, 0.20},
}

// calmNights is the share of calm nights at severity 1.
const calmNights = 0.7

// Plan draws the weather of a night. All nights are calm at severity 0, 70 % of them at severity 1, and 10 % at
// severity 3.
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
