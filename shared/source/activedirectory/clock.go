package activedirectory

import (
	"context"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// CheckClock compares the clock of a controller (currentTime of its rootDSE, MS-ADTS 3.1.1.3.2.1) with the result of
// "now". The error is directory.ErrClock if the times differ too much.
func (d *Directory) CheckClock(ctx context.Context, now func() time.Time) error {
	return d.ask(ctx, func(s *session) error {
		told, err := s.clock()
		if err != nil {
			return err
		}
		return directory.CheckClock("the domain controller "+s.controller.url, told, now())
	})
}

func (s *session) clock() (time.Time, error) {
	s.root = nil // the time in a cached rootDSE is old
	told, err := s.rootDSE("currentTime")
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse("20060102150405Z0700", told)
	if err != nil {
		return time.Time{}, s.fault("read its currentTime", fmt.Errorf("%w: %q is no time", errEntry, clean(told)))
	}
	return at, nil
}

// CheckClock calls Directory.CheckClock for every domain.
func (f *Forest) CheckClock(ctx context.Context, now func() time.Time) error {
	for _, d := range f.domains {
		if err := d.CheckClock(ctx, now); err != nil {
			return err
		}
	}
	return nil
}
