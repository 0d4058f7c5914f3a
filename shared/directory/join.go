package directory

import (
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
)

// PartitionKey returns the key that decides the partition: the SID, so that both accounts of a person are in one
// partition, or the id of an account without a SID.
func (u *EntraUser) PartitionKey() string {
	if u.SID != "" {
		return u.SID
	}
	return u.ID
}

// Partition returns the partition of a key, from 0 to n-1.
func Partition(key string, n int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // a hash never returns an error
	return int(h.Sum32() % uint32(n))
}

// Accounts is what one run read for one partition, a set of people who are joined and evaluated together.
type Accounts struct {
	Entra []EntraUser
	AD    []ADUser
	// EntraState and ADState are Present if all accounts of the source were read, even if their dates cannot be trusted.
	// Otherwise they are NotRead: an account that is not in the list may exist.
	EntraState Presence
	ADState    Presence
	// Silent means that Active Directory is set up, and was not read.
	Silent bool
	// Sought means that the account in Active Directory was sought by its SID in the whole domain. The reading is then of
	// one person. LeftOut is the account if it was found, and IDLESEAT_AD_BASE or IDLESEAT_AD_FILTER leaves it out.
	Sought  bool
	LeftOut *ADUser
	// Memberships has the keys of a person's groups. The map's key is the Entra id or the SID. A group whose members
	// the run did not read is missing.
	Memberships map[string][]string
	Unreadable  []string // keys of groups that could not be read
	// Remembered lists groups that give a license. An earlier reading could read them, and this one could not. Each
	// item is the GroupRef.Key and, if the group's id is known, "|" and the id.
	Remembered []string
	Stale      [Signals]string // why the dates of a signal cannot be trusted; empty if they can
	Anchor     Anchor          // the attribute by which Entra Connect joins accounts
	// Loose has the immutable ids of the Entra accounts without a SID, from every partition. Such an account may be in
	// another partition than the Active Directory account of the same person.
	Loose map[string]bool
	// Unplaced counts further Entra accounts without a SID, for which Loose had no room.
	Unplaced int
}

// Join matches the accounts by SID, or by onPremisesImmutableId if the Entra account has no SID. It yields each person
// once: first those with an Entra account, then the others, in the order of the input. A person is valid until the next
// one is yielded. A person is Contradictory if the accounts disagree, if two accounts in one directory have one SID, or
// if two Entra accounts claim one Active Directory account. A contradiction of an earlier reading may still count
// (Past.holds).
func (h *Accounts) Join() iter.Seq[*Person] {
	return func(yield func(*Person) bool) {
		j := h.index()
		var p Person
		for i := range h.Entra {
			if j.again[i] {
				continue
			}
			j.fromEntra(&p, i)
			if !yield(&p) {
				return
			}
		}
		for i := range h.AD {
			if j.claims[i] > 0 {
				continue
			}
			j.fromAD(&p, i)
			if !yield(&p) {
				return
			}
		}
	}
}

type joiner struct {
	*Accounts
	adBySID    map[string]int
	twiceAD    map[string]bool
	entraByKey map[string]int
	again      map[int]bool
	twiceEntra map[string]bool
	adByAnchor map[string]int // built only when an Entra account has no SID
	twiceID    map[string]bool
	claims     []uint8 // how many Entra accounts claim each Active Directory account
}

func (h *Accounts) index() *joiner {
	j := &joiner{
		Accounts: h, claims: make([]uint8, len(h.AD)),
		adBySID: make(map[string]int, len(h.AD)), twiceAD: map[string]bool{},
		entraByKey: make(map[string]int, len(h.Entra)), twiceEntra: map[string]bool{}, again: map[int]bool{},
	}
	for i := range h.AD {
		note(j.adBySID, j.twiceAD, h.AD[i].SID, i)
	}
	for i := range h.Entra {
		key := h.Entra[i].PartitionKey()
		if at, seen := j.entraByKey[key]; seen && h.Entra[at].ID == h.Entra[i].ID {
			j.again[at] = true // the account is listed on two pages, and the later entry counts
			j.entraByKey[key] = i
			continue
		}
		note(j.entraByKey, j.twiceEntra, key, i)
	}
	for i := range h.Entra {
		if at, found := j.match(&h.Entra[i]); found && !j.again[i] && j.claims[at] < 2 {
			j.claims[at]++
		}
	}
	return j
}

// The method "match" returns the index of the Active Directory account that belongs to an Entra account, if there is
// one.
func (j *joiner) match(u *EntraUser) (at int, found bool) {
	if u.SID != "" {
		at, found = j.adBySID[u.SID]
		return at, found
	}
	if u.ImmutableID == "" {
		return 0, false
	}
	if j.adByAnchor == nil {
		j.adByAnchor, j.twiceID = map[string]int{}, map[string]bool{}
		for i := range j.AD {
			for _, id := range j.Anchor.Of(&j.AD[i]) {
				note(j.adByAnchor, j.twiceID, id, i)
			}
		}
	}
	at, found = j.adByAnchor[u.ImmutableID]
	return at, found
}

func note(first map[string]int, twice map[string]bool, sid string, i int) {
	if _, seen := first[sid]; seen {
		twice[sid] = true
		return
	}
	first[sid] = i
}

func (j *joiner) fromEntra(p *Person, i int) {
	u := &j.Entra[i]
	*p = Person{Entra: u, EntraState: Present, Stale: j.Stale, Unreadable: j.Unreadable, LeftOut: j.LeftOut, sought: j.Sought, silent: j.Silent}
	p.Memberships = j.memberships(u.ID, u.SID)
	at, found := j.match(u)
	if found {
		p.claimed = &j.AD[at]
	}
	if found && u.SID == "" {
		p.Memberships = j.memberships(u.ID, j.AD[at].SID)
	}
	switch read := j.ADState == Present; {
	case j.twiceEntra[u.SID]:
		p.shows(Shared, "two Entra accounts carry the same SID")
	case j.twiceAD[u.SID]:
		p.shows(Shared, "two Active Directory accounts carry the same SID")
	case u.SID == "" && j.twiceID[u.ImmutableID]:
		p.shows(Shared, "two Active Directory accounts carry its onPremisesImmutableId")
	case found && j.claims[at] > 1:
		p.shows(Shared, "two Entra accounts claim the same Active Directory account, by SID or onPremisesImmutableId")
	case found && !j.Anchor.Fits(u.ImmutableID, &j.AD[at]) && (u.Synced || u.ImmutableID != ""):
		p.shows(Disagreed, "onPremisesImmutableId does not agree with the Active Directory account of the same SID; if Entra Connect takes another attribute as its anchor, name it in the policy as anchor")
	case p.doubted(&u.Past, AD, found, read):
	case found && p.doubted(&j.AD[at].Past, Entra, found, j.EntraState == Present):
	case found:
		p.AD, p.ADState = &j.AD[at], Present
	case !u.Synced && (read || !u.OnPremises()):
		p.ADState = NoAccount
		p.missed(AD, u.Past.Joined)
		p.Converted = u.SID != "" && p.ADState == NoAccount
	case read:
		p.ADState = Missing
		p.Doubt = "synced from Active Directory, but no account with its SID was found there (out of scope or deleted)"
	}
}

func (j *joiner) fromAD(p *Person, i int) {
	u := &j.AD[i]
	*p = Person{AD: u, ADState: Present, Stale: j.Stale, Unreadable: j.Unreadable}
	p.Memberships = j.memberships("", u.SID)
	if j.EntraState == Present {
		p.EntraState = NoAccount
	}
	if p.EntraState == NoAccount {
		p.missed(Entra, u.Past.Joined)
		p.unmatched(j.Accounts)
	}
	p.doubted(&u.Past, Entra, false, j.EntraState == Present)
	if j.twiceAD[u.SID] {
		p.shows(Shared, "two Active Directory accounts carry the same SID")
	}
}

// The method "unmatched" sets EntraState to Missing for a person of Active Directory who may have an Entra account that
// could not be matched.
func (p *Person) unmatched(h *Accounts) {
	anchor, unplaced := h.Anchor, h.Unplaced
	switch {
	case len(h.Loose) > 0 && slices.ContainsFunc(anchor.Of(p.AD), func(id string) bool { return h.Loose[id] }):
		p.EntraState = Missing
		p.Doubt = "an account in Entra ID has its onPremisesImmutableId and no onPremisesSecurityIdentifier; let Entra Connect synchronize the account in full, so that both are known to be one person"
	case p.AD.Hides(anchor.Attribute()):
		p.EntraState = Missing
		p.Doubt = "whether it has an account in Entra ID is not known: the account of idleseat has no right to see " + anchor.Attribute() + " of this person; grant it to read the attribute"
	case unplaced > 0:
		p.EntraState = Missing
		p.Doubt = fmt.Sprintf("whether it has an account in Entra ID is not known: %d accounts there have an onPremisesImmutableId and no onPremisesSecurityIdentifier, too many to look for", unplaced)
	}
}

func (j *joiner) memberships(id, sid string) []string {
	byID, bySID := j.Memberships[id], j.Memberships[sid]
	if len(bySID) == 0 || id == sid {
		return byID
	}
	if len(byID) == 0 {
		return bySID
	}
	return append(byID[:len(byID):len(byID)], bySID...)
}
