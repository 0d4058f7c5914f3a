package gate

import (
	"context"
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// A mailboxGuard refuses a change if a fact about the person's mailbox forbids it, or if a fact that the change needs
// is unknown.
type mailboxGuard struct {
	quota     map[string]float64            // mailbox quota of each license, in GB
	boxes     map[string]*directory.Mailbox // by user principal name in lower case; nil: a decision needs the mailbox, and the report lacks it
	failed    string                        // why there is no report; empty: there is a report
	concealed bool
}

// guardOf returns a mailboxGuard for the decisions of a run. From the mailbox usage report, the guard keeps only the
// lines about the people of these decisions. If no decision needs a mailbox, guardOf does not read the report.
func guardOf(ctx context.Context, s store.Store, r *decision.Run) (*mailboxGuard, error) {
	g := &mailboxGuard{quota: map[string]float64{}, boxes: map[string]*directory.Mailbox{}}
	for _, l := range r.Policy.Licenses {
		if l.MailboxQuota > 0 {
			g.quota[l.Name] = l.MailboxQuota
		}
	}
	if len(g.quota) == 0 {
		return g, nil
	}
	_, err := r.Each(ctx, func(d *plan.Decision) error {
		if d.Mailbox && d.Planned() {
			g.boxes[strings.ToLower(d.UserPrincipalName)] = nil
		}
		return nil
	})
	switch report := r.Begin.Mailboxes; {
	case err != nil || len(g.boxes) == 0:
		return g, err
	case report == nil:
		g.failed = "the run did not read it"
		return g, nil
	case report.Failed != "":
		g.failed = report.Failed
		return g, nil
	default:
		g.concealed = true
		return g, store.GetLines(ctx, s, report.Key, g.note)
	}
}

// The method "note" keeps a line of the report if a decision needs it. Concealed names contain no @, so they match no
// decision.
func (g *mailboxGuard) note(m *directory.Mailbox) error {
	name := strings.ToLower(m.UserPrincipalName)
	if strings.Contains(name, "@") {
		g.concealed = false
	}
	if _, wanted := g.boxes[name]; wanted {
		box := *m
		g.boxes[name] = &box
	}
	return nil
}

// The method "refusal" returns why a decision must not be carried out, or "" if it may be. The reason is the refusal
// that the decision already has, or else something about the person's mailbox, such as an unknown size.
func (g *mailboxGuard) refusal(d *plan.Decision) string {
	if d.Refused != "" || !d.Mailbox {
		return d.Refused
	}
	box, quota := g.boxes[strings.ToLower(d.UserPrincipalName)], g.quota[d.To]
	switch {
	case g.failed != "":
		return "the size of the mailbox is not known: the mailbox usage report could not be read: " + g.failed
	case g.concealed:
		return "the size of the mailbox is not known: the mailbox usage report conceals names; show them in the settings of the Microsoft 365 admin center, under reports"
	case box == nil:
		return "the size of the mailbox is not known: the mailbox usage report does not name the person"
	case d.Blocked && box.Kind == "":
		return plan.MayBeShared
	case box.Kind != "" && !box.UserMailbox():
		return fmt.Sprintf("it is a mailbox of the kind %s, whose license is there for another reason than signing in", box.Kind)
	case box.Unknown:
		return "the size of the mailbox is not known: the mailbox usage report does not tell it"
	case box.OnHold() && d.To == "":
		return "the mailbox is on hold, and would be without a license"
	case box.OnHold():
		return "the mailbox is on hold, which " + d.To + " does not cover"
	case d.To == "":
		return ""
	case box.Archive:
		return "the mailbox has an archive, which may outgrow " + d.To
	case float64(box.Bytes) > quota*directory.GB:
		return fmt.Sprintf("the mailbox holds %.1f GB, and %s allows %g GB", float64(box.Bytes)/directory.GB, d.To, quota)
	}
	return ""
}
