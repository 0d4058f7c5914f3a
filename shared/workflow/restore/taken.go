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
	keys, unknown, err := keysOf(ctx, s, now, name)
	if err != nil {
		return "", "", err
	}
	for _, key := range keys {
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
	if unknown != "" {
		err = fmt.Errorf("%w: %s, and the ledger has no license that was taken from an account with this object id or SID; give the object id or the SID of the person", ErrNothing, unknown)
	}
	return "", "", err
}

// keysOf returns the keys under which the ledger may have entries of a person, by the data of the newest run. If that
// data does not show the person, the name itself is the only key, and the result "unknown" is the reason. keysOf fails
// with runs.ErrRefused if several people have the name.
func keysOf(ctx context.Context, s store.Store, now time.Time, name string) (keys []string, unknown string, err error) {
	newest, err := history.Newest(ctx, s, now)
	if err != nil {
		return nil, "", err
	}
	if newest == "" {
		return []string{name}, fmt.Sprintf("no run knows who %q is", name), nil
	}
	r, err := decision.Open(ctx, s, newest)
	if runs.Gone(err) {
		return []string{name}, fmt.Sprintf("the data of run %s, which say who %q is, cannot be read", newest, name), nil
	}
	if err != nil {
		return nil, "", err
	}
	hits := 0
	err = r.Find(ctx, name, func(p *directory.Person) error {
		hits++
		keys = append(keys, p.ID())
		if sid := p.SID(); sid != "" && sid != p.ID() {
			keys = append(keys, sid) // if an account is only in Active Directory, its key in the ledger is its SID
		}
		for _, l := range r.Policy.Licenses { // the account in Entra ID may have had another id
			if i := r.History.OfSID(p.SID(), l.Name); i != nil && !slices.Contains(keys, i.User) {
				keys = append(keys, i.User)
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, decision.ErrUnknownUser):
		return []string{name}, fmt.Sprintf("nobody in run %s has the name %q", newest, name), nil
	case err == nil && hits > 1:
		err = fmt.Errorf("%w: %q fits %d people; name the object id", runs.ErrRefused, name, hits)
	}
	return keys, "", err
}
