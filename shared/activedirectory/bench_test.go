package activedirectory

import (
	"fmt"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/sandbox/samba"
)

// BenchmarkEvidence reads 500 people afresh, one after the other, from two real
// controllers.
func BenchmarkEvidence(b *testing.B) {
	const people = 500
	o := samba.Options{Replicating: true}
	for i := range people {
		name := fmt.Sprintf("p%03d", i)
		o.People = append(o.People, samba.Person{ADUser: directory.ADUser{
			DN: samba.DN(name, samba.PeopleOU), SAMAccount: name, Enabled: directory.Yes, LastLogonTimestamp: time.Now().AddDate(0, 0, -100),
		}})
	}
	domain := samba.Run(b, o)
	d, err := New(Config{URLs: domain.URLs, Base: samba.PeopleOU, Bind: domain.Admin, PasswordFile: domain.PasswordFile, CAFile: domain.CAFile})
	if err != nil {
		b.Fatal(err)
	}
	var sids []string
	if err := d.ListPeople(b.Context(), func(u directory.ADUser) error { sids = append(sids, u.SID); return nil }); err != nil || len(sids) != people {
		b.Fatalf("%d people, %v", len(sids), err)
	}
	for b.Loop() {
		for _, sid := range sids {
			if _, err := d.ReadPerson(b.Context(), sid); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N*people)*1000, "ms/person")
}
