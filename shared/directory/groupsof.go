package directory

import "context"

// GroupsOf reads the groups of Entra ID that a person belongs to. It reads each list at most once, and only on demand.
// One goroutine may use it.
type GroupsOf struct {
	User   string                                                             // object id
	All    func(ctx context.Context, userID string) (ids []string, err error) // also through other groups
	Listed func(ctx context.Context, userID string) (ids []string, err error) // groups that list the person directly

	read [2][]string // not nil once read
}

// Of returns the ids of the groups that the person belongs to. With direct, it returns those that list the person
// directly.
func (g *GroupsOf) Of(ctx context.Context, direct bool) ([]string, error) {
	n, read := 0, g.All
	if direct {
		n, read = 1, g.Listed
	}
	if g.read[n] == nil {
		ids, err := read(ctx, g.User)
		if err != nil {
			return nil, err
		}
		g.read[n] = append([]string{}, ids...)
	}
	return g.read[n], nil
}
