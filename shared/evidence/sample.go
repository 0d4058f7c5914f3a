package evidence

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
)

// The dates of a single person do not show whether a feed is broken for everybody. A run for one person therefore also
// reads a sample: the first people that each source lists.

// errEnough stops a listing once enough people have been read.
var errEnough = errors.New("enough")

// Enough is the number of Active Directory accounts in a sample. So many accounts show whether the feed is broken.
const Enough = 1000

// SampleEntra calls the function "each" for every user on the first page of Entra ID.
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

// SampleAD calls the function "each" for the first n accounts of Active Directory.
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

// The function "ended" returns nil if errEnough stopped the listing, and err otherwise.
func ended(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
