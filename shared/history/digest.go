package history

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// State says what last happened to a license of a person.
type State string

// The states of a license. After a change that was rolled back or failed, the license has the same state as before the
// change.
const (
	Open      State = "open"       // the run in Item.Run is changing the license
	Taken     State = "taken"      // the run in Item.Run took the license
	Restored  State = "given back" // the license was restored, by a restore or by somebody else
	Announced State = "noticed"    // the change is announced but not yet made
	// Unsure means that it is unknown whether the mail that announces the change was sent.
	Unsure State = "perhaps noticed"
	// Unreadable means that the license's objects in the ledger are damaged. Item.Why gives the reason.
	Unreadable State = "unreadable"
)

// Item says what last happened to a license of a person.
type Item struct {
	User string `json:"user"`
	// SID is the SID of the person's account when the change began. It is empty in items of older versions.
	SID     string `json:"sid,omitempty"`
	License string `json:"license"`
	State   State  `json:"state"`
	Run     string `json:"run"`
	Rule    string `json:"rule"`
	To      string `json:"to,omitempty"`
	// ID and ToID identify License and To, also after the policy gives them other names. They are zero for an
	// announcement.
	ID    LicenseID `json:"id,omitzero"`
	ToID  LicenseID `json:"toId,omitzero"`
	Via   plan.Via  `json:"via,omitempty"`
	Began time.Time `json:"began"` // when the change began
	At    time.Time `json:"at"`    // when the license entered State
	// TakenBy is the run that took the license, and TakenAt is when. Both are set only in the state Restored, and are
	// zero in items of older versions.
	TakenBy string    `json:"takenBy,omitempty"`
	TakenAt time.Time `json:"takenAt,omitzero"`
	// HeldSince is set only in an announcement, if a run took the license before. It is when the license was restored,
	// or when a run first saw that somebody else had restored it.
	HeldSince time.Time `json:"heldSince,omitzero"`
	// Due and ByMail are set only for an announced change. Due is the time from which the announcement allows the
	// change, or zero in an announcement of an older version. ByMail says whether the announcement is a mail to the
	// person.
	Due    time.Time `json:"due,omitzero"`
	ByMail bool      `json:"byMail,omitempty"`
	// UserPrincipalName is set only in the state Open.
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	// IdleSince is the person's last activity when the change began or was announced. It is nil if there was none, or
	// if it is unknown.
	IdleSince *time.Time `json:"idleSince,omitempty"`
	Why       string     `json:"why,omitempty"`
	// Recorded is the name of the license in the ledger, if it differs from License. Otherwise it is empty.
	Recorded string `json:"-"`
}

// LicenseID identifies a license independently of its name in the policy.
type LicenseID struct {
	SKU   string `json:"sku,omitempty"`   // the skuId; empty if membership in the group is the license
	Group string `json:"group,omitempty"` // the group that gave it: object id or DN; empty for a direct assignment
	GUID  string `json:"guid,omitempty"`  // the objectGUID of the group in Active Directory
}

// InLedger returns the name under which the ledger has the license.
func (i *Item) InLedger() string { return cmp.Or(i.Recorded, i.License) }

// Late is the longest delay of an activity date in a directory. Dates in Entra ID are up to 24 hours late (Microsoft
// Entra documentation, "How to detect inactive user accounts"). In Active Directory, a logon after a long idle time
// sets lastLogonTimestamp at once, and the date only has to replicate (Microsoft, "Last-Logon-Timestamp attribute": the
// value is updated if it is older than msDS-LogonTimeSyncInterval, which is 14 days).
const Late = 24 * time.Hour

// Since returns the time 24 hours before the change began. Activity after this time means that the person returned: the
// rule had seen a long idle time, so a date from these 24 hours arrived later.
func (i *Item) Since() time.Time { return i.Began.Add(-Late) }

// Given returns when the license was last restored, or was first seen to be restored by somebody else. A later
// announcement does not change this. It is zero if no restore is known, if a run took the license again, and if a
// change is open.
func (i *Item) Given() time.Time {
	switch i.State {
	case Restored:
		return i.At
	case Announced, Unsure:
		return i.HeldSince
	}
	return time.Time{}
}

// Settled reports whether a reading that began at the time "read" must show the change of the item. An earlier reading
// may still show the old state.
func (i *Item) Settled(read time.Time) bool { return i.At.Add(i.Via.Settling()).Before(read) }

// HolderSID returns the SID of the account that holds a license in Active Directory. It returns "" for a license in
// Entra ID, and if the SID is unknown.
func (i *Item) HolderSID() string {
	if i.Via.WrittenIn() != directory.AD {
		return ""
	}
	return i.SID
}

// With adds to i, an item from the ledger, what only an earlier digest knows. If somebody else restored the license
// after the change, the result is the earlier item. If the change is only announced, With sets HeldSince to the time of
// an earlier restore, because older ledger entries lack this time. Both items may be nil.
func (i *Item) With(earlier *Item) *Item {
	switch {
	case i == nil || earlier == nil:
		return i
	case i.State == Taken && earlier.State == Restored && earlier.Run == i.Run:
		restored := *earlier
		restored.ID, restored.ToID = i.ID, i.ToID // items of older versions lack them
		return &restored
	case (i.State == Announced || i.State == Unsure) && earlier.Given().After(i.HeldSince):
		i.HeldSince = earlier.Given()
	}
	return i
}

// Digest is what a run knows about earlier runs. A nil Digest is empty.
type Digest struct {
	Run       string            `json:"run"`
	At        time.Time         `json:"at"`
	Baselines [2]*plan.Baseline `json:"baselines"` // figures of the last healthy reading of each directory
	// For each directory, Known has the last reading whose run stored a table of known accounts. Unlike Baselines, it
	// includes runs whose rules matched too many people, because the dates that such a run read are right.
	Known [2]*plan.Baseline `json:"known,omitzero"`
	// Signals has the baselines of signals from reports, by name.
	Signals map[string]*plan.Baseline `json:"signals,omitempty"`
	// Earlier is the newest earlier run that made a plan for everybody, or empty.
	Earlier string `json:"earlier,omitempty"`
	// Accepted is when the newest run with --accept-feeds read the directories, or zero.
	Accepted time.Time `json:"accepted,omitzero"`

	items    map[Touch]*Item
	bySID    map[Touch]*Item // for OfSID; the field User of a key is the SID
	setbacks map[Touch]*Setback
	// sightings has the activity dates that were read just before a change, by account.
	sightings map[string]*directory.Sighting
	// The items of the earlier digest whose license was restored. They are kept while the ledger is read again, because
	// the method With needs them.
	restored map[Touch]*Item
}

// Of returns what last happened to a license of a person, or nil.
func (s *Digest) Of(user, license string) *Item {
	if s == nil {
		return nil
	}
	return s.items[Touch{User: user, License: license}]
}

// OfSID returns what last happened to a license of the account with this SID in Active Directory. It also finds a
// change that the ledger has under another id of the person. It returns nil for a license in Entra ID.
func (s *Digest) OfSID(sid, license string) *Item {
	if s == nil {
		return nil
	}
	return s.bySID[Touch{User: sid, License: license}]
}

func (s *Digest) index() {
	s.bySID = map[Touch]*Item{}
	for i := range s.All() {
		if sid := i.HolderSID(); sid != "" {
			key := Touch{User: sid, License: i.License}
			s.bySID[key] = Later(s.bySID[key], i)
		}
	}
}

// Later returns the item that entered its state later, or the first one if the times are equal. Both may be nil.
func Later(a, b *Item) *Item {
	if a == nil || b != nil && b.At.After(a.At) {
		return b
	}
	return a
}

// Baseline returns the figures of a signal in its last healthy reading, or nil.
func (s *Digest) Baseline(of directory.Signal) *plan.Baseline {
	switch {
	case s == nil:
		return nil
	case of.Reported():
		return s.Signals[of.String()]
	}
	return s.Baselines[of]
}

// Len returns the number of licenses in the digest.
func (s *Digest) Len() int {
	if s == nil {
		return 0
	}
	return len(s.items)
}

// All yields an item for each license in the digest, in no particular order.
func (s *Digest) All() iter.Seq[*Item] {
	if s == nil {
		return func(func(*Item) bool) {}
	}
	return maps.Values(s.items)
}

// The type "line" is a line of a digest: the head, an item, a setback or a sighting.
type line struct {
	Head     *Digest             `json:"head,omitempty"`
	Setback  *Setback            `json:"setback,omitempty"`
	Sighting *directory.Sighting `json:"sighting,omitempty"`
	*Item
}

// EachItem passes the items of the digest in the manifest m to the function. It does not keep the digest in memory. If
// it fails, the caller must discard the items.
func EachItem(ctx context.Context, s store.Store, m *snapshot.Manifest, each func(*Item) error) error {
	if m.History == "" {
		return nil
	}
	err := store.GetLines(ctx, s, m.History, func(l *line) error {
		if l.Item == nil {
			return nil
		}
		return each(l.Item)
	})
	if err != nil {
		return fmt.Errorf("read what run %s knew of the past: %w", m.Run, err)
	}
	return nil
}

// Load reads the digest in the manifest m. It returns nil if there is none.
func Load(ctx context.Context, s store.Store, m *snapshot.Manifest) (*Digest, error) {
	if m.History == "" {
		return nil, nil
	}
	var st *Digest
	err := store.GetLines(ctx, s, m.History, func(l *line) error {
		switch {
		case l.Head != nil:
			st = l.Head
			st.items, st.setbacks, st.sightings = map[Touch]*Item{}, map[Touch]*Setback{}, map[string]*directory.Sighting{}
		case st != nil && l.Setback != nil:
			st.setbacks[Touch{User: l.Setback.User, License: l.Setback.License}] = l.Setback
		case st != nil && l.Sighting != nil:
			st.sightings[l.Sighting.Account] = l.Sighting
		case st == nil || l.Item == nil:
			return fmt.Errorf("%w: a line without an item", store.ErrDamaged)
		default:
			st.items[Touch{User: l.User, License: l.License}] = l.Item
		}
		return nil
	})
	if err == nil && st == nil {
		err = store.ErrDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("read what run %s knew of the past: %w", m.Run, err)
	}
	st.index()
	return st, nil
}
