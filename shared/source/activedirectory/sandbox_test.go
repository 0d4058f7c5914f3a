package activedirectory

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestSandbox: the simulated company must answer like a real directory.
func TestSandbox(t *testing.T) {
	t.Parallel()
	s, err := sandbox.Start(sandbox.Options{Users: 2500, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	e := env{
		config: Config{URLs: []string{s.ADURL}, Base: s.Base, Bind: s.Bind, PasswordFile: s.PasswordFile, CAFile: s.CAFile},
		domain: "CORP", others: []string{"DC1$"}, fresh: map[string]time.Time{},
		group: sandbox.CitrixGroup, writable: sandbox.CitrixGroup,
	}
	byDN := map[string]int{}
	e.rename = func(_ *testing.T, dn string) { s.Company.Rename(byDN[dn], `New, "name"`) }
	e.replace = func(_ *testing.T, dn string) { s.Company.Replace(byDN[dn]) }
	const within = "CN=Citrix Contractors,OU=Licenses," + sandbox.BaseDN
	for i := range s.Company.Size() {
		p := s.Company.Person(i)
		if p.AD == nil {
			continue
		}
		byDN[p.AD.DN] = i
		e.people = append(e.people, *p.AD)
		if p.LastLogon.After(p.AD.LastLogonTimestamp) {
			e.fresh[p.AD.SAMAccount] = p.LastLogon
		}
		switch {
		case slices.Contains(p.ADGroups, e.group):
			e.direct = append(e.direct, p.AD.SAMAccount)
		case slices.Contains(p.ADGroups, within):
			e.nested = append(e.nested, p.AD.SAMAccount)
		case len(e.outside) < 20:
			e.outside = append(e.outside, p.AD.SAMAccount)
		}
	}
	testDirectory(t, e)
}

// TestHasMembers: membership through a nested group counts.
func TestHasMembers(t *testing.T) {
	t.Parallel()
	s, err := sandbox.Start(sandbox.Options{Users: 100, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	const within = "CN=Citrix Contractors,OU=Licenses," + sandbox.BaseDN
	leave := func(group, dn string) {
		for i := range s.Company.Size() {
			if slices.Contains(s.Company.Person(i).ADGroups, dn) {
				s.Company.SetMember(i, group, false)
			}
		}
	}
	f, err := NewForest(Config{URLs: []string{s.ADURL}, Base: s.Base, Bind: s.Bind, PasswordFile: s.PasswordFile, CAFile: s.CAFile}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	is := func(when, dn string, want bool) {
		t.Helper()
		if got, err := f.HasMembers(t.Context(), dn, 1); got != want || err != nil {
			t.Errorf("%s: %s: %t, %v", when, dn, got, err)
		}
	}
	all := 0
	if err := f.ListMembers(t.Context(), within, false, func(string) error { all++; return nil }); err != nil {
		t.Fatal(err)
	}
	for least, want := range map[int]bool{all: true, all + 1: false} {
		if got, err := f.HasMembers(t.Context(), within, least); got != want || err != nil {
			t.Errorf("%d of %d members: %t, %v", least, all, got, err)
		}
	}
	is("at first", sandbox.CitrixGroup, true)
	is("at first", within, true)
	leave("Citrix Users", sandbox.CitrixGroup)
	is("only nested members", sandbox.CitrixGroup, true)
	leave("Citrix Contractors", within)
	is("nobody", sandbox.CitrixGroup, false)
	is("nobody", within, false)
	if _, err := f.HasMembers(t.Context(), "CN=None,"+sandbox.BaseDN, 1); !errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("no such group: %v", err)
	}
}
