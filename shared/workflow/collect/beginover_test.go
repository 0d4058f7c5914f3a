package collect

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func sealed(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	begin, p := b.begin(t), load(t, text)
	entra, err := b.ReadEntra(t.Context(), begin, p)
	if err != nil {
		t.Fatal(err)
	}
	ad, err := b.ReadAD(t.Context(), begin, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Seal(t.Context(), "run", entra, ad); err != nil {
		t.Fatal(err)
	}
	b.entra.calls, b.ad.calls = nil, nil
	return b
}

func TestAgain(t *testing.T) {
	t.Parallel()
	b := sealed(t)
	later, now := asOf.Add(time.Hour), clock.Add(2*time.Hour)
	other := strings.Replace(text, "days(90)", "days(9)", 1)
	in := Start{Run: "second", AsOf: later, Policy: load(t, other), Text: other}
	if err := BeginOver(t.Context(), b.Store, "run", in, "v2", now); err != nil {
		t.Fatal(err)
	}
	want, err := snapshot.GetBegin(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	want.Run, want.Copy, want.AsOf, want.Started, want.Tool, want.Policy = "second", "run", later, now, "v2", other
	got, err := snapshot.GetBegin(t.Context(), b.Store, "second")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("begin (-want +got):\n%s", d)
	}
	first, _, err := snapshot.GetManifest(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := snapshot.GetManifest(t.Context(), b.Store, "second")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first.Readings, second.Readings); d != "" || second.Run != "second" {
		t.Errorf("manifest of %s (-first +second):\n%s", second.Run, d)
	}
	if calls := append(b.entra.calls, b.ad.calls...); len(calls) > 0 {
		t.Errorf("the directories were asked: %q", calls)
	}
}

func TestAgainRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		old, new string // a part of the policy and its replacement
		want     string
	}{
		"another tenant":     {tenant, "99999999-2222-3333-4444-555555555555", "tenant"},
		"a product not read": {"SPE_E3", "SPE_E5", "SPE_E5"},
		"a license group not read": {
			"entra: LIC-EXO", "entra: LIC-Other", "does not know the group \"entra:LIC-Other\"",
		},
		"an exempt group not read": {
			"entra: LIC-Exempt", "entra: LIC-Other", "does not know the group \"entra:LIC-Other\"",
		},
		"a group known, its members not": {
			"entra: LIC-Exempt", "entra: LIC-E3", "does not hold the members of the group entra:LIC-E3",
		},
		"direct members read, all not": {
			"groups: [{entra: LIC-Exempt}]", `groups: [{ad: "` + citrixDN + `"}]`, "does not hold the members of the group ad:" + citrixDN,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := sealed(t)
			before := b.keys(t)
			changed := strings.Replace(text, tc.old, tc.new, 1)
			err := BeginOver(t.Context(), b.Store, "run", Start{Run: "second", AsOf: asOf, Policy: load(t, changed), Text: changed}, "v1", clock)
			if !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want ErrPolicy and %q", err, tc.want)
			}
			if d := cmp.Diff(before, b.keys(t)); d != "" {
				t.Errorf("objects (-before +after):\n%s", d)
			}
		})
	}
}

func TestAgainNeedsASnapshot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	again := func(s store.Store, old string, p *policy.Policy) error {
		return BeginOver(t.Context(), s, old, Start{Run: "second", AsOf: asOf, Policy: p, Text: text}, "v1", clock)
	}
	p := load(t, text)
	if err := again(b.Store, "run", p); !errors.Is(err, snapshot.ErrUnknownRun) {
		t.Errorf("no such run: %v", err)
	}
	b.begin(t)
	if err := again(b.Store, "run", p); !errors.Is(err, snapshot.ErrNone) {
		t.Errorf("a run that was not sealed: %v", err)
	}
	s := sealed(t)
	for _, word := range []string{"second/begin", "second/manifest"} {
		if err := again(brokenStore{s.Store, word}, "run", p); !errors.Is(err, errDown) {
			t.Errorf("%s cannot be written: %v", word, err)
		}
	}
}
