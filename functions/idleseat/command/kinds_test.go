package command

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// idleHolders returns the indexes of synced people from whom plan p takes E3. The argument "want" is the number of
// people.
func (s *shell) idleHolders(p printed, want int) (list []int) {
	s.t.Helper()
	for _, c := range p.Changes {
		if i := s.number(c.User); c.License == "m365-e3" && s.company.Company.Person(i).Kind == sandbox.Synced {
			list = append(list, i)
		}
	}
	if len(list) < want {
		s.t.Fatalf("%d idle holders, want %d", len(list), want)
	}
	return list[:want]
}

func (s *shell) has(p printed, i int) bool {
	id := s.company.Company.Person(i).Entra.ID
	return slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.User == id && c.License == "m365-e3" })
}

// TestAccountsThatAreNoPeople: agents, service accounts, rooms and shared mailboxes may lose a license only if the
// policy names their kind.
func TestAccountsThatAreNoPeople(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5}, replace(t, "  when:   userType == \"Guest\"\n", ""))
	company := s.company.Company
	before := s.plan(exitDone)
	who := s.idleHolders(before, 6)
	agent, sync, resource, shared, room, person := who[0], who[1], who[2], who[3], who[4], who[5]
	company.MakeAgent(agent)
	company.SetDisplayName(sync, "On-Premises Directory Synchronization Service Account")
	company.SetDepartment(resource, "Microsoft Communication Application Instance")
	company.SetRecipientType(shared, "34359738368")
	company.SetRecipientType(room, "16")
	p := s.plan(exitDone)
	for i, evidence := range map[int]string{
		agent: "agent: @odata.type is #microsoft.graph.agentUser", sync: "service: displayName is On-Premises", resource: "service: department is Microsoft",
		shared: "shared: msExchRecipientTypeDetails is 34359738368", room: "room: msExchRecipientTypeDetails is 16",
	} {
		if s.has(p, i) {
			t.Errorf("taken from a %s", evidence)
		}
		if out := string(s.want(exitDone, "explain", company.Person(i).Entra.ID).out); !strings.Contains(out, "exempt: the account is of the kind "+evidence) {
			t.Errorf("explain lacks %q:\n%s", evidence, out)
		}
	}
	if !s.has(p, person) || len(p.Changes) >= len(before.Changes) {
		t.Errorf("%d changes, %d before; the person's is among them: %t", len(p.Changes), len(before.Changes), s.has(p, person))
	}
	if k := p.Kinds; k["agent"] != 1 || k["service"] != 2 || k["shared"] != 1 || k["room"] != 1 || k["guest"] == 0 || k["person"] != 0 {
		t.Errorf("kinds: %v", k)
	}
	text := string(s.want(exitDone, "plan").out)
	if !strings.Contains(text, "accounts that are no people: agent 1, guest ") {
		t.Errorf("the plan for people does not count them:\n%s", text)
	}

	policy := string(s.company.Policy())
	s.write("policy.yaml", replace(t, "exempt:\n", "kinds: [person, agent, service]\nexempt:\n")(policy))
	p = s.plan(exitDone)
	if !s.has(p, sync) || !s.has(p, resource) || s.has(p, shared) || s.has(p, agent) {
		t.Error("what the policy names besides is not asked about")
	}
	reason := ""
	for _, u := range p.Undecided {
		if u.User == company.Person(agent).Entra.ID {
			reason = u.Reason
		}
	}
	if !strings.Contains(reason, "AzureAdSistaLogon") || !strings.Contains(reason, "agent") {
		t.Errorf("what the dates of an agent say is not known; the reason is %q", reason)
	}
	s.write("policy.yaml", replace(t, "for: accountEnabled", `for: kind == "service" && accountEnabled`)(replace(t, "exempt:\n", "kinds: [service]\nexempt:\n")(policy)))
	for _, c := range s.plan(exitDone).Changes {
		if i := s.number(c.User); i != sync && i != resource {
			t.Errorf("a rule about service accounts takes from %+v", c)
		}
	}
	s.write("policy.yaml", replace(t, "exempt:\n", "kinds: [persons]\nexempt:\n")(policy))
	if a := s.want(exitUsage, "policy", "check", s.path("policy.yaml")); !strings.Contains(a.err, `did you mean "person"?`) {
		t.Errorf("a misspelt kind: %s", a.err)
	}
	s.unwritten()
}

// TestDisabledLeaver: an account whose sign-in is blocked may belong to a shared mailbox. A change of such an account
// is refused until the mailbox report says that the mailbox is a user mailbox.
func TestDisabledLeaver(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond},
		replace(t, "{entra: LIC-EXO-P1}, ", "{entra: LIC-EXO-P1}, mailboxQuota: 50,"), replace(t, `accountEnabled && systemRole == "Employee"`, `userType == "Member"`),
		replace(t, "percent: 10", "percent: 100"))
	company := s.company.Company
	p := s.plan(exitDone)
	leavers := map[string]bool{}
	for _, r := range p.Refused {
		if r.Reason == plan.MayBeShared {
			leavers[r.User] = company.Person(s.number(r.User)).Kind == sandbox.Synced
		}
	}
	company.TellRecipientTypes()
	p = s.plan(exitDone)
	taken := 0
	for _, c := range p.Changes {
		if leaver, blocked := leavers[c.User]; blocked && leaver {
			taken++
		} else if blocked && company.Person(s.number(c.User)).Kind == sandbox.SharedMailbox {
			t.Errorf("taken from a shared mailbox: %+v", c)
		}
	}
	if taken == 0 || p.Kinds["shared"] == 0 {
		t.Fatalf("%d of %d leavers, kinds %v", taken, len(leavers), p.Kinds)
	}
	if r := s.done(p.Run); r.Count(runs.Done) != len(p.Changes) {
		t.Errorf("%d of %d done: %+v", r.Count(runs.Done), len(p.Changes), r.Results)
	}
}
