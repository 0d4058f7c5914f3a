package serve

import (
	"fmt"
	"net/http"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/policy/words"
	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/snapshot"
)

func (s *Site) policyOf(a *asked, run string) (*snapshot.Begin, *policy.Policy, error) {
	b, err := snapshot.GetBegin(a.ctx(), s.Store, run)
	if err != nil {
		return nil, nil, err
	}
	p, err := policy.LoadKept("policy of run "+run, []byte(b.Policy))
	return b, p, err
}

func (s *Site) policy(a *asked) error {
	run, err := s.meant(a)
	if err != nil {
		return err
	}
	b, p, err := s.policyOf(a, run)
	if err != nil {
		return err
	}
	said := map[page.Lang]*words.Text{}
	for lang, in := range map[page.Lang]words.Language{page.English: words.English, page.Swedish: words.Swedish} {
		if said[lang], err = words.Policy(in, p, s.Clock.Now()); err != nil {
			return fmt.Errorf("policy of run %s: %w", run, err)
		}
	}
	return a.show(http.StatusOK, document(titled("serve.policy"), "/policy", a.given("run"), content("policy", func(w *page.Words) any {
		return struct {
			*page.Words
			*words.Text
			Begin *snapshot.Begin
		}{w, said[w.Lang], b}
	})))
}
