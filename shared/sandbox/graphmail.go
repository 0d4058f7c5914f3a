package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// NoticeMailbox is the only mailbox from which the company's mails may be sent.
const NoticeMailbox = "licenses@contoso.example"

// Mail is a mail that was sent through Graph.
type Mail struct {
	At            time.Time
	To, Copy      []string
	Subject, Body string
}

// MailFault is a fault of a request to send a mail.
type MailFault string

// The faults. MailLost is the only fault with which Graph sends the mail.
const (
	// MailForbidden: the application lacks Mail.Send or may not use the mailbox (entra-docs: "Role Based Access
	// Control for Applications in Exchange Online"; microsoftgraph/microsoft-graph-docs#8169 shows Graph's answer).
	MailForbidden MailFault = "forbidden"
	// MailThrottled: the mailbox has more than four requests at a time (Microsoft Graph, "Microsoft Graph
	// service-specific throttling limits", Outlook service limits).
	MailThrottled MailFault = "throttled"
	// MailLost: the mail is sent, but a gateway loses the answer (Microsoft Graph, "Microsoft Graph error responses",
	// 504).
	MailLost MailFault = "lost"
	// MailDown: the mail is not sent. The answer is the same as for MailLost.
	MailDown MailFault = "down"
)

// BreakMail sets the faults of the next requests to send mails, in order. An empty fault means success.
func (c *Company) BreakMail(faults ...MailFault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mailFaults = faults
}

// Mails returns the mails that were sent, in order.
func (c *Company) Mails() []Mail {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.mails)
}

type mailRequest struct {
	Message struct {
		Subject string `json:"subject"`
		Body    struct {
			Kind    string `json:"contentType"`
			Content string `json:"content"`
		} `json:"body"`
		To   []recipient `json:"toRecipients"`
		Copy []recipient `json:"ccRecipients"`
	} `json:"message"`
}

type recipient struct {
	Mail struct {
		Address string `json:"address"`
	} `json:"emailAddress"`
}

// sendMail stores a mail and answers 202 without a body (docs-contrib: api-reference/v1.0/api/user-sendmail.md).
func (g *graph) sendMail(q *query) (answer, error) {
	var body mailRequest
	if err := readBody(q.r, &body); err != nil {
		return answer{}, err
	}
	g.c.mu.Lock()
	defer g.c.mu.Unlock()
	if !strings.EqualFold(q.ids[0], NoticeMailbox) {
		return answer{}, &graphError{status: http.StatusNotFound, code: "ErrorInvalidUser", message: fmt.Sprintf("The requested user '%s' is invalid.", q.ids[0])}
	}
	m := body.Message
	to, fine := addresses(m.To)
	copies, too := addresses(m.Copy)
	if !fine || !too || len(to) == 0 {
		return answer{}, &graphError{status: http.StatusBadRequest, code: "ErrorInvalidRecipients", message: "At least one recipient is not valid."}
	}
	var fault MailFault
	if len(g.c.mailFaults) > 0 {
		fault, g.c.mailFaults = g.c.mailFaults[0], g.c.mailFaults[1:]
	}
	switch fault {
	case MailForbidden:
		return answer{}, &graphError{status: http.StatusForbidden, code: "ErrorAccessDenied", message: "Access is denied. Check credentials and try again."}
	case MailThrottled:
		return answer{}, &graphError{status: http.StatusTooManyRequests, code: "ApplicationThrottled", message: "Application is over its MailboxConcurrency limit.", header: http.Header{"Retry-After": {"1"}}}
	case MailDown:
		return answer{}, gatewayTimeout()
	}
	g.c.mails = append(g.c.mails, Mail{g.c.now(), to, copies, m.Subject, m.Body.Content})
	if fault == MailLost {
		return answer{}, gatewayTimeout()
	}
	return answer{status: http.StatusAccepted}, nil
}

func gatewayTimeout() *graphError {
	return &graphError{status: http.StatusGatewayTimeout, code: "UnknownError", message: "The gateway did not get an answer in time."}
}

func addresses(list []recipient) (all []string, fine bool) {
	for _, r := range list {
		if !strings.Contains(r.Mail.Address, "@") {
			return nil, false
		}
		all = append(all, r.Mail.Address)
	}
	return all, true
}

// managerOf returns the number of a person's manager. The first ten people have no manager.
func managerOf(i int) (manager int, has bool) { return i / 10, i >= 10 }

// The method "manager" returns the manager of a user as a directory object (docs-contrib:
// api-reference/v1.0/api/user-list-manager.md).
func (g *graph) manager(q *query) (answer, error) {
	selected, err := properties(q, userProperties, userDefaults, "user")
	if err != nil {
		return answer{}, err
	}
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	i, err := g.c.user(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	m, has := managerOf(i)
	if !has || !g.c.inEntra(m, g.c.profile(m)) {
		return answer{}, notFound("manager")
	}
	u := q.replica.user(m)
	return ok(appendObject(nil, u, selected, entityContext(q, "directoryObjects"+selection(q))+u.typeOf(userType))), nil
}

// preferredLanguages are the languages of the people, in turn. Empty means that the person has set no language.
var preferredLanguages = []string{"en-US", "sv-SE", "", "nb-NO"}
