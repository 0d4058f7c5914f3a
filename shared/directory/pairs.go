package directory

import "slices"

// Pair is one row of the table of people: the account of a person in Entra ID, the one in
// Active Directory, or both.
type Pair struct {
	Entra *EntraUser
	AD    *ADUser
	// Clear tells that no other account of the halves counts when the two are joined:
	// none has their keys, their id, or may be theirs by whatever anchor.
	Clear bool
}

// Pairs puts every account of the halves into one pair, by SID alone: those of Entra ID in
// their order, each with the account of Active Directory that nobody before it took, and
// then the rest of Active Directory in its order. Join comes to the same people from the
// accounts in this order. It alone judges whether two accounts are one person's.
func (h *Accounts) Pairs() (pairs []Pair) {
	j := h.index()
	taken := make([]bool, len(h.AD))
	loose := h.looseHere()
	ids := make(map[string]int, len(h.Entra)) // an id is listed twice when the SID changed between two pages
	for i := range h.Entra {
		ids[h.Entra[i].ID]++
	}
	pairs = make([]Pair, 0, max(len(h.Entra), len(h.AD)))
	for i := range h.Entra {
		u := &h.Entra[i]
		key := u.PartitionKey()
		p := Pair{Entra: u, Clear: j.entraByKey[key] == i && !j.twiceEntra[key] && ids[u.ID] == 1 && (u.SID != "" || u.ImmutableID == "")}
		if at, found := j.adBySID[u.SID]; u.SID != "" && found {
			p.Clear = p.Clear && j.clearAD(at, loose)
			if !taken[at] {
				p.AD, taken[at] = &h.AD[at], true
			} else {
				p.Clear = false
			}
		}
		pairs = append(pairs, p)
	}
	for i := range h.AD {
		if !taken[i] {
			pairs = append(pairs, Pair{AD: &h.AD[i], Clear: j.clearAD(i, loose)})
		}
	}
	return pairs
}

// looseHere are the immutable ids of the accounts of Entra ID that have no SID.
func (h *Accounts) looseHere() map[string]bool {
	loose := map[string]bool{}
	for i := range h.Entra {
		if u := &h.Entra[i]; u.SID == "" && u.ImmutableID != "" {
			loose[u.ImmutableID] = true
		}
	}
	return loose
}

// clearAD tells that an account of Active Directory is the only one of its SID, and that
// no loose account of Entra ID can be its other half.
func (j *joiner) clearAD(at int, loose map[string]bool) bool {
	u := &j.AD[at]
	if j.adBySID[u.SID] != at || j.twiceAD[u.SID] {
		return false
	}
	if len(loose) == 0 {
		return true
	}
	for _, anchor := range append(Anchors(), string(EitherGUID)) {
		if slices.ContainsFunc(Anchor(anchor).Of(u), func(id string) bool { return loose[id] }) {
			return false
		}
	}
	return true
}
