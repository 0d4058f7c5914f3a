package activedirectory

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

// BenchmarkEvidence reads 500 people, one by one, from two real controllers.
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
	d, err := New(Config{URLs: domain.URLs, Base: samba.PeopleOU, Bind: domain.Admin, PasswordFile: domain.PasswordFile, CAFile: domain.CAFile}, time.Now)
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

// BenchmarkListPeople reads 50,000 people from a real controller, and ldapsearch (package ldap-utils) reads the same
// people. The reported ratio is the median of this package's entries per second divided by that of ldapsearch.
func BenchmarkListPeople(b *testing.B) {
	if _, err := exec.LookPath("ldapsearch"); err != nil {
		b.Skip("SKIPPED: ldapsearch is not installed (package ldap-utils)")
	}
	const people = 50_000
	o := samba.Options{}
	for i := range people {
		name := fmt.Sprintf("p%05d", i)
		o.People = append(o.People, samba.Person{ADUser: directory.ADUser{
			DN: samba.DN(name, samba.PeopleOU), SAMAccount: name, Enabled: directory.Yes, LastLogonTimestamp: time.Now().AddDate(0, 0, -100),
		}})
	}
	domain := samba.Run(b, o)
	d, err := New(Config{URLs: domain.URLs, Base: samba.PeopleOU, Bind: domain.Admin, PasswordFile: domain.PasswordFile, CAFile: domain.CAFile}, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	var ours, theirs []float64 // entries per second
	for b.Loop() {
		start, n := time.Now(), 0
		if err := d.ListPeople(b.Context(), func(directory.ADUser) error { n++; return nil }); err != nil || n != people {
			b.Fatalf("%d people, %v", n, err)
		}
		ours = append(ours, people/time.Since(start).Seconds())
		start = time.Now()
		if n := ldapsearch(b.Context(), b, domain); n != people {
			b.Fatalf("ldapsearch found %d people", n)
		}
		theirs = append(theirs, people/time.Since(start).Seconds())
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	b.Logf("entries/s, ours: %.0f, ldapsearch: %.0f", ours, theirs)
	b.ReportMetric(ours[len(ours)/2], "entries/s")
	b.ReportMetric(theirs[len(theirs)/2], "ldapsearch-entries/s")
	b.ReportMetric(ours[len(ours)/2]/theirs[len(theirs)/2], "ratio")
}

func ldapsearch(ctx context.Context, b *testing.B, domain *samba.Domain) int {
	b.Helper()
	password, err := os.ReadFile(domain.PasswordFile)
	if err != nil {
		b.Fatal(err)
	}
	secret := filepath.Join(b.TempDir(), "password") // with the option -y, a newline at the end is part of the password
	if err := os.WriteFile(secret, bytes.TrimSpace(password), 0o600); err != nil {
		b.Fatal(err)
	}
	args := append([]string{
		"-LLL", "-H", domain.URLs[0], "-x", "-D", domain.Admin, "-y", secret, "-b", samba.PeopleOU,
		"-E", fmt.Sprintf("pr=%d/noprompt", pageSize), "(&" + isPerson + ")",
	}, personAttributes...)
	cmd := exec.CommandContext(ctx, "ldapsearch", args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), "LDAPTLS_CACERT="+domain.CAFile), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("ldapsearch: %v", err)
	}
	return bytes.Count(append([]byte("\n"), out...), []byte("\ndn:"))
}
