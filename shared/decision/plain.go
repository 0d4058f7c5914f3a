package decision

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// Screen makes it faster to read a partition. For most people, the columns of the snapshot settle the verdicts of all
// rules. Screen only counts such a person or, if a rule reclaims, builds a Person without evaluating the rules again. A
// row that the columns do not settle is open: its Person is built, and the rules are evaluated. The decisions are the
// same as without a Screen. A Screen is not safe for concurrent use.
type Screen struct {
	run   *Run
	judge *policy.Judge
	named keySet // keys of the accounts that the policy names by id, and of the accounts in the digest
	names prints // fingerprints of the names by which the policy lists people

	memory snapshot.Memory
	kept   [2][]known.Account // by source and row; only rows that are not open are valid

	membersMemory []known.Member
}

// Plain has the counts, verdicts and accounts of the people whose rows are not open (see Screen).
type Plain struct {
	People   int
	Tallies  []plan.Tally // by rule
	Outlooks []Outlook    // by rule
	Turning  []Turning

	verdicts [][]policy.Plain // by rule and row
	accounts [2][]known.Account
	members  []known.Member
}

// NewScreen returns a Screen for the run. The Judge evaluates the rules of the run.
func NewScreen(r *Run, judge *policy.Judge) *Screen {
	s := &Screen{run: r, judge: judge}
	for i := range r.History.All() {
		s.named.add(i.User)
		if sid := i.HolderSID(); sid != "" { // the person may have another id in Entra ID now
			s.named.add(sid)
		}
	}
	for account := range r.History.Sighted() {
		s.named.add(account)
	}
	for name := range r.Names().Keys() {
		s.names.add(name)
		s.named.add(name) // the name may be an id in Entra ID
		s.named.add(strings.ToUpper(name))
	}
	return s
}

// Read is like Run.Read, but h gets only the people whose rows are open or from whom a rule reclaims. The Plain counts
// all rows that are not open. With one exception: a verdict to reclaim is not yet counted as a holder or as an outcome,
// because that happens with the decision about the person. If the run cannot be screened, h gets everybody, and the
// Plain is empty.
func (s *Screen) Read(ctx context.Context, partition int, h *directory.Accounts) (*Plain, error) {
	r := s.run
	if !s.can() {
		return &Plain{}, r.Read(ctx, partition, h)
	}
	people, err := r.Manifest.OpenPeople(ctx, r.store, partition, &s.memory)
	if err != nil {
		return nil, err
	}
	p, err := s.plain(ctx, partition, people)
	if err != nil {
		return nil, err
	}
	if p.verdicts == nil { // every row is open
		return &p.Plain, r.putOpen(ctx, people, p.open, h)
	}
	return &p.Plain, p.put(ctx, h)
}

// The method "can" reports whether the run can be screened. The run must be for everybody and without --accept-feeds,
// with the table of people and with healthy sources. Active Directory may be absent. No group may have lost many
// members, or have been deleted and created again, and no hire dates may be lost. The groups in policy.GivingGroups must have been read. The last
// healthy readings must have the same number of partitions as the run, so that each partition has a single table of
// known accounts, and none of them may be newer than the snapshot.
func (s *Screen) can() bool {
	r := s.run
	if len(r.Manifest.People) == 0 || !r.Manifest.Derives() || r.Begin.User != "" || r.Begin.AcceptFeeds || len(r.Shrunk())+len(r.Remade())+r.HiresLost() > 0 {
		return false
	}
	if r.Feeds[directory.Entra].State != plan.Healthy || r.Feeds[directory.AD].State != plan.Healthy && r.Feeds[directory.AD].State != plan.Absent {
		return false
	}
	if len(r.newer()) > 0 {
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

// The function "recalls" reports whether the run r compares its accounts with the tables of known accounts of the run
// b.Run. The result is false if b is nil or incomplete, or if b was read after r.
func recalls(b *plan.Baseline, r *Run) bool {
	return b != nil && b.Run != "" && b.Partitions >= 1 && !b.Read.After(r.Begin.Read)
}

// The type "screening" has the data of one partition while a Screen works on it.
type screening struct {
	Plain
	*Screen
	people *snapshot.People
	keys   [2]*table.Column // known.KeyOf of the accounts, by source
	open   []bool
	states [2][]policy.AccountState
	past   [2]*lookup

	uses    map[directory.Signal]policy.Used
	reports map[int][]int32 // the rows that usage.Table.Find returned, by the index of the report
	failed  error           // the error of reading a column
}

func (s *Screen) plain(ctx context.Context, partition int, people *snapshot.People) (*screening, error) {
	p, crowd, err := s.prepare(ctx, partition, people)
	if err != nil || crowd == nil {
		return p, err
	}
	if err := p.addGrace(crowd); err != nil {
		return nil, err
	}
	found := s.judge.Screen(crowd, s.run.outlookEnd())
	p.open, p.verdicts = found.Open, found.Verdicts
	p.count(found)
	p.outlook(found)
	p.remember()
	return p, p.failed
}

// The method "prepare" compares the accounts with the tables of known accounts, and marks open rows. The returned Crowd
// has the columns that the rules read. It is nil if all people of the partition must be read singly.
func (s *Screen) prepare(ctx context.Context, partition int, people *snapshot.People) (*screening, *policy.Crowd, error) {
	p := &screening{Screen: s, people: people, open: make([]bool, people.Rows), uses: map[directory.Signal]policy.Used{}, reports: map[int][]int32{}}
	for source := range p.past {
		var err error
		if p.past[source], err = s.lookup(ctx, partition, directory.Source(source)); err != nil {
			return p.all(), nil, nil //nolint:nilerr // reading by rows opens the table again
		}
		p.states[source], s.kept[source] = make([]policy.AccountState, people.Rows), slices.Grow(s.kept[source][:0], people.Rows)[:people.Rows]
	}
	if err := errors.Join(p.look(), p.listed(), p.recall()); err != nil {
		return nil, nil, err
	}
	crowd := p.crowd()
	if !s.judge.CanScreen(crowd) {
		return p.all(), nil, p.failed
	}
	return p, crowd, nil
}

// The method "all" marks every row as open. The caller then reads all people singly, and opens the table of known
// accounts again. So an error of the table need not be returned here. If the store fails, that second reading fails,
// too. If the table is damaged or missing, or if a group was deleted and created again, that is no error.
func (p *screening) all() *screening {
	for row := range p.open {
		p.open[row] = true
	}
	return p
}

// The method "count" adds a tally for each rule. In it, a verdict to reclaim counts only in Asked and Empty. The other
// figures for such a person are counted with the decision about the person.
func (p *screening) count(found *policy.Screened) {
	for i, rule := range p.run.Policy.Rules {
		var of [policy.PlainVerdicts]int
		for _, v := range found.Verdicts[i] {
			of[v]++
		}
		kept := of[policy.PlainKeep] + of[policy.PlainNotAsked]
		p.Tallies = append(p.Tallies, plan.Tally{
			Rule: rule.Name, Holders: kept, Keep: kept, Asked: of[policy.PlainKeep] + of[policy.PlainReclaim], Empty: found.Empties(i),
		})
	}
}

func (p *screening) crowd() *policy.Crowd {
	c := &policy.Crowd{People: p.people.Rows, Accounts: p.states, Open: p.open, Field: p.field, Used: p.used}
	for _, r := range p.run.Manifest.Readings {
		c.Unreadable = append(c.Unreadable, r.Unreadable...)
	}
	for source := range c.Groups {
		column, lists := p.people.Groups(directory.Source(source))
		c.Groups[source], c.GroupLists[source] = policy.Column{Rows: column.Rows}, lists
	}
	column, paths := p.people.Licenses()
	c.Licenses, c.LicensePaths = policy.Column{Rows: column.Rows}, paths
	return c
}

// The method "field" reads the column of a field, when a condition first needs it. It returns false if the run has no
// such column, or if the column cannot be read.
func (p *screening) field(name string) (policy.Column, bool) {
	column := snapshot.FieldColumn(name)
	if !p.run.Manifest.Has(column) {
		return policy.Column{}, false
	}
	columns, err := p.people.Columns(column)
	if err != nil {
		p.failed = err
		return policy.Column{}, false
	}
	return policy.Column{Rows: columns[0].Rows, Words: columns[0].Words}, true
}

// The method "used" returns the last uses according to the usage report of a signal. It returns false if there is no
// such report, or if the signal is not healthy.
func (p *screening) used(s directory.Signal) (policy.Used, bool) {
	if u, done := p.uses[s]; done {
		return u, u.Last != nil
	}
	p.uses[s] = policy.Used{}
	if p.run.Feeds[s].Stale() != "" {
		return policy.Used{}, false
	}
	tables, err := p.run.usage()
	columns, failed := p.people.Columns(snapshot.NameKey, "entra_created")
	if err = errors.Join(err, failed); err != nil {
		p.failed = err
		return policy.Used{}, false
	}
	for i, t := range tables {
		if p.reports[i] == nil {
			p.reports[i] = t.Find(columns[0].Rows, columns[1].Rows, table.None)
		}
		if last, ok := t.Last(s, p.reports[i], columns[1].Rows, policy.Never, policy.None); ok {
			p.uses[s] = policy.Used{Last: last, Through: t.Through, Span: s.Horizon()}
		}
	}
	return p.uses[s], p.uses[s].Last != nil
}

// The method "look" finds out for each person which accounts exist (p.states). It marks a row as open if a fact about
// its accounts is in doubt.
func (p *screening) look() error {
	columns, err := p.people.Columns(snapshot.EntraKey, snapshot.ADKey, snapshot.Plain, snapshot.Anchors, "entra_on_premises_sync_enabled")
	if err != nil {
		return err
	}
	p.keys = [2]*table.Column{columns[0], columns[1]}
	plain, anchors, synced := columns[2].Rows, columns[3], columns[4].Rows
	fits := make([]bool, len(anchors.Words))
	for word, names := range anchors.Words {
		fits[word] = p.run.Policy.Anchor.Among(strings.Fields(names))
	}
	reading := &p.run.Manifest.Readings[directory.Entra]
	loose, adRead := len(reading.Loose)+reading.Unplaced > 0, p.run.Feeds[directory.AD].State == plan.Healthy
	entra, ad := p.states[directory.Entra], p.states[directory.AD]
	for row := range p.open {
		open := plain[row] != 1
		switch inEntra, inAD := columns[0].Rows[row] != table.None, columns[1].Rows[row] != table.None; {
		case inEntra && inAD:
			entra[row], ad[row] = policy.Here, policy.Here
			open = open || !adRead || anchors.Rows[row] == table.None || !fits[anchors.Rows[row]]
		case inEntra && synced[row] == 1:
			entra[row], ad[row] = policy.Here, policy.NotKnown
			open = open || adRead
		case inEntra:
			entra[row], ad[row] = policy.Here, policy.Nowhere
		case inAD:
			entra[row], ad[row] = policy.Nowhere, policy.Here
			open = open || !adRead || loose
		default:
			open = true
		}
		p.open[row] = open
	}
	return nil
}
