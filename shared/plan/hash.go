package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The variable "covered" lists the JSON members of a plan that its hash covers. Later versions may add members to the
// list but must not remove any.
var covered = []string{
	"asOf", "changes", "manifestHash", "matchHash", "matches", "notices", "overridable", "pending", "policyHash", "restores", "resumes",
	"tenant", "tool", "verdict",
}

// Bind sets the hash of the plan. Nothing that the hash covers may change afterwards.
func (p *Plan) Bind() {
	p.Hashed = covered
	p.PlanHash = p.Hash()
}

// Hash returns the hash of the plan: the SHA-256, in hex, of the members in "covered" (see HashOf).
func (p *Plan) Hash() string {
	bound := *p
	bound.Hashed = covered
	text, err := json.Marshal(bound)
	if err != nil {
		panic(fmt.Sprintf("a plan of plain values cannot be encoded: %v", err)) // unreachable
	}
	sum, err := HashOf(text)
	if err != nil {
		panic(fmt.Sprintf("a plan that was just encoded cannot be hashed: %v", err)) // unreachable
	}
	return sum
}

// HashOf returns the hash of a stored plan. The plan's member "hashed" lists the members whose stored bytes are
// hashed, so the hash stays the same when a later version covers more members. The reasons of pending changes are not
// hashed. HashOf fails if the list is not sorted, or lacks a member of "covered". A plan without the member "hashed"
// has format 1.
func HashOf(text []byte) (string, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return "", err
	}
	if members["hashed"] == nil {
		return hashOfFormat1(text)
	}
	var names []string
	if err := json.Unmarshal(members["hashed"], &names); err != nil {
		return "", err
	}
	if missing := slices.DeleteFunc(slices.Clone(covered), func(name string) bool { return slices.Contains(names, name) }); len(missing) > 0 {
		return "", fmt.Errorf("the hash does not cover %v", missing)
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) < len(names) {
		return "", errors.New("the members that the hash covers are not in order")
	}
	sum := sha256.New()
	for _, name := range names {
		value := members[name] // nil if the member is missing
		if name == "pending" {
			var err error
			if value, err = withoutReasons(value); err != nil {
				return "", err
			}
		}
		fmt.Fprintf(sum, "%q:%s\n", name, value)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// withoutReasons removes the reasons from a list of pending changes, because they may differ when a plan is made
// again.
func withoutReasons(pending json.RawMessage) (json.RawMessage, error) {
	if pending == nil {
		return nil, nil
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(pending, &list); err != nil {
		return nil, err
	}
	for _, begun := range list {
		delete(begun, "reason")
	}
	return json.Marshal(list)
}

// format1 has the members that the hash of format 1 covers. Format 1 hashed the values after decoding. So if this type
// or the types of its lists changed, stored plans would no longer match their hashes. The types are to be removed one
// release after the first release with format 2.
type format1 struct {
	Changes      []format1Change `json:"changes"`
	AsOf         time.Time       `json:"asOf"`
	ManifestHash string          `json:"manifestHash"`
	PolicyHash   string          `json:"policyHash"`
	Tenant       string          `json:"tenant"`
	Tool         string          `json:"tool"`
	Verdict      string          `json:"verdict"`
	Overridable  bool            `json:"overridable"`
	Restores     string          `json:"restores"`
	Resumes      []string        `json:"resumes"`
	Pending      []format1Begun  `json:"pending"`
	Notices      []format1Change `json:"notices"`
	Matches      map[string]int  `json:"matches"`
	MatchHash    string          `json:"matchHash"`
}

type format1Change struct {
	User              string     `json:"user"`
	SID               string     `json:"sid,omitempty"`
	UserPrincipalName string     `json:"userPrincipalName"`
	Rule              string     `json:"rule"`
	License           string     `json:"license"`
	To                string     `json:"to,omitempty"`
	Via               string     `json:"via"`
	Reason            string     `json:"reason"`
	IdleSince         *time.Time `json:"idleSince"`
	MonthlySaving     float64    `json:"monthlySaving"`
	SavesNothing      string     `json:"savesNothing,omitempty"`
	Back              string     `json:"back,omitempty"`
	FirstReading      bool       `json:"firstReading,omitempty"`
}

type format1Begun struct {
	User              string    `json:"user"`
	UserPrincipalName string    `json:"userPrincipalName,omitempty"`
	Rule              string    `json:"rule"`
	License           string    `json:"license"`
	To                string    `json:"to,omitempty"`
	Run               string    `json:"run"`
	Since             time.Time `json:"since"`
	Reason            string    `json:"reason"`
}

func hashOfFormat1(text []byte) (string, error) {
	var p format1
	if err := json.Unmarshal(text, &p); err != nil {
		return "", err
	}
	for i := range p.Pending {
		p.Pending[i].Reason = "" // format 1 did not hash reasons
	}
	body, err := json.Marshal(struct {
		Changes                                []format1Change
		AsOf                                   time.Time
		ManifestHash, PolicyHash, Tenant, Tool string
		Verdict                                string
		Overridable                            bool
		Restores                               string          `json:",omitempty"`
		Resumes                                []string        `json:",omitempty"`
		Pending                                []format1Begun  `json:",omitempty"`
		Notices                                []format1Change `json:",omitempty"`
		Matches                                map[string]int  `json:",omitempty"`
		MatchHash                              string          `json:",omitempty"`
	}{p.Changes, p.AsOf.UTC(), p.ManifestHash, p.PolicyHash, p.Tenant, p.Tool, p.Verdict, p.Overridable, p.Restores, p.Resumes, p.Pending, p.Notices, p.Matches, p.MatchHash})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}
