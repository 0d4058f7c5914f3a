package money

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/store"
)

// This file computes the money a second time, in another way: it decodes the stored objects itself, iterates over seats
// day by day, and adds up fractions. It shares only the names of the figures with the code that it checks.

// The type "object" is a stored object, decoded without the types of package money.
type object map[string]any

func (o object) text(name string) string { s, _ := o[name].(string); return s }

func (o object) time(t *testing.T, name string) (at time.Time) {
	t.Helper()
	if s := o.text(name); s != "" {
		var err error
		if at, err = time.Parse(time.RFC3339Nano, s); err != nil {
			t.Fatal(err)
		}
	}
	return at.UTC()
}

func objectsOf(t *testing.T, s store.Store, prefix string) map[string]object {
	t.Helper()
	all := map[string]object{}
	for key, err := range s.List(context.Background(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		raw, err := store.GetBytes(context.Background(), s, key, 1<<26)
		if err != nil {
			t.Fatal(err)
		}
		o := object{}
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.UseNumber()
		if err := decoder.Decode(&o); err != nil {
			t.Fatal(err)
		}
		all[key] = o
	}
	return all
}

type second struct {
	t    *testing.T
	now  time.Time
	said map[string][]statement         // what runs said about the price and renewal of each license, oldest first
	sums map[string]map[string]*big.Rat // by row, and then by the name of the figure
}

type statement struct {
	from, renews time.Time
	price        *big.Rat
}

func exactly(t *testing.T, number any) *big.Rat {
	t.Helper()
	n, given := number.(json.Number)
	if !given {
		return new(big.Rat)
	}
	r, valid := new(big.Rat).SetString(n.String())
	if !valid {
		t.Fatalf("%v is no number", number)
	}
	return r
}

// The method "price" returns the price of a license on a day. Each run states a price (c.said). The statement of the
// last run that began by the end of the day counts.
func (c *second) price(license string, day time.Time) *big.Rat {
	r, end := new(big.Rat), day.AddDate(0, 0, 1)
	for i, said := range c.said[license] {
		if i == 0 || said.from.Before(end) {
			r = said.price
		}
	}
	return r
}

// The method "renewal" returns the first renewal of a license at or after the time "freed", or zero if it is unknown.
// Each run may state another renewal date (c.said). The newest statement counts, until the stated date has come.
func (c *second) renewal(license string, freed time.Time) (at time.Time) {
	begin := 0 // the first statement that counts
	for i, said := range c.said[license] {
		if said.from.Format(time.DateOnly) <= freed.Format(time.DateOnly) {
			begin = i
		}
	}
	for i, said := range c.said[license] {
		switch {
		case i < begin:
		case !at.IsZero() && !said.from.Before(at):
			return at
		case !said.renews.IsZero() && !said.renews.Before(freed):
			at = said.renews
		}
	}
	return at
}

func (c *second) add(month time.Time, license string, payer any, figure string, amount *big.Rat) {
	department, center := "unknown", "unknown"
	if p, given := payer.(map[string]any); given {
		if d, given := p["department"].(string); given {
			department = d
		}
		if cc, given := p["costCenter"].(string); given {
			center = cc
		}
	}
	row := fmt.Sprintf("%s %s %q %q", month.Format("2006-01"), license, department, center)
	if c.sums[row] == nil {
		c.sums[row] = map[string]*big.Rat{}
	}
	if c.sums[row][figure] == nil {
		c.sums[row][figure] = new(big.Rat)
	}
	c.sums[row][figure].Add(c.sums[row][figure], amount)
}

// The method "seat" adds the figures of one license of one person. The argument "entries" has the ledger entries of
// this license, oldest first. The argument "done" has the completions, each by the key of its entry.
func (c *second) seat(entries []object, done map[string]object) {
	var taken object // the change that took the license; nil while the person has the license
	var since time.Time
	for _, e := range entries {
		began := e.time(c.t, "at")
		if began.After(c.now) {
			continue
		}
		outcome, ended := "open", done[e.text("key")].time(c.t, "at")
		if !ended.IsZero() && !ended.After(c.now) {
			outcome = done[e.text("key")].text("outcome")
		}
		if e.text("back") != "" {
			if taken != nil && outcome != "failed" && outcome != "rolled back" {
				c.free(taken, since, began)
				taken = nil
			}
			continue
		}
		if taken != nil { // the person held the license again, but nobody recorded a restore
			if seen := e.time(c.t, "heldSince"); seen.After(since) {
				c.free(taken, since, seen)
			} else {
				c.free(taken, since, since)
			}
			taken = nil
		}
		if outcome == "done" {
			taken, since = e, ended
		}
	}
	if taken != nil {
		c.free(taken, since, time.Time{})
	}
}

// The method "free" adds the figures of a seat that was free between the times "from" and "until".
func (c *second) free(e object, from, until time.Time) {
	license, other, payer := e.text("license"), e.text("to"), e["payer"]
	saves := e.text("savesNothing") == ""
	today := c.now.Truncate(24 * time.Hour)
	price := func(day time.Time) *big.Rat { return c.price(license, day) }
	if payer == nil { // an older version wrote the entry
		recorded := exactly(c.t, e["monthlySaving"])
		saves, other, price = recorded.Sign() > 0, "", func(time.Time) *big.Rat { return recorded }
	}
	firstOf := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }
	one, minus := big.NewRat(1, 1), func(r *big.Rat) *big.Rat { return new(big.Rat).Neg(r) }
	renewal := c.renewal(license, from)
	if saves {
		c.add(firstOf(from), license, payer, "freed", price(today))
		c.add(firstOf(from), license, payer, "seats freed", one)
		if !until.IsZero() {
			c.add(firstOf(until), license, payer, "returned", price(today))
			c.add(firstOf(until), license, payer, "seats returned", one)
		}
		if until.IsZero() && renewal.After(today) {
			c.add(firstOf(c.now), license, payer, "waiting", price(today))
		}
	}
	if other != "" {
		p := c.price(other, today)
		c.add(firstOf(from), other, payer, "freed", minus(p))
		if !until.IsZero() {
			c.add(firstOf(until), other, payer, "returned", minus(p))
		}
	}
	for day := from.Truncate(24 * time.Hour); ; day = day.AddDate(0, 0, 1) {
		midnight := day.AddDate(0, 0, 1)
		if midnight.After(c.now) || !until.IsZero() && midnight.After(until) {
			return
		}
		share := big.NewRat(1, int64(firstOf(day).AddDate(0, 1, -1).Day()))
		if whole := !day.Before(from); saves && whole {
			part := new(big.Rat).Mul(price(day), share)
			switch {
			case renewal.IsZero():
				c.add(firstOf(day), license, payer, "unproven", part)
			case !day.Before(renewal):
				c.add(firstOf(day), license, payer, "saved", part)
				c.add(firstOf(day), license, payer, "days", one)
			}
		}
		if other != "" {
			p := c.price(other, day)
			c.add(firstOf(day), other, payer, "saved", minus(new(big.Rat).Mul(p, share)))
		}
	}
}

func secondly(t *testing.T, s store.Store, now time.Time) *second {
	t.Helper()
	c := &second{t: t, now: now, said: map[string][]statement{}, sums: map[string]map[string]*big.Rat{}}
	plans := objectsOf(t, s, "history/plans/")
	var keys []string
	for key, p := range plans {
		if !p.time(t, "asOf").After(now) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	if len(keys) > 0 {
		for _, p := range plans[keys[len(keys)-1]]["prices"].([]any) {
			o := object(p.(map[string]any))
			c.said[o.text("license")] = append(c.said[o.text("license")], statement{o.time(t, "from"), o.time(t, "renews"), exactly(t, o["monthlyPrice"])})
		}
	}
	entries, done := map[string][]object{}, map[string]object{}
	all := objectsOf(t, s, "ledger/")
	keys = nil
	for key := range all {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if intent, is := strings.CutSuffix(key, ".done.json"); is {
			done[intent] = all[key]
			continue
		}
		all[key]["key"] = strings.TrimSuffix(key, ".json")
		human := all[key].text("person") // the ledger may have one person under the SID and under an object id
		if sid := all[key].text("sid"); sid != "" {
			human = sid
		}
		human += "/" + all[key].text("license")
		entries[human] = append(entries[human], all[key])
	}
	for _, list := range entries {
		sort.SliceStable(list, func(i, j int) bool { return list[i].time(t, "at").Before(list[j].time(t, "at")) })
		c.seat(list, done)
	}
	return c
}

// The function "cents" returns r in cents. Half a cent is rounded away from zero.
func cents(r *big.Rat) Cents {
	if r == nil {
		return 0
	}
	text := r.FloatString(2)
	var c Cents
	if err := c.UnmarshalJSON([]byte(text)); err != nil {
		panic(err)
	}
	return c
}

func whole(r *big.Rat) int {
	if r == nil {
		return 0
	}
	return int(r.Num().Int64())
}

func (c *second) rows() map[string]Figures {
	all := map[string]Figures{}
	for row, f := range c.sums {
		all[row] = Figures{
			Freed: cents(f["freed"]), Returned: cents(f["returned"]), FreedNet: cents(f["freed"]) - cents(f["returned"]),
			Saved: cents(f["saved"]), Unproven: cents(f["unproven"]), Waiting: cents(f["waiting"]),
			SeatsFreed: whole(f["seats freed"]), SeatsNet: whole(f["seats freed"]) - whole(f["seats returned"]), SeatDays: whole(f["days"]),
		}
	}
	return all
}
