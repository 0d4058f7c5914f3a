package directory

// Mailbox is what the mailbox usage report of Microsoft 365 says of one person,
// at most some days old.
type Mailbox struct {
	UserPrincipalName string `json:"upn"`
	Bytes             int64  `json:"bytes"` // stored
	Archive           bool   `json:"archive,omitempty"`
	// Recoverable is the quota of deleted items in bytes: 30 GB, and more when the
	// mailbox is on hold (Microsoft Purview, "Increase the Recoverable Items quota
	// for mailboxes on hold").
	Recoverable int64 `json:"recoverable,omitempty"`
	Unknown     bool  `json:"unknown,omitempty"` // one of the sizes is not told
	// Kind is the recipient type where the report has it, such as Shared.
	Kind string `json:"kind,omitempty"`
}

// GB is a gigabyte as Exchange Online counts quotas.
const GB = 1 << 30

// OnHold tells that nothing in the mailbox may be deleted, by the quota that
// Exchange raises then.
func (m *Mailbox) OnHold() bool { return m.Recoverable > 30*GB }
