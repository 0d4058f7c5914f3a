package evaluate_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "town" is a set of random people. Some of them change from night to night.
type town struct {
	*rand.Rand
	entra []directory.EntraUser
	ad    []directory.ADUser
	in    map[string][]string // keys of groups, by the id or the SID of the member
	loose bool                // whether some Entra accounts have an immutable id but no SID

	reports map[string]*usage.Table // tables of the night before, by name
}

func (r *town) one(of ...string) string { return of[r.IntN(len(of))] }
func (r *town) rarely(n int) bool       { return r.IntN(n) == 0 }
func (r *town) day(most int) time.Time {
	return screenNow.Add(-time.Duration(r.IntN(most*86_400)) * time.Second)
}

func (r *town) dayOrNone(most int) time.Time {
	if r.rarely(6) {
		return time.Time{}
	}
	return r.day(most).Add(-time.Duration(r.IntN(2)) * 500 * time.Millisecond)
}

func newTown(r *rand.Rand, people int, queries []directory.Question, loose bool) *town {
	t := &town{Rand: r, loose: loose, in: map[string][]string{}, reports: map[string]*usage.Table{}}
	for i := range people {
		t.person(i, queries)
	}
	return t
}

func (r *town) person(i int, queries []directory.Question) {
	id, sid, guid := fmt.Sprint("id-", i), fmt.Sprint("S-1-5-21-1-2-3-", i), fmt.Sprint("guid-", i)
	u := directory.EntraUser{
		ID: id, UserPrincipalName: fmt.Sprintf("P%d@x.example", i), DisplayName: fmt.Sprint("Person ", i), UserType: "Member",
		Department: r.one("Sales", "HR", "legal", "Legal", "", "Größe"), EmployeeType: r.one("Employee", "EMPLOYEE", "Contractor", ""), EmployeeID: r.one("e-1", "e-2"),
		Mail: r.one("", "m@x.example"), Enabled: directory.Yes, Created: r.dayOrNone(500), LastInteractive: r.dayOrNone(200), LastNonInteractive: r.dayOrNone(150),
		LastSuccessful: r.dayOrNone(100), Synced: true, SID: sid, ImmutableID: guid, SAMAccount: fmt.Sprint("sam", i), UsageLocation: "NO",
	}
	u.Extension[0] = r.one("", "x", "X", "y")
	a := directory.ADUser{
		SID: sid, GUID: guid, SAMAccount: fmt.Sprint("sam", i), UserPrincipalName: u.UserPrincipalName, Title: r.one("", "Engineer", "Boss"),
		Enabled: directory.Yes, Created: r.dayOrNone(500), LastLogonTimestamp: r.dayOrNone(200),
	}
	if r.rarely(4) {
		u.Hired, u.PasswordChanged, a.Expires = r.day(300).AddDate(0, 0, 200), r.day(90), r.day(300).AddDate(0, 1, 0)
	}
	if r.rarely(12) {
		u.Enabled = directory.Flag(r.IntN(3))
		a.Enabled = directory.Flag(r.IntN(3))
	}
	for range r.IntN(3) {
		u.Assignments = append(u.Assignments, directory.Assignment{SKU: r.one("sku-e3", "sku-exo", "other"), State: r.one("Active", "Error"), Group: r.one("", "g"), Updated: r.day(30)})
	}
	inEntra, inAD := true, true
	switch r.IntN(30) {
	case 0, 1, 2, 3:
		inAD, u.Synced, u.SID, u.ImmutableID = false, false, "", ""
	case 4, 5, 6:
		inEntra = false
	case 7: // the account is out of the scope of the sync
		inAD = false
	case 8:
		a.GUID = "another"
	case 9:
		if r.loose {
			u.SID = ""
		}
	case 10:
		u.UserType = r.one("Guest", "guest")
	case 11:
		a.RecipientType, u.Type = r.one("", "4", "1"), r.one("", "#microsoft.graph.agentUser", "#microsoft.graph.user")
	case 12:
		u.SID = fmt.Sprint("S-1-5-21-1-2-3-", r.IntN(i+1))
	case 13:
		a.Unreadable = []string{r.one("lastLogonTimestamp", "title", "mS-DS-ConsistencyGuid", "primaryGroupID")}
	case 14:
		u.DatesInDoubt, a.DatesInDoubt = r.rarely(2), r.rarely(2)
	case 15:
		u.Synced = false
	case 17:
		inAD, u.SID, u.ImmutableID = false, "", ""
	case 18, 19: // holds nothing
		inAD, u.Synced, u.SID, u.ImmutableID, u.Assignments = false, false, "", "", nil
	case 16:
		a.ConsistencyGUID = guid
		a.GUID = "x"
	}
	for _, q := range queries {
		if most := map[bool]int{true: 2, false: 12}[q.Direct]; r.rarely(most) {
			member := map[directory.Source]string{directory.Entra: id, directory.AD: sid}[q.Ref.Source]
			r.in[member] = append(r.in[member], q.Ref.Key(q.Direct))
		}
	}
	if inEntra {
		r.entra = append(r.entra, u)
	}
	if inAD {
		r.ad = append(r.ad, a)
	}
}

// The method "sighted" returns the digest of an earlier run. For some accounts, it has activity dates that a call of
// apply read just before a change.
func (r *town) sighted(t *testing.T, at time.Time) *history.Digest {
	t.Helper()
	s := &store.Memory{}
	err := store.PutLines(t.Context(), s, "seen", func(emit func(any) error) error {
		if err := emit(map[string]any{"head": history.Digest{At: at}}); err != nil {
			return err
		}
		see := func(account string, newest [directory.ActivityDates]time.Time) error {
			if !r.rarely(8) {
				return nil
			}
			newest[0] = r.day(200)
			return emit(map[string]any{"sighting": directory.Sighting{Account: account, Newest: newest, At: at}})
		}
		for i := range r.entra {
			if err := see(r.entra[i].ID, r.entra[i].Activity()); err != nil {
				return err
			}
		}
		for i := range r.ad {
			if err := see(r.ad[i].SID, r.ad[i].Activity()); err != nil {
				return err
			}
		}
		return nil
	})
	digest, loadErr := history.Load(t.Context(), s, &snapshot.Manifest{History: "seen"})
	if err := errors.Join(err, loadErr); err != nil {
		t.Fatal(err)
	}
	return digest
}

func (r *town) sleep(queries []directory.Question) {
	for i := range r.entra {
		u := &r.entra[i]
		switch r.IntN(14) {
		case 0:
			u.LastInteractive = screenNow.Add(time.Duration(r.IntN(86_000)) * time.Second)
		case 1:
			u.LastSuccessful = r.dayOrNone(100)
		case 2:
			u.Enabled = directory.Flag(r.IntN(3))
		}
	}
	for i := range r.ad {
		a := &r.ad[i]
		switch r.IntN(14) {
		case 0:
			a.LastLogonTimestamp = r.dayOrNone(200)
		case 1:
			a.Enabled = directory.Flag(r.IntN(3))
		case 2:
			delete(r.in, a.SID)
		}
	}
	r.ad = slices.DeleteFunc(r.ad, func(directory.ADUser) bool { return r.rarely(20) })
	r.entra = slices.DeleteFunc(r.entra, func(directory.EntraUser) bool { return r.rarely(20) })
	for range 10 { // new people without dates; such a person may have the id of an earlier person
		n := 10_000 + r.IntN(1000)
		r.person(n, queries)
		u, a := &r.entra[len(r.entra)-1], &r.ad[len(r.ad)-1]
		u.LastInteractive, u.LastNonInteractive, u.LastSuccessful, a.LastLogonTimestamp = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	}
	for _, a := range r.ad {
		for _, q := range queries {
			if key := q.Ref.Key(q.Direct); q.Ref.Source == directory.AD && r.rarely(10) && !slices.Contains(r.in[a.SID], key) {
				r.in[a.SID] = append(r.in[a.SID], key)
			}
		}
	}
}

// The method "night" writes and seals a run about the town. If "absent" is true, Active Directory is not set up in
// this run.
func (r *town) night(t *testing.T, s store.Store, run string, read time.Time, text string, queries []directory.Question, absent bool) {
	t.Helper()
	m := &snapshot.Manifest{Run: run, Taken: read}
	b := &snapshot.Begin{Run: run, Started: read, Read: read, AsOf: read, Tenant: "11111111-2222-3333-4444-555555555555", Partitions: 2, Policy: text,
		SKUs: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}}}
	b.Mailboxes = &snapshot.Mailboxes{Kinds: map[string]string{"p7@x.example": "SharedMailbox", "p8@x.example": "UserMailbox", "p9@x.example": "of a later kind"}}
	r.report(t, s, m, text, read)
	for _, q := range queries {
		b.Members = append(b.Members, q.Ref.Key(q.Direct))
	}
	for _, src := range []directory.Source{directory.Entra, directory.AD} {
		if src == directory.AD && absent {
			m.Readings[src] = snapshot.Reading{Source: src, Absent: true}
			continue
		}
		w, err := snapshot.NewWriter(s, b, src, "1", read)
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.entra {
			if u := &r.entra[i]; src == directory.Entra {
				err = errors.Join(err, w.AddEntra(u))
				for _, key := range r.in[u.ID] {
					err = errors.Join(err, w.AddMember(key, u.ID, u.PartitionKey()))
				}
			}
		}
		for i := range r.ad {
			if a := &r.ad[i]; src == directory.AD {
				err = errors.Join(err, w.AddAD(a))
				for _, key := range r.in[a.SID] {
					err = errors.Join(err, w.AddMember(key, a.SID, a.SID))
				}
			}
		}
		if err == nil {
			m.Readings[src], err = w.Finish(t.Context())
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(snapshot.PutBegin(t.Context(), s, b), m.Weave(t.Context(), s, 2), snapshot.Seal(t.Context(), s, m)); err != nil {
		t.Fatal(err)
	}
}
