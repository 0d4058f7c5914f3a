package directory

import (
	"cmp"
	"slices"
)

// Pair is one row in the table of people: an account in Entra ID, an account in Active Directory, or both with one SID.
type Pair struct {
	Entra *EntraUser
	AD    *ADUser
	// Clear means that no other account can affect the join of this pair: none has the same SID or id, and none can
	// match an account of the pair under any anchor.
	Clear bool
}

// Plain reports whether the pair has the kind KindPerson and nothing about it is in doubt: Clear is set, no activity
// date is in the future, and every attribute is readable. An Entra account with a SID is in doubt if the pair lacks the
// Active Directory account.
func (p *Pair) Plain() bool {
	if kind, _ := (&Person{Entra: p.Entra, AD: p.AD}).Kind(); !p.Clear || kind != KindPerson {
		return false
	}
	if u := p.Entra; u != nil && (u.DatesInDoubt || p.AD == nil && u.SID != "") {
		return false
	}
	return p.AD == nil || !p.AD.DatesInDoubt && len(p.AD.Unreadable) == 0
}

// anyAnchor is the only item in the result of Pair.Anchors if the anchor does not matter: the pair lacks an account, or
// its Entra account is not synced and has no immutable id.
const anyAnchor = "any"

// An anchor is the attribute of Active Directory from which Entra Connect makes the immutable id. Anchors returns the
// names of the anchors under which the ids of the two accounts fit together. The name eitherGUID stands for the empty
// anchor.
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

const eitherGUID = "eitherGUID"

// Among reports whether the anchor is in the result of Pair.Anchors.
func (a Anchor) Among(names []string) bool {
	return slices.Contains(names, anyAnchor) || slices.Contains(names, cmp.Or(string(a), eitherGUID))
}

// Pairs puts every account into one pair, by SID alone: first the Entra accounts in the order of h.Entra, each with its
// Active Directory account unless an earlier pair already has that account, and then the other Active Directory
// accounts in the order of h.AD. A pair does not prove that its accounts belong to one person. Join decides this.
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

// looseHere returns the immutable ids of the Entra accounts without a SID.
func (h *Accounts) looseHere() map[string]bool {
	loose := map[string]bool{}
	for i := range h.Entra {
		if u := &h.Entra[i]; u.SID == "" && u.ImmutableID != "" {
			loose[u.ImmutableID] = true
		}
	}
	return loose
}

// clearAD reports whether the account is the only one with its SID, and no Entra account without a SID can belong to
// it.
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
