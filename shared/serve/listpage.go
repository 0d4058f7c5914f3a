package serve

import (
	"net/http"

	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/runs"
)

type runView struct {
	*page.Words
	*runs.Overview
	Done doneView
}

func (s *Site) list(a *asked) error {
	before := a.given("before")
	l, err := s.listFrom(a.ctx(), before)
	if err != nil {
		return err
	}
	d := document(titled("serve.runs"), "/", "", content("list", func(w *page.Words) any {
		view := struct {
			*page.Words
			*listing
			Location string
			Views    []runView
			Command  string // the page shows this command, which makes the first run
			Last     int
		}{w, l, s.Location, nil, s.Next("plan --policy policy.yaml"), l.First + len(l.Runs) - 1}
		for _, o := range l.Runs {
			view.Views = append(view.Views, runView{w, o, s.doneOf(w, o)})
		}
		return view
	}))
	if before == "" {
		now, err := s.newestState(l.Total, l.Runs)
		if err != nil {
			return err
		}
		s.follow(d, "/state", &now)
	}
	return a.show(http.StatusOK, d)
}
