package directory

// Mailbox is what the Microsoft 365 mailbox usage report says about one person. The report may be a few days old.
type Mailbox struct {
	UserPrincipalName string `json:"upn"`
	Bytes             int64  `json:"bytes"` // size of the stored items
	Archive           bool   `json:"archive,omitempty"`
	// Recoverable is the quota for deleted items, in bytes. The quota is 30 GB, and more if the mailbox is on hold
	// (Microsoft Purview, "Increase the Recoverable Items quota for mailboxes on hold").
	Recoverable int64 `json:"recoverable,omitempty"`
	Unknown     bool  `json:"unknown,omitempty"` // the report lacks one of the sizes
	// Kind is the recipient type, such as Shared. It is empty if the report has no recipient type.
	Kind string `json:"kind,omitempty"`
}

// GB is a gigabyte in the quotas of Exchange Online.
const GB = 1 << 30

// OnHold reports whether the mailbox is on hold. Nothing in a mailbox on hold may be deleted. Exchange raises the quota
// for deleted items when a mailbox is put on hold, so a quota above 30 GB shows a hold.
func (m *Mailbox) OnHold() bool { return m.Recoverable > 30*GB }
