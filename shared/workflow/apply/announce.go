package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/policy/notice"
	"github.com/idleseat/idleseat/shared/runs"
)

// The method "announce" gives notice of a change: by mail, or only in the ledger if the policy has no mailbox for
// notices.
//
// Graph cannot recognize a mail that it has sent already. So a call writes a mark into the ledger first, and only the
// call that wrote the mark sends the mail. If a mail has a mark and no outcome, nobody knows whether it was sent. See
// the method "unsure".
func (m *move) announce(ctx context.Context, resumed bool) (runs.Status, string) {
	all := m.run.Policy.Notices
	if all == nil {
		return m.complete(ctx, ledger.Announced, "announced")
	}
	if resumed {
		if status, note := m.resumeNotice(ctx); status != "" {
			return status, note
		}
	}
	if why := m.recalled(); why != "" {
		return m.complete(ctx, ledger.RolledBack, why)
	}
	to, why := decision.MailFor(m.person)
	if why != "" {
		return m.complete(ctx, ledger.RolledBack, why)
	}
	mail, err := m.mail(all)
	if err != nil {
		return m.complete(ctx, ledger.Failed, err.Error())
	}
	mail.To = to
	if all.Manager {
		mail.Copy, why = m.managerMail(ctx)
	}
	if m.current() != nil {
		return aged, ""
	}
	switch first, err := m.ledger.Send(ctx, m.entry, m.Now().UTC()); {
	case err != nil:
		return troubled, err.Error()
	case !first: // another call of the run is sending the mail now
		return m.unsure(ctx, "another call was sending it")
	}
	return m.sent(ctx, mail, why, m.Entra.SendMail(m.taking(ctx), all.From, mail))
}

// The method "sent" records the outcome of a mail, even if the call was interrupted. The parameter "noCopy" is the
// reason why the manager got no copy, or "". The parameter "failed" is the error of sending the mail.
func (m *move) sent(ctx context.Context, mail directory.Mail, noCopy string, failed error) (runs.Status, string) {
	ctx = context.WithoutCancel(ctx)
	note := "announced by mail to " + mail.To
	if mail.Copy != "" {
		note += ", with a copy to " + mail.Copy
	}
	switch {
	case failed == nil:
		return m.complete(ctx, ledger.Announced, note+plain.Prefixed("; nobody got a copy: ", noCopy))
	case errors.Is(failed, directory.ErrUncertain):
		return m.unsure(ctx, failed.Error())
	}
	return m.complete(ctx, ledger.Failed, "the mail that announces it was not sent, so the change waits: "+failed.Error())
}

// resumeNotice handles a notice that an earlier call began. The returned status is empty if this call may send the
// mail.
func (m *move) resumeNotice(ctx context.Context) (runs.Status, string) {
	switch mark, err := m.ledger.SendingMark(ctx, m.entry); {
	case err != nil:
		return troubled, err.Error()
	case mark != nil:
		return m.unsure(ctx, "the call that was sending it ended at or after "+mark.At.Format(time.RFC3339))
	case m.closed != "":
		return m.complete(ctx, ledger.RolledBack, m.closed)
	}
	if _, _, keep := m.ask(); keep != "" {
		return m.complete(ctx, ledger.RolledBack, keep)
	}
	return "", ""
}

// The method "unsure" ends a notice if nobody knows whether its mail was sent. The person keeps the license and gets no
// second mail for this notice. A later run announces the change again after the days of this notice are over.
func (m *move) unsure(ctx context.Context, why string) (runs.Status, string) {
	return m.complete(ctx, ledger.Unsure, "nobody knows whether the mail that announces it was sent, so the change waits and is announced again after the days of the notice: "+why)
}

// The method "mail" returns the subject and the text of the notice in the person's language, without addresses.
func (m *move) mail(all *policy.Notices) (directory.Mail, error) {
	rule := m.run.Policy.RuleNamed(m.change.Rule)
	about := notice.Facts{
		Name: cmp.Or(m.person.Entra.DisplayName, m.person.Entra.UserPrincipalName), License: rule.License.Called(), Days: rule.Notice,
		Due: m.Now().AddDate(0, 0, rule.Notice), LastUse: m.judge.Ask(rule, m.person).IdleSince,
	}
	if rule.ChangeTo != nil {
		about.To = rule.ChangeTo.Called()
	}
	text, err := all.Texts.Write(m.person.Entra.PreferredLanguage, about)
	return directory.Mail{Person: m.person.Entra.ID, Subject: text.Subject, Body: text.Body}, err
}

func (m *move) managerMail(ctx context.Context) (address, why string) {
	address, err := m.Entra.ManagerMail(ctx, m.person.Entra.ID)
	switch {
	case err != nil:
		return "", fmt.Sprintf("the manager could not be read: %v", err)
	case address == "":
		return "", "no manager with a mail address is known"
	}
	return address, ""
}
