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

// Seen is the state of an account at the time of the evidence. The cloud sends this state with every removal that it
// decides on the evidence. A message may wait in the queue until the evidence is out of date. So the relay reads the
// account again just before the removal, and compares the two states.
type Seen struct {
	// Facts is a hash of the account and its groups, without the last logon. Only the relay compares it. The cloud
	// returns it unchanged.
	Facts string `json:"facts"`
	// Dated reports whether Used is known. Used is the last logon, or the latest possible time of the last logon. Zero
	// means that the account never logged on.
	Dated bool      `json:"dated"`
	Used  time.Time `json:"used,omitzero"`
}

// See returns the state of an account, or nil if the account was not found. The parameter "noGroup" has the keys of the
// groups that could not be read. The state leaves out the license groups (Group.Direct), because the changes themselves
// alter their members. If the settings of the relay exclude the account, the state has only the account's groups.
func (a *Account) See(groups []Group, noGroup []string) *Seen {
	var account directory.ADUser
	var s Seen
	switch {
	case a.User != nil:
		s.Dated, s.Used = a.PartialLogon == "" || !a.Latest.IsZero(), a.User.LastLogonTimestamp
		account = a.User.Certain()
		account.LastLogonTimestamp = time.Time{}
	case a.LeftOut == nil:
		return nil
	}
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
	s.Facts = hex.EncodeToString(sum[:12])
	if a.Latest.After(s.Used) {
		s.Used = a.Latest
	}
	return &s
}

// Outdated returns why the earlier state s is out of date, or "". The argument "now" is the present state, or nil if
// the account could not be read again. If s.Dated is set, a later last logon counts as a change.
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
