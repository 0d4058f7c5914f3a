package activedirectory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Reached is the result of Controllers for one domain controller.
type Reached struct {
	URL   string
	Clock time.Time // the time of the controller; zero if Err is set
	Err   error     // why the controller did not answer, or refused the account
}

// Controllers binds to every controller that the directory lists for the domain, and asks it for its time. The result
// is sorted by URL. If the list may lack controllers, the result comes together with an error.
func (d *Directory) Controllers(ctx context.Context) ([]Reached, error) {
	domain, err := d.domainNow(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Reached, len(domain.controllers))
	var asked sync.WaitGroup
	for i, c := range domain.controllers {
		asked.Go(func() {
			list[i].URL = c.url
			list[i].Err = d.do(ctx, c, func(s *session) (err error) {
				list[i].Clock, err = s.clock()
				return err
			})
		})
	}
	asked.Wait()
	slices.SortFunc(list, func(a, b Reached) int { return cmp.Compare(a.URL, b.URL) })
	return list, domain.unnamed
}

// Controllers calls Directory.Controllers for every domain.
func (f *Forest) Controllers(ctx context.Context) (list []Reached, err error) {
	for _, d := range f.domains {
		some, failed := d.Controllers(ctx)
		list, err = append(list, some...), errors.Join(err, failed)
	}
	return list, err
}
