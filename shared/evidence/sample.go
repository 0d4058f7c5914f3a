package evidence

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
)

// The dates of a single person do not show whether a source has lost its dates. A run for one person therefore also
// reads a sample: the first people that each source lists.

// errEnough stops a listing.
var errEnough = errors.New("enough")

// Enough is how many Active Directory accounts a sample has. If the dates of all accounts are broken, this many
// accounts show it.
const Enough = 1000

// SampleEntra passes each user on the first page of Graph's list of users to the function.
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

// SampleAD passes the first n accounts of Active Directory to the function.
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

func ended(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
