package sandbox

import (
	std "cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

// The type "viewer" reads a company through HTTP and LDAP, as clients do.
type viewer struct {
	t    *testing.T
	s    *Sandbox
	conn *ldap.Conn
}

func newViewer(t *testing.T, o Options) *viewer {
	s, conn := bound(t, o)
	return &viewer{t, s, conn}
}

func (v *viewer) get(path string) map[string]any {
	v.t.Helper()
	r, err := http.Get(v.s.GraphURL + strings.ReplaceAll(path, " ", "%20"))
	if err != nil {
		v.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	var body map[string]any
	if err != nil || json.Unmarshal(b, &body) != nil {
		v.t.Fatalf("%s: %d %s", path, r.StatusCode, b)
	}
	delete(body, "@odata.context")
	return body
}

func values(body map[string]any) (list []map[string]any) {
	items, _ := body["value"].([]any)
	for _, i := range items {
		list = append(list, i.(map[string]any))
	}
	return list
}

// The method "of" returns the facts that both directories show about a person. A key is the name of a fact, such as
// "entra department". The method fails the test unless different requests and the methods Person and Truth agree.
func (v *viewer) of(i int) map[string]string {
	v.t.Helper()
	facts, number := map[string]string{}, fmt.Sprintf("E%06d", i)
	p, truth := v.s.Company.Person(i), v.s.Company.Truth(i)
	id, sid := "", ""
	selected := "$select=externalUserState," + url.QueryEscape(everything)
	for _, u := range values(v.get("/users?$top=500&" + selected)) {
		if x := u["onPremisesExtensionAttributes"].(map[string]any); x["extensionAttribute1"] != fmt.Sprintf("CC-%03d", i) {
			continue
		}
		id = u["id"].(string)
		if diff := cmp.Diff(u, v.get("/users/"+id+"?"+selected)); diff != "" {
			v.t.Errorf("the list and the user differ:\n%s", diff)
		}
		v.user(facts, u)
		v.groups(facts, id, p)
	}
	found, err := v.conn.Search(request(BaseDN, ldap.ScopeWholeSubtree, "(employeeID="+number+")"))
	if err != nil {
		v.t.Fatal(err)
	}
	for _, e := range found.Entries {
		sid = fmt.Sprintf("%x", e.GetRawAttributeValue("objectSid"))
		for _, a := range e.Attributes {
			facts["ad "+a.Name] = fmt.Sprintf("%q", a.Values)
		}
		if e.DN != p.AD.DN || !slices.Equal(e.GetAttributeValues("memberOf"), p.ADGroups) || fmt.Sprintf("%x", sidValue(truth.SID)) != sid {
			v.t.Errorf("Active Directory shows %s in %q; Person %+v, Truth %+v", e.DN, e.GetAttributeValues("memberOf"), p, truth)
		}
	}
	if (p.Entra != nil) != (id != "") || (p.AD != nil) != (sid != "") || truth.EntraID != id || (truth.SID != "") != (sid != "") || truth.Exists != (id != "" || sid != "") {
		v.t.Errorf("accounts %q, %q; Person %+v, Truth %+v", id, sid, p, truth)
	}
	for _, s := range values(v.get("/subscribedSkus")) {
		facts["seats "+s["skuPartNumber"].(string)] = fmt.Sprint(s["consumedUnits"])
	}
	facts["holds E3"], facts["holds Exchange"], facts["holds Citrix"] = waysText(truth.E3), waysText(truth.Exchange), waysText(truth.Citrix)
	return facts
}

func waysText(ways []Way) string {
	var list []string
	for _, w := range ways {
		list = append(list, std.Or(w.Group, "directly")+map[bool]string{true: " (primary)"}[w.Primary])
	}
	return strings.Join(list, ", ")
}

func (v *viewer) user(facts map[string]string, u map[string]any) {
	for name, value := range u {
		facts["entra "+name] = fmt.Sprint(value)
	}
	delete(facts, "entra licenseAssignmentStates")
	for _, s := range u["licenseAssignmentStates"].([]any) {
		m := s.(map[string]any)
		product, _ := productOf(m["skuId"].(string))
		by := v.s.Company.firstName(fmt.Sprint(m["assignedByGroup"]))
		facts["path "+product.part+" "+by] = fmt.Sprint(m["state"], " ", m["error"])
	}
	activity, _ := u["signInActivity"].(map[string]any)
	delete(facts, "entra signInActivity")
	for name, value := range activity {
		if strings.HasSuffix(name, "DateTime") {
			facts["entra "+name] = fmt.Sprint(value)
		}
	}
}

// The method "groups" adds the groups of the user to "facts". It compares memberOf of the user with the members of
// each group.
func (v *viewer) groups(facts map[string]string, id string, p Person) {
	v.t.Helper()
	var names []string
	for _, g := range values(v.get("/users/" + id + "/memberOf")) {
		names = append(names, g["displayName"].(string))
		facts["in "+g["displayName"].(string)] = "yes"
	}
	for _, g := range values(v.get("/groups?$top=99")) {
		member := slices.ContainsFunc(values(v.get("/groups/"+g["id"].(string)+"/members?$top=999&$select=id")), func(m map[string]any) bool { return m["id"] == id })
		if listed := slices.Contains(names, g["displayName"].(string)); listed != member {
			v.t.Errorf("%v: listed by the user %t, by the group %t", g["displayName"], listed, member)
		}
	}
	if !slices.Equal(names, p.Groups) {
		v.t.Errorf("Graph lists %q, Person %q", names, p.Groups)
	}
}

// The variable "opaque" lists facts with generated values, of which tests check only whether they change.
var opaque = []string{"entra id", "entra onPremisesImmutableId", "entra onPremisesSecurityIdentifier", "entra createdDateTime",
	"ad objectGUID", "ad objectSid", "ad whenCreated", "ad lastLogon"}

// The function "changes" returns the differences between two views, sorted. It hides the values of the facts in
// "opaque" and "more", and ignores uSNChanged and assignedLicenses.
func changes(before, after map[string]string, more ...string) (list []string) {
	names := map[string]bool{}
	for _, m := range []map[string]string{before, after} {
		for name := range m {
			names[name] = true
		}
	}
	none := func(s string) bool { return s == "" || s == "<nil>" }
	for name := range names {
		b, a := before[name], after[name]
		switch {
		case a == b || none(a) && none(b) || name == "ad uSNChanged" || strings.HasPrefix(name, "entra assigned"):
		case strings.HasPrefix(name, "seats ") && len(a) == len(b):
			list = append(list, name+map[bool]string{true: ": more", false: ": fewer"}[a > b])
		case none(a):
			list = append(list, name+": gone")
		case none(b):
			list = append(list, name+": now "+a)
		case slices.Contains(opaque, name) || slices.Contains(more, name):
			list = append(list, name+": another")
		default:
			list = append(list, fmt.Sprintf("%s: %s -> %s", name, b, a))
		}
	}
	slices.Sort(list)
	return list
}

func told(events []Event) (lines []string) {
	for _, e := range events {
		part := e.Group
		if p, known := productOf(e.SKU); known {
			part = p.part
		}
		lines = append(lines, strings.Join(strings.Fields(fmt.Sprint(e.What, " ", part, map[bool]string{true: " mailbox"}[e.LostMailbox],
			map[bool]string{true: " by hand"}[e.ByHand])), " "))
	}
	return lines
}
