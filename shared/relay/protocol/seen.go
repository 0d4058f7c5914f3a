package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Seen is the state of an account when a relay read the evidence. A removal that rests on that evidence carries the
// state. The relay that makes the removal first reads the account again, because a message may wait in its queue for
// longer than evidence is good.
type Seen struct {
	// Facts is a digest of the account and its groups, without the last logon. Only relays compare it.
	Facts string `json:"facts"`
	// Dated is true when the last logon was known, or proven to be no later than Used. Used is zero for an account that
	// never logged on.
	Dated bool      `json:"dated"`
	Used  time.Time `json:"used,omitzero"`
}

// See records the state of an account. noGroup has the keys of groups that are missing. See leaves out groups that list
// their members directly, because these are license groups that the changes of a list alter.
func (a *Account) See(groups []Group, noGroup []string) *Seen {
	if a.User == nil {
		return nil
	}
	account := *a.User
	account.LastLogonTimestamp = time.Time{}
	var in, gone []string
	for _, g := range groups {
		switch key := g.Key(); {
		case g.Direct:
		case slices.Contains(noGroup, key):
			gone = append(gone, key)
		case slices.Contains(a.Groups, key):
			in = append(in, key)
		}
	}
	slices.Sort(in)
	slices.Sort(gone)
	text, err := json.Marshal(struct {
		Account  directory.ADUser
		In, Gone []string
	}{account, in, gone})
	if err != nil {
		panic(fmt.Sprintf("an account of plain values cannot be encoded: %v", err)) // unreachable
	}
	sum := sha256.Sum256(text)
	s := &Seen{Facts: hex.EncodeToString(sum[:12]), Dated: a.PartialLogon == "" || !a.Latest.IsZero(), Used: a.User.LastLogonTimestamp}
	if a.Latest.After(s.Used) {
		s.Used = a.Latest
	}
	return s
}

// Outdated returns how an account differs now from the recorded state. It is empty when it does not differ. It does not
// compare a last logon that was not known then.
func (s *Seen) Outdated(now *Seen) string {
	switch {
	case now == nil:
		return "the account could not be read again"
	case s.Dated && !now.Dated:
		return "the last logon is no longer known for certain"
	case s.Dated && now.Used.After(s.Used):
		return "the person logged on after the evidence was read, or may have"
	case s.Facts != now.Facts:
		return "the account or its groups changed after the evidence was read"
	}
	return ""
}
