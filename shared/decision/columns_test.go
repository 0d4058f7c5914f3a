package decision

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "answers" has the verdicts of all rules on people who are evaluated one by one, without columns. The key is
// the userPrincipalName without the domain.
type answers map[string][]policy.Verdict

func (r *Run) answers(judge *policy.Judge, h *directory.Accounts) answers {
	all := answers{}
	for p := range h.Join() {
		r.Met(p)
		for _, v := range judge.AskAll(p) {
			all[nameOf(p)] = append(all[nameOf(p)], v)
		}
	}
	return all
}

func nameOf(p *directory.Person) string {
	name, _, _ := strings.Cut(p.UserPrincipalName(), "@")
	return name
}

func (r *Run) sortedTable(t *testing.T, h *directory.Accounts, plain *Plain) *known.Partition {
	t.Helper()
	p, err := r.table(t.Context(), 0, h, plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range p.Accounts {
		slices.SortFunc(list, func(a, b known.Account) int { return cmp.Compare(a.Key, b.Key) })
	}
	slices.SortFunc(p.Members, func(a, b known.Member) int { return cmp.Compare(a.Key, b.Key) })
	return p
}

// The function "seenOf" returns Past.Seen by the id or SID of the account.
func seenOf(h *directory.Accounts) map[string]time.Time {
	all := map[string]time.Time{}
	for i := range h.Entra {
		all[h.Entra[i].ID] = h.Entra[i].Past.Seen
	}
	for i := range h.AD {
		all[h.AD[i].SID] = h.AD[i].Past.Seen
	}
	return all
}

// The method "byColumns" evaluates the only partition twice: by columns, and person by person. The verdicts, counts and
// tables must be equal. The result "open" has the names of the people on whom the columns do not settle the verdicts.
func (r *Run) byColumns(t *testing.T, screen *Screen, judge *policy.Judge) (open []string) {
	t.Helper()
	single, h := &directory.Accounts{}, &directory.Accounts{}
	if err := r.Read(t.Context(), 0, single); err != nil {
		t.Fatal(err)
	}
	want, seen := r.answers(judge, single), seenOf(single)
	wantTable := r.sortedTable(t, single, &Plain{})
	plain, err := screen.Read(t.Context(), 0, h)
	if err != nil {
		t.Fatal(err)
	}
	for id, at := range seenOf(h) {
		if !at.Equal(seen[id]) {
			t.Errorf("%s is seen since %s by columns, and since %s singly", id, at, seen[id])
		}
	}
	reclaimed := map[string][]int{}
	for p := range h.Join() {
		r.Met(p)
		if rules, settled := plain.Reclaimed(p); settled {
			reclaimed[nameOf(p)] = rules
		} else {
			open = append(open, nameOf(p))
		}
	}
	slices.Sort(open)
	tallies := make([]plan.Tally, len(plain.Tallies))
	people := 0
	for name, verdicts := range want {
		if _, is := slices.BinarySearch(open, name); is {
			continue
		}
		people++
		var takes []int
		for i, v := range verdicts {
			switch v.Outcome {
			case policy.Reclaim:
				takes = append(takes, i)
			case policy.Keep:
				tallies[i].Holders++
				tallies[i].Keep++
			case policy.NotHolder:
				continue
			default:
				t.Errorf("%s, rule %d: the columns settle the verdict, and the judge says %s", name, i, v.Outcome)
			}
			if v.Asked == directory.Yes {
				tallies[i].Asked++
			}
		}
		if !slices.Equal(takes, reclaimed[name]) {
			t.Errorf("%s: by columns the rules %v reclaim, and by the judge %v", name, reclaimed[name], takes)
		}
	}
	for i := range tallies {
		tallies[i].Rule, tallies[i].Empty = plain.Tallies[i].Rule, plain.Tallies[i].Empty
	}
	if d := gocmp.Diff(tallies, plain.Tallies, cmpopts.EquateEmpty()); d != "" || plain.People != people {
		t.Errorf("%d people are counted, want %d (-singly +columns):\n%s", plain.People, people, d)
	}
	if d := gocmp.Diff(wantTable, r.sortedTable(t, h, plain), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("the table (-singly +columns):\n%s", d)
	}
	return open
}

func (r *Run) screened(t *testing.T) []string {
	t.Helper()
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	screen := NewScreen(r, judge)
	open := r.byColumns(t, screen, judge)
	if again := r.byColumns(t, screen, judge); !slices.Equal(open, again) { // a Screen reuses its memory
		t.Errorf("read singly at first %v, and then %v", open, again)
	}
	return open
}

func namesOf(is func(name string, one resident) bool) (names []string) {
	for name, one := range residents() {
		if is(name, one) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// The columns of the tables settle the verdicts on a person only if nothing about the person is in doubt. Earlier runs
// may have left facts that are not in the columns. Then the Judge must evaluate the person.
func TestWhomTheColumnsSettle(t *testing.T) {
	t.Parallel()
	want := namesOf(func(_ string, one resident) bool { return one.open })
	if d := gocmp.Diff(want, columnTown(t).screened(t)); d != "" {
		t.Errorf("read singly (-want +got):\n%s", d)
	}
}

// In the first night, there is no earlier reading with facts that the columns lack. So the columns settle the verdicts
// on more people than in later nights.
func TestColumnsOfTheFirstNight(t *testing.T) {
	t.Parallel()
	want := namesOf(func(name string, one resident) bool {
		return one.open && one.before == nil && !strings.HasPrefix(name, "changed") && name != "sighted"
	})
	if d := gocmp.Diff(want, firstOf().seal(t).screened(t)); d != "" {
		t.Errorf("read singly (-want +got):\n%s", d)
	}
}

// If the run, a group or a directory is in doubt, the columns of the tables settle the verdicts of fewer people, and
// the Judge must evaluate more people.
func TestColumnsOfOtherNights(t *testing.T) {
	t.Parallel()
	key := directory.GroupRef{Source: directory.AD, Name: citrixDN}
	guid := func(id string) func(m *snapshot.Manifest) {
		return func(m *snapshot.Manifest) { m.Readings[directory.AD].Groups = map[string]string{key.Key(false): id} }
	}
	asEver := func(_ string, one resident) bool { return one.open }
	everybody := func(string, resident) bool { return true }
	for name, tc := range map[string]struct {
		first  func(w *world)
		second func(t *testing.T, r *Run)
		open   func(name string, one resident) bool
	}{
		"for one person":  {nil, func(_ *testing.T, r *Run) { r.Begin.User = "cloud@x.example" }, everybody},
		"nobody is asked": {func(w *world) { w.policy += "kinds: [guest]\n" }, nil, everybody},
		"an unread exemption": {func(w *world) {
			w.policy = strings.Replace(w.policy, "exempt: {", "exempt: {groups: [{entra: VIP}], ", 1)
		}, func(_ *testing.T, r *Run) {
			r.Manifest.Readings[directory.Entra].Unreadable = []string{directory.GroupRef{Name: "VIP"}.Key(false)}
		}, func(name string, one resident) bool { return one.open || name != "on-premises" }},
		"read at one instant": {nil, func(_ *testing.T, r *Run) { r.Begin.Read = r.History.Baselines[0].Read }, asEver},
		"anchored by an employee": {nil, func(t *testing.T, r *Run) {
			p, err := policy.Load("p", []byte("anchor: employeeID\n"+r.Begin.Policy))
			if err != nil {
				t.Fatal(err)
			}
			r.Policy = p
		}, func(name string, one resident) bool { return one.open || one.ad != nil && name != "on-premises" }},
		"a table of an older version": {nil, func(t *testing.T, r *Run) {
			editTable(t, r, func(table *known.Partition) {
				for i := range table.Accounts[directory.Entra] {
					table.Accounts[directory.Entra][i].Seen = 0
				}
			})
		}, asEver},
		"accounts were missed": {nil, func(t *testing.T, r *Run) {
			editTable(t, r, func(table *known.Partition) {
				table.Accounts[directory.Entra] = append(table.Accounts[directory.Entra], known.Account{Key: 1, Newest: [directory.ActivityDates]known.Second{5}, Seen: 3})
				for i := range table.Accounts[directory.Entra] {
					if k := &table.Accounts[directory.Entra][i]; k.Key == known.KeyOf("id-cloud") {
						k.Seen, k.Enabled, k.Missed = 0, 0, known.SecondOf(daysAgo(1))
					}
				}
			})
		}, func(name string, one resident) bool { return one.open || name == "cloud" }},
		"no rule about Active Directory": {func(w *world) { w.policy = withoutCitrix(w.policy) }, nil, func(name string, one resident) bool { return one.open && name != "new-member" }},
		"a loose account":                {nil, loosened(0), func(name string, one resident) bool { return one.open || strings.HasSuffix(name, "on-premises") }},
		"loose accounts":                 {nil, loosened(1), func(name string, one resident) bool { return one.open || strings.HasSuffix(name, "on-premises") }},
		"the group was made again":       {func(w *world) { w.manifest = guid("1") }, remade, everybody},
		"the group gets an id":           {nil, remade, asEver},
		"the group got another name": {func(w *world) { w.manifest = guid("2") }, func(t *testing.T, r *Run) {
			editTable(t, r, func(table *known.Partition) {
				before := table.Groups[0]
				table.Groups[0] = "ad:cn=former,dc=corp|2"
				for i := range table.Members {
					for _, k := range table.Accounts[directory.AD] {
						if table.Members[i].Key == known.MemberKey(k.Key, before) {
							table.Members[i].Key = known.MemberKey(k.Key, table.Groups[0])
						}
					}
				}
			})
			remade(t, r)
		}, asEver},
		"the table lacks the groups": {nil, withoutGroups, func(name string, one resident) bool { return one.open && name != "new-member" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := tc.first
			if first == nil {
				first = func(*world) {}
			}
			r := columnTown(t, first)
			if tc.second != nil {
				tc.second(t, r)
			}
			if d := gocmp.Diff(namesOf(tc.open), r.screened(t)); d != "" {
				t.Errorf("read singly (-want +got):\n%s", d)
			}
		})
	}
}

// The function "loosened" adds Entra accounts without a SID to the reading. Their Active Directory accounts may be in
// another partition. The id of one account is in the field Loose. The field Unplaced counts the others.
func loosened(more int) func(*testing.T, *Run) {
	return func(_ *testing.T, r *Run) {
		r.Manifest.Readings[directory.Entra].Loose, r.Manifest.Readings[directory.Entra].Unplaced = []string{"guid-loose"}, more
	}
}

// The function "remade" changes the objectGUID of the Citrix group in the second night.
func remade(_ *testing.T, r *Run) {
	m := *r.Manifest
	m.Readings[directory.AD].Groups = map[string]string{directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(false): "2"}
	r.Manifest = &m
}

// The function "withoutGroups" removes the groups and their members from the table of the first night. A policy without
// the section grace stores such a table.
func withoutGroups(t *testing.T, r *Run) {
	t.Helper()
	editTable(t, r, func(table *known.Partition) { table.Groups, table.Members = nil, nil })
}

func editTable(t *testing.T, r *Run, edit func(*known.Partition)) {
	t.Helper()
	table, err := known.Get(t.Context(), r.store, "run", 0)
	if err != nil {
		t.Fatal(err)
	}
	edit(table)
	if err := known.Put(t.Context(), r.store, "run", 0, table); err != nil {
		t.Fatal(err)
	}
}

func withoutCitrix(text string) string {
	rules, rest, _ := strings.Cut(text, "  - {name: citrix")
	_, rest, _ = strings.Cut(rest, "\n")
	return rules + rest
}

// Without Active Directory, a synced account without a SID is the only account of the person. So the columns also
// settle the verdicts on this person.
func TestColumnsWithoutActiveDirectory(t *testing.T) {
	t.Parallel()
	r := columnTown(t, func(w *world) {
		w.policy, w.ad, w.citrix, w.staff = withoutCitrix(w.policy), nil, nil, nil
		w.manifest = func(m *snapshot.Manifest) { m.Readings[directory.AD].Absent = true }
	})
	want := namesOf(func(name string, one resident) bool {
		return !strings.HasSuffix(name, "on-premises") && name != "synced-no-sid" && (one.open || one.ad != nil)
	})
	if d := gocmp.Diff(want, r.screened(t)); d != "" {
		t.Errorf("read singly (-want +got):\n%s", d)
	}
}

// The columns of a healthy usage report settle the verdicts on most people. The Judge must evaluate a person whom the
// report does not list, or whose last use is before the period of the report.
func TestColumnsOfAReport(t *testing.T) {
	t.Parallel()
	const key = "runs/run/usage/copilot"
	reading, object := reported(t, key)
	for name, tc := range map[string]struct {
		feed plan.Feed
		open func(name string, one resident) bool
	}{
		"healthy": {plan.Feed{State: plan.Healthy}, func(name string, one resident) bool {
			return one.open || !slices.Contains([]string{"cloud", "both", "busy-cloud", "on-premises"}, name)
		}},
		"unhealthy": {plan.Feed{State: plan.Unhealthy, Reason: "late"}, func(name string, _ resident) bool { return name != "on-premises" }},
	} {
		first := firstOf(func(w *world) {
			w.policy, w.manifest = withCopilot(t, w.policy), func(m *snapshot.Manifest) { m.Reports = []usage.Reading{reading} }
		}).seal(t)
		if err := store.PutBytes(t.Context(), first.store, key, object); err != nil {
			t.Fatal(err)
		}
		r := secondNight(t, first)
		r.Feeds[directory.CopilotUse] = tc.feed
		if d := gocmp.Diff(namesOf(tc.open), r.screened(t)); d != "" {
			t.Errorf("%s: read singly (-want +got):\n%s", name, d)
		}
	}
}
