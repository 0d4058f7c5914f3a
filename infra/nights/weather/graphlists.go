package weather

import (
	"encoding/json"
	"time"
)

// list is a page of a collection.
type list struct {
	fields  map[string]json.RawMessage
	entries []json.RawMessage
}

func readList(body []byte) (*list, bool) {
	l := &list{}
	if json.Unmarshal(body, &l.fields) != nil || json.Unmarshal(l.fields["value"], &l.entries) != nil {
		return nil, false
	}
	return l, true
}

func (l *list) body() []byte {
	l.fields["value"] = encode(l.entries)
	return encode(l.fields)
}

// encode writes what was read from JSON, which always has a form.
func encode(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

// link is the address of the request itself, with a mark when it is to pass untouched.
func (x *request) link(marked bool) json.RawMessage {
	u := "http://" + x.r.Host + x.r.URL.RequestURI()
	switch {
	case marked && x.r.URL.RawQuery == "":
		u += "?" + again
	case marked:
		u += "&" + again
	}
	return encode(u)
}

// change changes what a read tells.
func (x *request) change(a *answer) {
	what, _ := x.asked()
	if what == oneUser && x.w.tonight(graphPeople) != nil {
		a.body = x.person(a.body)
		return
	}
	if !x.isList() || x.w.tonight(graphLists) == nil && x.w.tonight(graphPeople) == nil {
		return
	}
	l, isList := readList(a.body)
	if !isList {
		return
	}
	x.changeEntries(l, what)
	if !x.marked {
		x.changePage(l)
	}
	a.body = l.body()
}

// changePage changes how the entries are listed.
func (x *request) changePage(l *list) {
	kinds := []Kind{GraphPageTwice, GraphLinkBack, GraphEmptyPage}
	if len(l.entries) > 1 {
		kinds = append(kinds, GraphEntryTwice, GraphShuffled)
	}
	k, d := x.w.meets(x.n, x.o, kinds)
	switch k {
	case GraphPageTwice:
		l.fields["@odata.nextLink"] = x.link(true)
	case GraphLinkBack:
		l.fields["@odata.nextLink"] = x.link(false)
	case GraphEmptyPage: // and then the page
		l.entries = []json.RawMessage{}
		l.fields["@odata.nextLink"] = x.link(true)
	case GraphEntryTwice:
		l.entries = twice(l.entries, d)
	case GraphShuffled:
		l.entries = shuffled(l.entries, d)
	}
}

// changeEntries changes what is told of people for a night, and who is told of.
func (x *request) changeEntries(l *list, what asks) {
	if x.w.tonight(graphPeople) == nil {
		return
	}
	kept := l.entries[:0]
	for _, e := range l.entries {
		switch {
		case what == users && x.missing(GraphPeopleMissing, e), what == members && x.missing(GraphMembersMissing, e):
			continue
		case what == users:
			e = x.person(e)
		}
		kept = append(kept, e)
	}
	l.entries = kept
}

func (x *request) missing(k Kind, entry json.RawMessage) bool {
	if !x.n.kinds[k] {
		return false
	}
	_, hit := x.w.befalls(x.n, k, idOf(entry), 1./15)
	return hit
}

func idOf(entry json.RawMessage) string {
	var o struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(entry, &o) // an entry without id has the empty one
	return o.ID
}

// losable are the properties of which one may be lost in a night.
var losable = []string{"onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesImmutableId", "createdDateTime",
	"licenseAssignmentStates", "usageLocation", "accountEnabled"}

// person is what is told of a user tonight, unchanged when that is no JSON object.
func (x *request) person(body json.RawMessage) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return body
	}
	id, before := idOf(body), len(fields)
	older := x.older(fields["signInActivity"], id)
	if older != nil {
		fields["signInActivity"] = older
	}
	x.lose(fields, "signInActivity", GraphAllDatesLost, "everybody", 1)
	x.lose(fields, "signInActivity", GraphDatesLost, id, 0.1)
	x.lose(fields, pick(dice(hash(x.w.seed, x.n.number, "property", "", 0)), losable...), GraphPropertyLost, id, 0.1)
	if older == nil && len(fields) == before {
		return body
	}
	return encode(fields)
}

// lose takes a property away that is there, when that befalls the person.
func (x *request) lose(fields map[string]json.RawMessage, name string, k Kind, whom string, often float64) {
	if _, there := fields[name]; !there {
		return
	}
	if _, hit := x.w.befalls(x.n, k, whom, often); hit {
		delete(fields, name)
	}
}

// older is the sign-in activity with older dates, or nil. A person whose dates are older
// tonight is told of in turn with the older ones and the right ones.
func (x *request) older(activity json.RawMessage, id string) json.RawMessage {
	var dates map[string]any
	if !x.n.kinds[GraphDatesOlder] || json.Unmarshal(activity, &dates) != nil || len(dates) == 0 {
		return nil
	}
	d, hit := x.w.befalls(x.n, GraphDatesOlder, id, 0.15)
	if !hit || dice(uint64(d)^uint64(x.o.nth)).below(4) == 0 {
		return nil
	}
	back := pick(d, 1, 14, 30, 90)
	for name, value := range dates {
		text, _ := value.(string)
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			dates[name] = at.AddDate(0, 0, -back).Format(time.RFC3339)
		}
	}
	return encode(dates)
}
