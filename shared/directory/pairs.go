package directory

import (
	"cmp"
	"slices"
)

// Pair is one row in the table of people. The row holds a person's account in Entra ID, the account in Active
// Directory, or both.
type Pair struct {
	Entra *EntraUser
	AD    *ADUser
	// Clear means that no other account can affect the join of this pair. No other account has the same SID or id. No
	// account outside the pair can match an account of the pair under any anchor.
	Clear bool
}

// Plain reports whether the row belongs to a person and nothing about the row is in doubt. In such a row, no other
// account affects the join, all dates are believed, and nothing is hidden. If the Entra account of the row has a SID,
// the row also has the Active Directory account.
func (p *Pair) Plain() bool {
	if kind, _ := (&Person{Entra: p.Entra, AD: p.AD}).Kind(); !p.Clear || kind != KindPerson {
		return false
	}
	if u := p.Entra; u != nil && (u.DatesInDoubt || p.AD == nil && u.SID != "") {
		return false
	}
	return p.AD == nil || !p.AD.DatesInDoubt && len(p.AD.Unreadable) == 0
}

// anyAnchor stands for all anchors in the list that Pair.Anchors returns. It is in the list if the anchor does not
// matter for the pair: the pair lacks an account, or its Entra account is not synced and has no immutable id.
const anyAnchor = "any"

// Anchors returns the anchors under which the two accounts of the pair belong to one person. Each anchor has the name
// that policies use. The name eitherGUID stands for the empty anchor.
func (p *Pair) Anchors() (names []string) {
	if p.Entra == nil || p.AD == nil || !p.Entra.Synced && p.Entra.ImmutableID == "" {
		return []string{anyAnchor}
	}
	for _, name := range append(Anchors(), string(EitherGUID)) {
		if Anchor(name).Fits(p.Entra.ImmutableID, p.AD) {
			names = append(names, cmp.Or(name, eitherGUID))
		}
	}
	return names
}

// eitherGUID stands for EitherGUID in the list that Pair.Anchors returns.
const eitherGUID = "eitherGUID"

// Among reports whether the anchor is in names, a list that Pair.Anchors returned.
func (a Anchor) Among(names []string) bool {
	return slices.Contains(names, anyAnchor) || slices.Contains(names, cmp.Or(string(a), eitherGUID))
}

// Pairs puts every account into one pair, by SID alone. The pairs with Entra accounts come first, in the order of
// h.Entra. Each Entra account is paired with its Active Directory account unless an earlier pair has that account. The
// remaining Active Directory accounts follow in the order of h.AD. A pair does not prove that its two accounts belong to
// one person. Only Join judges this, and it finds the same people if it reads the accounts from the pairs.
func (h *Accounts) Pairs() (pairs []Pair) {
	j := h.index()
	taken := make([]bool, len(h.AD))
	loose := h.looseHere()
	ids := make(map[string]int, len(h.Entra)) // an id is listed twice if its SID changed between two pages
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

// looseHere returns the immutable ids of all Entra accounts in h that have no SID.
func (h *Accounts) looseHere() map[string]bool {
	loose := map[string]bool{}
	for i := range h.Entra {
		if u := &h.Entra[i]; u.SID == "" && u.ImmutableID != "" {
			loose[u.ImmutableID] = true
		}
	}
	return loose
}

// clearAD reports whether the Active Directory account with the index "at" is clear. A clear account is the only
// account with its SID, and no Entra account without a SID can belong to it.
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
