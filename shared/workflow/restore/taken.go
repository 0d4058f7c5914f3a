package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// Took says which runs took licenses that a person still lacks.
type Took struct {
	User string // the person's object id or SID, or the given name if the newest run does not show the person
	// Runs has the runs in the order in which they must be restored: newest first, because a newer run may have taken
	// what an older one gave in exchange. A run whose change or restore of a license is still open counts, too.
	Runs []string
	// Unreadable has the errors about damaged ledger entries. A run may have taken these licenses, too.
	Unreadable []string
}

// TakenFrom finds the runs that took licenses from a person, under each id of the person. It fails with ErrNothing if
// none did, and with runs.ErrRefused if only damaged entries are left. It finds the person in the data of the newest
// run. An operator must give the object id or SID of a person who is no longer there. The parameter "also" is another
// name of the person, or "". See Request.Name.
func TakenFrom(ctx context.Context, s store.Store, now time.Time, name, also string) (*Took, error) {
	who, err := keysOf(ctx, s, now, name, also)
	if err != nil {
		return nil, err
	}
	if who.failed != nil && !runs.Gone(who.failed) { // a repeated call may find more ids
		return nil, who.failed
	}
	took := &Took{User: who.keys[0]}
	for i, key := range who.keys {
		if err := took.add(ctx, s, key, i >= who.own); err != nil {
			return nil, err
		}
	}
	slices.Sort(took.Runs)
	slices.Reverse(took.Runs)
	switch {
	case len(took.Runs) > 0:
		return took, nil
	case len(took.Unreadable) > 0:
		return nil, fmt.Errorf("%w to restore: %s", runs.ErrRefused, strings.Join(took.Unreadable, "; "))
	case who.unknown != "":
		return nil, fmt.Errorf("%w: %s, and the ledger has no license that was taken from an account with this object id or SID; give the object id or the SID of the person", ErrNothing, who.unknown)
	}
	return nil, fmt.Errorf("%w: the ledger has no license that was taken from %q and is not back", ErrNothing, name)
}

// The method "add" adds the runs that took licenses under one key of the ledger. If "former" is true, the key is the id
// of an Entra account that the person had before. Licenses in Entra ID then do not count, because they belonged to that
// account.
func (t *Took) add(ctx context.Context, s store.Store, key string, former bool) error {
	page, err := ledger.In(s).Of(ctx, key)
	if err != nil {
		return err
	}
	for _, license := range page.Licenses() {
		e, err := page.Standing(ctx, license)
		if errors.Is(err, ledger.ErrDamaged) { // the other licenses can be restored
			t.Unreadable = append(t.Unreadable, err.Error())
			continue
		}
		if err != nil {
			return err
		}
		if e == nil || former && plan.Via(e.Via).WrittenIn() == directory.Entra {
			continue
		}
		run := ""
		switch {
		case e.Completion == nil && e.RestoreOf == "": // a restore stops this change
			run = e.Run
		case e.Completion == nil:
			run = e.RestoreOf
		case e.Completion.Outcome == ledger.Done && e.RestoreOf == "":
			run = e.Run
		}
		if run != "" && !slices.Contains(t.Runs, run) {
			t.Runs = append(t.Runs, run)
		}
	}
	return nil
}

// The type "identity" says under which keys the ledger may have entries of a person.
type identity struct {
	keys    []string // the person's ids and SID, or the given name if the newest run does not show the person
	own     int      // how many of the keys are of the present accounts; the others are ids of former accounts
	unknown string   // why the newest run does not show the person
	failed  error    // why the data of the newest run could not be read to its end, so that keys may be missing
}

// The function "keysOf" finds the keys of a person in the data of the newest run. It uses the other name "also" if
// nobody there has the first one. It fails only with runs.ErrRefused, if several people have the name. If data cannot be
// read, it returns no error, because the caller must at least stop the run from changing more licenses of the person.
func keysOf(ctx context.Context, s store.Store, now time.Time, name, also string) (*identity, error) {
	who := &identity{keys: []string{name}, own: 1}
	newest, err := history.Newest(ctx, s, now)
	if err != nil {
		return who.unread("the newest run", name, err), nil
	}
	if newest == "" {
		who.unknown = fmt.Sprintf("no run knows who %q is", name)
		return who, nil
	}
	r, err := decision.Open(ctx, s, newest)
	if err != nil {
		return who.unread("run "+newest, name, err), nil
	}
	hits := 0
	find := func(name string) error {
		return r.Find(ctx, name, func(p *directory.Person) error {
			who.show(r, p)
			hits++
			return nil
		})
	}
	if err = find(name); errors.Is(err, decision.ErrUnknownUser) && also != "" && also != name {
		if err = find(also); hits > 0 {
			who.keys, who.own = append([]string{name}, who.keys...), who.own+1
		}
		name = also
	}
	switch {
	case hits > 1:
		return nil, fmt.Errorf("%w: %q fits %d people; name the object id", runs.ErrRefused, name, hits)
	case errors.Is(err, decision.ErrUnknownUser):
		who.unknown = fmt.Sprintf("nobody in run %s has the name %q", newest, name)
	case err != nil:
		return who.unread("run "+newest, name, err), nil
	}
	return who, nil
}

// The method "unread" records that data of a run could not be read. The keys that were found before stay.
func (w *identity) unread(run, name string, err error) *identity {
	w.failed = fmt.Errorf("the data of %s, which say who %q is, cannot be read: %w", run, name, err)
	w.unknown = w.failed.Error()
	return w
}

// The method "show" sets the keys of a person. If the person has an object id in Entra ID, this id is the first key.
func (w *identity) show(r *decision.Run, p *directory.Person) {
	w.keys = []string{p.ID()}
	if sid := p.SID(); sid != "" && sid != p.ID() {
		w.keys = append(w.keys, sid) // if an account is only in Active Directory, its key in the ledger is its SID
	}
	w.own = len(w.keys)
	for _, l := range r.Policy.Licenses { // the account in Entra ID may have had another id
		if i := r.History.OfSID(p.SID(), l.Name); i != nil && !slices.Contains(w.keys, i.User) {
			w.keys = append(w.keys, i.User)
		}
	}
}

// The method "doubt" says what a restore of one person may have missed. The data of the newest run may be damaged or
// missing, and the restore then does what it can without them.
func (in *Request) doubt() string {
	return plain.OneLine(fmt.Sprintf("other ids of %q are not known, so what was taken under another id is neither stopped nor restored: %v; restore again after the next run, or give that id", in.User, in.failed))
}
