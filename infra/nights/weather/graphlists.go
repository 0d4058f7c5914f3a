package weather

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

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
	b := []byte{'{'}
	for _, name := range slices.Sorted(maps.Keys(l.fields)) {
		if name != "value" {
			b = append(append(append(append(b, encode(name)...), ':'), l.fields[name]...), ',')
		}
	}
	b = append(b, `"value":[`...)
	for i, e := range l.entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e...)
	}
	return append(b, "]}"...)
}

// The function "encode" encodes a value that was decoded from JSON, which cannot fail.
func encode(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

// The method "link" returns the address of the request itself. As a next link, it makes the client read the same page
// again. If "marked" is set, the address has the mark "again". The page at such an address has no fault of changePage,
// because the client could otherwise meet the same fault again and again.
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

func (x *request) change(a *answer) {
	what, _ := x.asked()
	if what == oneUser && x.w.tonight(graphUsers) != nil {
		a.body = x.person(a.body)
		return
	}
	if !x.isList() || x.w.tonight(graphLists) == nil && x.w.tonight(graphUsers) == nil {
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

// changePage injects at most one fault into a page: another order of the entries, repeated entries, a wrong next link,
// or no entries.
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
	case GraphEmptyPage: // the next link leads to the page without the fault
		l.entries = []json.RawMessage{}
		l.fields["@odata.nextLink"] = x.link(true)
	case GraphEntryTwice:
		l.entries = twice(l.entries, d)
	case GraphShuffled:
		l.entries = shuffled(l.entries, d)
	}
}

func (x *request) changeEntries(l *list, what asks) {
	if x.w.tonight(graphUsers) == nil {
		return
	}
	kept := l.entries[:0]
	for _, e := range l.entries {
		if what == users {
			x.enter(e)
		}
		switch {
		case what == users && (x.missing(GraphPeopleMissing, e) || x.spellMisses(idOf(e))), what == members && x.missing(GraphMembersMissing, e):
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

// idOf returns the id of an entry. It searches for "id":" as the simulation writes it. No value has this text, because
// JSON escapes the quotes in a value.
func idOf(entry json.RawMessage) string {
	_, id, _ := bytes.Cut(entry, []byte(`"id":"`))
	id, _, _ = bytes.Cut(id, []byte(`"`))
	return string(id)
}

// The variable "losable" has the properties that can be missing. In a night with GraphPropertyLost, one of them is
// missing for some people.
var losable = []string{"onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesImmutableId", "createdDateTime",
	"licenseAssignmentStates", "usageLocation", "accountEnabled"}

// The method "person" injects the faults of the night into the entry of a user. It decodes only entries that change,
// because most do not.
func (x *request) person(body json.RawMessage) json.RawMessage {
	id := idOf(body)
	body = x.spelled(body, id)
	property := pick(dice(hash(x.w.seed, x.n.number, "property", "", 0)), losable...)
	back := x.older(body, id)
	var lost []string
	for _, l := range []struct {
		name  string
		kind  Kind
		whom  string
		often float64
	}{
		{"signInActivity", GraphAllDatesLost, "everybody", 1}, {"signInActivity", GraphDatesLost, id, 0.1}, {property, GraphPropertyLost, id, 0.1},
	} {
		if !x.n.kinds[l.kind] || !bytes.Contains(body, []byte(`"`+l.name+`":`)) {
			continue
		}
		if _, hit := x.w.befalls(x.n, l.kind, l.whom, l.often); hit {
			lost = append(lost, l.name)
		}
	}
	var fields map[string]json.RawMessage
	if back == 0 && lost == nil || json.Unmarshal(body, &fields) != nil {
		return body
	}
	if back > 0 {
		fields["signInActivity"] = earlier(fields["signInActivity"], back)
	}
	for _, name := range lost {
		delete(fields, name)
	}
	return encode(fields)
}

// The method "older" returns how many days the sign-in dates of a person are too old in this answer, or 0. In a night
// with GraphDatesOlder, a quarter of the answers about an affected person have the right dates, as if they came from
// another replica.
func (x *request) older(body json.RawMessage, id string) int {
	if !x.n.kinds[GraphDatesOlder] || !bytes.Contains(body, []byte(`"signInActivity":{`)) {
		return 0
	}
	d, hit := x.w.befalls(x.n, GraphDatesOlder, id, 0.15)
	if !hit || dice(uint64(d)^uint64(x.o.nth)).below(4) == 0 {
		return 0
	}
	return pick(d, 1, 14, 30, 90)
}

func earlier(activity json.RawMessage, days int) json.RawMessage {
	var dates map[string]any
	if json.Unmarshal(activity, &dates) != nil {
		return activity
	}
	for name, value := range dates {
		text, _ := value.(string)
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			dates[name] = at.AddDate(0, 0, -days).Format(time.RFC3339)
		}
	}
	return encode(dates)
}
