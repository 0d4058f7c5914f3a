package money

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "nights" is a company in which licenses are taken and restored for many nights, at random.
type nights struct {
	t      *testing.T
	dice   *rand.Rand
	store  *store.Memory
	ledger *ledger.Ledger
	start  time.Time
	known  []history.Price // of all nights so far
	seats  []*seat
	twice  int // licenses taken under both keys of a person
}

// seat is one license of one person.
type seat struct {
	person, license, to string
	sid                 string
	joins               int // before this night, the key in the ledger is the SID; from then on, it is the object id
	payer               *directory.Payer
	last                *ledger.Entry
	free                bool      // whether the license was taken and not given back
	byHand              time.Time // the time at which a run saw that somebody else restored the license; zero if nobody did
	open                *ledger.Entry
	ends                int // the night in which the open change ends
}

var company = []struct {
	license, sku, to string
	price            int // approximate, in SEK
}{{"e3", "SPE_E3", "exo", 39}, {"exo", "EXCHANGESTANDARD", "", 4}, {"visio", "VISIOCLIENT", "", 15}, {"citrix", "", "", 18}}

func newNights(t *testing.T, seed uint64) *nights {
	s := &store.Memory{}
	w := &nights{t: t, dice: rand.New(rand.NewPCG(seed, 16)), store: s, ledger: ledger.In(s), start: time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)}
	text := func(list ...string) *string {
		if i := w.dice.IntN(len(list) + 1); i < len(list) {
			return &list[i]
		}
		return nil
	}
	for person := range 40 {
		payer := &directory.Payer{Department: text("Sales", "Legal", ""), CostCenter: text("1000", "2000")}
		if w.dice.IntN(8) == 0 {
			payer = nil // entries of older versions have no payer
		}
		sid, joins := "", 0
		if w.dice.IntN(4) > 0 {
			sid = fmt.Sprint("S-1-5-21-1-2-3-", 1000+person)
			joins = max(0, w.dice.IntN(300)-100)
		}
		for _, l := range company {
			w.seats = append(w.seats, &seat{person: fmt.Sprintf("p-%02d", person), license: l.license, to: l.to, payer: payer, sid: sid, joins: joins})
		}
	}
	return w
}

func (w *nights) night(n int) {
	at := w.start.AddDate(0, 0, n).Add(time.Duration(w.dice.IntN(24*3600)) * time.Second)
	run := snapshot.NewRun(at, [4]byte{byte(n), byte(n >> 8)})
	if w.dice.IntN(10) > 0 { // some nights have no run for everybody
		w.learn(n, run, at)
		w.remember(n, run, at)
		planned := &history.Planned{Run: run, AsOf: at, Touches: []history.Touch{}, Prices: w.known}
		if err := history.PutPlanned(context.Background(), w.store, planned, true); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, s := range w.seats {
		w.touch(n, run, at, s)
	}
}

// The method "remember" completes the snapshot of a night's run. In some nights it first calls Remember, which copies
// facts from the ledger into one object. The manifest then names this object.
func (w *nights) remember(n int, run string, at time.Time) {
	m := &snapshot.Manifest{Run: run}
	if w.dice.IntN(4) == 0 {
		var err error
		if m.Freed, err = Remember(context.Background(), w.store, run, at); err != nil || (m.Freed == "") != (len(w.ledgerKeys()) == 0) {
			w.t.Fatalf("night %d remembers %q, %v", n, m.Freed, err)
		}
	}
	if err := snapshot.Seal(context.Background(), w.store, m); err != nil {
		w.t.Fatal(err)
	}
}

func (w *nights) ledgerKeys() (keys []string) {
	for key := range w.store.Objects() {
		if strings.HasPrefix(key, "ledger/") {
			keys = append(keys, key)
		}
	}
	return keys
}

// The method "learn" gives the run of a night random prices and renewals.
func (w *nights) learn(n int, run string, at time.Time) {
	for _, l := range company {
		p := history.Price{License: l.license, SKU: l.sku, Run: run, From: at, Currency: "SEK", MonthlyPrice: float64(1000*l.price+w.dice.IntN(3000)) / 1000}
		if old := pricesOf(w.known, at)[l.license]; len(old) > 0 && w.dice.IntN(12) > 0 {
			p.MonthlyPrice = old[len(old)-1].MonthlyPrice
		}
		switch unread := w.dice.IntN(6) == 0; {
		case unread || l.license == "citrix":
			p.NotKnown = "not read"
		case l.license == "visio": // renews each month
			p.Renews = monthOf(at).AddDate(0, 1, 0)
		case n < 77: // renews each year
			p.Renews = time.Date(2026, 5, 1, 15, 30, 0, 0, time.UTC)
			if at.After(p.Renews) {
				p.Renews = p.Renews.AddDate(1, 0, 0)
			}
		default: // the contract has a new date
			p.Renews = time.Date(2026, 7, 15, 0, 0, 0, 0, time.UTC)
			if at.After(p.Renews) {
				p.Renews = p.Renews.AddDate(1, 0, 0)
			}
		}
		w.known = append(w.known, p)
	}
}

// The method "touch" changes a seat at random, or leaves it unchanged.
func (w *nights) touch(n int, run string, at time.Time, s *seat) {
	if n == s.joins && s.open == nil && s.free && w.dice.IntN(2) == 0 {
		s.free = false // somebody restores the license, and no run sees the restore
	}
	switch {
	case s.open != nil && n < s.ends:
	case s.open != nil:
		w.end(s, at)
	case w.dice.IntN(25) > 0:
	case s.free && w.dice.IntN(3) == 0: // somebody else restores the license, and a run sees the restore
		s.free, s.byHand = false, at
	case s.free:
		w.begin(n, run, at, s, true)
	default:
		w.begin(n, run, at, s, false)
	}
}

func (w *nights) begin(n int, run string, at time.Time, s *seat, back bool) {
	in := ledger.Intent{
		Person: s.person, SID: s.sid, License: s.license, Run: run, Rule: "idle", To: s.to, Via: string(plan.Direct), Payer: s.payer,
		At: at.Add(time.Duration(w.dice.IntN(7200)) * time.Second), MonthlySaving: float64(w.dice.IntN(5000)) / 100, HeldSince: s.byHand,
	}
	if w.dice.IntN(9) == 0 {
		in.SavesNothing, in.MonthlySaving = "the assignment is in error", 0
	}
	if n < s.joins {
		in.Person = s.sid
	}
	if back {
		taken := s.last.Intent
		in = taken
		in.Run, in.Rule, in.RestoreOf, in.At = run, plan.RestoreRule, taken.Run, at
	}
	last := s.last
	if last != nil && last.Person != in.Person {
		last, w.twice = nil, w.twice+1
	}
	e, err := w.ledger.Begin(context.Background(), in, last)
	if err != nil {
		w.t.Fatal(err)
	}
	s.open, s.ends = e, n+w.dice.IntN(4)
	if s.ends == n {
		w.end(s, at)
	}
}

func (w *nights) end(s *seat, at time.Time) {
	back := s.open.RestoreOf != ""
	outcome := []ledger.Outcome{ledger.Done, ledger.Done, ledger.Done, ledger.Done, ledger.Failed, ledger.RolledBack, ledger.Announced}[w.dice.IntN(7)]
	if back && outcome == ledger.Announced {
		outcome = ledger.Done
	}
	at = at.Add(2*time.Hour + time.Duration(w.dice.IntN(24*3600))*time.Second)
	if w.dice.IntN(20) == 0 {
		at = dayOf(at) // exactly at midnight
	}
	if at.Before(s.open.At) {
		at = s.open.At
	}
	if err := w.ledger.Complete(context.Background(), s.open, ledger.Completion{Outcome: outcome, At: at}); err != nil {
		w.t.Fatal(err)
	}
	if outcome == ledger.Done {
		s.free, s.byHand = !back, time.Time{}
	}
	s.last, s.open = s.open, nil
}
