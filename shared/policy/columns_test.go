package policy

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The function "inColumns" puts people into a Crowd, as the tables of a snapshot do.
func inColumns(people []*directory.Person, signals ...directory.Signal) *Crowd {
	c := &Crowd{People: len(people), Open: make([]bool, len(people))}
	for source := range c.Accounts {
		c.Accounts[source] = make([]AccountState, len(people))
		for row, p := range people { // the zero value of AccountState is NotKnown
			c.Accounts[source][row] = map[directory.Presence]AccountState{directory.Present: Here, directory.NoAccount: Nowhere}[p.State(directory.Source(source))]
		}
		c.Groups[source] = Column{Rows: make([]int64, len(people))}
		for row, p := range people {
			c.Groups[source].Rows[row] = None
			var keys []string
			for _, key := range p.Memberships {
				if strings.HasPrefix(key, directory.Source(source).String()) {
					keys = append(keys, key)
				}
			}
			if len(keys) > 0 {
				c.Groups[source].Rows[row], c.GroupLists[source] = int64(len(c.GroupLists[source])), append(c.GroupLists[source], keys)
			}
		}
	}
	c.Field = func(name string) (Column, bool) { return fieldColumn(people, name) }
	c.Used = func(s directory.Signal) (Used, bool) {
		if !s.Reported() {
			panic("no report has the signal " + s.String())
		}
		u := Used{Last: make([]int64, len(people)), Through: endOf(people, s), Span: s.Horizon()}
		for row, p := range people {
			u.Last[row] = lastUseOf(p, s)
		}
		return u, slices.Contains(signals, s)
	}
	c.Licenses.Rows = make([]int64, len(people))
	for row, p := range people {
		c.Licenses.Rows[row] = None
		if p.Entra != nil && len(p.Entra.Assignments) > 0 {
			c.Licenses.Rows[row], c.LicensePaths = int64(len(c.LicensePaths)), append(c.LicensePaths, p.Entra.Assignments)
		}
	}
	inGraceColumns(c, people)
	return c
}

func endOf(people []*directory.Person, s directory.Signal) time.Time {
	for _, p := range people {
		if p.Entra == nil {
			continue
		}
		for _, use := range p.Entra.Uses {
			if use.Signal == s && !use.Through.IsZero() {
				return use.Through
			}
		}
	}
	return reportOf
}

func lastUseOf(p *directory.Person, s directory.Signal) int64 {
	if p.Entra == nil {
		return None
	}
	for _, use := range p.Entra.Uses {
		switch {
		case use.Signal != s:
		case use.Last.State == directory.Known:
			return use.Last.Time.UnixMicro()
		case use.Last.State == directory.None:
			return Never
		}
	}
	return None
}

func fieldColumn(people []*directory.Person, name string) (Column, bool) {
	f, ok := directory.FieldNamed(name)
	if !ok {
		return Column{}, false
	}
	if s, dated := f.Signal(); dated && s.Reported() {
		return Column{}, false // the dates of a report are no column of the people
	}
	c := Column{Rows: make([]int64, len(people))}
	for row, p := range people {
		v := f.Of(p)
		switch {
		case v.State != directory.Known:
			c.Rows[row] = None
		case f.Kind == directory.Date:
			c.Rows[row] = v.Time.UnixMicro()
		case f.Kind == directory.Bool:
			c.Rows[row] = map[bool]int64{true: 1}[v.Bool]
		default:
			if c.Rows[row] = int64(slices.Index(c.Words, v.Text)); c.Rows[row] < 0 {
				c.Rows[row], c.Words = int64(len(c.Words)), append(c.Words, v.Text)
			}
		}
	}
	return c, true
}

func inGraceColumns(c *Crowd, people []*directory.Person) {
	micros := func(t time.Time) int64 {
		if t.IsZero() {
			return None
		}
		return t.UnixMicro()
	}
	c.EnabledSince = func(s directory.Source, row int) int64 {
		switch since, enabled := people[row].EnabledSince(s); enabled {
		case directory.Unset:
			return Never
		case directory.Yes:
			return micros(since)
		}
		return None
	}
	c.MemberSince = func(s directory.Source, key string, row int) int64 { return micros(people[row].MemberSince(s, key)) }
	c.Changed = func() (Column, bool) {
		column := Column{Rows: make([]int64, len(people))}
		for row, p := range people {
			column.Rows[row] = None
			if p.Entra == nil || len(p.Entra.Assignments) == 0 {
				continue
			}
			var dates []string
			for _, a := range p.Entra.Assignments {
				if a.Updated.IsZero() {
					dates = append(dates, "-")
				} else {
					dates = append(dates, a.Updated.UTC().Format(time.RFC3339Nano))
				}
			}
			column.Rows[row], column.Words = int64(len(column.Words)), append(column.Words, strings.Join(dates, " "))
		}
		return column, true
	}
}

// The type "edges" makes random people. Most of their dates are at a limit of a rule, such as 60 days before noon, or a
// second or a few days before or after it.
type edges struct{ *rand.Rand }

// near works like around. Its arguments are days before noon.
func (e edges) near(days ...int) time.Time {
	var instants []time.Time
	for _, n := range days {
		instants = append(instants, noon.Add(-time.Duration(n)*day))
	}
	return e.around(instants...)
}

// around returns one of the instants, or a time close to it. In one of six calls, it returns the zero time.
func (e edges) around(instants ...time.Time) time.Time {
	if e.IntN(6) == 0 {
		return time.Time{}
	}
	off := []time.Duration{0, 0, time.Microsecond, -time.Microsecond, time.Second, -time.Second, 5 * day, -5 * day}
	return instants[e.IntN(len(instants))].Add(off[e.IntN(len(off))])
}

func (e edges) one(texts ...string) string { return texts[e.IntN(len(texts))] }

func (e edges) person() *directory.Person {
	u := &directory.EntraUser{
		ID: "a", UserPrincipalName: "a@x.example", UserType: "Member", Enabled: directory.Flag(e.IntN(3)), Created: e.near(14, 90, 180, 182, 400),
		LastInteractive: e.near(60, 45, 200), LastSuccessful: e.near(60, 90, 31), Department: e.one("Sales", "HR", "sales", ""), EmployeeType: e.one("Employee", "Contractor"),
	}
	u.Past.EnabledSince = e.near(7, 300)
	for range e.IntN(3) {
		u.Assignments = append(u.Assignments, directory.Assignment{SKU: e.one("e3", "exo", "other"), State: e.one("Active", "Error"), Updated: e.near(10, 30, 300)})
	}
	for _, s := range []directory.Signal{directory.TeamsUse, directory.ExchangeUse} {
		switch at := e.near(5, 30, 60, 182); e.IntN(4) {
		case 0:
			u.Uses = append(u.Uses, directory.Use{Signal: s, Last: directory.Value{State: directory.None}, Through: reportOf})
		case 1:
		default:
			if !at.IsZero() {
				u.Uses = append(u.Uses, directory.Use{Signal: s, Last: directory.Value{State: directory.Known, Time: at}, Through: reportOf})
			}
		}
	}
	a := &directory.ADUser{SID: "S-1", Enabled: directory.Flag(e.IntN(3)), Created: e.near(14, 90, 400), LastLogonTimestamp: e.near(60, 90, 30), Title: e.one("", "Boss")}
	a.Past.EnabledSince = e.near(7, 300)
	p := &directory.Person{Entra: u, AD: a, EntraState: directory.Present, ADState: directory.Present}
	citrix := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)
	if e.IntN(2) == 0 {
		p.Memberships = append(p.Memberships, citrix)
		if at := e.near(10, 30); !at.IsZero() {
			a.Past.MemberSince = map[string]time.Time{citrix: at}
		}
	}
	if e.IntN(5) == 0 {
		p.Memberships = append(p.Memberships, directory.GroupRef{Name: "VIP"}.Key(false), directory.GroupRef{Name: "Others"}.Key(false))
	}
	switch e.IntN(9) {
	case 3:
		p.Entra, p.EntraState = nil, directory.NotRead
		p.Memberships = slices.DeleteFunc(p.Memberships, func(key string) bool { return key != citrix })
	case 0:
		p.AD, p.ADState, p.Memberships = nil, directory.NoAccount, nil
	case 1:
		p.Entra, p.EntraState = nil, directory.NoAccount
		p.Memberships = slices.DeleteFunc(p.Memberships, func(key string) bool { return key != citrix })
	case 2:
		u.Synced = true
		p.AD, p.ADState, p.Memberships = nil, directory.NotRead, nil
	}
	return p
}
