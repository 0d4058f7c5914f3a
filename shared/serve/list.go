package serve

import (
	"context"
	"net/url"
	"slices"
	"sort"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

const perPage = 25

type listing struct {
	Total int
	Runs  []*runs.Overview // newest first
	// First is the number of the first run of the page. The newest run has number 1.
	First int
	// Older is the name of the last run of this page, with which the reader requests the next page, or "" if there are
	// no older runs. Newer means that there are newer runs.
	Older string
	Newer bool
}

// listFrom returns one page of the list of runs. It begins with the newest run that is older than the run "before". If
// "before" is empty, it begins with the newest run of all. A page that begins after a run stays the same when new runs
// begin.
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
	l.Runs, err = runs.LookAll(ctx, s.Store, names[start:end], s.Clock.Now())
	return l, err
}

func address(parts ...string) string {
	to := ""
	for _, p := range parts {
		to += "/" + url.PathEscape(p)
	}
	return to
}

// The function "under" returns an address with parameters. The argument "pairs" has the names and the values in turn. A
// parameter with an empty value is left out.
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
