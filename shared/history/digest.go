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

// The states of a license. A change with the outcome "rolled back" or "failed" does not count: the license
// keeps the state that it had before the change.
const (
	Open      State = "open"       // the run in Item.Run is changing the license
	Taken     State = "taken"      // the run in Item.Run took the license
	Restored  State = "given back" // the license was restored, by a restore or by somebody else
	Announced State = "noticed"    // the change is announced but not yet made
	// Unsure means that nobody knows whether the mail that announces the change was sent.
	Unsure State = "perhaps noticed"
	// Unreadable means that the objects of the license in the ledger are damaged. Item.Why gives the reason.
	Unreadable State = "unreadable"
)

// Item describes what last happened to a license of a person.
type Item struct {
	User string `json:"user"`
	// SID is the SID of the person when the change began. Items of older versions lack it.
	SID     string `json:"sid,omitempty"`
	License string `json:"license"`
	State   State  `json:"state"`
	Run     string `json:"run"`
	Rule    string `json:"rule"`
	To      string `json:"to,omitempty"`
	// ID and ToID identify License and To when the policy gives them other names. They are zero for an announcement.
	ID    LicenseID `json:"id,omitzero"`
	ToID  LicenseID `json:"toId,omitzero"`
	Via   plan.Via  `json:"via,omitempty"`
	Began time.Time `json:"began"` // when the change began
	At    time.Time `json:"at"`    // when the license entered State
	// TakenBy is the run that took the license, and TakenAt is the time of that change. Both are set only for a license
	// that was restored. Both are zero if the digest comes from a version that did not record them.
	TakenBy string    `json:"takenBy,omitempty"`
	TakenAt time.Time `json:"takenAt,omitzero"`
	// HeldSince is set only for an announced change of a license that a run took before. It is when the license was
	// restored, or when a run first saw that somebody else had restored the license.
	HeldSince time.Time `json:"heldSince,omitzero"`
	// Due and ByMail are set only for an announced change. Due is the time from which the announcement allows the change.
	// It is zero if an older version announced the change. ByMail says whether the announcement is a mail to the person.
	Due    time.Time `json:"due,omitzero"`
	ByMail bool      `json:"byMail,omitempty"`
	// UserPrincipalName is the name of the person. Only items in the state Open have this name.
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	// IdleSince is the person's last activity when the change began or was announced. It is nil for a person who was
	// never active, or whose last activity is unknown.
	IdleSince *time.Time `json:"idleSince,omitempty"`
	Why       string     `json:"why,omitempty"`
	// Recorded is set only if License is not the name in the ledger. It is then the name in the ledger.
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

// Late is the longest delay of an activity date in a directory. Dates in Entra ID are up to 24 hours late (Microsoft Entra
// documentation, "How to detect inactive user accounts"). In Active Directory, a logon after a long idle time sets
// lastLogonTimestamp at once, and the date only has to replicate (Microsoft, "Last-Logon-Timestamp attribute": the value
// is updated if it is older than msDS-LogonTimeSyncInterval, which is 14 days).
const Late = 24 * time.Hour

// Since returns the time 24 hours before the change began. Activity after this time means that the person returned. A
// rule takes a license only after a long idle time. A date from these 24 hours therefore arrived after the rule was
// evaluated, and shows that the person is active again.
func (i *Item) Since() time.Time { return i.Began.Add(-Late) }

// Given returns when the license was last restored, or when a run first saw that somebody else had restored the
// license. An announcement after the restore does not change the result. The result is zero if no restore is known, if
// a run took the license again after the restore, and if a change is open.
func (i *Item) Given() time.Time {
	switch i.State {
	case Restored:
		return i.At
	case Announced, Unsure:
		return i.HeldSince
	}
	return time.Time{}
}

// Settled reports whether data must show the change of the item. The parameter "read" is the time at which the reading
// of the data began.
func (i *Item) Settled(read time.Time) bool { return i.At.Add(i.Via.Settling()).Before(read) }

// HolderSID returns the SID of the account that holds the license, if this is an account in Active Directory. It returns
// "" if the license belongs to an account in Entra ID, or if the SID is unknown.
func (i *Item) HolderSID() string {
	if i.Via.WrittenIn() != directory.AD {
		return ""
	}
	return i.SID
}

// With adds to the item i the facts that only an earlier item of the same license has, and returns the result. The item
// i is from the ledger. The ledger does not record that somebody else restored a license after the change had ended.
// Ledger entries of older versions about announcements also lack the time of the restore. Both items may be nil.
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

// Digest is everything that a run knows about earlier runs. A nil Digest knows nothing.
type Digest struct {
	Run       string            `json:"run"`
	At        time.Time         `json:"at"`
	Baselines [2]*plan.Baseline `json:"baselines"` // figures of each directory in its last healthy reading
	// Known has, for each directory, the last reading whose accounts are remembered. Known includes the readings of
	// runs in which too many people matched, because the dates in these readings are real. The field Baselines does not
	// include these readings.
	Known [2]*plan.Baseline `json:"known,omitzero"`
	// Signals holds the baselines of the signals that come from reports, by the name of the signal.
	Signals map[string]*plan.Baseline `json:"signals,omitempty"`
	// Earlier is the newest earlier run that made a plan for everybody. It is empty if there is no such run.
	Earlier string `json:"earlier,omitempty"`
	// Accepted is the time of the newest reading whose feeds an operator accepted. It is zero if no run accepted them.
	Accepted time.Time `json:"accepted,omitzero"`

	items    map[Touch]*Item
	bySID    map[Touch]*Item // for OfSID; the field User of a key is the SID
	setbacks map[Touch]*Setback
	// sightings holds the activity dates that were read again just before a change, by account.
	sightings map[string]*directory.Sighting
	restored  map[Touch]*Item // licenses that were restored as of the earlier digest; filled before the ledger is read
}

// Of returns the item that describes what last happened to a license of a person. It returns nil if nothing happened.
func (s *Digest) Of(user, license string) *Item {
	if s == nil {
		return nil
	}
	return s.items[Touch{User: user, License: license}]
}

// OfSID returns the item that describes what last happened to a license in Active Directory. Such a license belongs to
// the account with the SID. OfSID therefore also finds changes that an earlier run made when the person had another id,
// for example before the account in Entra ID was created again. It returns nil for a license to which nothing happened,
// and for a license in Entra ID, which belongs to the account in Entra ID.
func (s *Digest) OfSID(sid, license string) *Item {
	if s == nil {
		return nil
	}
	return s.bySID[Touch{User: sid, License: license}]
}

// The method "index" fills bySID.
func (s *Digest) index() {
	s.bySID = map[Touch]*Item{}
	for i := range s.All() {
		if sid := i.HolderSID(); sid != "" {
			key := Touch{User: sid, License: i.License}
			s.bySID[key] = Later(s.bySID[key], i)
		}
	}
}

// Later returns the item that entered its state later. Both items may be nil. If the times are equal, it returns the
// first item.
func Later(a, b *Item) *Item {
	if a == nil || b != nil && b.At.After(a.At) {
		return b
	}
	return a
}

// Baseline returns the figures of a signal in its last healthy reading, or nil if no such reading is known.
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

// All yields one item for every license in the digest, in no particular order.
func (s *Digest) All() iter.Seq[*Item] {
	if s == nil {
		return func(func(*Item) bool) {}
	}
	return maps.Values(s.items)
}

// A line is the JSON form of one line of a digest: the head, an item, a setback or a sighting.
type line struct {
	Head     *Digest             `json:"head,omitempty"`
	Setback  *Setback            `json:"setback,omitempty"`
	Sighting *directory.Sighting `json:"sighting,omitempty"`
	*Item
}

// EachItem calls the function "each" for every item of the digest that the manifest m names. It does not keep the
// digest in memory. If EachItem fails, the caller must discard all items that it received.
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

// Load reads the digest that the manifest m names. It returns nil if the manifest names no digest.
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
