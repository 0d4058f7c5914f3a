package gate

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// TestMailboxRefusals: the guard refuses to take a license if a fact about the mailbox is unknown or forbids the
// change.
func TestMailboxRefusals(t *testing.T) {
	t.Parallel()
	const hold = 100 * directory.GB
	for name, tc := range map[string]struct {
		box     *directory.Mailbox
		to      string
		blocked bool
		want    string
	}{
		"fits":                  {&directory.Mailbox{Bytes: 50 * directory.GB}, "exo", false, ""},
		"unknown size":          {&directory.Mailbox{Unknown: true}, "exo", false, "the size of the mailbox is not known: the mailbox usage report does not tell it"},
		"unknown size, removed": {&directory.Mailbox{Unknown: true}, "", false, "the size of the mailbox is not known"},
		"not named":             {nil, "exo", false, "the size of the mailbox is not known: the mailbox usage report does not name the person"},
		"on hold":               {&directory.Mailbox{Recoverable: hold}, "exo", false, "the mailbox is on hold, which exo does not cover"},
		"on hold, removed":      {&directory.Mailbox{Recoverable: hold}, "", false, "the mailbox is on hold, and would be without a license"},
		"removed":               {&directory.Mailbox{}, "", false, ""},
		"an archive":            {&directory.Mailbox{Archive: true}, "exo", false, "the mailbox has an archive"},
		"an archive, removed":   {&directory.Mailbox{Archive: true, Bytes: 900 * directory.GB}, "", false, ""},
		"blocked, not told":     {&directory.Mailbox{}, "exo", true, plan.MayBeShared},
		"blocked, a user's":     {&directory.Mailbox{Kind: "User"}, "exo", true, ""},
		"blocked, shared":       {&directory.Mailbox{Kind: "Shared"}, "exo", true, "it is a mailbox of the kind Shared"},
		"shared":                {&directory.Mailbox{Kind: "Shared"}, "exo", false, "it is a mailbox of the kind Shared"},
	} {
		g := &mailboxGuard{quota: map[string]float64{"exo": 50}, boxes: map[string]*directory.Mailbox{"ann@x.example": tc.box}}
		d := &plan.Decision{UserPrincipalName: "Ann@x.example", To: tc.to, Mailbox: true, Blocked: tc.blocked}
		if got := g.refusal(d); (tc.want == "") != (got == "") || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		before := *d
		if before.Refused = "before"; g.refusal(&before) != "before" {
			t.Errorf("%s, refused before: %q", name, g.refusal(&before))
		}
		if d.Mailbox = false; g.refusal(d) != "" {
			t.Errorf("%s, not asked: %q", name, g.refusal(d))
		}
	}
}

// TestMailboxesAreLookedUp: the guard looks up mailboxes only of people in the plan, and only if a license has a quota.
func TestMailboxesAreLookedUp(t *testing.T) {
	t.Parallel()
	refused := guarded("b", 70)
	refused.Refused = "held twice"
	kept := guarded("c", 70)
	kept.Outcome = policy.Keep
	for name, tc := range map[string]struct {
		quota     string
		decisions []plan.Decision
		want      []string // names that are looked up
		failed    string
	}{
		"asked":           {"mailboxQuota: 50, ", []plan.Decision{guarded("A", 70), refused, kept, reclaim("d", 70)}, []string{"a@x.example"}, "the run did not read it"},
		"nobody is asked": {"mailboxQuota: 50, ", []plan.Decision{reclaim("d", 70)}, nil, ""},
		"no quota":        {"", []plan.Decision{guarded("a", 70)}, nil, ""},
	} {
		e := quiet()
		e.text = strings.Replace(text, "{sku: EXCHANGESTANDARD, ", "{sku: EXCHANGESTANDARD, "+tc.quota, 1)
		e.partitions[0] = tc.decisions
		s := e.put(t)
		g, err := guardOf(t.Context(), s, opened(t, s))
		if err != nil || g.failed != tc.failed || len(g.boxes) != len(tc.want) || (len(g.quota) == 1) != (tc.quota != "") {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
		for _, n := range tc.want {
			if _, wanted := g.boxes[n]; !wanted {
				t.Errorf("%s: %s is not looked for", name, n)
			}
		}
	}
	g := &mailboxGuard{boxes: map[string]*directory.Mailbox{"a@x.example": nil}}
	if g.note(&directory.Mailbox{UserPrincipalName: "b@x.example"}) != nil || g.note(&directory.Mailbox{UserPrincipalName: "A@x.example"}) != nil || len(g.boxes) != 1 || g.boxes["a@x.example"] == nil {
		t.Errorf("%+v", g.boxes)
	}
}
