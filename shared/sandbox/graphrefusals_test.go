package sandbox

import (
	"slices"
	"strings"
	"testing"
)

// The type "refusal" is a refused request and a part of Graph's message.
type refusal struct {
	method, target, body string
	status               int
	message              string
}

const unknownID = "77777777-0000-4000-8000-000000000003"

// The method "refuse" makes each request and checks that Graph refuses it with an error envelope.
func (a *asker) refuse(tests map[string]refusal) {
	for name, test := range tests {
		got := a.do(test.method, test.target, test.body)
		if got.status != test.status || !strings.Contains(got.message(), test.message) {
			a.t.Errorf("%s: %d %q, want %d with %q", name, got.status, got.message(), test.status, test.message)
			continue
		}
		inner, _ := got.body["error"].(map[string]any)["innerError"].(map[string]any)
		if inner["date"] == "" || inner["request-id"] != got.header.Get("request-id") || inner["client-request-id"] == nil {
			a.t.Errorf("%s: innerError = %v", name, inner)
		}
	}
	if h := a.c.History(); len(h) != 0 {
		a.t.Errorf("what was refused was written: %v", h)
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Users: 40})
	a.refuse(a.refusedQueries())
}

func (a *asker) refusedQueries() map[string]refusal {
	sixteen := "'" + strings.Join(slices.Repeat([]string{a.id(2)}, 16), "','") + "'"
	return map[string]refusal{
		"unknown path":           {"GET", "/devices", "", 404, "Resource not found"},
		"batch":                  {"POST", "/$batch", `{}`, 404, "Resource not found"},
		"unknown method":         {"PATCH", "/users/" + a.id(2), `{}`, 404, "Resource not found"},
		"$skip":                  {"GET", "/users?$skip=5", "", 400, "'$skip' is not supported"},
		"$expand":                {"GET", "/users?$expand=manager", "", 400, "'$expand' is not supported"},
		"option of no meaning":   {"GET", "/users?color=red", "", 400, "'color' is not supported"},
		"option twice":           {"GET", "/users?$top=1&$top=2", "", 400, "more than once"},
		"$top zero":              {"GET", "/users?$top=0", "", 400, "Must be between 1 and 999"},
		"$top too large":         {"GET", "/users?$top=1000", "", 400, "Must be between 1 and 999"},
		"$top no number":         {"GET", "/users?$top=ten", "", 400, "non-negative integer"},
		"unknown property":       {"GET", "/users?$select=id,nickname", "", 400, "Could not find a property named 'nickname' on type 'microsoft.graph.user'."},
		"unknown group property": {"GET", "/groups?$select=nickname", "", 400, "microsoft.graph.group"},
		"property of no member":  {"GET", "/groups/" + groups[groupE3].id + "/members?$select=id,nickname", "", 400, "directoryObject"},
		"activity of members":    {"GET", "/groups/" + groups[groupE3].id + "/members?$select=signInActivity", "", 400, "signInActivity"},
		"$count not eventual":    {"GET", "/users?$count=true", "", 400, "$count is not currently supported"},
		"$count no boolean":      {"GET", "/users?$count=yes", "", 400, "$count"},
		"token of nobody":        {"GET", "/users?$skiptoken=abc", "", 400, "page token"},
		"activity by UPN":        {"GET", "/users/anna@contoso.example?$select=id,signInActivity", "", 400, "Get By Key only supports UserId and the key has to be a valid Guid"},
		"unknown user":           {"GET", "/users/" + unknownID, "", 404, "Resource '" + unknownID + "' does not exist"},
		"unknown UPN":            {"GET", "/users/nobody@contoso.example", "", 404, "does not exist"},
		"AD-only user":           {"GET", "/users/" + a.id(8), "", 404, "does not exist"},
		"unknown group":          {"GET", "/groups/" + unknownID, "", 404, "does not exist"},
		"group by name":          {"GET", "/groups/LIC-M365-E3", "", 400, "Invalid object identifier"},
		"activity and more":      {"GET", "/users?$filter=signInActivity/lastSignInDateTime le 2026-01-01T00:00:00Z and userType eq 'Member'", "", 400, "not supported with any other filterable"},
		"other user filter":      {"GET", "/users?$filter=department eq 'Sales'", "", 400, "'department' of resource 'User'"},
		"other group filter":     {"GET", "/groups?$filter=mailEnabled eq true", "", 400, "of resource 'Group'"},
		"no filter":              {"GET", "/users?$filter=all of them", "", 400, "Invalid filter clause"},
		"sixteen ids":            {"GET", "/users?$filter=id in (" + sixteen + ")", "", 400, "Max allowed: 15"},
		"id of no GUID":          {"GET", "/users?$filter=id in ('anna')", "", 400, "Invalid object identifier 'anna'"},
	}
}

func TestWritesThatAreRefused(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Users: 40})
	a.refuse(a.refusedWrites())
}

func (a *asker) refusedWrites() map[string]refusal {
	e3, dynamic, synced := groups[groupE3].id, groups[groupDynamic].id, groups[groupSynced].id
	ref := func(id string) string {
		return `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + id + `"}`
	}
	assign := func(i int) string { return "/users/" + a.id(i) + "/assignLicense" }
	return map[string]refusal{
		"add without key":         {"POST", assign(2), `{"addLicenses":[]}`, 400, "The missing parameters are: removeLicenses"},
		"no keys":                 {"POST", assign(2), `{}`, 400, "addLicenses, removeLicenses"},
		"no JSON":                 {"POST", assign(2), `{"addLicenses":`, 400, "Unable to read JSON"},
		"inherited license":       {"POST", assign(2), `{"addLicenses":[],"removeLicenses":["` + skuE3 + `"]}`, 400, "User license is inherited from a group membership and it cannot be removed directly from the user."},
		"license not assigned":    {"POST", assign(2), `{"addLicenses":[],"removeLicenses":["` + skuE5 + `"]}`, 400, "User does not have a corresponding license."},
		"license unknown":         {"POST", assign(2), `{"addLicenses":[{"skuId":"` + unknownID + `"}],"removeLicenses":[]}`, 400, "does not correspond to a valid company License"},
		"no usage location":       {"POST", assign(7), `{"addLicenses":[{"skuId":"` + skuE5 + `"}],"removeLicenses":[]}`, 400, "License assignment cannot be done for user with invalid usage location."},
		"already member":          {"POST", "/groups/" + e3 + "/members/$ref", ref(a.id(2)), 400, "One or more added object references already exist for the following modified properties: 'members'."},
		"unknown member":          {"POST", "/groups/" + e3 + "/members/$ref", ref(unknownID), 404, "does not exist"},
		"reference to nothing":    {"POST", "/groups/" + e3 + "/members/$ref", `{"@odata.id":"anna"}`, 400, "Invalid URL format"},
		"nesting":                 {"POST", "/groups/" + e3 + "/members/$ref", ref(groups[groupLeave].id), 501, "does not nest groups"},
		"member of dynamic":       {"POST", "/groups/" + dynamic + "/members/$ref", ref(a.id(2)), 403, "Insufficient privileges to complete the operation."},
		"member of synced":        {"POST", "/groups/" + synced + "/members/$ref", ref(a.id(2)), 400, "on-premises mastered Directory Sync objects"},
		"member of role group":    {"POST", "/groups/" + groups[groupAdmins].id + "/members/$ref", ref(a.id(2)), 403, "Insufficient privileges"},
		"member of mail group":    {"POST", "/groups/" + groups[groupMail].id + "/members/$ref", ref(a.id(2)), 400, "originated within an external service"},
		"remove from dynamic":     {"DELETE", "/groups/" + dynamic + "/members/" + a.id(15) + "/$ref", "", 403, "Insufficient privileges"},
		"remove from synced":      {"DELETE", "/groups/" + synced + "/members/" + a.id(14) + "/$ref", "", 400, "on-premises mastered"},
		"remove no member":        {"DELETE", "/groups/" + e3 + "/members/" + a.id(9) + "0/$ref", "", 404, "does not exist"},
		"remove other's member":   {"DELETE", "/groups/" + e3 + "/members/" + a.id(12) + "/$ref", "", 404, "or one of its queried reference-property objects are not present."},
		"remove in unknown group": {"DELETE", "/groups/" + unknownID + "/members/" + a.id(12) + "/$ref", "", 404, unknownID},
	}
}
