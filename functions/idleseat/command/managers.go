package command

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/source/entra"
)

// managersAtOnce is the number of managers that are read at the same time. Batches of Graph would not be faster,
// because each request in a batch counts against the limits (Microsoft Graph, "Combine multiple HTTP requests using
// JSON batching").
const managersAtOnce = 8

// The method "managers" reads the managers of people from Entra ID, and returns them by the id of the person. It skips
// people who have an account only in Active Directory. If some managers cannot be read, it prints their number. If none
// can be read, it returns an error.
func (a *Process) managers(ctx context.Context, users []string) (map[string]report.Manager, error) {
	src, err := a.sources()
	if err != nil {
		return nil, err
	}
	e, err := entra.New(src.Entra, a.Clock)
	if err != nil {
		return nil, usageError{fmt.Errorf("settings of Entra ID: %w", err)}
	}
	defer e.Close()
	bar := newProgress(a)
	bar.begins("reading managers")
	defer bar.clear()
	var (
		mu     sync.Mutex
		found  = map[string]report.Manager{}
		failed int
		first  error
		all    errgroup.Group
	)
	all.SetLimit(managersAtOnce)
	for _, user := range users {
		if strings.HasPrefix(user, "S-1-") || ctx.Err() != nil {
			continue
		}
		all.Go(func() error {
			name, mail, err := e.Manager(ctx, user)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				found[user] = report.Manager{Name: name, Mail: mail}
				return nil
			}
			if failed++; first == nil {
				first = err
			}
			return nil
		})
	}
	_ = all.Wait() // no function returns an error, because the functions count their errors
	bar.clear()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read managers: %w", err)
	}
	if failed > 0 && len(found) == 0 {
		return nil, first
	}
	if failed > 0 {
		fmt.Fprintf(a.Stderr, "%s could not be read, the first because of this: %v\n", plain.Many(failed, "manager"), first)
	}
	return found, nil
}
