package apply

import (
	"slices"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestAnAbsenceEndsWhenTheAccountIsSeen: the account of an open change that has taken the license is missing on some
// days. The change ends only when the account is missing for 30 days without a break. The days of the first absence, and
// the days before it, do not count for the second.
func TestAnAbsenceEndsWhenTheAccountIsSeen(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		missing, seen []int // days after the license was taken
		last          int   // a further day on which the account is missing
		want          runs.Status
	}{
		"first missing after a month":    {nil, nil, 40, runs.Pending},
		"missing for 29 days":            {[]int{1}, nil, 30, runs.Pending},
		"missing for 30 days":            {[]int{1}, nil, 31, runs.Failed},
		"seen in between":                {[]int{1}, []int{2}, 40, runs.Pending},
		"the second absence of 30 days":  {[]int{1, 10}, []int{5}, 40, runs.Failed},
		"the second absence of 29 days":  {[]int{1, 10}, []int{5}, 39, runs.Pending},
		"the third absence, of one day":  {[]int{1, 10}, []int{5, 15}, 50, runs.Pending},
		"the third absence of 30 days":   {[]int{1, 10, 20}, []int{5, 15}, 50, runs.Failed},
		"seen, and never missing before": {nil, []int{1, 2}, 40, runs.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			b.apply(t, runs.Pending, "joined")
			b.follow()
			b.apply(t, runs.Pending, "left the source group")
			anna, taken := b.entra.users["id-anna"], b.now
			for day := range tc.last {
				switch {
				case slices.Contains(tc.missing, day):
					delete(b.entra.users, "id-anna")
				case slices.Contains(tc.seen, day):
					b.entra.users["id-anna"] = anna
					anna.Assignments = []directory.Assignment{{SKU: "sku-e3", Group: "g-e3", State: "Active"}, {SKU: "sku-exo", Group: "g-exo", State: "Active"}}
				default:
					continue
				}
				b.at(taken.AddDate(0, 0, day))
				b.apply(t, runs.Pending, "")
			}
			delete(b.entra.users, "id-anna")
			b.at(taken.AddDate(0, 0, tc.last))
			b.apply(t, tc.want, "no longer in Entra ID")
		})
	}
}

// TestARollbackOutlivesAnAbsence: the account in Active Directory is missing while a change is rolled back that may have
// taken the license. The license is given again when the account is back.
func TestARollbackOutlivesAnAbsence(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	b.ad.fail = map[string]error{"RemoveMember " + citrixDN + " guid-dora": errDown}
	b.apply(t, runs.Pending, "did not go through")
	b.ad.fail = nil
	if err := history.Stop(t.Context(), b.Store, "run", "id-dora", "later", b.now); err != nil {
		t.Fatal(err)
	}
	dora := b.ad.people[doraSID]
	for _, later := range []time.Duration{0, inBin - time.Second} {
		b.at(b.now.Add(later))
		delete(b.ad.people, doraSID)
		b.apply(t, runs.Pending, "in which the account may come back")
	}
	b.ad.people[doraSID] = dora
	b.apply(t, runs.Pending, "")
	b.lag()
	b.apply(t, runs.Kept, "")
	b.logged(t, freeDora, "given back")
}

// TestAnAbsenceInADirectoryThatIsNotAsked: a change in Active Directory has taken the license. The account is missing in
// Entra ID, and Active Directory is not set up. The change stays open, because nobody has asked Active Directory.
func TestAnAbsenceInADirectoryThatIsNotAsked(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	m := b.underWay(t, freeDora, plan.ADGroup)
	if _, _, err := m.ledger.Leave(t.Context(), m.entry, b.now); err != nil {
		t.Fatal(err)
	}
	m.person, m.Applier.AD = nil, nil
	for range 2 {
		if status, note := m.gone(t.Context(), goneFromEntra); status != troubled {
			t.Errorf("%s, %q", status, note)
		}
		b.now = b.now.Add(inBin)
	}
}

// TestAnAbsenceThatCannotBeStored: a mark of an absence cannot be read. The change stays open.
func TestAnAbsenceThatCannotBeStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	m := b.underWay(t, changeBo, plan.Direct)
	if _, _, err := m.ledger.Leave(t.Context(), m.entry, b.now); err != nil {
		t.Fatal(err)
	}
	m.person = nil
	m.ledger = ledger.In(blindStore{b.Store, "ledger/id-bo/e3/000001.entra-gone.json"})
	if status, note := m.gone(t.Context(), "gone"); status != troubled {
		t.Errorf("%s, %q", status, note)
	}
	b.logged(t, changeBo, "open")
}
