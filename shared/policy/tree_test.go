package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// treePolicy is a format string: a license, the condition "for" and the condition "when".
const treePolicy = `
tenant: 11111111-2222-3333-4444-555555555555
attributes: {copilot: copilot.lastActivity, staff: {memberOf: {entra: Staff}}}
licenses:
  m365-e3: {sku: SPE_E3}
  citrix: {group: {ad: "` + citrixDN + `"}}
grace: {neverSignedIn: 5, newHolder: 3}
exempt: {users: [boss@x], groups: [{entra: Keep}], when: userType == "Guest" || department == "Board"}
rules:
  - {name: r, license: %s, for: '%s', when: '%s', then: remove}
`

func randomCondition(r *rand.Rand, depth int) string {
	parts := []string{
		"accountEnabled", "staff", `systemRole == "Employee"`, `department != "Sales"`, `department in ["Sales", "HR"]`, `jobTitle.startsWith("C")`,
		`userType == "Member"`, "AzureAdSistaLogon.earlierThan(now - days(20))", "AzureAdSistaLogon.hasNoValue()", "LastlogonTimestamp.laterThan(now - days(9))",
		"LastlogonTimestamp.hasValue()", "created.value() <= now - days(9)", "copilot.earlierThan(now - days(20))", "copilot.hasNoValue()", `["a", "C"].exists(x, jobTitle.startsWith(x))`,
	}
	if depth == 0 || r.IntN(4) == 0 {
		return parts[r.IntN(len(parts))]
	}
	a, b, c := randomCondition(r, depth-1), randomCondition(r, depth-1), randomCondition(r, depth-1)
	switch r.IntN(5) {
	case 0, 1:
		return fmt.Sprintf("(%s) && (%s)", a, b)
	case 2:
		return fmt.Sprintf("(%s) || (%s)", a, b)
	case 3:
		return fmt.Sprintf("!(%s)", a)
	}
	return fmt.Sprintf("(%s) ? (%s) : (%s)", a, b, c)
}

func randomPerson(r *rand.Rand) *directory.Person {
	who := employee()
	date := func() time.Time {
		if r.IntN(3) == 0 {
			return time.Time{}
		}
		return noon.Add(-time.Duration(r.IntN(40*24)) * time.Hour)
	}
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	who.Entra.LastSuccessful, who.Entra.Created = date(), date()
	who.Entra.Enabled = directory.FlagOf(r.IntN(3) > 0)
	who.Entra.Department, who.Entra.JobTitle = pick("", "Sales", "Sales", "HR", "HR", "Board"), pick("", "Clerk", "Boss")
	who.Entra.UserType, who.Entra.EmployeeType = pick("Member", "Member", "Member", "Member", "Member", "Guest"), pick("Employee", "Employee", "", "Contractor")
	who.Entra.UserPrincipalName = pick("a@x", "a@x", "a@x", "a@x", "a@x", "boss@x")
	if r.IntN(2) == 0 {
		use := []directory.Use{notUsed(directory.CopilotUse), usedOn(directory.CopilotUse, time.Duration(r.IntN(40))*day)}[r.IntN(2)]
		use.Through = reportOf
		who.Entra.Uses = []directory.Use{use}
	}
	if r.IntN(5) == 0 {
		who.Entra.Assignments = nil
	}
	for _, key := range []string{"entra:Staff", "entra:Keep"} {
		switch r.IntN(12) {
		case 0:
			who.Memberships = append(who.Memberships, key)
		case 1:
			who.Unreadable = append(who.Unreadable, key)
		}
	}
	who.AD.LastLogonTimestamp, who.AD.Created = date(), date()
	switch r.IntN(8) {
	case 0:
		who.AD, who.ADState = nil, directory.NotRead
	case 1:
		who.AD, who.ADState = nil, directory.NoAccount
	case 2:
		who.Stale[directory.SignIns] = "the feed is stale"
	case 3:
		who.Entra, who.EntraState = nil, directory.NotRead
	}
	return who
}

// The root of a tree agrees with the Judge, and each node agrees with its parts in three-valued logic. There is one
// exception: if a usage report leaves two cases and both give a node the same result, the node is known, although its
// parts may be unknown.
func TestTreeAgreesWithTheJudge(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	outcomes, worlds := map[Outcome]int{}, 0
	for range 80 {
		scope, when := randomCondition(r, 2), randomCondition(r, 3)
		license := []string{"m365-e3", "citrix"}[r.IntN(2)]
		text := fmt.Sprintf(treePolicy, license, scope, when)
		p, err := LoadKept("p", []byte(text)) // LoadKept accepts conditions that make no sense
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		for range 20 {
			who := randomPerson(r)
			j := judge(t, p, noon)
			v := j.Ask(p.Rules[0], who)
			tree, err := j.Tree(p.Rules[0], who)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			outcomes[v.Outcome]++
			want := map[Outcome]Says{Reclaim: True, Undecided: Unknown}[v.Outcome]
			if want == "" {
				want = False
			}
			if tree.Says != want {
				t.Fatalf("seed %d: the tree says %s, the Judge %s (%s)\n%s%s", seed, tree.Says, v.Outcome, v.Reason, text, outline(tree, ""))
			}
			if again := j.Ask(p.Rules[0], who); again.Outcome != v.Outcome {
				t.Fatalf("seed %d: after Tree the Judge says %s, before %s", seed, again.Outcome, v.Outcome)
			}
			worlds += checkNode(t, tree, fmt.Sprintf("seed %d\n%s%s", seed, text, outline(tree, "")))
		}
	}
	t.Logf("seed %d: %v, %d nodes by cases", seed, outcomes, worlds)
	for _, o := range []Outcome{NotHolder, Keep, Reclaim, Undecided, Exempt} {
		if outcomes[o] == 0 {
			t.Errorf("seed %d: no verdict is %s; the test shows little", seed, o)
		}
	}
}

// checkNode checks that each node agrees with its parts in three-valued logic. One exception is allowed, because a
// usage report can leave two cases: a node with the attribute copilot may be known although its parts leave it
// unknown. The result counts these nodes.
func checkNode(t *testing.T, n *Node, what string) (more int) {
	t.Helper()
	for _, part := range n.Parts {
		more += checkNode(t, part, what)
	}
	if n.Says == Unknown && n.Why == "" && len(n.Parts) == 0 {
		t.Fatalf("the part %q is unknown, and the tree does not say why; %s", n.Text, what)
	}
	settled := kleene(n)
	switch {
	case settled == "" || settled == n.Says:
	case settled == Unknown && strings.Contains(n.Text, "copilot"):
		return more + 1
	default:
		t.Fatalf("the part %q says %s, and its parts come to %s; %s", n.Text, n.Says, settled, what)
	}
	return more
}

// kleene joins the parts in three-valued logic. It returns "" without parts.
func kleene(n *Node) Says {
	count := map[Says]int{}
	for _, part := range n.Parts {
		count[part.Says]++
	}
	switch {
	case n.Join == "":
		return ""
	case n.Join == Not:
		return map[Says]Says{True: False, False: True, Unknown: Unknown}[n.Parts[0].Says]
	case n.Join == If && n.Parts[0].Says == Unknown:
		return Unknown
	case n.Join == If && n.Parts[0].Says == True:
		return n.Parts[1].Says
	case n.Join == If:
		return n.Parts[2].Says
	case n.Join == And && count[False] > 0:
		return False
	case n.Join == Or && count[True] > 0:
		return True
	case count[Unknown] > 0:
		return Unknown
	case n.Join == And:
		return True
	}
	return False
}

func outline(n *Node, indent string) string {
	mark := " "
	if n.Decisive {
		mark = "*"
	}
	text := fmt.Sprintf("%s%s %s: %s %s %v\n", indent, mark, n.Says, n.Text, n.Why, n.Values)
	for _, part := range n.Parts {
		text += outline(part, indent+"  ")
	}
	return text
}

// If the person does not hold the license, no grace can start, and the tree has no part for grace.
func TestTreeWithoutTheLicense(t *testing.T) {
	t.Parallel()
	p := load(t, strings.TrimPrefix(fmt.Sprintf(treePolicy, "m365-e3", "accountEnabled", "AzureAdSistaLogon.hasNoValue()"), "\ntenant: 11111111-2222-3333-4444-555555555555"))
	who := employee()
	who.Entra.Assignments = nil
	tree, err := judge(t, p, noon).Tree(p.Rules[0], who)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range tree.Parts {
		if part.Says == Unknown || part.Name == "grace" {
			t.Errorf("the part %s says %s: %s", part.Name, part.Says, part.Why)
		}
	}
	if tree.Says != False || len(tree.Parts) != 4 {
		t.Errorf("the tree:\n%s", outline(tree, ""))
	}
}
