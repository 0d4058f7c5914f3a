package serve

import (
	"context"
	"net/url"
	"slices"
	"sort"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// perPage is the number of runs on a page of the list.
const perPage = 25

// listing is one page of the list of runs.
type listing struct {
	Total int
	Runs  []*runs.Overview // newest first
	// First is the number of the first run of the page. The newest run has number 1.
	First int
	// Older is the last run of this page if older runs exist. Newer is true if newer runs exist.
	Older string
	Newer bool
}

// listFrom returns a page of the list. The page has runs that are older than the run "before", or the newest runs if
// that argument is empty. New runs do not change the page.
func (s *Site) listFrom(ctx context.Context, before string) (*listing, error) {
	names, err := snapshot.Runs(ctx, s.Store)
	if err != nil {
		return nil, err
	}
	start := 0
	if before != "" {
		start = sort.Search(len(names), func(i int) bool { return names[i] < before })
	}
	end := min(start+perPage, len(names))
	l := &listing{Total: len(names), First: start + 1, Newer: start > 0}
	if end < len(names) {
		l.Older = names[end-1]
	}
	l.Runs, err = runs.LookAll(ctx, s.Store, names[start:end])
	return l, err
}

// address returns an address on this site. Each part becomes one segment of the path.
func address(parts ...string) string {
	to := ""
	for _, p := range parts {
		to += "/" + url.PathEscape(p)
	}
	return to
}

// under returns an address with parameters. pairs has names and values in turn. A parameter without a value is left
// out.
func under(path string, pairs ...string) string {
	query := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			query.Set(pair[0], pair[1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
