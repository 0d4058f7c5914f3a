package evidence

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
)

// One person cannot tell whether a feed is broken for everybody. So the beginning of each source's list is looked at
// besides.

// errEnough ends a listing after its beginning, when no more is needed.
var errEnough = errors.New("enough")

// Enough is how many accounts of Active Directory are sufficient to judge its feed.
const Enough = 1000

// SampleEntra hands on the first page of everybody in Entra ID.
func SampleEntra(ctx context.Context, entra interface {
	ListPeople(ctx context.Context, cursor string, page func(people []directory.EntraUser, next string) error) error
}, each func(*directory.EntraUser)) error {
	err := entra.ListPeople(ctx, "", func(page []directory.EntraUser, _ string) error {
		for i := range page {
			each(&page[i])
		}
		return errEnough
	})
	return ended(err)
}

// SampleAD hands on the first n accounts of Active Directory.
func SampleAD(ctx context.Context, ad interface {
	ListPeople(ctx context.Context, each func(directory.ADUser) error) error
}, n int, each func(*directory.ADUser)) error {
	err := ad.ListPeople(ctx, func(u directory.ADUser) error {
		if each(&u); n > 1 {
			n--
			return nil
		}
		return errEnough
	})
	return ended(err)
}

// ended is the error of a listing that may have ended early on purpose.
func ended(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
