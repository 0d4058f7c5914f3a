package backtest

import (
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

type visit struct {
	*worker
	shard *shard
	night int
	last  bool
}

// The method "swept" records the hits of the people whose verdicts decision.Screen finds from table columns alone.
func (v *visit) swept(swept *decision.Swept) error {
	rows := len(swept.Keys)
	for len(v.masks) < len(v.rules) {
		v.masks = append(v.masks, nil)
	}
	ats, knowns := make([][]int64, len(v.rules)), make([][]bool, len(v.rules))
	for i := range v.rules {
		r := &v.rules[i]
		v.masks[i] = masked(v.masks[i], rows, swept.Verdicts[r.first:r.first+len(r.thresholds)])
		ats[i], knowns[i] = swept.LastSeen(v.policy.Rules[r.first])
	}
	department, err := swept.Texts("entra_department")
	if err != nil {
		return err
	}
	for row, open := range swept.Open {
		if open {
			continue
		}
		slot := v.shard.find(swept.Keys[row])
		var any uint32
		for i := range v.rules {
			any |= v.masks[i][row]
		}
		if slot < 0 && any == 0 {
			continue
		}
		if slot < 0 {
			slot = v.shard.put(swept.Keys[row])
		}
		for i := range v.rules {
			v.see(slot, i, v.masks[i][row], ats[i][row], knowns[i][row], func() string { return department.Text(row) })
		}
		v.shard.present[slot] = int16(v.night)
	}
	if v.last {
		v.counts.people += len(swept.Open) - openOf(swept.Open)
	}
	return nil
}

func openOf(open []bool) (n int) {
	for _, is := range open {
		if is {
			n++
		}
	}
	return n
}

// The function "masked" returns one number for each row, with a bit for each threshold at which the rule reclaims. It
// reuses the memory of "masks".
func masked(masks []uint32, rows int, verdicts [][]policy.Plain) []uint32 {
	if cap(masks) < rows {
		masks = make([]uint32, rows)
	}
	masks = masks[:rows]
	clear(masks)
	for i, of := range verdicts {
		for row, verdict := range of {
			if verdict == policy.PlainReclaim {
				masks[row] |= 1 << i
			}
		}
	}
	return masks
}

func (v *visit) person(p *directory.Person) {
	if v.last {
		v.counts.people++
	}
	v.list = v.judge.Outcomes(p, v.list[:0])
	slot := v.shard.find(decision.PersonKey(p))
	for i := range v.rules {
		r := &v.rules[i]
		var mask uint32
		for k, outcome := range v.list[r.first : r.first+len(r.thresholds)] {
			if outcome == policy.Reclaim {
				mask |= 1 << k
			}
		}
		if slot < 0 && mask == 0 {
			continue
		}
		if slot < 0 {
			slot = v.shard.put(decision.PersonKey(p))
		}
		seen, known := v.judge.LastSeen(v.policy.Rules[r.first], p)
		at := int64(policy.None)
		if !seen.IsZero() {
			at = seen.UnixMicro()
		}
		v.see(slot, i, mask, at, known, func() string {
			if p.Entra == nil {
				return ""
			}
			return p.Entra.Department
		})
	}
	if slot >= 0 {
		v.shard.present[slot] = int16(v.night)
	}
}
