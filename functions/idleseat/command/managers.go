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

// managersAtOnce is how many managers are read at the same time. Graph's own batches hold 20 requests, and each of them
// counts against its limits as one alone does (Microsoft Graph, "Combine multiple HTTP requests using JSON batching").
const managersAtOnce = 8

// managers reads the managers of people from Entra ID, by the id of the person. A person whose account is in Active
// Directory alone is not asked about. A manager who cannot be read is left out and counted on stderr; if none can be
// read, that is an error.
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
	_ = all.Wait() // errors are counted
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
