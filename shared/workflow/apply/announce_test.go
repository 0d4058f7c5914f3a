package apply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

const byMail = "\nnotices: {from: licenses@x.example, manager: true}\nrules:"

func mailing(t *testing.T) *bench {
	t.Helper()
	c := moveAnna
	c.Via = plan.Notice
	b := newBenchOf(t, strings.Replace(strings.Replace(text, "\nrules:", byMail, 1), "then: {changeTo: exo}", "then: {changeTo: exo, notice: 14}", 1), c)
	b.plan(t, func(p *plan.Plan) { p.Changes, p.Notices = []plan.Change{}, []plan.Change{c} })
	anna := b.entra.users["id-anna"]
	anna.Enabled, anna.Mail, anna.DisplayName, anna.PreferredLanguage = directory.Yes, "anna@x.example", "Anna", "sv-SE"
	b.entra.managers = map[string]string{"id-anna": "eva@x.example"}
	return b
}

func TestNoticeByMail(t *testing.T) {
	t.Parallel()
	uncertain := fmt.Errorf("504: %w", directory.ErrUncertain)
	const unsure = "nobody knows whether the mail that announces it was sent, so the change waits"
	for name, tc := range map[string]struct {
		edit  func(*bench)
		want  runs.Status
		note  string
		entry string // outcome in the ledger; "": no entry
		mails int
	}{
		"sent":                   {func(*bench) {}, runs.Announced, "announced by mail to anna@x.example, with a copy to eva@x.example", "noticed", 1},
		"no manager":             {func(b *bench) { b.entra.managers = nil }, runs.Announced, "announced by mail to anna@x.example; nobody got a copy: no manager with a mail address is known", "noticed", 1},
		"manager not read":       {func(b *bench) { b.entra.fail = map[string]error{"ManagerMail id-anna": errDown} }, runs.Announced, "nobody got a copy: the manager could not be read: down", "noticed", 1},
		"refused":                {func(b *bench) { b.entra.fail = map[string]error{"SendMail id-anna": errDown} }, runs.Failed, "the mail that announces it was not sent, so the change waits: down", "failed", 0},
		"not known, not sent":    {func(b *bench) { b.entra.fail = map[string]error{"SendMail id-anna": uncertain} }, runs.Failed, unsure, "perhaps noticed", 0},
		"not known, sent":        {func(b *bench) { b.entra.lost = map[string]error{"SendMail id-anna": uncertain} }, runs.Failed, unsure, "perhaps noticed", 1},
		"active since the plan":  {func(b *bench) { b.entra.users["id-anna"].LastSuccessful = asOf }, runs.Kept, "signed in", "", 0},
		"date not read":          {func(b *bench) { b.entra.users["id-anna"].DatesInDoubt = true }, runs.Kept, "undecided", "", 0},
		"exempt by now":          {func(b *bench) { b.entra.in.add("g-exempt", "id-anna") }, runs.Kept, "exempt", "", 0},
		"disabled":               {func(b *bench) { b.entra.users["id-anna"].Enabled = directory.No }, runs.Refused, "sign-in is blocked", "", 0},
		"not said whether":       {func(b *bench) { b.entra.users["id-anna"].Enabled = directory.Unset }, runs.Refused, "sign-in is blocked", "", 0},
		"a guest":                {func(b *bench) { b.entra.users["id-anna"].UserType = "Guest" }, runs.Kept, "exempt", "", 0},
		"an agent":               {func(b *bench) { b.entra.users["id-anna"].IdentityParentID = "x" }, runs.Kept, "exempt", "", 0},
		"no address":             {func(b *bench) { b.entra.users["id-anna"].Mail = "" }, runs.Refused, "the account has no mail address", "", 0},
		"two addresses":          {func(b *bench) { b.entra.users["id-anna"].Mail = "anna@x.example,foe@x.example" }, runs.Refused, "not a plain one", "", 0},
		"an address with a name": {func(b *bench) { b.entra.users["id-anna"].Mail = "Anna <foe@x.example>" }, runs.Refused, "not a plain one", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := mailing(t)
			tc.edit(b)
			b.apply(t, tc.want, tc.note)
			b.logged(t, moveAnna, tc.entry)
			b.wrote(t)
			if len(b.entra.mails) != tc.mails {
				t.Errorf("%d mails, want %d", len(b.entra.mails), tc.mails)
			}
			if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, runs.ErrRefused) || len(b.entra.mails) != tc.mails {
				t.Errorf("applied again: %v, %d mails", err, len(b.entra.mails))
			}
		})
	}
}

func TestNoticeText(t *testing.T) {
	t.Parallel()
	b := mailing(t)
	b.apply(t, runs.Announced, "")
	want := []directory.Mail{{
		Person: "id-anna", To: "anna@x.example", Copy: "eva@x.example", Subject: "Din licens e3 byts mot exo den 7 december 2026",
		Body: `Hej Anna,

Du har licensen e3. Den användes senast den 15 augusti 2026, såvitt vi vet.
En licens som ingen använder behövs av någon annan. Från och med den 7 december 2026 byts din mot exo.

Behöver du den fortfarande? Använd den i så fall före den 7 december 2026, så behåller du den.
Har du en fråga, eller är du borta då? Svara i så fall på det här mejlet.
`,
	}}
	if d := cmp.Diff(want, b.entra.mails); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	e, err := ledger.In(b.Store).Latest(t.Context(), "id-anna", "e3")
	if err != nil || e.Notice != 14 || !e.ByMail {
		t.Errorf("the ledger keeps not what the mail says: %+v, %v", e, err)
	}
}

var errKilled = errors.New("killed")

// The type "dying" is a store of a process that is killed before or after it writes one object: the object whose key
// ends in "at". Every later write fails.
type dying struct {
	store.Store
	at    string // end of the key
	after bool
	dead  bool
}

func (s *dying) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	if s.dead || !strings.HasSuffix(key, s.at) {
		if s.dead {
			return errKilled
		}
		return s.Store.PutIfAbsent(ctx, key, body)
	}
	s.dead = true
	if s.after {
		if err := s.Store.PutIfAbsent(ctx, key, body); err != nil {
			return err
		}
	}
	return errKilled
}

func (s *dying) Put(ctx context.Context, key string, body io.ReadSeeker) error {
	if s.dead {
		return errKilled
	}
	return s.Store.Put(ctx, key, body)
}

// TestNoticeIsSentOnce: a call is killed before or after a write to the ledger, and another call continues. No mail is
// sent twice, and a change counts as announced only if its mail was sent.
func TestNoticeIsSentOnce(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"1.json", ".sending.json", ".done.json"} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint(at, after), func(t *testing.T) {
				t.Parallel()
				b := mailing(t)
				whole := b.Store
				b.Store = &dying{Store: whole, at: at, after: after}
				if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, errKilled) {
					t.Fatalf("the call was not killed: %v", err)
				}
				b.Store = whole
				if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil && !errors.Is(err, runs.ErrRefused) {
					t.Fatal(err)
				}
				e, err := ledger.In(whole).Latest(t.Context(), "id-anna", "e3")
				if err != nil || e == nil || e.Completion == nil {
					t.Fatalf("entry %+v, %v", e, err)
				}
				told := e.Completion.Outcome == ledger.Announced
				if mark := at == ".sending.json" && after || at == ".done.json" && !after; told == mark || !told && e.Completion.Outcome != ledger.Unsure {
					t.Errorf("outcome %s", e.Completion.Outcome)
				}
				if n := len(b.entra.mails); n > 1 || told && n != 1 {
					t.Errorf("%d mails, outcome %s", n, e.Completion.Outcome)
				}
			})
		}
	}
}

// TestBegunNoticeIsAskedAgain: a call began a notice and was killed before it wrote the mark that it sends the mail.
// The next call evaluates the rule again before it sends the mail.
func TestBegunNoticeIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit func(*bench)
		want runs.Status
		note string
	}{
		"idle":    {func(*bench) {}, runs.Announced, "announced by mail"},
		"active":  {func(b *bench) { b.entra.users["id-anna"].LastSuccessful = b.now }, runs.Kept, "signed in"},
		"blocked": {func(b *bench) { b.entra.users["id-anna"].Enabled = directory.No }, runs.Kept, "sign-in is blocked"},
		"expired": {func(b *bench) { b.at(asOf.Add(plan.Lifetime + 1)) }, runs.Kept, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := mailing(t)
			whole := b.Store
			b.Store = &dying{Store: whole, at: ".sending.json"}
			if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			b.Store = whole
			tc.edit(b)
			b.apply(t, tc.want, tc.note)
			if sent := len(b.entra.mails) == 1; sent != (tc.want == runs.Announced) {
				t.Errorf("%d mails", len(b.entra.mails))
			}
		})
	}
}

// TestBegunNoticeUnderAnotherPolicy: apply sends no mail for a notice that was begun under another policy, because an
// operator may have removed the mails from the policy.
func TestBegunNoticeUnderAnotherPolicy(t *testing.T) {
	t.Parallel()
	b := mailing(t)
	whole := b.Store
	b.Store = &dying{Store: whole, at: ".sending.json"}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	b.Store = whole
	quiet := strings.Replace(text, "then: {changeTo: exo}", "then: {changeTo: exo, notice: 14}", 1)
	r, err := b.Apply(t.Context(), Request{Run: "run", Policy: quiet})
	if err != nil || r.Results[0].Status != runs.Kept || !strings.Contains(r.Results[0].Note, "the policy has changed") || len(b.entra.mails) > 0 {
		t.Errorf("%+v, %v, %d mails", r, err, len(b.entra.mails))
	}
}
