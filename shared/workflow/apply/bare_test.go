package apply

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestWhatARestoreReads: a restore reads the person's assignments. For a change in Active Directory, it also reads the
// account in Active Directory. An account that cannot be read does not count as gone.
func TestWhatARestoreReads(t *testing.T) {
	t.Parallel()
	const dora, egon = "S-1-5-21-4", "S-1-5-21-5"
	partial := &directory.PartialLogonError{Err: errDown}
	entra := func(via plan.Via) plan.Change { return plan.Change{User: "id-dora", SID: dora, Via: via} }
	inAD := plan.Change{User: egon, SID: egon, Via: plan.ADGroup}
	for name, tc := range map[string]struct {
		changes []plan.Change
		change  func(*bench)
		noAD    bool
		inEntra directory.Presence
		inAD    directory.Presence
		gone    bool
		why     string
		adError error
	}{
		"of Entra":                       {[]plan.Change{entra(plan.EntraGroup)}, nil, false, directory.Present, 0, false, "", nil},
		"of Active Directory":            {[]plan.Change{entra(plan.ADGroup)}, nil, false, directory.Present, directory.Present, false, "", nil},
		"of both":                        {[]plan.Change{entra(plan.EntraGroup), entra(plan.ADGroup)}, nil, false, directory.Present, directory.Present, false, "", nil},
		"of both, the other way":         {[]plan.Change{entra(plan.ADGroup), entra(plan.EntraGroup)}, nil, false, directory.Present, directory.Present, false, "", nil},
		"of Active Directory alone":      {[]plan.Change{inAD}, nil, false, 0, directory.Present, false, "", nil},
		"without a way":                  {[]plan.Change{{User: egon, SID: egon, Via: plan.EntraGroup}}, nil, false, 0, directory.Present, false, "", nil},
		"gone from Entra":                {[]plan.Change{entra(plan.EntraGroup)}, func(b *bench) { delete(b.entra.users, "id-dora") }, false, 0, directory.Present, false, "", nil},
		"gone from Entra, no SID":        {[]plan.Change{changeBo}, func(b *bench) { delete(b.entra.users, "id-bo") }, false, 0, 0, true, "the account is no longer in Entra ID", nil},
		"gone from Entra, AD not set up": {[]plan.Change{entra(plan.ADGroup)}, func(b *bench) { delete(b.entra.users, "id-dora") }, true, 0, 0, true, "the account is no longer in Entra ID", nil},
		"gone from Entra, AD down": {[]plan.Change{entra(plan.ADGroup)}, func(b *bench) {
			delete(b.entra.users, "id-dora")
			b.ad.fail = map[string]error{"ReadPerson " + dora: errDown}
		}, false, 0, 0, false, "", errDown},
		"gone from both":                    {[]plan.Change{entra(plan.ADGroup)}, func(b *bench) { delete(b.entra.users, "id-dora"); delete(b.ad.people, dora) }, false, 0, 0, true, "the account is no longer in Active Directory", nil},
		"made again in Entra":               {[]plan.Change{entra(plan.ADGroup)}, func(b *bench) { b.madeAgain() }, false, directory.Present, directory.Present, false, "", nil},
		"made again, and not found":         {[]plan.Change{entra(plan.ADGroup)}, func(b *bench) { b.madeAgain(); b.entra.fail = map[string]error{"FindPerson #1": errDown} }, false, 0, 0, false, "Entra ID could not be read: down", nil},
		"Entra is down":                     {[]plan.Change{entra(plan.EntraGroup)}, func(b *bench) { b.entra.fail = map[string]error{"ReadLicenses id-dora": errDown} }, false, 0, 0, false, "down", nil},
		"gone from Active Directory":        {[]plan.Change{entra(plan.ADGroup)}, func(b *bench) { delete(b.ad.people, dora) }, false, directory.Present, directory.NoAccount, false, "", nil},
		"gone from Active Directory, alone": {[]plan.Change{inAD}, func(b *bench) { delete(b.ad.people, egon) }, false, 0, 0, true, "the account is no longer in Active Directory", nil},
		"Active Directory is down":          {[]plan.Change{entra(plan.ADGroup)}, func(b *bench) { b.ad.fail = map[string]error{"ReadPerson " + dora: errDown} }, false, directory.Present, 0, false, "", errDown},
		"left out":                          {[]plan.Change{entra(plan.ADGroup)}, func(b *bench) { b.ad.leftOut = dora }, false, directory.Present, directory.Present, false, "", nil},
		"left out, alone":                   {[]plan.Change{inAD}, func(b *bench) { b.ad.leftOut = egon }, false, 0, directory.Present, false, "", nil},
		"down, alone":                       {[]plan.Change{inAD}, func(b *bench) { b.ad.fail = map[string]error{"ReadPerson " + egon: errDown} }, false, 0, 0, false, "", errDown},
		"down, of both":                     {[]plan.Change{entra(plan.ADGroup), entra(plan.EntraGroup)}, func(b *bench) { b.ad.fail = map[string]error{"ReadPerson " + dora: errDown} }, false, directory.Present, 0, false, "", errDown},
		"controllers were not asked":        {[]plan.Change{entra(plan.ADGroup)}, func(b *bench) { b.ad.fail = map[string]error{"ReadPerson " + dora: partial} }, false, directory.Present, directory.Present, false, "", nil},
		"of both, Entra answers the second": {[]plan.Change{entra(plan.EntraGroup), entra(plan.ADGroup)}, func(b *bench) { b.entra.fail = map[string]error{"ReadLicenses #1": errDown} }, false, directory.Present, directory.Present, false, "", nil},
		"the same, the other way":           {[]plan.Change{entra(plan.ADGroup), entra(plan.EntraGroup)}, func(b *bench) { b.entra.fail = map[string]error{"ReadLicenses #1": errDown} }, false, directory.Present, 0, false, "", nil},
		"gone between two readings": {[]plan.Change{inAD, inAD}, func(b *bench) {
			b.ad.people = map[string]*directory.ADUser{egon: b.ad.people[egon]}
			b.ad.vanishes = egon
		}, false, 0, 0, true, "the account is no longer in Active Directory", nil},
		"without Active Directory":        {[]plan.Change{entra(plan.ADGroup)}, nil, true, directory.Present, 0, false, "", nil},
		"without Active Directory, alone": {[]plan.Change{inAD}, nil, true, 0, 0, false, "the account is in Active Directory alone, which is not set up here", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.changes...)
			if tc.change != nil {
				tc.change(b)
			}
			if tc.noAD {
				b.Applier.AD = nil
			}
			all, err := b.jobOf(t).bare(t.Context(), tc.changes)
			if err != nil || len(all) != 1 {
				t.Fatalf("%+v, %v", all, err)
			}
			e := all[tc.changes[0].User]
			if e.gone != tc.gone || e.why != tc.why || !errors.Is(e.adError, tc.adError) || (e.adError == nil) != (tc.adError == nil) {
				t.Errorf("%+v", e)
			}
			if e.person == nil {
				if tc.inEntra+tc.inAD != 0 {
					t.Error("nobody was read")
				}
				return
			}
			if e.person.EntraState != tc.inEntra || (e.person.Entra != nil) != (tc.inEntra == directory.Present) || e.person.ADState != tc.inAD || (e.person.AD != nil) != (tc.inAD == directory.Present) {
				t.Errorf("in Entra %d, in Active Directory %d: %+v", e.person.EntraState, e.person.ADState, e.person)
			}
		})
	}
	b := newBench(t, changeBo)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	b.entra.fail = map[string]error{"ReadLicenses id-bo": context.Canceled}
	if _, err := b.jobOf(t).bare(ended, []plan.Change{changeBo}); !errors.Is(err, context.Canceled) {
		t.Errorf("the call has ended: %v", err)
	}
}

// TestUnprovenWayBack: the ledger alone does not prove that a license was restored. If a read is possible, the read
// decides.
func TestUnprovenWayBack(t *testing.T) {
	t.Parallel()
	const unproven = "the ledger says that it is restored, and reading does not show it"
	e3 := func(state string) *directory.EntraUser {
		return &directory.EntraUser{ID: "id-dora", Assignments: []directory.Assignment{{SKU: "sku-exo", State: "Active"}, {SKU: "sku-e3", State: state}}}
	}
	account := &directory.ADUser{SID: "S-1-5-21-4"}
	citrix := ledger.Intent{Person: "id-dora", License: "citrix", Via: "ad-group", Source: citrixDN, SourceGUID: citrixGUID}
	product := ledger.Intent{Person: "id-dora", License: "e3", Via: "direct", SKU: "sku-e3"}
	for name, tc := range map[string]struct {
		entry  ledger.Intent
		person directory.Person
		change func(*bench)
		want   string
		is     error
	}{
		"shown":                            {product, directory.Person{Entra: e3("Active")}, nil, "", nil},
		"not shown":                        {product, directory.Person{Entra: &directory.EntraUser{}}, nil, unproven, nil},
		"in error":                         {product, directory.Person{Entra: e3("Error")}, nil, unproven, nil},
		"nothing read of Entra":            {product, directory.Person{}, nil, "", nil},
		"a license that nobody names":      {ledger.Intent{License: "e5"}, directory.Person{Entra: e3("Error")}, nil, "", nil},
		"in the group":                     {citrix, directory.Person{AD: account}, nil, "", nil},
		"not in the group":                 {citrix, directory.Person{AD: account}, func(b *bench) { b.ad.in = members{} }, unproven, nil},
		"nothing read of Active Directory": {citrix, directory.Person{Entra: e3("Active")}, func(b *bench) { b.ad.in = members{} }, "", nil},
		"Active Directory is not set up":   {citrix, directory.Person{AD: account}, func(b *bench) { b.Applier.AD = nil }, "", nil},
		"the group is gone":                {citrix, directory.Person{AD: account}, func(b *bench) { b.ad.groups = map[string]directory.Group{"x": {}} }, "the group " + citrixDN + " cannot restore citrix", nil},
		"the group cannot be looked up":    {citrix, directory.Person{AD: account}, func(b *bench) { b.ad.fail = map[string]error{"FindGroup " + citrixDN: errDown} }, "", errDown},
		"membership cannot be read":        {citrix, directory.Person{AD: account}, func(b *bench) { b.ad.fail = map[string]error{"MemberOf #1": errDown} }, "", errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeDora)
			b.ad.at(citrixDN, citrixGUID, 900)
			if tc.change != nil {
				tc.change(b)
			}
			m := &move{job: b.jobOf(t), change: &plan.Change{User: "id-dora", License: tc.entry.License}, person: &tc.person}
			why, err := m.unproven(t.Context(), &ledger.Entry{Seq: 1, Intent: tc.entry})
			byGUID := "MemberOf " + directory.GroupByGUID(citrixGUID, "") + " S-1-5-21-4"
			if asked := strings.Join(b.ad.calls, "\n"); strings.Contains(asked, "MemberOf") != strings.Contains(asked, byGUID) {
				t.Errorf("the group is asked for by its name: %s", asked)
			}
			if (tc.want == "") != (why == "") || !strings.HasPrefix(why, tc.want) || !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Errorf("%q, %v; want %q, %v", why, err, tc.want, tc.is)
			}
		})
	}
}

// TestWhatTheLedgerHasLately: another run changed the license of a planned change. Apply refuses the planned change if
// the other change ended after the plan was made, or so recently that reads may not show it yet.
func TestWhatTheLedgerHasLately(t *testing.T) {
	t.Parallel()
	now := asOf.Add(time.Hour)
	for name, tc := range map[string]struct {
		at      time.Time // when the change ended
		o       ledger.Outcome
		created time.Time // when the plan was made
		want    runs.Status
		note    string
	}{
		"long before":                     {daysAgo(90), ledger.Failed, asOf, runs.Done, ""},
		"when the plan was made":          {asOf, ledger.Failed, asOf, runs.Done, ""},
		"a second later":                  {asOf.Add(time.Second), ledger.Failed, asOf, runs.Refused, "run other changed it after this plan was made; plan again"},
		"a moment ago, and planned since": {now.Add(-directory.Settling + time.Second), ledger.Failed, now, runs.Refused, "run other was at it a moment ago, and reads may not show that yet; plan again in some minutes"},
		"settled, and planned since":      {now.Add(-directory.Settling), ledger.Failed, now, runs.Done, ""},
		"announced a moment ago":          {now.Add(-time.Minute), ledger.Announced, now, runs.Done, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			b.plan(t, func(p *plan.Plan) { p.Changes, p.Created = []plan.Change{changeBo}, tc.created })
			e, err := ledger.In(b.Store).Begin(t.Context(), ledger.Intent{Person: "id-bo", License: "e3", To: "exo", Run: "other", Rule: "m365", Via: "direct", At: daysAgo(91)}, nil)
			if err == nil {
				err = ledger.In(b.Store).Complete(t.Context(), e, ledger.Completion{Outcome: tc.o, At: tc.at})
			}
			if err != nil {
				t.Fatal(err)
			}
			b.apply(t, tc.want, tc.note)
			if wrote := len(b.entra.writes()) > 0; wrote != (tc.want == runs.Done) {
				t.Errorf("wrote %v", b.entra.writes())
			}
		})
	}
}

// TestNothingIsBegunOfWhatCannotBeRead: if a read fails before the intent is written, apply writes neither to a
// directory nor to the ledger.
func TestNothingIsBegunOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]plan.Change{"by group": moveAnna, "directly": changeBo, "in Active Directory": freeDora} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := newBench(t, c)
			if _, err := whole.Apply(t.Context(), Request{Run: "run"}); err != nil {
				t.Fatal(err)
			}
			reads := func(calls []string) (n int) {
				for n < len(calls) && !strings.HasPrefix(calls[n], "AddMember") && !strings.HasPrefix(calls[n], "RemoveMember") && !strings.HasPrefix(calls[n], "ChangeLicenses") {
					n++
				}
				return n
			}
			for _, of := range []struct {
				calls []string
				fail  func(*bench, map[string]error)
			}{
				{whole.entra.calls, func(b *bench, f map[string]error) { b.entra.fail = f }},
				{whole.ad.calls, func(b *bench, f map[string]error) { b.ad.fail = f }},
			} {
				for _, call := range of.calls[:reads(of.calls)] {
					b := newBench(t, c)
					of.fail(b, map[string]error{call: errDown})
					r, err := b.Apply(t.Context(), Request{Run: "run"})
					if err == nil && (r.Results[0].Status != runs.Pending && r.Results[0].Status != runs.Kept || r.Results[0].Note == "") {
						t.Errorf("%s fails: %+v", call, r.Results)
					}
					b.wrote(t)
					b.logged(t, c, "")
				}
			}
		})
	}
}

// TestHolding: the ledger records only the products and groups of the change, and not everything that the person holds.
func TestHolding(t *testing.T) {
	t.Parallel()
	e3, exo, visio := directory.Assignment{SKU: "sku-e3", State: "Active", Updated: asOf}, directory.Assignment{SKU: "sku-exo", Group: "g-exo", State: "Error"}, directory.Assignment{SKU: "sku-visio", State: "Active"}
	without := func(a directory.Assignment) directory.Assignment { a.Updated = time.Time{}; return a }
	for name, tc := range map[string]struct {
		in   ledger.Intent
		want ledger.Holding
	}{
		"changed":                         {ledger.Intent{Via: "direct", SKU: "sku-e3", TargetSKU: "sku-exo"}, ledger.Holding{Assignments: []directory.Assignment{without(e3), exo}}},
		"removed":                         {ledger.Intent{Via: "direct", SKU: "sku-e3"}, ledger.Holding{Assignments: []directory.Assignment{without(e3)}}},
		"only the target":                 {ledger.Intent{Via: "direct", TargetSKU: "sku-exo"}, ledger.Holding{Assignments: []directory.Assignment{exo}}},
		"no product":                      {ledger.Intent{Via: "direct"}, ledger.Holding{}},
		"groups":                          {ledger.Intent{Via: "entra-group", Source: "g-e3", Target: "g-exo"}, ledger.Holding{InGroups: []string{"g-exo"}}},
		"the source alone":                {ledger.Intent{Via: "entra-group", Source: "g-exo"}, ledger.Holding{InGroups: []string{"g-exo"}}},
		"an account that is gone from AD": {ledger.Intent{Via: "ad-group", Source: citrixDN}, ledger.Holding{}},
	} {
		b := newBench(t, changeBo)
		b.entra.in["g-exo"] = []string{"id-bo"}
		m := b.moveOf(t, tc.in, e3, exo, visio)
		got, err := m.holding(t.Context(), &tc.in)
		if d := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
	for name, tc := range map[string]struct {
		in     members
		noAD   bool
		target string
		want   []string
		reads  int
	}{
		"in the source":                  {members{citrixDN: {"S-1-5-21-5"}}, false, liteDN, []string{citrixDN}, 2},
		"in both":                        {members{citrixDN: {"S-1-5-21-5"}, liteDN: {"S-1-5-21-5"}}, false, liteDN, []string{citrixDN, liteDN}, 2},
		"in the source, without target":  {members{citrixDN: {"S-1-5-21-5"}}, false, "", []string{citrixDN}, 1},
		"in none":                        {members{}, false, liteDN, nil, 2},
		"Active Directory is not set up": {members{citrixDN: {"S-1-5-21-5"}}, true, liteDN, nil, 0},
	} {
		b := newBench(t, freeEgon)
		b.ad.in = tc.in
		m := b.inAD(t, ledger.Intent{Target: tc.target})
		if tc.noAD {
			m.Applier = &Applier{Store: b.Store, Entra: b.entra, Now: b.Applier.Now}
		}
		for range 2 { // a call reads a group only once between its writes
			got, err := m.holding(t.Context(), &m.entry.Intent)
			if d := cmp.Diff(tc.want, got.InGroups, cmpopts.EquateEmpty()); d != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
			}
		}
		if n := b.ad.count["MemberOf"]; n != tc.reads {
			t.Errorf("%s: membership was read %d times, want %d", name, n, tc.reads)
		}
	}
	b := newBench(t, changeBo)
	b.entra.fail = map[string]error{"DirectGroups #1": errDown}
	if _, err := b.moveOf(t, ledger.Intent{}).holding(t.Context(), &ledger.Intent{Via: "entra-group", Source: "g-e3"}); !errors.Is(err, errDown) {
		t.Errorf("groups cannot be read: %v", err)
	}
}
