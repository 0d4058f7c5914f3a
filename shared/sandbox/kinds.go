package sandbox

import "strings"

// MakeAgent makes the account of a person that of an agent, of the type agentUser
// (docs-contrib: v1.0/resources/agentuser.md). It keeps its licenses and groups.
func (c *Company) MakeAgent(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).agent = true
}

// SetDisplayName returns a person another displayName in Entra ID.
func (c *Company) SetDisplayName(i int, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).displayName = name
}

// SetUPN returns a person another userPrincipalName in Entra ID, as after a marriage. Its
// domain is the company's.
func (c *Company) SetUPN(i int, upn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.changeOf(i)
	if old := strings.ToLower(ch.upn); c.renamed[old] == i {
		delete(c.renamed, old)
	}
	ch.upn, c.renamed[strings.ToLower(upn)] = upn, i
}

// SetRecipientType sets msExchRecipientTypeDetails of a person in Active Directory,
// as Exchange's tools do where its schema is.
func (c *Company) SetRecipientType(i int, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).recipient = value
	c.move(i)
}

// TellRecipientTypes lets the mailbox usage report have the column Recipient Type,
// which version 1.0 does not (msgraph-sdk-powershell#1581).
func (c *Company) TellRecipientTypes() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.typed = true
}

// agentType is the annotation of an agent's account, also in a list of users.
const agentType = `"@odata.type":"#microsoft.graph.agentUser",`

// typeOf returns the annotation of the type of a user: plain is that of one who is no agent.
func (u *entraUser) typeOf(plain string) string {
	if u.Agent() {
		return agentType
	}
	return plain
}

// changed makes of a user what was changed by hand.
func (u *entraUser) changed(ch *change) {
	if ch == nil {
		return
	}
	if ch.agent {
		u.Type, u.IdentityParentID = "#microsoft.graph.agentUser", "70000000-0000-4000-8000-000000000001"
	}
	if ch.displayName != "" {
		u.DisplayName = ch.displayName
	}
	if ch.location != nil {
		u.UsageLocation = *ch.location
	}
	if ch.upn != "" {
		u.UserPrincipalName = ch.upn
	}
}
