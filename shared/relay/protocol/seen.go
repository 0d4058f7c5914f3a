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

// Seen is the state of an account when the relay read the evidence. The cloud sends this state along with every removal
// that it decides on the evidence. Before it removes the person, the relay reads the account again and compares,
// because a message may wait in the queue for so long that the evidence is out of date.
type Seen struct {
	// Facts is a hash of the account and its groups, without the last logon. Only the relay compares it; the cloud just
	// sends it back.
	Facts string `json:"facts"`
	// Dated reports whether Used is known. Used is the last logon, or the latest time at which it may have been. Used
	// is zero if the account never logged on.
	Dated bool      `json:"dated"`
	Used  time.Time `json:"used,omitzero"`
}

// See returns the state of an account. noGroup has the keys of the groups that could not be read. See ignores groups
// that are asked about with Direct, because these are the license groups, which the changes themselves alter.
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

// Outdated returns how the state now differs from s, or "" if it does not. It compares the last logon only if s.Dated
// is set.
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
