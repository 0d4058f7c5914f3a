package doctor

import (
	"context"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
)

// sendAll is the permission to send mails from every mailbox of the tenant (Microsoft Graph permissions reference).
const sendAll = "Mail.Send"

// checkMails checks whether announcements can be sent. It sends no mail. A right that Exchange Online limits to one
// mailbox is in no token, and Graph does not show it (Microsoft Learn, "Role Based Access Control for Applications in
// Exchange Online"), so an administrator must look in Exchange.
func checkMails(ctx context.Context, e *exam) ([]Finding, func()) {
	if e.Policy.Notices == nil || !slices.ContainsFunc(e.Policy.Rules, func(r *policy.Rule) bool { return r.Notice > 0 }) {
		return one(Finding{State: NotTried, Means: "Not tried, because no rule announces changes by mail."})
	}
	from := e.Policy.Notices.From
	const mailbox = "mailbox"
	switch _, err := e.Entra.FindID(ctx, from); {
	case errors.Is(err, directory.ErrNoPerson):
		return one(Finding{About: mailbox, State: Warning, Means: sentence("Nobody has the name %s, so no mail can be sent from it and each change that must be announced waits", from),
			Mend: e.edit("Write the userPrincipalName of the mailbox under notices.from; a second address of a mailbox is not enough.")})
	case err != nil:
		return one(Finding{About: mailbox, State: Unknown, Means: sentence("%v", err), Mend: e.afterRefusal(err, "User.Read.All")})
	}
	return []Finding{{About: mailbox, State: OK, Means: sentence("%s exists", from)}, e.sending(from)}, nil
}

func (e *exam) sending(from string) Finding {
	const about = "right to send"
	g := e.grant
	switch {
	case g.Application == "":
		return Finding{About: about, State: NotTried, Means: "Not tried, because Graph on this machine uses no token."}
	case slices.Contains(g.Roles, sendAll):
		m, away := narrowed("Allow the one mailbox in Exchange Online, and then take the permission away.", g.Application, from), e.takeAway(g.Application, sendAll)
		m.Bash, m.PowerShell = m.Bash+"\n"+away.Bash, m.PowerShell+"\n"+away.PowerShell
		return Finding{About: about, State: Warning, Means: sentence("With the permission %s, application %s may send from every mailbox of the company, and only %s is needed", sendAll, g.Application, from), Mend: m}
	}
	return Finding{About: about, State: NotTried,
		Means: sentence("Not tried, because Graph does not show what Exchange Online allows application %s. Without the right to send from %s, each mail fails with 403 and each change that must be announced waits", g.Application, from),
		Mend:  narrowed("Allow it in Exchange Online, as an administrator. The last line asks whether it may; InScope must be True. A change there takes up to two hours. When another application applies the plans, as in AWS, use its id.", g.Application, from)}
}

// The function "narrowed" returns the Mend that lets an application send mails from one mailbox. Only PowerShell has a
// module for Exchange Online.
func narrowed(do, application, from string) *Mend {
	const find, show = "az ad sp show --id ", " --query id --output tsv"
	script := "Connect-ExchangeOnline\n" +
		"New-ServicePrincipal -AppId " + literal(application) + " -ObjectId $env:SERVICE_PRINCIPAL -DisplayName 'idleseat writes'\n" +
		"New-ManagementScope -Name 'idleseat notices' -RecipientRestrictionFilter " + literal("PrimarySmtpAddress -eq '"+from+"'") + "\n" +
		"New-ManagementRoleAssignment -App $env:SERVICE_PRINCIPAL -Role 'Application Mail.Send' -CustomResourceScope 'idleseat notices'\n" +
		"Test-ServicePrincipalAuthorization -Identity $env:SERVICE_PRINCIPAL -Resource " + literal(from)
	return &Mend{
		Do:         do,
		Bash:       `export SERVICE_PRINCIPAL="$(` + find + word(application) + show + `)"` + "\npwsh -Command " + plain.Word(script),
		PowerShell: "$env:SERVICE_PRINCIPAL = " + find + literal(application) + show + "\n" + script,
	}
}
