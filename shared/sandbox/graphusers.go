package sandbox

import (
	"iter"
	"slices"
	"strings"
	"time"
)

const signInPage = 500

func (g *graph) listUsers(q *query) (answer, error) {
	selected, err := properties(q, userProperties, userDefaults, "user")
	if err != nil {
		return answer{}, err
	}
	most := 999
	if q.selects("signInActivity") {
		if n := g.c.options.SignInPage; n > 0 && q.top > n {
			return answer{}, badRequest("Cannot query data for more than %d users at a time.", n)
		}
		if err := g.limit(&g.list); err != nil {
			return answer{}, err
		}
		most = signInPage
	}
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	found, err := g.c.usersBy(q.filter, q.from)
	if err != nil {
		return answer{}, err
	}
	count := -1
	if q.counted && q.from == 0 {
		count = countOf(found)
	}
	p := q.newPage("users"+selection(q), most)
	p.begin(count)
	for i := range found {
		if p.full() {
			return p.end(i), nil
		}
		p.next()
		u := q.replica.user(i)
		p.body = appendObject(p.body, u, selected, u.typeOf(""))
	}
	return p.end(-1), nil
}

func countOf(found iter.Seq[int]) (n int) {
	for range found {
		n++
	}
	return n
}

// The function "selection" returns the selected properties as an @odata.context has them, such as "(id,displayName)".
// Without $select, it returns "".
func selection(q *query) string {
	if q.names == nil {
		return ""
	}
	return "(" + strings.Join(q.names, ",") + ")"
}

// usersBy iterates over the people who match a filter, from the number "from" on.
func (c *Company) usersBy(f *clause, from int) (iter.Seq[int], error) {
	var people []int
	switch {
	case f == nil:
		return c.everyUser(from), nil
	case f.is("userPrincipalName", "eq"):
		if i, found := c.byUPN(f.values[0]); found {
			people = []int{i}
		}
	case f.is("id", "eq"), f.is("id", "in"):
		if len(f.values) > 15 {
			return nil, unsupportedQuery("Too many child clauses specified in search filter expression containing 'OR' operators: %d. Max allowed: 15.", len(f.values))
		}
		for _, id := range f.values {
			if !isGUID(id) {
				return nil, badRequest("Invalid object identifier '%s'.", id)
			}
			if i, found := c.byID(id); found {
				people = append(people, i)
			}
		}
	default:
		return nil, f.refused("User")
	}
	slices.Sort(people)
	people = slices.DeleteFunc(slices.Compact(people), func(i int) bool { return i < from || !c.inEntra(i, c.profile(i)) })
	return slices.Values(people), nil
}

func (c *Company) everyUser(from int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := from; i < c.Size(); i++ {
			if c.inEntra(i, c.profile(i)) && !yield(i) {
				return
			}
		}
	}
}

func (c *Company) user(key string) (int, error) {
	i, found := c.byID(key)
	if !found {
		i, found = c.byUPN(key)
	}
	if !found || !c.inEntra(i, c.profile(i)) {
		return 0, notFound(key)
	}
	return i, nil
}

func (g *graph) getUser(q *query) (answer, error) {
	selected, err := properties(q, userProperties, userDefaults, "user")
	if err != nil {
		return answer{}, err
	}
	if q.selects("signInActivity") {
		if !isGUID(q.ids[0]) {
			return answer{}, &graphError{status: 400, code: "400", message: "Get By Key only supports UserId and the key has to be a valid Guid"}
		}
		if err := g.limit(&g.single); err != nil {
			return answer{}, err
		}
	}
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	i, err := g.c.user(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	return userAnswer(q, q.replica.user(i), selected), nil
}

func userAnswer(q *query, u *entraUser, selected []property[entraUser]) answer {
	return ok(appendObject(nil, u, selected, entityContext(q, "users"+selection(q))+u.typeOf("")))
}

func entityContext(q *query, set string) string {
	b := appendText([]byte(`"@odata.context":`), q.base()+"/$metadata#"+set+"/$entity")
	return string(append(b, ','))
}

func (g *graph) memberOf(q *query) (answer, error) { return g.groupsOf(q, replica.isMember) }

func (g *graph) transitiveMemberOf(q *query) (answer, error) {
	return g.groupsOf(q, replica.isTransitiveMember)
}

// groupsOf lists the Entra groups of a user. The function "in" decides whether the user is a member of a group.
func (g *graph) groupsOf(q *query, in func(r replica, g, i int, t profile, at time.Time) bool) (answer, error) {
	selected, err := properties(q, groupProperties, groupDefaults, "directoryObject")
	if err != nil {
		return answer{}, err
	}
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	i, err := g.c.user(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	t, shown := g.c.profile(i), q.replica.at(objectMemberOf|uint64(i))
	p := q.newPage("directoryObjects"+selection(q), 999)
	p.begin(-1)
	for n := q.from; n < len(groups); n++ {
		one := g.c.entraGroup(n)
		if one == nil || !one.lists() || !in(q.replica, n, i, t, shown) {
			continue
		}
		if p.full() {
			return p.end(n), nil
		}
		p.next()
		p.body = appendObject(p.body, one, selected, groupType)
	}
	return p.end(-1), nil
}

const (
	userType  = `"@odata.type":"#microsoft.graph.user",`
	groupType = `"@odata.type":"#microsoft.graph.group",`
)

// deleteUser answers a DELETE of a member's path without /$ref. As in real Graph, it deletes the user, and not the
// membership.
func (g *graph) deleteUser(q *query) (answer, error) {
	g.c.mu.Lock()
	defer g.c.mu.Unlock()
	if _, _, err := g.c.groupOf(q.ids[0]); err != nil {
		return answer{}, err
	}
	i, err := g.c.user(q.ids[1])
	if err != nil {
		return answer{}, err
	}
	g.c.delete(i)
	return noContent, nil
}
