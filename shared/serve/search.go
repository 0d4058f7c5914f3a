package serve

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/snapshot"
)

const shownMatches = 100

type match struct {
	snapshot.Named
	rank int // 0 is the best
}

// Key returns the id of the person in the address of a page.
func (m *match) Key() string { return cmp.Or(m.ID, m.SID) }

// Shown returns the name of the person that the page shows.
func (m *match) Shown() string {
	return cmp.Or(m.DisplayName, m.UserPrincipalName, m.ADName, m.SAMAccountName, m.Key())
}

// The method "search" answers with the people in a snapshot who have a name that contains a text. If the text is the
// whole name of exactly one person, it redirects to the page of the person.
func (s *Site) search(a *asked) error {
	wanted := strings.TrimSpace(a.given("q"))
	found, total, run := []match(nil), 0, ""
	if wanted != "" {
		var err error
		if run, err = s.meant(a); err != nil {
			return err
		}
		if found, total, err = s.find(a.ctx(), run, wanted); err != nil {
			return err
		}
		if only := exact(found); only != nil {
			http.Redirect(a.w, a.r, under("/person", "user", only.Key(), "run", a.given("run")), http.StatusSeeOther)
			return nil
		}
	}
	return a.show(http.StatusOK, document(titled("serve.people"), "/people", a.given("run"), content("people", func(w *page.Words) any {
		return struct {
			*page.Words
			Wanted, Run string
			Named       string // the run that the address names; empty for the newest run
			Found       []match
			Total       int
		}{w, wanted, run, a.given("run"), found, total}
	})))
}

// The function "exact" returns the only person with rank 0, or nil if there is none or several.
func exact(found []match) (only *match) {
	for i := range found {
		if found[i].rank > 0 {
			continue
		}
		if only != nil && only.Key() != found[i].Key() {
			return nil
		}
		only = &found[i]
	}
	return only
}

func (s *Site) find(ctx context.Context, run, wanted string) (found []match, total int, err error) {
	b, err := snapshot.GetBegin(ctx, s.Store, run)
	if err != nil {
		return nil, 0, err
	}
	m, _, err := snapshot.GetManifest(ctx, s.Store, run)
	if err != nil {
		return nil, 0, err
	}
	done, err := s.wait(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	wanted = strings.ToLower(wanted)
	var memory snapshot.Memory
	for n := range b.Partitions {
		if err := ctx.Err(); err != nil {
			return nil, 0, fmt.Errorf("search in run %s: %w", run, err)
		}
		err := m.EachNamed(ctx, s.Store, n, &memory, func(p snapshot.Named) {
			if rank := rankOf(&p, wanted); rank >= 0 {
				total++
				found = append(found, match{apart(p), rank})
			}
		})
		if err != nil {
			return nil, 0, err
		}
		if len(found) > 10*shownMatches {
			found = best(found)
		}
	}
	return best(found), total, nil
}

// The function "apart" returns a copy of p whose texts have their own memory. The texts of p share the memory of the
// whole partition, and would keep it in use.
func apart(p snapshot.Named) snapshot.Named {
	for _, text := range [...]*string{&p.ID, &p.UserPrincipalName, &p.DisplayName, &p.Department, &p.EntraSID, &p.SID, &p.ADName, &p.SAMAccountName} {
		*text = strings.Clone(*text)
	}
	return p
}

// rankOf returns how well the names of a person match the text "wanted", which is in lower case: 0 for a whole name, 1
// for the beginning of a name or a whole display name, 2 for another part of a name, and -1 for no match. An id
// matches only as a whole.
func rankOf(p *snapshot.Named, wanted string) int {
	rank := -1
	for i, name := range [...]string{p.UserPrincipalName, p.ADName, p.SAMAccountName, p.DisplayName, p.ID, p.SID, p.EntraSID} {
		name = strings.ToLower(name)
		at := strings.Index(name, wanted)
		switch {
		case name == "" || at < 0:
		case name == wanted && i == 3 && rank != 0:
			rank = 1 // several people may have the same display name
		case name == wanted && i != 3:
			rank = 0
		case i > 3:
		case at == 0 && (rank < 0 || rank > 1):
			rank = 1
		case rank < 0:
			rank = 2
		}
	}
	return rank
}

// The function "best" sorts the matches, best first, and returns as many as a page shows.
func best(found []match) []match {
	slices.SortFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(strings.ToLower(a.Shown()), strings.ToLower(b.Shown())), cmp.Compare(a.Key(), b.Key()))
	})
	return found[:min(len(found), shownMatches)]
}
