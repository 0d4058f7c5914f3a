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
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// Taken returns the runs that took a license that the person still lacks. A run whose change or restore of the license
// is still open counts, too. The parameter "user" is the person's key in the ledger: an object id or a SID. Without
// such a run, the error is ErrNothing. The parameter "name" is the person's name in the error.
func Taken(ctx context.Context, s store.Store, user, name string) (took []string, err error) {
	page, err := ledger.In(s).Of(ctx, user)
	if err != nil {
		return nil, err
	}
	for _, license := range page.Licenses() {
		e, err := page.Standing(ctx, license)
		if err != nil {
			return nil, err
		}
		run := ""
		switch {
		case e == nil:
		case e.Completion == nil && e.RestoreOf == "": // a restore stops this change
			run = e.Run
		case e.Completion == nil:
			run = e.RestoreOf
		case e.Completion.Outcome == ledger.Done && e.RestoreOf == "":
			run = e.Run
		}
		if run != "" && !slices.Contains(took, run) {
			took = append(took, run)
		}
	}
	if len(took) == 0 {
		return nil, fmt.Errorf("%w: the ledger has no license that was taken from %q and is not back", ErrNothing, name)
	}
	return took, nil
}

// TakenFrom returns the run that took licenses from a person, and the person's key in the ledger. It fails with
// runs.ErrRefused if several runs did, and with ErrNothing if none did. It finds the person in the data of the newest
// run. An operator must give the object id or SID of a person who is no longer there.
func TakenFrom(ctx context.Context, s store.Store, now time.Time, name string) (run, user string, err error) {
	who, err := keysOf(ctx, s, now, name)
	if err != nil {
		return "", "", err
	}
	for _, key := range who.keys {
		var took []string
		if took, err = Taken(ctx, s, key, name); errors.Is(err, ErrNothing) {
			continue
		}
		if len(took) > 1 {
			err = fmt.Errorf("%w: licenses of %q were taken by the runs %s; restore them one after the other, with --run", runs.ErrRefused, name, strings.Join(took, " and "))
		}
		if err != nil {
			return "", "", err
		}
		return took[0], key, nil
	}
	switch {
	case who.failed != nil && !runs.Gone(who.failed): // a repeated call may read more
		err = who.failed
	case who.unknown != "":
		err = fmt.Errorf("%w: %s, and the ledger has no license that was taken from an account with this object id or SID; give the object id or the SID of the person", ErrNothing, who.unknown)
	}
	return "", "", err
}

// The type "identity" says under which keys the ledger may have entries of a person.
type identity struct {
	keys    []string // the person's ids and SID, or the given name if the newest run does not show the person
	unknown string   // why the newest run does not show the person
	failed  error    // why the data of the newest run could not be read to its end, so that keys may be missing
}

// The function "keysOf" finds the keys of a person in the data of the newest run. It fails only with runs.ErrRefused, if
// several people have the name. Data that cannot be read is no error, because a restore must work without it.
func keysOf(ctx context.Context, s store.Store, now time.Time, name string) (*identity, error) {
	who := &identity{keys: []string{name}}
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
	err = r.Find(ctx, name, func(p *directory.Person) error {
		who.keys = keysIn(r, p)
		hits++
		return nil
	})
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

// The function "keysIn" returns the object id of a person first, if there is one.
func keysIn(r *decision.Run, p *directory.Person) []string {
	keys := []string{p.ID()}
	if sid := p.SID(); sid != "" && sid != p.ID() {
		keys = append(keys, sid) // if an account is only in Active Directory, its key in the ledger is its SID
	}
	for _, l := range r.Policy.Licenses { // the account in Entra ID may have had another id
		if i := r.History.OfSID(p.SID(), l.Name); i != nil && !slices.Contains(keys, i.User) {
			keys = append(keys, i.User)
		}
	}
	return keys
}
