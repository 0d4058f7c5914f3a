package weather

import (
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The function "seedWithSpell" returns a seed whose company has a spell, and the nights of the spell.
func seedWithSpell(t *testing.T) (seed uint64, from, to int) {
	t.Helper()
	for seed = range uint64(50) {
		if from, to = New(seed, newClock()).spell(); to > 0 {
			return seed, from, to
		}
	}
	t.Fatal("no seed has a spell")
	return 0, 0, 0
}

// The method "read" reads all people with the product's client in a night, and returns them by their ids.
func (r *rig) read(t *testing.T, night int) map[string]*directory.EntraUser {
	t.Helper()
	r.Begin(Plan{Night: night, Kinds: r.Spell(night)})
	all := map[string]*directory.EntraUser{}
	err := r.entra(t).ListPeople(t.Context(), "", func(page []directory.EntraUser, _ string) error {
		for _, u := range page {
			all[u.ID] = &u
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func datesOf(u *directory.EntraUser) (dates []time.Time) {
	for _, date := range u.Activity() {
		if !date.IsZero() {
			dates = append(dates, date)
		}
	}
	return dates
}

// TestSpell: in all nights of a spell, the same people have lost the same dates, in the list and when they are read
// alone. Before and after it, all dates are there. Only people of the spell are missing from the list.
func TestSpell(t *testing.T) {
	t.Parallel()
	seed, from, to := seedWithSpell(t)
	r := newRig(t, seed, 200)
	before := r.read(t, from-1)
	var first map[string]*directory.EntraUser
	missed := 0
	for night := from; night < to+afterSpell+1; night++ {
		now := r.read(t, night)
		hiding := from+shown <= night && night < to
		changed := map[string]*directory.EntraUser{}
		for id, u := range before {
			seen, listed := now[id]
			switch {
			case !listed:
				missed++
				if _, spelled := first[id]; !spelled {
					t.Errorf("night %d: %s is missing, and has no part in the spell", night, id)
				}
			case seen.Activity() != u.Activity():
				changed[id] = seen
				if dates := datesOf(seen); len(dates) > 1 || len(dates) >= len(datesOf(u)) {
					t.Errorf("night %d: of %v, Graph shows %v", night, datesOf(u), dates)
				}
				if alone, err := r.entra(t).FindPerson(t.Context(), id); err != nil || alone.Activity() != seen.Activity() {
					t.Errorf("night %d: alone, Graph shows %v, %v", night, alone.Activity(), err)
				}
			}
		}
		if first == nil && hiding {
			first = changed
		}
		for id, u := range changed {
			if !hiding || first[id] == nil || first[id].Activity() != u.Activity() {
				t.Errorf("night %d: %s has lost other dates, or the spell is over", night, id)
			}
		}
	}
	if share := float64(len(first)) / float64(len(before)); share < spellShare/3 || share > 2*spellShare || missed == 0 {
		t.Errorf("the spell affects %d of %d people, who are missing %d times", len(first), len(before), missed)
	}
}

// TestSpells checks how many companies have a spell, and how long the spells are.
func TestSpells(t *testing.T) {
	t.Parallel()
	const companies = 3000
	spells, long := 0, 0
	for seed := range uint64(companies) {
		w := New(seed, newClock())
		from, to := w.spell()
		if to == 0 {
			if len(w.Spell(0))+len(w.Spell(5)) > 0 {
				t.Errorf("seed %d: faults of a spell without a spell", seed)
			}
			continue
		}
		spells++
		switch nights := to - from - shown; {
		case nights >= 35 && nights <= 55:
			long++
		case nights < 4 || nights > 16:
			t.Errorf("seed %d: a spell of %d nights", seed, nights)
		}
	}
	if spells < companies/4 || spells > companies/2 || long < spells/8 || long > spells/2 {
		t.Errorf("%d of %d companies have a spell, and %d of these are long", spells, companies, long)
	}
}
