package decision

import (
	"context"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// Screen reads partitions without making people of those whom columns show to be no
// holders or to keep what they hold, with nothing else to say of them. Most are such.
// Read reads everybody else, and anybody in doubt. So nobody's decision differs.
// It belongs to one goroutine.
type Screen struct {
	run   *Run
	judge *policy.Judge
	sieve *policy.Sieve
	users map[string]bool // ids and SIDs of people that the store knows something about
}

// Plain is what is known of people who were not made.
type Plain struct {
	People  int
	Tallies []plan.Tally // by rule

	accounts [2][]known.Account
	members  []known.Member
}

// NewScreen prepares it; judge asks the run's rules.
func NewScreen(r *Run, judge *policy.Judge) *Screen {
	s := &Screen{run: r, judge: judge, sieve: r.Names().Sieve(), users: map[string]bool{}}
	for i := range r.History.All() {
		s.users[i.User] = true
	}
	return s
}

// Read is Run.Read without the people who are plain.
func (s *Screen) Read(ctx context.Context, partition int, h *directory.Accounts) (*Plain, error) {
	r := s.run
	if !s.can() {
		return &Plain{}, r.Read(ctx, partition, h)
	}
	people, err := r.Manifest.ReadPeople(ctx, r.store, partition, r.columns)
	if err != nil {
		return nil, err
	}
	p := s.plain(ctx, partition, people)
	return &p.Plain, r.putOpen(ctx, people, p.open, h)
}

// putOpen puts people who are open into h.
func (r *Run) putOpen(ctx context.Context, people *snapshot.People, open []bool, h *directory.Accounts) error {
	var rows []int
	for row, is := range open {
		if is {
			rows = append(rows, row)
		}
	}
	r.Manifest.Put(h, people, rows)
	return r.addPast(ctx, h)
}

// can tells whether columns are enough in this run: both sources are as they should be,
// no operator overrules anything, and every partition has one table of known accounts.
func (s *Screen) can() bool {
	r := s.run
	if len(r.Manifest.People) == 0 || r.Begin.User != "" || r.Begin.AcceptFeeds || len(r.Emptied())+len(r.Remade()) > 0 {
		return false
	}
	if r.Feeds[directory.Entra].State != plan.Healthy || r.Feeds[directory.AD].State != plan.Healthy && r.Feeds[directory.AD].State != plan.Absent {
		return false
	}
	for _, b := range r.lastReadings() {
		if recalls(b, r) && b.Partitions != r.Begin.Partitions {
			return false
		}
	}
	for _, source := range []directory.Source{directory.Entra, directory.AD} {
		for _, key := range r.Policy.GivingGroups(source) {
			if slices.ContainsFunc(r.Manifest.Readings[:], func(of snapshot.Reading) bool { return slices.Contains(of.Unreadable, key) }) {
				return false
			}
		}
	}
	return true
}

// recalls tells that accounts are compared with what a reading left.
func recalls(b *plan.Baseline, r *Run) bool {
	return b != nil && b.Run != "" && b.Partitions >= 1 && !b.Read.After(r.Begin.Read)
}

// screening is one partition that is screened.
type screening struct {
	Plain
	*Screen
	people *snapshot.People
	open   []bool
	halves [2][]policy.AccountState
	past   [2]*lookup
	kept   [2][]known.Account // by source and row, of those who are not open
	entra  directory.EntraUser
	ad     directory.ADUser
}

func (s *Screen) plain(ctx context.Context, partition int, people *snapshot.People) *screening {
	p := &screening{Screen: s, people: people, open: make([]bool, people.Rows)}
	all := func() *screening { // everybody is asked alone, and meets the same errors
		for row := range p.open {
			p.open[row] = true
		}
		p.Plain = Plain{}
		return p
	}
	for source := range p.past {
		var err error
		if p.past[source], err = s.lookup(ctx, partition, directory.Source(source)); err != nil {
			return all()
		}
		p.halves[source], p.kept[source] = make([]policy.AccountState, people.Rows), make([]known.Account, people.Rows)
	}
	p.look()
	crowd := p.crowd()
	if !s.judge.CanScreen(crowd) {
		return all()
	}
	var verdicts [][]policy.Plain
	verdicts, p.open = s.judge.Screen(crowd)
	for i, rule := range s.run.Policy.Rules {
		tally := plan.Tally{Rule: rule.Name, Empty: s.judge.Empties(crowd, rule, verdicts[i])}
		for _, v := range verdicts[i] {
			switch v {
			case policy.PlainNotHolder:
				tally.Count(policy.NotHolder, directory.No)
			case policy.PlainKeep, policy.PlainNotAsked:
				tally.Count(policy.Keep, directory.Yes)
			}
			if v == policy.PlainKeep {
				tally.Asked++
			}
		}
		p.Tallies = append(p.Tallies, tally)
	}
	p.remember()
	return p
}

func (p *screening) crowd() *policy.Crowd {
	c := &policy.Crowd{People: p.people.Rows, Accounts: p.halves, Open: p.open, Unreadable: nil}
	for _, r := range p.run.Manifest.Readings {
		c.Unreadable = append(c.Unreadable, r.Unreadable...)
	}
	c.Field = func(name string) (policy.Column, bool) {
		column := p.people.FieldColumn(name)
		if column == nil {
			return policy.Column{}, false
		}
		return policy.Column{Rows: column.Rows, Words: column.Words}, true
	}
	for source := range c.Groups {
		column, lists := p.people.Groups(directory.Source(source))
		c.Groups[source], c.GroupLists[source] = policy.Column{Rows: column.Rows}, lists
	}
	column, paths := p.people.Licenses()
	c.Licenses, c.LicensePaths = policy.Column{Rows: column.Rows}, paths
	return c
}

// look finds out what is known of each row and opens those that are not simple.
func (p *screening) look() {
	text := func(name string) func(row int) string { return p.people.Column(name).Text }
	flag := func(name string) func(row int) bool {
		c := p.people.Column(name)
		return func(row int) bool { return c.Rows[row] == 1 }
	}
	var (
		ids, sids                               = p.people.Column("entra_id"), p.people.Column("ad_sid")
		clear, entraDoubt, adDoubt, synced      = flag("clear"), flag("entra_dates_in_doubt"), flag("ad_dates_in_doubt"), flag("entra_on_premises_sync_enabled")
		upn, name, userType, department, ofType = text("entra_user_principal_name"), text("entra_display_name"), text("entra_user_type"), text("entra_department"), text("entra_odata_type")
		parent, immutable, entraSAM, entraSID   = text("entra_identity_parent_id"), text("entra_immutable_id"), text("entra_sam_account_name"), text("entra_sid")
		guid, anchor, adSAM, adUPN, hidden      = text("ad_object_guid"), text("ad_consistency_guid"), text("ad_sam_account_name"), text("ad_user_principal_name"), text("ad_unreadable")
		employeeID, recipient                   = text("ad_employee_id"), text("ad_ms_exch_recipient_type_details")
		loose                                   = len(p.run.Manifest.Readings[directory.Entra].Loose)+p.run.Manifest.Readings[directory.Entra].Unplaced > 0
		adRead                                  = p.run.Feeds[directory.AD].State == plan.Healthy
		u, a                                    = &p.entra, &p.ad
	)
	for row := range p.open {
		inEntra, inAD := ids.Rows[row] != table.None, sids.Rows[row] != table.None
		if p.open[row] = !clear(row) || entraDoubt(row) || adDoubt(row) || hidden(row) != ""; p.open[row] {
			continue
		}
		who := directory.Person{}
		if inEntra {
			u.ID, u.UserPrincipalName, u.DisplayName, u.UserType, u.Department, u.Type, u.IdentityParentID, u.SID, u.SAMAccount, u.MailboxKind =
				ids.Text(row), upn(row), name(row), userType(row), department(row), ofType(row), parent(row), entraSID(row), entraSAM(row), ""
			p.run.KnowMailbox(u)
			who.Entra = u
			p.halves[directory.Entra][row] = policy.Here
		}
		if inAD {
			a.SID, a.GUID, a.ConsistencyGUID, a.SAMAccount, a.UserPrincipalName, a.EmployeeID, a.RecipientType =
				sids.Text(row), guid(row), anchor(row), adSAM(row), adUPN(row), employeeID(row), recipient(row)
			who.AD = a
			p.halves[directory.AD][row] = policy.Here
		}
		switch {
		case inEntra && inAD:
			id := immutable(row)
			p.open[row] = !adRead || (synced(row) || id != "") && !p.run.Policy.Anchor.Fits(id, a)
		case inEntra:
			p.open[row] = u.SID != "" || adRead && synced(row)
			p.halves[directory.AD][row] = policy.Nowhere
			if synced(row) {
				p.halves[directory.AD][row] = policy.NotKnown
			}
		case inAD:
			p.open[row] = !adRead || loose
			p.halves[directory.Entra][row] = policy.Nowhere
		default:
			p.open[row] = true
		}
		if kind, _ := who.Kind(); kind != directory.KindPerson || p.known(u, a, inEntra, inAD) || p.open[row] {
			p.open[row] = true
			continue
		}
		p.recall(row, inEntra, inAD)
	}
}

// known tells that the policy or the store may know the person.
func (p *screening) known(u *directory.EntraUser, a *directory.ADUser, inEntra, inAD bool) bool {
	if inEntra && (p.users[u.ID] || p.users[u.SID] || p.run.History.Sighting(u.ID) != nil || p.sieve.Holds(u.ID) ||
		p.sieve.Holds(u.UserPrincipalName) || p.sieve.Holds(u.SAMAccount) || p.sieve.Holds(u.SID)) {
		return true
	}
	return inAD && (p.users[a.SID] || p.sieve.Holds(a.SID) || p.sieve.Holds(a.UserPrincipalName) || p.sieve.Holds(a.SAMAccount))
}
