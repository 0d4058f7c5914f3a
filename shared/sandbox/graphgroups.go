package sandbox

import (
	"slices"
	"strings"
)

func (g *graph) listGroups(q *query) (answer, error) {
	selected, err := properties(q, groupProperties, groupDefaults, "group")
	if err != nil {
		return answer{}, err
	}
	fits := func(*group) bool { return true }
	switch {
	case q.filter.is("displayName", "eq"):
		fits = func(g *group) bool { return strings.EqualFold(g.name, q.filter.values[0]) }
	case q.filter.is("assignedLicenses", "any"):
		fits = func(g *group) bool { return len(g.grants) > 0 }
	case q.filter != nil:
		return answer{}, q.filter.refused("Group")
	}
	p := q.newPage("groups"+selection(q), 999)
	p.begin(-1)
	for n := q.from; n < len(groups); n++ {
		one := g.c.entraGroup(n)
		if one == nil || !fits(one) {
			continue
		}
		if p.full() {
			return p.end(n), nil
		}
		p.next()
		p.body = appendObject(p.body, one, selected, "")
	}
	return p.end(-1), nil
}

func (g *graph) getGroup(q *query) (answer, error) {
	selected, err := properties(q, groupProperties, groupDefaults, "group")
	if err != nil {
		return answer{}, err
	}
	_, one, err := g.c.groupOf(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	return ok(appendObject(nil, one, selected, entityContext(q, "groups"+selection(q)))), nil
}

func memberProperties(q *query) (users []property[entraUser], nested []property[group], err error) {
	if q.names == nil {
		return selectFrom(userProperties, userDefaults), selectFrom(groupProperties, groupDefaults), nil
	}
	for _, name := range q.names {
		if name == "signInActivity" || !known(userProperties, name) && !known(groupProperties, name) {
			return nil, nil, noProperty(name, "directoryObject")
		}
	}
	return selectFrom(userProperties, q.names), selectFrom(groupProperties, q.names), nil
}

// listMembers lists the nested groups and then the users of a group. The start of a page is a position in the list of
// the nested groups and then of all people of the company, members or not.
func (g *graph) listMembers(q *query) (answer, error) {
	users, nested, err := memberProperties(q)
	if err != nil {
		return answer{}, err
	}
	n, one, err := g.c.groupOf(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	if one.unseen() && one.denied {
		return answer{}, denied()
	}
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	p := q.newPage("directoryObjects"+selection(q), 999)
	p.begin(-1)
	inner := slices.DeleteFunc(slices.Clone(one.nested), func(n int) bool { return one.unseen() || g.c.entraGroup(n) == nil })
	shown := q.replica.at(objectMembers | uint64(n))
	for at := q.from; at < len(inner)+g.c.Size(); at++ {
		i := at - len(inner)
		if t := g.c.profile(max(i, 0)); i >= 0 && !(one.lists() && q.replica.isMember(n, i, t, shown) && g.c.inEntra(i, t)) {
			continue
		}
		if p.full() {
			return p.end(at), nil
		}
		p.next()
		if i < 0 {
			p.body = appendObject(p.body, g.c.entraGroup(inner[at]), nested, groupType)
		} else {
			u := q.replica.user(i)
			p.body = appendObject(p.body, u, users, u.typeOf(userType))
		}
	}
	return p.end(-1), nil
}

func (c *Company) isEntraMember(g, i int) bool {
	t := c.profile(i)
	return c.isMember(g, i, t) && c.inEntra(i, t)
}

// The method "writable" returns an error if Graph does not allow applications to change the members of the group.
func (g *group) writable() error {
	switch {
	case g.dynamic, g.roleAssignable:
		return denied()
	case g.synced():
		return badRequest("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
	case g.mailEnabled:
		return badRequest("Unable to update the specified properties for objects that have originated within an external service.")
	default:
		return nil
	}
}

func (g *graph) addMember(q *query) (answer, error) {
	n, one, err := g.c.groupOf(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	if err := one.writable(); err != nil {
		return answer{}, err
	}
	var body struct {
		ID string `json:"@odata.id"`
	}
	if err := readBody(q.r, &body); err != nil {
		return answer{}, err
	}
	id, err := referenced(body.ID)
	if err != nil {
		return answer{}, err
	}
	if _, _, err := g.c.groupOf(id); err == nil {
		return answer{}, notSimulated("nest groups")
	}
	g.c.mu.Lock()
	defer g.c.mu.Unlock()
	i, err := g.c.user(id)
	if err != nil {
		return answer{}, err
	}
	if g.c.isEntraMember(n, i) {
		return answer{}, badRequest("One or more added object references already exist for the following modified properties: 'members'.")
	}
	g.c.setMember(n, i, true)
	return noContent, nil
}

// The function "referenced" returns the object id in a reference such as
// https://graph.microsoft.com/v1.0/directoryObjects/{id}.
func referenced(reference string) (string, error) {
	_, path, found := strings.Cut(reference, version+"/")
	set, id, _ := strings.Cut(path, "/")
	if !found || set != "directoryObjects" && set != "users" && set != "groups" || !isGUID(id) {
		return "", badRequest("Invalid URL format specified in payload.")
	}
	return id, nil
}

func (g *graph) removeMember(q *query) (answer, error) {
	n, one, err := g.c.groupOf(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	if err := one.writable(); err != nil {
		return answer{}, err
	}
	g.c.mu.Lock()
	defer g.c.mu.Unlock()
	i, found := g.c.byID(q.ids[1])
	if !found || !g.c.isEntraMember(n, i) {
		return answer{}, absent(q)
	}
	g.c.setMember(n, i, false)
	return noContent, nil
}

// The function "absent" returns Graph's answer to the removal of a person who is not in the group: 404. With
// Options.Lag, half of the answers have status 400, as several clients have recorded after a repeated write.
func absent(q *query) error {
	if q.replica.odd() {
		return badRequest("One or more removed object references do not exist for the following modified properties: 'members'.")
	}
	return notFound(q.ids[1])
}
