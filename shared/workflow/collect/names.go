package collect

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// The variable "ids" matches object ids and SIDs. Such a name needs no search.
var ids = regexp.MustCompile(`^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|s-1-[0-9-]+)$`)

// The method "unnamed" returns the names in exempt.users and exempt.leave that nobody has now and that no earlier run
// found. A run for one person needs them too, because such a name may mean the person.
func (c *Collector) unnamed(ctx context.Context, in Start, earlier *directory.Earlier) (names []string, err error) {
	for _, name := range in.Policy.Listed(in.AsOf) {
		if earlier != nil && len(earlier.People[name]) > 0 || ids.MatchString(name) {
			continue
		}
		found, err := c.somebody(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("look for a name that the policy lists: %w", err)
		}
		if !found {
			names = append(names, name)
		}
	}
	return names, nil
}

// The method "somebody" reports whether any person has the given name. If Active Directory is not set up or does not
// answer, nobody counts as found there.
func (c *Collector) somebody(ctx context.Context, name string) (bool, error) {
	if strings.Contains(name, "@") {
		if _, err := c.Entra.FindID(ctx, name); err == nil || !errors.Is(err, directory.ErrNoPerson) {
			return err == nil, err
		}
	}
	if c.AD == nil {
		return false, nil
	}
	_, err := c.AD.FindPerson(ctx, name)
	return err == nil || errors.Is(err, directory.ErrAmbiguousPerson), ctx.Err()
}
