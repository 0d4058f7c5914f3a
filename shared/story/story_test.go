package story_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/story"
)

var update = flag.Bool("update", false, "write the golden stories")

type tale struct {
	title string
	user  string
	d     story.Detail
}

// The variable "each" lists simulated stores, called worlds. They differ in what the run was able to read. Each world
// has a list of the people whose stories the test checks.
var each = []struct {
	name  string
	world func(*testing.T) store.Store
	tales []tale
}{
	{"a good night", goodNight, []tale{
		{"kept, two licenses", "kept", story.Detail{}},
		{"kept, every value", "kept", story.Detail{Values: true}},
		{"kept: the rule does not ask", "contractor", story.Detail{}},
		{"never signed in", "never", story.Detail{}},
		{"never signed in, and new", "fresh", story.Detail{}},
		{"idle, on premises", "idle", story.Detail{}},
		{"first announced, now due", "announced", story.Detail{}},
		{"taken long ago", "taken", story.Detail{}},
		{"taken after the run read", "justtaken", story.Detail{}},
		{"taken, every change", "taken", story.Detail{Past: true}},
		{"pending", "pending", story.Detail{}},
		{"restored, and used since", "used", story.Detail{}},
		{"cooling down", "cooling", story.Detail{}},
		{"cooling down, every change", "cooling", story.Detail{Past: true}},
		{"restored by another hand", "again", story.Detail{}},
		{"restored after the run read", "justback", story.Detail{}},
		{"returned, to be restored", "returned", story.Detail{}},
		{"rolled back and tried again", "rolled", story.Detail{}},
		{"exempt by name", "breakglass", story.Detail{}},
		{"exempt by leave", "anna", story.Detail{}},
		{"exempt by group", "member", story.Detail{}},
		{"exempt by condition", "ceo", story.Detail{}},
		{"guest", "guest", story.Detail{}},
		{"agent", "agent", story.Detail{}},
		{"shared mailbox", "shared", story.Detail{}},
		{"service account", "service", story.Detail{}},
		{"refused: two ways", "twoways", story.Detail{}},
		{"refused: another group", "othergroup", story.Detail{}},
		{"refused: no usage location", "nolocation", story.Detail{}},
		{"undecided: date in the future", "future", story.Detail{}},
		{"undecided: account missing in Active Directory", "missing", story.Detail{}},
		{"undecided: hidden attribute", "hidden", story.Detail{}},
		{"undecided: empty text", "nosite", story.Detail{}},
		{"undecided: no account in Active Directory", "cloudonly", story.Detail{}},
		{"undecided: two accounts with one SID", "twin1", story.Detail{}},
		{"undecided: hidden attribute, every value", "hidden", story.Detail{Values: true}},
		{"damaged ledger", "damaged", story.Detail{}},
		{"holds nothing", "nothing", story.Detail{}},
		{"in no snapshot", "id-gone", story.Detail{}},
		{"hostile names", "hostile", story.Detail{}},
	}},
	{"Active Directory was not read", func(t *testing.T) store.Store {
		return goodNightBut(t, nil, func(m *snapshot.Manifest) { m.Readings[directory.AD].Failed = "no domain controller answered" })
	}, []tale{{"undecided: source not read", "kept", story.Detail{}}}},
	{"the exempt group cannot be read", func(t *testing.T) store.Store {
		key := directory.GroupRef{Source: directory.Entra, Name: "LIC-Exempt"}.Key(false)
		return goodNightBut(t, func(b *snapshot.Begin) { b.Groups[2].Unreadable = "Graph answered 403" }, func(m *snapshot.Manifest) {
			m.Readings[directory.Entra].Unreadable = []string{key}
		})
	}, []tale{{"undecided: exempt group", "never", story.Detail{}}}},
	{"a policy that asks more", func(t *testing.T) store.Store {
		return goodNightBut(t, func(b *snapshot.Begin) {
			b.Policy = strings.NewReplacer(
				"{neverSignedIn: 14}", "{neverSignedIn: 14, newHolder: 30}\nkinds: [person, agent]", "site: ad", "teams: m365.teams, site: ad",
				"rules:\n", "rules:\n  - {name: teams-idle-30, license: visio, for: teams.earlierThan(now - days(30)), when: created.value() < now - days(90), then: remove}\n",
			).Replace(b.Policy)
		}, nil)
	}, []tale{
		{"undecided: an agent's sign-ins", "agent", story.Detail{}},
		{"undecided: held for an unknown time", "heldsince", story.Detail{}},
		{"undecided: report not read", "announced", story.Detail{}},
		{"undecided: no creation date", "uncreated", story.Detail{}},
	}},
	{"the group is dynamic", func(t *testing.T) store.Store {
		return goodNightBut(t, func(b *snapshot.Begin) { b.Groups[0].Dynamic = true }, nil)
	}, []tale{{"refused: dynamic group", "rolled", story.Detail{}}}},
	{"sign-ins stopped coming", func(t *testing.T) store.Store {
		return goodNightBut(t, nil, func(m *snapshot.Manifest) { m.Readings[directory.Entra].Newest = daysAgo(9) })
	}, []tale{{"undecided: stale dates", "idle", story.Detail{}}}},
}

func goodNight(t *testing.T) store.Store { return goodNightBut(t, nil, nil) }

func goodNightBut(t *testing.T, begin func(*snapshot.Begin), manifest func(*snapshot.Manifest)) store.Store {
	t.Helper()
	w := &world{begin: begin, manifest: manifest}
	add := func(name string, days int, holds ...directory.Assignment) *directory.EntraUser {
		w.entra = append(w.entra, person(name, days, holds...))
		return &w.entra[len(w.entra)-1]
	}
	onPremises := func(u *directory.EntraUser, days int) *directory.ADUser {
		w.ad = append(w.ad, synced(u, days))
		w.citrix = append(w.citrix, u.SID)
		return &w.ad[len(w.ad)-1]
	}
	add("busy", 0) // the newest sign-in of all people in the company
	kept := add("kept", 9, e3)
	kept.DisplayName, kept.UserPrincipalName = "Nora Neumann", "nora.neumann@contoso.example"
	onPremises(kept, 20)
	add("contractor", 70, e3).EmployeeType = "Contractor"
	add("never", -1, e3)
	add("fresh", -1, e3).Created = daysAgo(5)
	onPremises(add("idle", 120, e3), 100)
	onPremises(add("announced", 61, visio), 1)
	add("taken", 110, exo)
	add("justtaken", 75, e3)
	add("pending", 75, e3, exo)
	add("used", 9, e3)
	add("cooling", 85, e3)
	add("again", 95, e3)
	add("justback", 110, exo)
	add("returned", 3, exo)
	add("rolled", 80, e3)
	add("breakglass", 300, e3)
	add("anna", 80, e3)
	add("member", 300, e3)
	add("ceo", 300, e3).JobTitle = "Chief Executive"
	add("guest", 300, e3).UserType = "Guest"
	add("agent", -1, e3).Type = "#microsoft.graph.agentUser"
	add("twoways", 90, e3, e3Direct)
	add("othergroup", 90, directory.Assignment{SKU: "sku-e3", Group: "g-other", State: "Active", Updated: daysAgo(800)})
	add("nolocation", 90, e3Direct).UsageLocation = ""
	add("future", 90, e3).DatesInDoubt = true
	missing := add("missing", 90)
	synced(missing, 100)
	w.citrix = append(w.citrix, missing.SID)
	onPremises(add("hidden", 9), 100).Unreadable = []string{"lastLogonTimestamp"}
	onPremises(add("nosite", 60, visio), 9).Office = ""
	add("cloudonly", 60, visio)
	twin := add("twin1", 90, e3)
	synced(twin, 100)
	sid := twin.SID
	add("twin2", 90, e3).SID = sid
	onPremises(add("shared", 200, e3), -1).RecipientType = "34359738368"
	add("service", 300, e3).DisplayName = "On-Premises Directory Synchronization Service Account"
	add("damaged", 90, e3)
	add("nothing", 3)
	undated := e3Direct
	undated.Updated = time.Time{}
	add("heldsince", 90, undated)
	uncreated := add("uncreated", 9)
	uncreated.Created = time.Time{}
	onPremises(uncreated, -1)
	hostile := add("hostile", 99, exo)
	hostile.DisplayName, hostile.UserPrincipalName, hostile.Department = "Eve\x1b[31m\nm365-e3 is kept\u202e", "eve's $(reboot)@contoso.example", "<b>Sales</b>"
	w.exempt = []string{"id-member"}

	w.earlier = []done{took("taken", 35, ledger.Done), took("used", 100, ledger.Done), took("cooling", 10, ledger.Done), took("again", 20, ledger.Done), took("returned", 30, ledger.Done), took("justback", 35, ledger.Done), took("pending", 1, ""), took("gone", 50, ledger.Done), took("damaged", 40, ledger.RolledBack), took("hostile", 90, ledger.Done)}
	w.earlier = append(w.earlier, back("used", 97, took("used", 100, ledger.Done)), back("cooling", 4, took("cooling", 10, ledger.Done)))
	rolled := took("rolled", 3, ledger.RolledBack)
	rolled.note = "the group did not list the person"
	announced := took("announced", 16, ledger.Announced)
	announced.License, announced.To, announced.Rule, announced.Via, announced.MonthlySaving = "visio", "", "visio-idle-45", "direct", 15
	announced.IdleSince = new(time.Time)
	*announced.IdleSince = daysAgo(61)
	w.earlier = append(w.earlier, rolled, announced)
	today := took("justtaken", 0, ledger.Done)
	today.Run, today.At = run, asOf.Add(4*time.Hour)
	w.later = []done{today}
	justback := back("justback", 0, took("justback", 35, ledger.Done))
	justback.Run, justback.At = "r20261129", asOf.Add(5*time.Hour)
	w.later = append(w.later, justback)
	s := w.seal(t)
	damage(t, s)
	return s
}

func damage(t *testing.T, s store.Store) {
	t.Helper()
	const key = "ledger/id-damaged/m365-e3/000001.json"
	if err := s.Put(t.Context(), key, bytes.NewReader([]byte("{}"))); err != nil {
		t.Fatal(err)
	}
}

// TestStories compares stories with the golden file, which a human reader has reviewed. The stories cover every state.
// Each license that stays because of a missing value or a refusal has a remedy.
func TestStories(t *testing.T) {
	t.Parallel()
	const golden = "testdata/stories.txt"
	var got bytes.Buffer
	seen := map[story.State]bool{}
	for _, night := range each {
		s := night.world(t)
		for _, who := range night.tales {
			people, err := story.Of(t.Context(), s, story.Question{User: who.user, Now: now, Store: "/srv/idle seat"})
			if err != nil {
				people, err = story.Of(t.Context(), s, story.Question{User: "id-" + who.user, Now: now, Store: "/srv/idle seat"})
			}
			if err != nil || len(people) != 1 {
				t.Fatalf("%s: %d people, %v", who.title, len(people), err)
			}
			for _, x := range people[0].Answers {
				seen[x.State] = true
				if (x.State == story.Undecided || x.State == story.Refused) && len(x.Remedies) == 0 {
					t.Errorf("%s: no remedy for %q %q", who.title, x.Reason, x.Refused)
				}
			}
			got.WriteString("### " + night.name + ": " + who.title + "\n")
			if err := people[0].Text(&got, who.d); err != nil {
				t.Fatal(err)
			}
			got.WriteString("\n")
		}
	}
	for _, state := range story.States() {
		if !seen[state] {
			t.Errorf("nobody in these nights is %s", state)
		}
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("stories (-want +got; -update writes them):\n%s", d)
	}
}
