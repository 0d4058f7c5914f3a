package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/idleseat/idleseat/shared/directory"
)

type wireManager struct {
	Name    string `json:"displayName"`
	Enabled *bool  `json:"accountEnabled"`
	Mail    string `json:"mail"`
	Type    string `json:"userType"`
}

// Manager returns the name and the address of a user's manager. Both are "" if the user has no manager or does not
// exist, because Graph gives one answer for both cases, or if the application may not see the manager (docs-contrib:
// api-reference/v1.0/api/user-list-manager.md).
func (c *Client) Manager(ctx context.Context, userID string) (name, mail string, err error) {
	m, err := c.manager(ctx, userID)
	return m.Name, m.Mail, err
}

// ManagerMail returns the address of a user's manager. It returns "" if there is no manager whom the application may
// see, or if the manager's account is blocked, belongs to a guest or has no address.
func (c *Client) ManagerMail(ctx context.Context, userID string) (string, error) {
	m, err := c.manager(ctx, userID)
	if err != nil || m.Enabled == nil || !*m.Enabled || !strings.EqualFold(m.Type, "Member") {
		return "", err
	}
	return m.Mail, nil
}

// The method "manager" reads a user's manager. The result is empty if Graph has none.
func (c *Client) manager(ctx context.Context, userID string) (m wireManager, err error) {
	k := call{what: "read the manager of person " + userID, needs: "User.Read.All"}
	if !isID(userID) {
		return m, k.failed(fmt.Errorf("%q is %w", userID, errNotID))
	}
	info, err := c.user(userID).Manager().ToGetRequestInformation(ctx, &users.ItemManagerRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.ItemManagerRequestBuilderGetQueryParameters{Select: selectOf[wireManager]()},
	})
	if err != nil {
		return m, k.failed(err)
	}
	body, err := c.send(ctx, k, info)
	if answered(err, http.StatusNotFound) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if m, err = decodeOne[wireManager](body); err != nil {
		return m, k.failed(err)
	}
	return m, nil
}

// SendMail sends a mail from a mailbox, and keeps a copy in its sent items. It sends the mail at most once, because
// Graph does not recognize a repeated mail (docs-contrib: api-reference/v1.0/api/user-sendmail.md has no key for this
// purpose). If Graph's answer does not prove that the mail was not sent, the error is directory.ErrUncertain. Success
// means that Exchange accepted the mail. A mail that bounces later returns to the mailbox.
func (c *Client) SendMail(ctx context.Context, from string, m directory.Mail) error {
	k := call{what: "send a notice to person " + m.Person, write: true, once: true,
		advice: "let the application send from " + from + " in Exchange Online; idleseat doctor shows the commands"}
	info, err := c.user(from).SendMail().ToPostRequestInformation(ctx, messageOf(m), nil)
	if err != nil {
		return k.failed(err)
	}
	var forbidden error
	_, err = c.send(directory.WithPermit(ctx, func() error { forbidden = directory.Permit(ctx); return forbidden }), k, info)
	if err == nil || forbidden != nil || untaken(err) || errors.Is(err, errRefused) || errors.Is(err, errToken) {
		return err
	}
	return fmt.Errorf("%w: %w", err, directory.ErrUncertain)
}

// The function "untaken" reports whether Graph's answer proves that Graph did not carry out the request.
func untaken(err error) bool {
	var graph *graphError
	return errors.As(err, &graph) && graph.status >= http.StatusBadRequest && graph.status < http.StatusInternalServerError && graph.status != http.StatusRequestTimeout
}

func messageOf(m directory.Mail) users.ItemSendMailPostRequestBodyable {
	body := models.NewItemBody()
	body.SetContentType(new(models.TEXT_BODYTYPE))
	body.SetContent(&m.Body)
	message := models.NewMessage()
	message.SetSubject(&m.Subject)
	message.SetBody(body)
	message.SetToRecipients(recipients(m.To))
	if m.Copy != "" {
		message.SetCcRecipients(recipients(m.Copy))
	}
	request := users.NewItemSendMailPostRequestBody()
	request.SetMessage(message)
	request.SetSaveToSentItems(new(true))
	return request
}

func recipients(address string) []models.Recipientable {
	mail := models.NewEmailAddress()
	mail.SetAddress(&address)
	one := models.NewRecipient()
	one.SetEmailAddress(mail)
	return []models.Recipientable{one}
}
