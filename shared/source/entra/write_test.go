package entra

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

const badRequest = "Request_BadRequest"

var errNotHeld = errors.New("not held")

func TestChangeLicenses(t *testing.T) {
	t.Parallel()
	e3, exo := directory.Assignment{SKU: skuE3, DisabledPlans: []string{plan}}, directory.Assignment{SKU: skuEXO}
	notHeld := failure(400, badRequest, "User does not have a corresponding license.")
	tests := map[string]struct {
		add     []directory.Assignment
		remove  []string
		play    answer
		body    string
		fails   error
		refused string
	}{
		"add and remove": {
			add: []directory.Assignment{e3}, remove: []string{skuEXO},
			body: `{"addLicenses":[{"disabledPlans":["` + plan + `"],"skuId":"` + skuE3 + `"}],"removeLicenses":["` + skuEXO + `"]}`,
		},
		"add only":    {add: []directory.Assignment{exo}, body: `{"addLicenses":[{"disabledPlans":[],"skuId":"` + skuEXO + `"}],"removeLicenses":[]}`},
		"remove only": {remove: []string{skuE3}, body: `{"addLicenses":[],"removeLicenses":["` + skuE3 + `"]}`},
		"nothing":     {body: `{"addLicenses":[],"removeLicenses":[]}`},
		"removed already": {
			remove: []string{skuE3}, play: notHeld, body: `{"addLicenses":[],"removeLicenses":["` + skuE3 + `"]}`,
		},
		"not held, but to be replaced": {
			add: []directory.Assignment{exo}, remove: []string{skuE3}, play: notHeld, fails: errNotHeld,
			body: `{"addLicenses":[{"disabledPlans":[],"skuId":"` + skuEXO + `"}],"removeLicenses":["` + skuE3 + `"]}`,
		},
		"no person": {play: notFound, body: `{"addLicenses":[],"removeLicenses":[]}`, fails: directory.ErrNoPerson},
		"forbidden": {play: forbidden, body: `{"addLicenses":[],"removeLicenses":[]}`, fails: ErrForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play)
			err := f.ChangeLicenses(t.Context(), userA, tt.add, tt.remove)
			checkWrite(t, err, tt.fails, tt.refused)
			if diff := cmp.Diff([]string{tt.body}, f.bodies); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"POST /v1.0/users/" + userA + "/assignLicense"}, f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func checkWrite(t *testing.T, err, want error, refused string) {
	t.Helper()
	var refusal *directory.Refusal
	var answer *graphError
	if errors.Is(want, errNotHeld) && errors.As(err, &answer) && answer.says(notHeld) && !errors.As(err, &refusal) {
		return // the case checks only the answer of Graph
	}
	if errors.As(err, &refusal) != (refused != "") || refused != "" && !strings.Contains(refusal.Reason, refused) {
		t.Errorf("error %v, want a refusal with %q", err, refused)
	}
	if refused == "" && !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"User license is inherited from a group membership and it cannot be removed directly from the user.":                                   "the license comes from a group; take the person out of that group instead",
		"Subscription with SKU " + skuE3 + " does not have any available licenses.":                                                            "no free seat of the license is left; buy one or free one first",
		"License assignment cannot be done for user with invalid usage location.":                                                              "the person has no valid usage location; set usageLocation first",
		"License assignment failed because service plan " + plan + " depends on the service plan(s) " + plan:                                   "another plan of the person depends on this license; change both together",
		"License assignment failed because service plans " + plan + ", " + plan + " are mutually exclusive.":                                   "the license conflicts with another one the person holds; the two exclude each other",
		"Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.": "the group is synchronized from Active Directory; change its members there",
		"Unable to update the specified properties for objects that have originated within an external service.":                               "the group belongs to Exchange; change its members there",
		"Insufficient privileges: you can't change a member of groups with dynamic membership.":                                                "the group is dynamic; its rule decides who belongs to it",
	}
	for message, want := range tests {
		f := newFake(t, failure(400, badRequest, message))
		err := f.ChangeLicenses(t.Context(), userA, nil, []string{skuE3})
		checkWrite(t, err, nil, want)
		if graph := new(graphError); !errors.As(err, &graph) || graph.message != message {
			t.Errorf("the refusal hides Graph's words: %v", err)
		}
	}
	for _, status := range []int{400, 409} {
		err := newFake(t, failure(status, badRequest, "Something new.")).AddMember(t.Context(), groupA, userA)
		checkWrite(t, err, nil, `Graph refused it: "Something new."`)
	}
}

// TestInherited: Graph refuses to remove a license, because it comes from a group. If the call removes only this
// license, the error says that the person does not hold it directly (directory.ErrNotHeld). If the call removes several
// licenses, the error does not say so, because Graph does not name the license that it means.
func TestInherited(t *testing.T) {
	t.Parallel()
	const message = "User license is inherited from a group membership and it cannot be removed directly from the user."
	for name, tc := range map[string]struct {
		remove []string
		want   bool
	}{"one": {[]string{skuE3}, true}, "two": {[]string{skuE3, plan}, false}} {
		err := newFake(t, failure(400, badRequest, message)).ChangeLicenses(t.Context(), userA, []directory.Assignment{{SKU: skuE3}}, tc.remove)
		var refusal *directory.Refusal
		if errors.Is(err, directory.ErrNotHeld) != tc.want || !errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAddMember(t *testing.T) {
	t.Parallel()
	group := func(more string) answer { return answer{body: `{"id":"` + groupA + `"` + more + `}`} }
	tests := map[string]struct {
		play    []answer
		fails   error
		refused string
	}{
		"added":   {play: []answer{{status: 204}}},
		"already": {play: []answer{failure(400, badRequest, "One or more added object references already exist for the following modified properties: 'members'.")}},
		"synced": {
			play:    []answer{failure(400, badRequest, "Unable to update the specified properties for on-premises mastered Directory Sync objects.")},
			refused: "the group is synchronized from Active Directory; change its members there",
		},
		"no person":       {play: []answer{notFound, group("")}, fails: directory.ErrNoPerson},
		"no group":        {play: []answer{notFound, notFound}, fails: directory.ErrNoGroup},
		"dynamic":         {play: []answer{forbidden, group(`,"groupTypes":["DynamicMembership"]`)}, refused: "dynamic"},
		"role-assignable": {play: []answer{forbidden, group(`,"isAssignableToRole":true`)}, refused: "administrator roles"},
		"forbidden":       {play: []answer{forbidden, group("")}, fails: ErrForbidden},
		"all forbidden":   {play: []answer{forbidden, forbidden}, fails: ErrForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play...)
			checkWrite(t, f.AddMember(t.Context(), groupA, userA), tt.fails, tt.refused)
			asked := []string{"POST /v1.0/groups/" + groupA + "/members/$ref", "GET /v1.0/groups/" + groupA}[:len(tt.play)]
			if diff := cmp.Diff(asked, f.asked); diff != "" {
				t.Error(diff)
			}
			body := `{"@odata.id":"` + f.base.String() + `/directoryObjects/` + userA + `"}`
			if diff := cmp.Diff(body, f.bodies[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRemoveMember(t *testing.T) {
	t.Parallel()
	group := func(more string) answer { return answer{body: `{"id":"` + groupA + `"` + more + `}`} }
	tests := map[string]struct {
		play    []answer
		fails   error
		refused string
	}{
		"removed":   {play: []answer{{status: 204}}},
		"not in it": {play: []answer{notFound, group("")}},
		"no group":  {play: []answer{notFound, notFound}, fails: directory.ErrNoGroup},
		"group cannot be read": {
			play: []answer{notFound, forbidden}, fails: ErrForbidden,
		},
		"removed already": {play: []answer{failure(400, badRequest, "One or more removed object references do not exist for the following modified properties: 'members'.")}},
		"restricted":      {play: []answer{forbidden, group(`,"isManagementRestricted":true`)}, refused: `restricted management administrative unit, in which only administrators of that unit may change it (Graph: "Insufficient privileges`},
		"other words":     {play: []answer{failure(403, "Authorization_RequestDenied", "The target is protected by your administrator."), group("")}, refused: `Graph refused it: "The target is protected by your administrator."`},
		"dynamic":         {play: []answer{forbidden, group(`,"groupTypes":["DynamicMembership"]`)}, refused: "dynamic"},
		"forbidden":       {play: []answer{forbidden, group("")}, fails: ErrForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play...)
			checkWrite(t, f.RemoveMember(t.Context(), groupA, userA), tt.fails, tt.refused)
			asked := []string{"DELETE /v1.0/groups/" + groupA + "/members/" + userA + "/$ref", "GET /v1.0/groups/" + groupA}
			if diff := cmp.Diff(asked[:len(tt.play)], f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWritesWantObjectIDs(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for _, id := range []string{"", "anna@contoso.example", userA + "/", "..", "{" + userA + "}", "urn:uuid:" + userA} {
		for _, err := range []error{
			f.ChangeLicenses(t.Context(), id, nil, nil),
			f.AddMember(t.Context(), groupA, id), f.AddMember(t.Context(), id, userA),
			f.RemoveMember(t.Context(), groupA, id), f.RemoveMember(t.Context(), id, userA),
		} {
			if !errors.Is(err, errNotID) {
				t.Errorf("%q: error %v", id, err)
			}
		}
	}
	for _, change := range []struct {
		add    []directory.Assignment
		remove []string
	}{
		{add: []directory.Assignment{{SKU: "SPE_E3"}}}, {remove: []string{""}}, {add: []directory.Assignment{{SKU: skuE3, DisabledPlans: []string{"TEAMS1"}}}},
	} {
		if err := f.ChangeLicenses(t.Context(), userA, change.add, change.remove); err == nil {
			t.Errorf("%v was accepted", change)
		}
	}
	if len(f.asked) > 0 {
		t.Errorf("sent %v", f.asked)
	}
}
