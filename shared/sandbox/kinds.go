package sandbox

import "strings"

// MakeAgent turns a person's Entra account into an agent's account, of type agentUser (docs-contrib:
// v1.0/resources/agentuser.md). The account keeps its licenses and groups.
func (c *Company) MakeAgent(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).agent = true
}

// SetDisplayName changes a person's displayName in Entra ID.
func (c *Company) SetDisplayName(i int, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).displayName = name
}

// SetUPN changes a person's userPrincipalName in Entra ID. Requests no longer find the person by the old name. The
// name in Active Directory does not change.
func (c *Company) SetUPN(i int, upn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.changeOf(i)
	if old := strings.ToLower(ch.upn); c.renamed[old] == i {
		delete(c.renamed, old)
	}
	ch.upn, c.renamed[strings.ToLower(upn)] = upn, i
}

// SetRecipientType sets a person's msExchRecipientTypeDetails in Active Directory. In reality, Exchange's tools set
// this attribute if the forest's schema has it.
func (c *Company) SetRecipientType(i int, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).recipient = value
	c.move(i)
}

// TellRecipientTypes adds the column Recipient Type to the mailbox usage report. Version 1.0 of Graph does not have
// this column (msgraph-sdk-powershell#1581).
func (c *Company) TellRecipientTypes() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.typed = true
}

// agentType is the @odata.type annotation of an agent's account. In a list of users, a person's account has no
// annotation.
const agentType = `"@odata.type":"#microsoft.graph.agentUser",`

// typeOf returns the annotation of the user's type. The argument "plain" is the annotation of a user who is not an
// agent.
func (u *entraUser) typeOf(plain string) string {
	if u.Agent() {
		return agentType
	}
	return plain
}

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
