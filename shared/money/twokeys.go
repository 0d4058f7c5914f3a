package money

import (
	"context"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// twoKeys collects the licenses of people who may have two keys in the ledger: the SID, while only Active Directory has
// the person, and later the object id in Entra ID. A seat with entries under both keys must count once.
type twoKeys struct {
	sids map[string]bool // the SIDs that are keys in the ledger
	held map[[2]string][]*subject
}

// bySID lists the SIDs that are keys in the ledger.
func bySID(ctx context.Context, s store.Store) (*twoKeys, error) {
	t := &twoKeys{sids: map[string]bool{}, held: map[[2]string][]*subject{}}
	for key, err := range s.List(ctx, layout.Ledger+"S-1-") {
		if err != nil {
			return nil, err
		}
		sid, _, _ := strings.Cut(strings.TrimPrefix(key, layout.Ledger), "/")
		t.sids[sid] = true
	}
	return t, nil
}

// The method "hold" reports whether the person of a license may have a second key in the ledger. If so, it keeps the
// license until the whole ledger is read, because the entries under the other key may follow later.
func (t *twoKeys) hold(of *subject) bool {
	sid := of.SID
	if t.sids[of.Person] {
		sid = of.Person
	}
	if !t.sids[sid] {
		return false
	}
	k := [2]string{sid, of.License}
	t.held[k] = append(t.held[k], of)
	return true
}

// factsOf returns the facts about one license of one person, oldest first. The parameter "same" has the facts under
// each of the person's keys.
func factsOf(same []*subject) []fact {
	if len(same) == 1 {
		return same[0].Facts
	}
	var all []fact
	for _, of := range same {
		all = append(all, of.Facts...)
	}
	slices.SortStableFunc(all, func(a, b fact) int { return a.At.Compare(b.At) })
	return all
}
