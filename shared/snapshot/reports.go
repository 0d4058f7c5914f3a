package snapshot

import (
	"context"
	"fmt"

	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// maxReport is the largest table of a report in bytes, ten times the size for 1,000,000 people.
const maxReport = 320 << 20

// GetReport reads the table of a usage report that a run stored. The error is store.ErrDamaged if the hash of the
// table differs from the hash in the reading.
func GetReport(ctx context.Context, s store.Store, reading *usage.Reading) (*usage.Table, error) {
	text, err := store.GetBytes(ctx, s, reading.Key, maxReport)
	if err != nil {
		return nil, fmt.Errorf("read a usage report: %w", err)
	}
	if hexSum(text) != reading.SHA256 {
		return nil, fmt.Errorf("%w: %s is not what the manifest says", store.ErrDamaged, reading.Key)
	}
	t, err := usage.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", store.ErrDamaged, reading.Key, err)
	}
	return t, nil
}
