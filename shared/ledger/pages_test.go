package ledger

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/store"
)

// TestPages: Pages yields one page for each person, with all licenses of the person. It ignores objects that are no
// entries.
func TestPages(t *testing.T) {
	t.Parallel()
	l, s := open(t)
	for _, of := range []Subject{{"ann", "citrix"}, {"ann", "e3"}, {"bob", "e3"}, {"cid", "e3"}} {
		in := intent("r1")
		in.Person, in.License = of.Person, of.License
		if _, err := l.Begin(t.Context(), in, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"ledger/notes.txt", "ledger/aaron/notes.txt", "ledger/bob/e3/deeper/000001.json"} {
		if err := store.PutBytes(t.Context(), s, key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	pages := func(s store.Store, most int) (people []string, licenses [][]string, failed error) {
		for page, err := range In(s).Pages(t.Context()) {
			if err != nil {
				failed = err
				continue
			}
			people, licenses = append(people, page.person), append(licenses, slices.Sorted(slices.Values(page.Licenses())))
			if len(people) == most {
				break
			}
		}
		return people, licenses, failed
	}
	people, licenses, err := pages(s, 9)
	if d := cmp.Diff([]string{"ann", "bob", "cid"}, people); d != "" || err != nil {
		t.Errorf("%v, people (-want +got):\n%s", err, d)
	}
	if d := cmp.Diff([][]string{{"citrix", "e3"}, {"e3"}, {"e3"}}, licenses); d != "" {
		t.Errorf("licenses (-want +got):\n%s", d)
	}
	if people, _, err := pages(s, 1); len(people) != 1 || err != nil {
		t.Errorf("after the caller stops: %q, %v", people, err)
	}
	if people, _, err := pages(&failing{Store: s, at: "list ledger/"}, 9); people != nil || !errors.Is(err, errBoom) {
		t.Errorf("a list that fails: %q, %v", people, err)
	}
	if people, _, err := pages(&store.Memory{}, 9); people != nil || err != nil {
		t.Errorf("an empty ledger: %q, %v", people, err)
	}
}
