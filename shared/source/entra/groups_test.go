package entra

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestFindGroup(t *testing.T) {
	t.Parallel()
	const (
		byID   = "GET /v1.0/groups/" + groupA
		byName = "GET /v1.0/groups $filter=displayName eq '"
	)
	tests := map[string]struct {
		name  string
		play  answer
		asked string
		want  directory.Group
		fails error
	}{
		"by id": {
			name: groupA, asked: byID,
			play: answer{body: `{"id":"` + groupA + `","displayName":"LIC-E3","groupTypes":[],"mailEnabled":false,` +
				`"isAssignableToRole":null,"onPremisesSyncEnabled":null,"assignedLicenses":[{"skuId":"` + skuE3 + `","disabledPlans":[]}]}`},
			want: directory.Group{Name: "LIC-E3", Grants: []string{skuE3}},
		},
		"plans switched off": {
			name: groupA, asked: byID,
			play: answer{body: `{"id":"` + groupA + `","assignedLicenses":[{"skuId":"` + skuE3 + `","disabledPlans":["efb87545-963c-4e0d-99df-69c6916d9eb0"]}]}`},
			want: directory.Group{Grants: []string{skuE3}, Reduced: []string{skuE3}, Off: []string{"efb87545-963c-4e0d-99df-69c6916d9eb0"}},
		},
		"by name": {
			name: "LIC-E3", asked: byName + "LIC-E3'",
			play: list("", `{"id":"`+groupA+`","displayName":"LIC-E3","groupTypes":["DynamicMembership"],"onPremisesSyncEnabled":true,"isAssignableToRole":true,"mailEnabled":true}`),
			want: directory.Group{Name: "LIC-E3", Dynamic: true, Synced: true, RoleAssignable: true, MailEnabled: true},
		},
		"Microsoft 365 group": {
			name: "Team", asked: byName + "Team'",
			play: list("", `{"id":"`+groupA+`","groupTypes":["Unified"],"mailEnabled":true}`),
			want: directory.Group{},
		},
		"quotes and signs": {
			name: `O'Neil & "Søn" + 100% #1`, asked: byName + `O''Neil & "Søn" + 100% #1'`,
			play: list("", `{"id":"`+groupA+`"}`),
		},
		"nobody's name": {name: "LIC", asked: byName + "LIC'", play: list(""), fails: directory.ErrNoGroup},
		"unknown id":    {name: groupA, asked: byID, play: notFound, fails: directory.ErrNoGroup},
		"two of a name": {
			name: "LIC", asked: byName + "LIC'", fails: directory.ErrAmbiguousGroup,
			play: list("", `{"id":"`+groupA+`"}`, `{"id":"`+groupB+`"}`),
		},
		"forbidden": {name: "LIC", asked: byName + "LIC'", play: forbidden, fails: ErrForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play)
			got, err := f.FindGroup(t.Context(), tt.name)
			if !errors.Is(err, tt.fails) {
				t.Errorf("error %v, want %v", err, tt.fails)
			}
			if tt.fails == nil {
				tt.want.ID, tt.want.Ref = groupA, directory.GroupRef{Source: directory.Entra, Name: tt.name}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{tt.asked}, f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFindGroupDamaged(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", "null", `{"value":[{}]}`, `{"value":[null]}`, `{"value":{}}`, `{"id":""}`, "<html>"} {
		for _, name := range []string{groupA, "LIC"} {
			if got, err := newFake(t, answer{body: body}).FindGroup(t.Context(), name); err == nil {
				t.Errorf("%s, answer %s: found %+v", name, body, got)
			}
		}
	}
}

// TestLicenseGroups: if Graph refuses the filter for groups that give licenses, such groups may exist all the same. The
// result is then the error directory.ErrNotListed, and not an empty list.
func TestLicenseGroups(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		play  answer
		want  []string
		fails error
	}{
		"two":                 {list("", `{"id":"`+groupA+`"}`, `{"id":"`+groupB+`"}`), []string{groupA, groupB}, nil},
		"none":                {list(""), nil, nil},
		"forbidden":           {forbidden, nil, ErrForbidden},
		"filter is not known": {failure(400, badRequest, "Unsupported or invalid query filter clause."), nil, directory.ErrNotListed},
	} {
		found, err := newFake(t, tc.play).LicenseGroups(t.Context())
		var ids []string
		for _, g := range found {
			ids = append(ids, g.ID)
		}
		if diff := cmp.Diff(tc.want, ids); !errors.Is(err, tc.fails) || diff != "" {
			t.Errorf("%s: error %v, want %v (-want +got):\n%s", name, err, tc.fails, diff)
		}
	}
}

func entry(kind, id string) string {
	return `{"@odata.type":"#microsoft.graph.` + kind + `","id":"` + id + `","onPremisesSecurityIdentifier":null}`
}

func TestListMembers(t *testing.T) {
	t.Parallel()
	const (
		ofA = "GET /v1.0/groups/" + groupA + "/members $top=999"
		ofB = "GET /v1.0/groups/" + groupB + "/members $top=999"
	)
	synced := `{"@odata.type":"#microsoft.graph.user","id":"` + userB + `","onPremisesSecurityIdentifier":"S-1-5-21-1"}`
	hiddenB := `{"@odata.type":"#microsoft.graph.group","id":"` + groupB + `","visibility":"HiddenMembership"}`
	stop := errors.New("stop")
	tests := map[string]struct {
		play   []answer
		hidden bool
		asked  []string
		want   []directory.Member
		fails  error
		text   string
	}{
		"nobody": {play: []answer{list("")}, asked: []string{ofA}},
		"pages and other objects": {
			play: []answer{
				list("$base/groups/"+groupA+"/members?$skiptoken=1", entry("user", userA), entry("device", "d"), entry("orgContact", "o")),
				list("", synced),
			},
			asked: []string{ofA, "GET /v1.0/groups/" + groupA + "/members $skiptoken=1"},
			want:  []directory.Member{{ID: userA, Direct: true}, {ID: userB, SID: "S-1-5-21-1", Direct: true}},
		},
		"nested in a circle": {
			play:  []answer{list("", entry("group", groupB), entry("user", userA)), list("", entry("group", groupA), entry("group", groupB), synced)},
			asked: []string{ofA, ofB},
			want:  []directory.Member{{ID: userA, Direct: true}, {ID: userB, SID: "S-1-5-21-1"}},
		},
		"agents, and types that come later": {
			play:  []answer{list("", entry("agentUser", userA), entry("robotUser", userB))},
			asked: []string{ofA}, want: []directory.Member{{ID: userA, Direct: true}, {ID: userB, Direct: true}},
		},
		"hidden, and shown": {
			hidden: true, play: []answer{list("$base/groups/"+groupA+"/members?$skiptoken=1", entry("user", userA)), list("")},
			asked: []string{ofA, "GET /v1.0/groups/" + groupA + "/members $skiptoken=1"}, want: []directory.Member{{ID: userA, Hidden: true, Direct: true}},
		},
		"hidden":                          {hidden: true, play: []answer{list("")}, asked: []string{ofA}, fails: directory.ErrHidden},
		"hidden and refused":              {hidden: true, play: []answer{forbidden}, asked: []string{ofA}, fails: directory.ErrHidden},
		"one in it is hidden":             {play: []answer{list("", entry("user", userA), hiddenB), list("")}, asked: []string{ofA, ofB}, want: []directory.Member{{ID: userA, Direct: true}}, fails: directory.ErrHidden},
		"one in it is hidden and refused": {play: []answer{list("", hiddenB), forbidden}, asked: []string{ofA, ofB}, fails: directory.ErrHidden},
		"one in it is hidden, and shown": {
			play:  []answer{list("", hiddenB), list("", entry("user", userA))},
			asked: []string{ofA, ofB}, want: []directory.Member{{ID: userA, Hidden: true}},
		},
		"no group":        {play: []answer{notFound}, asked: []string{ofA}, fails: directory.ErrNoGroup},
		"no nested group": {play: []answer{list("", entry("group", groupB)), notFound}, asked: []string{ofA, ofB}, fails: directory.ErrNoGroup},
		"forbidden":       {play: []answer{forbidden}, asked: []string{ofA}, fails: ErrForbidden},
		"no type":         {play: []answer{list("", `{"id":"`+userA+`"}`)}, asked: []string{ofA}, text: "@odata.type"},
		"no id":           {play: []answer{list("", entry("user", ""))}, asked: []string{ofA}, text: "entry 0"},
		"null":            {play: []answer{list("", entry("user", userA), "null")}, asked: []string{ofA}, text: "entry 1"},
		"caller stops":    {play: []answer{list("", entry("user", "stop"))}, asked: []string{ofA}, fails: stop},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play...)
			var got []directory.Member
			var cursors []string
			err := f.ListMembers(t.Context(), directory.Group{ID: groupA, Hidden: tt.hidden}, "", func(page []directory.Member, next string) error {
				if len(page) > 0 && page[0].ID == "stop" {
					return stop
				}
				got, cursors = append(got, page...), append(cursors, next)
				return nil
			})
			if err == nil && slices.Index(cursors, "") != len(cursors)-1 {
				t.Errorf("cursors %q, want none only after the last page", cursors)
			}
			switch {
			case tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text)):
				t.Errorf("error %v lacks %q", err, tt.text)
			case tt.text == "" && !errors.Is(err, tt.fails):
				t.Errorf("error %v, want %v", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.asked, f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGroupsOf(t *testing.T) {
	t.Parallel()
	const ask = "GET /v1.0/users/" + userA + "/transitiveMemberOf"
	f := newFake(t,
		list("$base/users/"+userA+"/transitiveMemberOf?$skiptoken=1", entry("group", groupA), entry("directoryRole", "r")),
		list("", entry("administrativeUnit", "u"), entry("group", groupB)), notFound)
	got, err := f.GroupsOf(t.Context(), userA)
	if diff := cmp.Diff([]string{groupA, groupB}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := f.GroupsOf(t.Context(), userA); !errors.Is(err, directory.ErrNoPerson) {
		t.Errorf("error %v, want directory.ErrNoPerson", err)
	}
	if _, err := f.GroupsOf(t.Context(), "anna/.."); !errors.Is(err, errNotID) {
		t.Errorf("error %v, want errNotID", err)
	}
	if diff := cmp.Diff([]string{ask + " $top=999", ask + " $skiptoken=1", ask + " $top=999"}, f.asked); diff != "" {
		t.Error(diff)
	}
}

func TestDirectGroups(t *testing.T) {
	t.Parallel()
	f := newFake(t, list("", entry("group", groupB), entry("group", groupA)), list("", entry("directoryRole", groupA)), notFound)
	for i, want := range []struct {
		groups []string
		err    error
	}{{[]string{groupB, groupA}, nil}, {nil, nil}, {nil, directory.ErrNoPerson}} {
		got, err := f.DirectGroups(t.Context(), userA)
		if !slices.Equal(got, want.groups) || !errors.Is(err, want.err) {
			t.Errorf("%d: got %v, %v, want %+v", i, got, err, want)
		}
	}
	if diff := cmp.Diff("GET /v1.0/users/"+userA+"/memberOf $top=999", f.asked[0]); diff != "" {
		t.Error(diff)
	}
}
