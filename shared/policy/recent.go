package policy

import (
	"slices"
	"sync"
)

const mostRecent = 4

// The variable "recent" has the policies that this process used last. A command opens the policy of its run up to ten
// times, and a warm function opens it in each call. Compiling it takes milliseconds.
var recent cache

// The type "cache" has compiled policies, the last used one first. A policy is found by its text. The name of its file
// does not matter: only messages about faults contain the name, and a text with faults is not in the cache.
type cache struct {
	mu   sync.Mutex
	kept []recentPolicy
}

type recentPolicy struct {
	text   string
	kept   bool // whether LoadKept compiled it
	policy *Policy
}

func (c *cache) load(name string, data []byte, kept bool) (*Policy, error) {
	text := string(data)
	if p := c.find(text, kept); p != nil {
		return p, nil
	}
	p, err := compiled(name, data, kept)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = slices.Insert(c.kept, 0, recentPolicy{text, kept, p})
	c.kept = slices.Delete(c.kept, min(mostRecent, len(c.kept)), len(c.kept))
	return p, nil
}

// The method "find" returns the cached policy of a text, or nil. Load and LoadKept do not share policies.
func (c *cache) find(text string, kept bool) *Policy {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.kept, func(r recentPolicy) bool { return r.kept == kept && r.text == text })
	if i < 0 {
		return nil
	}
	found := c.kept[i]
	copy(c.kept[1:i+1], c.kept[:i])
	c.kept[0] = found
	return found.policy
}
