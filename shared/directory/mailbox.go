package directory

// Mailbox is what the Microsoft 365 mailbox usage report says about one person. It may be a few days old.
type Mailbox struct {
	UserPrincipalName string `json:"upn"`
	Bytes             int64  `json:"bytes"` // size of the stored items
	Archive           bool   `json:"archive,omitempty"`
	// Recoverable is the quota for deleted items, in bytes: 30 GB, or more if the mailbox is on hold (Microsoft
	// Purview, "Increase the Recoverable Items quota for mailboxes on hold").
	Recoverable int64 `json:"recoverable,omitempty"`
	Unknown     bool  `json:"unknown,omitempty"` // the report lacks one of the sizes
	// Kind is the recipient type, such as Shared, or empty.
	Kind string `json:"kind,omitempty"`
}

// GB is a gigabyte in the quotas of Exchange Online.
const GB = 1 << 30

// OnHold reports whether the mailbox is on hold, so that nothing in it may be deleted. Exchange then raises the quota
// for deleted items above 30 GB.
func (m *Mailbox) OnHold() bool { return m.Recoverable > 30*GB }
