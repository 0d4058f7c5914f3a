package plain

import "testing"

func TestInStore(t *testing.T) {
	t.Parallel()
	const place = "an operator's store"
	quoted := ` --store 'an operator'\''s store'`
	for text, want := range map[string]string{
		"run R began it; `idleseat apply R` finishes it":  "run R began it; `idleseat apply R" + quoted + "` finishes it",
		"`idleseat run` says it; `idleseat restore`, too": "`idleseat run" + quoted + "` says it; `idleseat restore" + quoted + "`, too",
		"`idleseat apply R --store other`":                "`idleseat apply R --store other`",
		"`idleseat plan --aws S`":                         "`idleseat plan --aws S`",
		"`idleseat policy check F`":                       "`idleseat policy check F`", // this command has no store
		"`idleseat runsaway`, idleseat run":               "`idleseat runsaway`, idleseat run",
		"`idleseat apply R":                               "`idleseat apply R",
		"":                                                "",
	} {
		if got := InStore(text, place); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if got := InStore(text, ""); got != text {
			t.Errorf("%q without a store: %q", text, got)
		}
	}
}
