package entra

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// The function "listing" returns the pages of ListPeople, in the form "ids -> next link".
func listing(ctx context.Context, f *fake, cursor string) ([]string, error) {
	var got []string
	err := f.ListPeople(ctx, cursor, func(people []directory.EntraUser, next string) error {
		line := ""
		for _, p := range people {
			line += p.ID + " "
		}
		got = append(got, line+"-> "+strings.TrimPrefix(next, f.base.String()))
		return nil
	})
	return got, err
}

func person(id string) string { return `{"id":"` + id + `"}` }

func TestListPeople(t *testing.T) {
	t.Parallel()
	const start = "GET /v1.0/users $top=500"
	tests := map[string]struct {
		cursor string
		play   []answer
		want   []string
		asked  []string
		fails  string
	}{
		"one page": {
			play: []answer{list("", person("a"), person("b"))}, want: []string{"a b -> "}, asked: []string{start},
		},
		"three pages, one empty": {
			play:  []answer{list("$base/users?$skiptoken=1", person("a")), list("$base/users?$skiptoken=2"), list("", person("b"))},
			want:  []string{"a -> /users?$skiptoken=1", "-> /users?$skiptoken=2", "b -> "},
			asked: []string{start, "GET /v1.0/users $skiptoken=1", "GET /v1.0/users $skiptoken=2"},
		},
		"a page twice, in other order": {
			play: []answer{
				list("$base/users?$skiptoken=1", person("a"), person("b")), list("$base/users?$skiptoken=2", person("b"), person("a")),
				list("", person("b"), person("c")),
			},
			want:  []string{"a b -> /users?$skiptoken=1", "-> /users?$skiptoken=2", "b c -> "},
			asked: []string{start, "GET /v1.0/users $skiptoken=1", "GET /v1.0/users $skiptoken=2"},
		},
		"resumed": {
			cursor: "$base/users?$skiptoken=1", play: []answer{list("", person("b"))},
			want: []string{"b -> "}, asked: []string{"GET /v1.0/users $skiptoken=1"},
		},
		"smaller pages": {
			play: []answer{
				failure(400, "BadRequest", "Cannot query data for more than 120 users at a time."),
				list("", person("a")),
			},
			want: []string{"a -> "}, asked: []string{start, "GET /v1.0/users $top=120"},
		},
		"refused on a later page": {
			play: []answer{
				list("$base/users?$skiptoken=1", person("a")),
				failure(400, "BadRequest", "Cannot query data for more than 120 users at a time."),
			},
			want:  []string{"a -> /users?$skiptoken=1"},
			asked: []string{start, "GET /v1.0/users $skiptoken=1"}, fails: "120 users",
		},
		"refused both sizes": {
			play:  repeat(2, failure(400, "BadRequest", "Cannot query data for more than 50 users at a time.")),
			asked: []string{start, "GET /v1.0/users $top=120"}, fails: "50 users",
		},
		"same link for ever": {
			play:  repeat(2, list("$base/users?$skiptoken=1", person("a"))),
			want:  []string{"a -> /users?$skiptoken=1"},
			asked: []string{start, "GET /v1.0/users $skiptoken=1"}, fails: "page 2: the link to the next page leads back",
		},
		"same link for ever, resumed": {
			cursor: "$base/users?$skiptoken=1", play: []answer{list("$base/users?$skiptoken=1", person("a"))},
			asked: []string{"GET /v1.0/users $skiptoken=1"}, fails: "leads back",
		},
		"link to another host": {
			play: []answer{list("https://evil.example/v1.0/users", person("a"))}, asked: []string{start}, fails: "evil.example",
		},
		"link to a neighbour": {
			play: []answer{list("$base/../beta/users", person("a"))}, asked: []string{start}, fails: "outside",
		},
		"link to another path":   {play: []answer{list("/users?$skiptoken=1", person("a"))}, asked: []string{start}, fails: "outside"},
		"link that is none":      {play: []answer{list("://", person("a"))}, asked: []string{start}, fails: "no URL"},
		"cursor of another host": {cursor: "https://evil.example/v1.0/users", fails: "evil.example"},
		"half a page":            {play: []answer{{body: `{"value":[{"id":"a"},{"id`}}, asked: []string{start}, fails: "page 1"},
		"null on page 2": {
			play:  []answer{list("$base/users?$skiptoken=1", person("a")), list("", person("b"), "null")},
			want:  []string{"a -> /users?$skiptoken=1"},
			asked: []string{start, "GET /v1.0/users $skiptoken=1"}, fails: "page 2",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play...)
			got, err := listing(t.Context(), f, strings.ReplaceAll(tt.cursor, "$base", f.base.String()))
			if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
				t.Errorf("error %v, want %q in it", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("pages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.asked, f.asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListPeopleSelectsWhatIsDecoded(t *testing.T) {
	t.Parallel()
	f := newFake(t, list(""))
	if _, err := listing(t.Context(), f, ""); err != nil {
		t.Fatal(err)
	}
	want := strings.Join(userFields, ",") // TestPageHasWhatIsRead compares userFields with docs/graph.md
	if diff := cmp.Diff([]string{want}, f.selects); diff != "" {
		t.Error(diff)
	}
}

// TestOlderGraph: a Graph without agents rejects the property identityParentId. The client does not request it again.
func TestOlderGraph(t *testing.T) {
	t.Parallel()
	older := failure(400, "BadRequest", "Could not find a property named 'identityParentId' on type 'microsoft.graph.user'.")
	f := newFake(t, older, list(""), list(""), answer{body: `{"id":"` + userA + `"}`})
	for range 2 {
		if _, err := listing(t.Context(), f, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.FindPerson(t.Context(), userA); err != nil {
		t.Fatal(err)
	}
	for n, fields := range f.selects {
		if asked := strings.Contains(fields, "identityParentId"); asked != (n == 0) {
			t.Errorf("request %d selects %s", n, fields)
		}
	}
}

// TestAgents: Graph adds @odata.type to an object only if its type is derived from user, such as agentUser. The client
// reads this type.
func TestAgents(t *testing.T) {
	t.Parallel()
	f := newFake(t, list("", `{"@odata.type":"#microsoft.graph.agentUser","id":"`+userA+`","identityParentId":"`+userB+`"}`, `{"id":"`+userB+`"}`))
	got, err := f.ReadPeople(t.Context(), []string{userA, userB})
	want := map[string]directory.EntraUser{userA: {ID: userA, Type: "#microsoft.graph.agentUser", IdentityParentID: userB}, userB: {ID: userB}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestListPeopleStopsWithTheCaller(t *testing.T) {
	t.Parallel()
	f := newFake(t, list("$base/users?$skiptoken=1", person("a")))
	full := errors.New("disk full")
	err := f.ListPeople(t.Context(), "", func([]directory.EntraUser, string) error { return full })
	if err != full || len(f.asked) != 1 {
		t.Errorf("error %v after %v", err, f.asked)
	}
}

func TestCountPeople(t *testing.T) {
	t.Parallel()
	f := newFake(t, answer{body: `{"@odata.count":1234567,"value":[{"id":"a"}]}`}, list("", person("a")))
	n, err := f.CountPeople(t.Context())
	if n != 1234567 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := f.CountPeople(t.Context()); err == nil || !strings.Contains(err.Error(), "@odata.count") {
		t.Errorf("no count: error %v", err)
	}
	if diff := cmp.Diff("GET /v1.0/users $top=1 $count=true", f.asked[0]); diff != "" {
		t.Error(diff)
	}
	if got := f.heads[0].Get("ConsistencyLevel"); got != "eventual" {
		t.Errorf("ConsistencyLevel %q", got)
	}
}

func numbered(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }

func TestReadPeople(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 17 {
		ids = append(ids, numbered(i))
	}
	first := "GET /v1.0/users $filter=id in ('" + strings.Join(ids[:15], "','") + "')"
	second := "GET /v1.0/users $filter=id in ('" + ids[15] + "','" + ids[16] + "')"
	tests := map[string]struct {
		ids   []string
		play  []answer
		want  []string
		asked []string
		fails error
	}{
		"nobody": {},
		"together": {
			ids: ids, play: []answer{list("", person(ids[0]), person(ids[14])), list("", person(ids[16]))},
			want: []string{ids[0], ids[14], ids[16]}, asked: []string{first, second},
		},
		"one by one": {
			ids: ids[:3], play: []answer{failure(400, "BadRequest", "x"), {body: person(ids[0])}, notFound, {body: person(ids[2])}},
			want: []string{ids[0], ids[2]},
			asked: []string{
				"GET /v1.0/users $filter=id in ('" + strings.Join(ids[:3], "','") + "')",
				"GET /v1.0/users/" + ids[0], "GET /v1.0/users/" + ids[1], "GET /v1.0/users/" + ids[2],
			},
		},
		"one by one stays": {
			ids: ids, play: append([]answer{failure(400, "BadRequest", "x")}, repeat(17, notFound)...),
			asked: append([]string{first}, each("GET /v1.0/users/", ids)...),
		},
		"forbidden": {ids: ids[:1], play: []answer{forbidden}, asked: []string{"GET /v1.0/users $filter=id in ('" + ids[0] + "')"}, fails: ErrForbidden},
		"quotes":    {ids: []string{"x') or (id ne '"}, fails: errNotID},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play...)
			found, err := f.ReadPeople(t.Context(), tt.ids)
			if !errors.Is(err, tt.fails) {
				t.Errorf("error %v, want %v", err, tt.fails)
			}
			if len(found) != len(tt.want) {
				t.Errorf("found %v, want %v", found, tt.want)
			}
			for _, id := range tt.want {
				if found[id].ID != id {
					t.Errorf("%s is missing", id)
				}
			}
			if diff := cmp.Diff(tt.asked, f.asked); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func each(prefix string, ids []string) []string {
	var list []string
	for _, id := range ids {
		list = append(list, prefix+id)
	}
	return list
}

func TestFindPerson(t *testing.T) {
	t.Parallel()
	anna := answer{body: `{"id":"` + userA + `","displayName":"Anna"}`}
	const byID = "GET /v1.0/users/" + userA
	tests := map[string]struct {
		who   string
		play  []answer
		asked []string
		fails error
	}{
		"id":         {userA, []answer{anna}, []string{byID}, nil},
		"name":       {"anna@contoso.example", []answer{{body: person(userA)}, anna}, []string{"GET /v1.0/users/anna@contoso.example", byID}, nil},
		"guest":      {"o'neil_x.com#EXT#@contoso.example", []answer{{body: person(userA)}, anna}, []string{"GET /v1.0/users/o'neil_x.com#EXT#@contoso.example", byID}, nil},
		"path":       {"../groups?x=@/y", []answer{notFound}, []string{"GET /v1.0/users/../groups?x=@/y"}, directory.ErrNoPerson},
		"unknown":    {"nobody@contoso.example", []answer{notFound}, []string{"GET /v1.0/users/nobody@contoso.example"}, directory.ErrNoPerson},
		"unknown id": {userA, []answer{notFound}, []string{byID}, directory.ErrNoPerson},
		"empty":      {"", nil, nil, directory.ErrNoPerson},
		"no name":    {"anna", nil, nil, directory.ErrNoPerson},
		"no id":      {"anna@contoso.example", []answer{{body: `{}`}}, []string{"GET /v1.0/users/anna@contoso.example"}, errNotID},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play...)
			got, err := f.FindPerson(t.Context(), tt.who)
			if !errors.Is(err, tt.fails) {
				t.Errorf("error %v, want %v", err, tt.fails)
			}
			if tt.fails == nil && got.DisplayName != "Anna" {
				t.Errorf("found %+v", got)
			}
			if diff := cmp.Diff(tt.asked, f.asked); diff != "" {
				t.Error(diff)
			}
			if len(f.selects) > 0 && tt.who != userA && f.selects[0] != "id" {
				t.Errorf("by name %s was selected; Graph refuses signInActivity there", f.selects[0])
			}
		})
	}
}

func TestReadPersonDamaged(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "null", "[]", "<html>", `{"id":"`, `{"id":5}`, `{}`, `{"id":""}`, `{"displayName":"x"}`} {
		if got, err := newFake(t, answer{body: body}).FindPerson(t.Context(), userA); err == nil {
			t.Errorf("%s: found %+v", body, got)
		}
	}
}
