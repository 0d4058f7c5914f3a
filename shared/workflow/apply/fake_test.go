package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

var errDown = errors.New("down")

func refusal(reason string) error { return &directory.Refusal{Reason: reason, Err: errDown} }

// The type "script" records the calls of a fake directory, and makes some of them fail. A key of the maps "fail",
// "lost" and "at" is a recorded call, such as "FindGroup g-e3". A key of "fail" and "at" may also be "FindGroup #2",
// which is the second call of the method.
type script struct {
	fail  map[string]error  // the call fails without effect
	lost  map[string]error  // the call takes effect, but its answer is lost
	at    map[string]func() // a function that the call runs before its effect
	calls []string
	count map[string]int
}

func (s *script) do(call string, effect func()) error {
	method, _, _ := strings.Cut(call, " ")
	if s.count == nil {
		s.count = map[string]int{}
	}
	s.count[method]++
	s.calls = append(s.calls, call)
	for _, key := range []string{call, fmt.Sprintf("%s #%d", method, s.count[method])} {
		if also := s.at[key]; also != nil {
			also()
		}
		if err := s.fail[key]; err != nil {
			return err
		}
	}
	effect()
	return s.lost[call]
}

func (s *script) read(call string) error { return s.do(call, func() {}) }

func (s *script) writes() []string {
	return slices.DeleteFunc(slices.Clone(s.calls), func(c string) bool {
		return !strings.HasPrefix(c, "AddMember") && !strings.HasPrefix(c, "RemoveMember") && !strings.HasPrefix(c, "ChangeLicenses")
	})
}

type members map[string][]string

func (m members) add(group, member string) {
	if !slices.Contains(m[group], member) {
		m[group] = append(m[group], member)
	}
}

func (m members) clone() members {
	all := members{}
	for group, list := range m {
		all[group] = slices.Clone(list)
	}
	return all
}

func (m members) remove(group, member string) {
	m[group] = slices.DeleteFunc(m[group], func(x string) bool { return x == member })
}

// fakeEntra is an Entra ID in memory. People get the licenses of their groups only when the test calls the method
// "follow".
type fakeEntra struct {
	script
	tenant  string
	skus    []directory.SKU // the products that the tenant has now
	users   map[string]*directory.EntraUser
	in      members
	grants  map[string]string // skuId that a group gives, by group
	full    map[string]string // error of the assignments of a group that cannot give its license, by group
	reduced string            // the group that gives its license with one service plan switched off
	dynamic string            // the group that has become dynamic
	slow    bool              // whether reads do not show changes of direct licenses
	hidden  string            // the group whose members are hidden now
	sids    map[string]string // SID by group that is synced from Active Directory
	nested  members           // people who are in a group through another group
	stale   members           // the members that the next reads of direct groups show; nil: the present members
	usage   map[string]string // usage reports by name; Graph refuses any other report

	managers map[string]string // address of each person's manager
	mails    []directory.Mail
}

func (f *fakeEntra) Report(_ context.Context, name string, _ []string, read func(io.Reader) error) error {
	if err := f.read("Report"); err != nil {
		return err
	}
	if f.usage[name] == "" {
		return errors.New("access refused")
	}
	return read(strings.NewReader(f.usage[name]))
}

// The method "follow" gives everybody the licenses of the groups that list the person, and takes all other licenses
// that groups gave.
func (f *fakeEntra) follow() {
	for _, u := range f.users {
		u.Assignments = slices.DeleteFunc(u.Assignments, func(a directory.Assignment) bool { return a.Group != "" })
		for group, sku := range f.grants {
			if !slices.Contains(f.in[group], u.ID) {
				continue
			}
			a := directory.Assignment{SKU: sku, Group: group, State: "Active"}
			if f.reduced == group {
				a.DisabledPlans = []string{"plan"}
			}
			if f.full[group] != "" {
				a.State, a.Error = "Error", f.full[group]
			}
			u.Assignments = append(u.Assignments, a)
		}
	}
}

func (f *fakeEntra) Tenant(context.Context) (string, []directory.SKU, error) {
	return f.tenant, f.skus, f.read("Tenant")
}

func (f *fakeEntra) ListPeople(_ context.Context, _ string, page func([]directory.EntraUser, string) error) error {
	if err := f.read("ListPeople"); err != nil {
		return err
	}
	var all []directory.EntraUser
	for _, u := range f.users {
		all = append(all, *u)
	}
	return page(all, "")
}

func (f *fakeEntra) ListMembers(_ context.Context, group directory.Group, _ string, page func([]directory.Member, string) error) error {
	if err := f.read("ListMembers " + group.ID); err != nil {
		return err
	}
	var list []directory.Member
	for _, id := range f.in[group.ID] {
		list = append(list, directory.Member{ID: id})
	}
	for _, p := range [][]directory.Member{nil, list, nil} { // real Graph also returns empty pages
		if err := page(p, ""); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeEntra) ReadPeople(_ context.Context, ids []string) (map[string]directory.EntraUser, error) {
	if err := f.read("ReadPeople " + strings.Join(ids, ",")); err != nil {
		return nil, err
	}
	found := map[string]directory.EntraUser{}
	for _, id := range ids {
		if u := f.users[id]; u != nil {
			copied := *u
			copied.Assignments = slices.Clone(u.Assignments)
			found[id] = copied
		}
	}
	return found, nil
}

func (f *fakeEntra) ReadLicenses(_ context.Context, id string) ([]directory.Assignment, error) {
	if err := f.read("ReadLicenses " + id); err != nil {
		return nil, err
	}
	if u := f.users[id]; u != nil {
		return slices.Clone(u.Assignments), nil
	}
	return nil, directory.ErrNoPerson
}

func (f *fakeEntra) FindPerson(_ context.Context, upnOrID string) (directory.EntraUser, error) {
	err := f.read("FindPerson " + upnOrID)
	if u := f.users[upnOrID]; u != nil && err == nil {
		return *u, nil
	}
	return directory.EntraUser{}, cmp.Or(err, directory.ErrNoPerson)
}

func (f *fakeEntra) FindGroup(_ context.Context, id string) (directory.Group, error) {
	g := directory.Group{ID: id, SID: f.sids[id], Synced: f.sids[id] != "", Dynamic: f.dynamic == id, Hidden: f.hidden == id}
	if sku := f.grants[id]; sku != "" {
		g.Grants = []string{sku}
	}
	return g, f.read("FindGroup " + id)
}

func (f *fakeEntra) GroupsOf(_ context.Context, id string) ([]string, error) {
	for group, list := range f.nested {
		if slices.Contains(list, id) {
			in, err := f.groupsOf("GroupsOf "+id, id)
			return append(in, group), err
		}
	}
	return f.groupsOf("GroupsOf "+id, id)
}

func (f *fakeEntra) DirectGroups(_ context.Context, id string) ([]string, error) {
	return f.groupsOf("DirectGroups "+id, id)
}

func (f *fakeEntra) groupsOf(call, id string) (in []string, err error) {
	shown := f.in
	if f.stale != nil && strings.HasPrefix(call, "DirectGroups") {
		shown = f.stale
	}
	for group, list := range shown {
		if slices.Contains(list, id) && group != f.hidden {
			in = append(in, group)
		}
	}
	return in, f.read(call)
}

func (f *fakeEntra) ChangeLicenses(_ context.Context, id string, add []directory.Assignment, remove []string) error {
	call := "ChangeLicenses " + id
	for _, a := range add {
		call += " +" + a.SKU
	}
	for _, sku := range remove {
		call += " -" + sku
	}
	return f.do(call, func() {
		u := f.users[id]
		if f.slow {
			return
		}
		u.Assignments = slices.DeleteFunc(u.Assignments, func(a directory.Assignment) bool { return a.Group == "" && slices.Contains(remove, a.SKU) })
		for _, a := range add {
			u.Assignments = slices.DeleteFunc(u.Assignments, func(held directory.Assignment) bool { return held.Group == "" && held.SKU == a.SKU })
			u.Assignments = append(u.Assignments, directory.Assignment{SKU: a.SKU, State: "Active", DisabledPlans: a.DisabledPlans})
		}
	})
}

func (f *fakeEntra) AddMember(_ context.Context, group, id string) error {
	return f.do("AddMember "+group+" "+id, func() { f.in.add(group, id) })
}

func (f *fakeEntra) RemoveMember(_ context.Context, group, id string) error {
	return f.do("RemoveMember "+group+" "+id, func() { f.in.remove(group, id) })
}

func (f *fakeEntra) ManagerMail(_ context.Context, id string) (string, error) {
	return f.managers[id], f.read("ManagerMail " + id)
}

func (f *fakeEntra) SendMail(_ context.Context, from string, m directory.Mail) error {
	return f.do("SendMail "+m.Person, func() { f.mails = append(f.mails, m) })
}

// brokenStore fails to write a key that contains the text in the field "put", and to list a prefix that contains the
// text in the field "list". An empty field causes no failure.
type brokenStore struct {
	store.Store
	put, list string
}

func broken(word, key string) error {
	if word != "" && strings.Contains(key, word) {
		return errDown
	}
	return nil
}

func (s brokenStore) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	if err := broken(s.put, key); err != nil {
		return err
	}
	return s.Store.Put(ctx, key, body)
}

func (s brokenStore) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	if err := broken(s.put, key); err != nil {
		return err
	}
	return s.Store.PutIfAbsent(ctx, key, body)
}

func (s brokenStore) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	if err := broken(s.list, prefix); err != nil {
		return func(yield func(string, error) bool) { yield("", err) }
	}
	return s.Store.List(ctx, prefix)
}

type blindStore struct {
	store.Store
	key string
}

func (s blindStore) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if key == s.key {
		return nil, errDown
	}
	return s.Store.Get(ctx, key)
}
