package collect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	tenant   = "11111111-2222-3333-4444-555555555555"
	citrixDN = "CN=Citrix,OU=Licenses,DC=corp"
	text     = `
tenant: ` + tenant + `
licenses:
  e3:     {sku: SPE_E3,           group: {entra: LIC-E3}}
  exo:    {sku: EXCHANGESTANDARD, group: {entra: LIC-EXO}}
  citrix: {group: {ad: "` + citrixDN + `"}}
exempt: {groups: [{entra: LIC-Exempt}]}
rules:
  - {name: m365, license: e3, when: AzureAdSistaLogon.hasNoValue(), then: {changeTo: exo}}
  - {name: citrix, license: citrix, when: LastlogonTimestamp.earlierThan(now - days(90)) || LastlogonTimestamp.hasNoValue(), then: remove}
`
)

var (
	asOf    = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	clock   = asOf.Add(time.Minute)
	errDown = errors.New("down")
)

var (
	exemptKey = directory.GroupRef{Source: directory.Entra, Name: "LIC-Exempt"}.Key(false)
	citrixKey = directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)
)

func daysAgo(n int) time.Time { return asOf.AddDate(0, 0, -n) }

// Anna is in both directories, Bo only in Entra ID, and Cid only in Active Directory.
var (
	anna   = directory.EntraUser{ID: "id-anna", UserPrincipalName: "anna@x.example", SID: "S-1-5-21-1", ImmutableID: "guid-anna", Synced: true, LastSuccessful: daysAgo(3)}
	bo     = directory.EntraUser{ID: "id-bo", UserPrincipalName: "bo@x.example"}
	annaAD = directory.ADUser{SID: "S-1-5-21-1", GUID: "guid-anna", SAMAccount: "anna", LastLogonTimestamp: daysAgo(5)}
	cidAD  = directory.ADUser{SID: "S-1-5-21-3", GUID: "guid-cid", SAMAccount: "cid", UserPrincipalName: "cid@x.example"}
)

// The type "fails" has the errors of failing calls. A key is a call as the fakes record it, such as "Tenant" or
// "FindGroup LIC-E3".
type fails map[string]error

// fakeEntra is an Entra ID in memory. It records every call, such as "FindGroup LIC-E3" or "ListPeople page 2".
type fakeEntra struct {
	tenant   string
	skus     []directory.SKU
	groups   map[string]directory.Group // groups by name
	granting []directory.Group          // groups that give licenses
	count    int
	pages    [][]directory.EntraUser
	in       map[string][]directory.Member // members by group id
	fail     fails
	usage    map[string]string // the reports, by name
	calls    []string

	subscriptions []directory.Subscription
	mailboxes     []directory.Mailbox
}

func newEntra() *fakeEntra {
	return &fakeEntra{
		tenant: tenant, skus: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}},
		groups: map[string]directory.Group{"LIC-E3": {ID: "g-e3"}, "LIC-EXO": {ID: "g-exo"}, "LIC-Exempt": {ID: "g-exempt"}},
		count:  2, pages: [][]directory.EntraUser{{anna}, {bo}},
		in: map[string][]directory.Member{"g-exempt": {{ID: bo.ID}}},
	}
}

func (f *fakeEntra) call(method string) error {
	f.calls = append(f.calls, method)
	return f.fail[method]
}

func (f *fakeEntra) Tenant(context.Context) (string, []directory.SKU, error) {
	return f.tenant, f.skus, f.call("Tenant")
}

func (f *fakeEntra) Subscriptions(context.Context) ([]directory.Subscription, error) {
	return slices.Clone(f.subscriptions), f.call("Subscriptions")
}

func (f *fakeEntra) Mailboxes(_ context.Context, each func(directory.Mailbox) error) error {
	if err := f.call("Mailboxes"); err != nil {
		return err
	}
	for _, m := range f.mailboxes {
		if err := each(m); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeEntra) Report(_ context.Context, name string, _ []string, read func(io.Reader) error) error {
	if err := f.call("Report"); err != nil {
		return err
	}
	return read(strings.NewReader(f.usage[name]))
}

func (f *fakeEntra) CountPeople(context.Context) (int, error) { return f.count, f.call("CountPeople") }

func (f *fakeEntra) FindGroup(_ context.Context, name string) (directory.Group, error) {
	if err := f.call("FindGroup " + name); err != nil {
		return directory.Group{}, err
	}
	g, found := f.groups[name]
	if !found {
		return g, fmt.Errorf("%w: %s", directory.ErrNoGroup, name)
	}
	return g, nil
}

func (f *fakeEntra) FindID(_ context.Context, name string) (string, error) {
	if err := f.call("FindID " + name); err != nil {
		return "", err
	}
	for _, page := range f.pages {
		for _, u := range page {
			if strings.EqualFold(u.UserPrincipalName, name) {
				return u.ID, nil
			}
		}
	}
	return "", directory.ErrNoPerson
}

func (f *fakeEntra) LicenseGroups(context.Context) ([]directory.Group, error) {
	return f.granting, f.call("LicenseGroups")
}

// ListPeople lists people in pages. The cursor is the number of the next page.
func (f *fakeEntra) ListPeople(_ context.Context, cursor string, page func([]directory.EntraUser, string) error) error {
	from, _ := strconv.Atoi(cursor)
	for i := from; i < len(f.pages); i++ {
		if err := f.call(fmt.Sprintf("ListPeople page %d", i+1)); err != nil {
			return err
		}
		if err := page(slices.Clone(f.pages[i]), f.after(i, len(f.pages))); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeEntra) after(i, n int) string {
	if i+1 == n {
		return ""
	}
	return strconv.Itoa(i + 1)
}

func (f *fakeEntra) ListMembers(_ context.Context, group directory.Group, cursor string, page func([]directory.Member, string) error) error {
	id := group.ID
	from, _ := strconv.Atoi(cursor)
	if err := f.call("ListMembers " + id); err != nil {
		return err
	}
	for i := from; i < len(f.in[id]); i++ {
		if err := page(f.in[id][i:i+1], f.after(i, len(f.in[id]))); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeEntra) FindPerson(_ context.Context, name string) (directory.EntraUser, error) {
	if err := f.call("FindPerson " + name); err != nil {
		return directory.EntraUser{}, err
	}
	for _, u := range slices.Concat(f.pages...) {
		if strings.EqualFold(u.UserPrincipalName, name) || u.ID == name {
			return u, nil
		}
	}
	return directory.EntraUser{}, directory.ErrNoPerson
}

func (f *fakeEntra) GroupsOf(_ context.Context, id string) ([]string, error) {
	var in []string
	for g, members := range f.in {
		if slices.ContainsFunc(members, func(m directory.Member) bool { return m.ID == id }) {
			in = append(in, g)
		}
	}
	return in, f.call("GroupsOf " + id)
}

func (f *fakeEntra) DirectGroups(_ context.Context, id string) ([]string, error) {
	var in []string
	for g, members := range f.in {
		if slices.ContainsFunc(members, func(m directory.Member) bool { return m.ID == id }) {
			in = append(in, g)
		}
	}
	return in, f.call("DirectGroups " + id)
}

// brokenStore fails to write an object whose key contains the text in the field "word".
type brokenStore struct {
	store.Store
	word string
}

func (s brokenStore) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	if strings.Contains(key, s.word) {
		return errDown
	}
	return s.Store.PutIfAbsent(ctx, key, body)
}

// A bench is a collector with fakes for both directories and a store in memory.
type bench struct {
	*Collector
	entra *fakeEntra
	ad    *fakeAD
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s := store.Store(&store.Memory{})
	b := &bench{entra: newEntra(), ad: newAD()}
	b.Collector = &Collector{Store: s, Entra: b.entra, AD: b.ad, Tool: "v1", Now: func() time.Time { return clock }}
	return b
}

func load(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Load("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func start(t *testing.T, user string) Start {
	return Start{Run: "run", AsOf: asOf, Policy: load(t, text), Text: text, User: user}
}

func (b *bench) keys(t *testing.T) []string {
	t.Helper()
	var all []string
	for k, err := range b.Store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	return all
}
