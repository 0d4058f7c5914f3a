package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	tenant = earlier.Tenant
	text   = earlier.Policy
)

var (
	asOf    = earlier.AsOf
	clock   = asOf.Add(time.Minute)
	errDown = errors.New("down")
)

// The type "evaluated" describes a run whose partitions have been evaluated.
type evaluated struct {
	text       string // text of the policy; empty: the constant "text"
	user       string
	scheduled  bool
	entra, ad  snapshot.Reading
	partitions [][]plan.Decision
	tallies    [2]plan.Tally // tallies of the first partition
	mailboxes  *snapshot.Mailboxes
	seats      [2]int          // seats of Exchange Online, bought and in use
	run        string          // empty: "run"
	taken      []ledger.Intent // licenses that earlier runs took and that were not restored
	history    string          // key of a digest that already exists
	consumed   int             // seats of E3 in use
	choice     *snapshot.Choice
	reports    []usage.Reading

	subscriptions *snapshot.Subscriptions
}

func healthy(s directory.Source) snapshot.Reading {
	return snapshot.Reading{Source: s, People: 100, Freshness: directory.Freshness{Sampled: 100, WithActivity: 90, Newest: asOf.Add(-time.Hour)}}
}

func quiet() evaluated {
	return evaluated{
		text: text, entra: healthy(directory.Entra), ad: healthy(directory.AD), partitions: make([][]plan.Decision, 1),
		tallies: [2]plan.Tally{{Rule: "m365", Holders: 100}, {Rule: "citrix", Holders: 100}},
	}
}

func (e evaluated) put(t *testing.T) store.Store {
	t.Helper()
	s := store.Store(&store.Memory{})
	e.putInto(t, s)
	return s
}

func (e evaluated) putInto(t *testing.T, s store.Store) {
	t.Helper()
	ctx, run := t.Context(), cmp.Or(e.run, "run")
	b := &snapshot.Begin{
		Run: run, Read: asOf, AsOf: asOf, Tenant: tenant, Tool: "v1", Policy: e.text, Partitions: len(e.partitions), User: e.user, Scheduled: e.scheduled,
		SKUs:      []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3", Consumed: e.consumed}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD", Enabled: e.seats[0], Consumed: e.seats[1]}},
		Mailboxes: e.mailboxes, Subscriptions: e.subscriptions, Choice: e.choice,
	}
	if err := snapshot.PutBegin(ctx, s, b); err != nil {
		t.Fatal(err)
	}
	m := &snapshot.Manifest{Run: run, Readings: [2]snapshot.Reading{e.entra, e.ad}, Reports: e.reports, History: e.history}
	book := ledger.In(s)
	for _, in := range e.taken {
		entry, err := book.Begin(ctx, in, nil)
		if err == nil {
			err = book.Complete(ctx, entry, ledger.Completion{Outcome: ledger.Done, At: in.At})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(e.taken) > 0 {
		var err error
		if m.History, err = history.MakeDigest(ctx, s, run, asOf); err != nil {
			t.Fatal(err)
		}
	}
	if err := snapshot.Seal(ctx, s, m); err != nil {
		t.Fatal(err)
	}
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		t.Fatal(err)
	}
	for n := range e.partitions {
		if err := r.Put(ctx, n, func(emit func(*plan.Decision) error) (decision.Summary, error) { return e.summary(n), e.emit(n, emit) }); err != nil {
			t.Fatal(err)
		}
	}
}

func (e evaluated) emit(n int, emit func(*plan.Decision) error) error {
	for i := range e.partitions[n] {
		if err := emit(&e.partitions[n][i]); err != nil {
			return err
		}
	}
	return nil
}

func (e evaluated) summary(n int) decision.Summary {
	if n > 0 {
		return decision.Summary{People: 50, Tallies: make([]plan.Tally, 2)}
	}
	return decision.Summary{People: 50, Tallies: e.tallies[:]}
}

// The function "reclaim" returns a decision to take E3 from a person who last signed in some days ago.
func reclaim(user string, days int) plan.Decision {
	return plan.Decision{
		User: user, UserPrincipalName: user + "@x.example", Rule: "m365", License: "e3", To: "exo", Outcome: policy.Reclaim,
		Reason: fmt.Sprintf("%d days", days), IdleSince: asOf.AddDate(0, 0, -days), Created: asOf.AddDate(-3, 0, 0), Via: plan.Direct,
	}
}

// brokenStore fails to put an object whose key ends with the text in the field "word".
type brokenStore struct {
	store.Store
	word string
}

func (s brokenStore) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	if strings.HasSuffix(key, s.word) {
		return errDown
	}
	return s.Store.Put(ctx, key, body)
}

func enforced(text string) string { return strings.Replace(text, "mode: review", "mode: enforce", 1) }

func putText(t *testing.T, s *Steps, key, text string) error {
	t.Helper()
	return store.PutBytes(t.Context(), s.Store, key, []byte(text))
}

func opened(t *testing.T, s store.Store) *decision.Run {
	t.Helper()
	r, err := decision.Open(t.Context(), s, "run")
	if err != nil {
		t.Fatal(err)
	}
	return r
}
