package directory

import "context"

// GroupsOf reads the groups of Entra ID that a person belongs to, each list once and
// only when it is asked for. It belongs to one goroutine.
type GroupsOf struct {
	User   string                                                             // object id
	All    func(ctx context.Context, userID string) (ids []string, err error) // through other groups, too
	Listed func(ctx context.Context, userID string) (ids []string, err error) // groups that list the person themselves

	read [2][]string // not nil once read
}

// Of is the ids of the groups that the person belongs to, or (direct) that list the
// person themselves.
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
