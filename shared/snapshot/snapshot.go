// Package snapshot stores what a run saw. begin.json has the products and groups, which the run read before people.
// Package collect then writes parts, one for each partition and call. The manifest is written last and turns the parts
// into a snapshot. Nothing may be decided without a manifest, or if a part does not match its checksum.
package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrNone is the error for a run without a manifest.
var ErrNone = errors.New("the run has no snapshot: it failed or is still reading")

// ErrUnknownRun is the error for a run that is not in the store.
var ErrUnknownRun = errors.New("no such run in the store")

// Begin is runs/<run>/begin.json, from which every step of a run starts.
type Begin struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	// Read is when the reading of the data started. Copy is the run whose snapshot this run uses, or "". If Copy is
	// set, Read is the Read of that run.
	Read time.Time `json:"read"`
	Copy string    `json:"copy,omitempty"`
	// AsOf is the planning time. Rules compare the dates of people with this time, and the age of a source's data is
	// measured at this time.
	AsOf       time.Time `json:"asOf"`
	Tenant     string    `json:"tenant"`
	Tool       string    `json:"tool"` // version of idleseat
	Partitions int       `json:"partitions"`
	People     int       `json:"people,omitempty"`    // approximate number of people in Entra ID
	User       string    `json:"user,omitempty"`      // in a run for one person, the name that the operator typed
	Scheduled  bool      `json:"scheduled,omitempty"` // whether the schedule started the run
	// AcceptFeeds means that an operator accepts the current state of the sources, even if they have far fewer people
	// or dates than before.
	AcceptFeeds bool   `json:"acceptFeeds,omitempty"`
	Policy      string `json:"policy"` // the run's own copy of the policy file
	// PolicyFile is the path of the policy file on the machine that made the run. It is empty if the path is unknown,
	// and in a deployment, because there the policy in force is in the bucket.
	PolicyFile string `json:"policyFile,omitempty"`
	// Deployment is the name of the deployment in AWS that made the run. It is empty if a machine or an earlier version
	// made the run. Reports name the deployment in commands (--aws).
	Deployment string            `json:"deployment,omitempty"`
	SKUs       []directory.SKU   `json:"skus"`
	Groups     []directory.Group `json:"groups"`
	// Subscriptions has the tenant's purchases of the products, with their renewal dates. It is nil if the policy does
	// not need these dates.
	Subscriptions *Subscriptions `json:"subscriptions,omitempty"`
	// Granting lists groups that give a license of the policy although the policy does not name the groups.
	Granting []directory.Group `json:"granting,omitempty"`
	// Former is set in a restore. A key is the name of a license in the policy of the run that took the license. The
	// value is the group that gave the license then.
	Former map[string]directory.Group `json:"former,omitempty"`
	// FormerToo has the other groups, if several groups gave the license. It has the same keys.
	FormerToo map[string][]directory.Group `json:"formerToo,omitempty"`
	// Members lists the keys (GroupRef.Key) of the groups whose members are read.
	Members []string `json:"members"`
	// Earlier is what earlier runs found under the names in the policy. With it, the run notices that a group was
	// deleted and created again under the same name. It is nil if nothing of earlier runs is stored.
	Earlier *directory.Earlier `json:"earlier,omitempty"`
	// Lost describes the damaged objects of earlier runs that Earlier could not use.
	Lost []string `json:"lost,omitempty"`
	// Choice is set if an operator chose the changes of this run from the plan of another run.
	Choice *Choice `json:"choice,omitempty"`
	// Unnamed lists the names in exempt.users and exempt.leave that no account has. It is set only in a run for one
	// person. A run for everybody does not need it, because such a run reads the accounts of all names.
	Unnamed []string `json:"unnamed,omitempty"`
	// Mailboxes is the mailbox usage report. It is nil if the policy does not need the report, and no earlier run knew
	// kinds of mailboxes.
	Mailboxes *Mailboxes `json:"mailboxes,omitempty"`
	// Reports describes the usage reports for the signals that the policy reads.
	Reports []usage.Reading `json:"reports,omitempty"`
}

// Choice has the changes that an operator chose from the plan of a run. The new run can have no other changes.
type Choice struct {
	From     string   `json:"from"`     // the run with the plan
	PlanHash string   `json:"planHash"` // the hash of the plan
	Changes  []Chosen `json:"changes"`
}

// Chosen names one change of a plan by the person and the license.
type Chosen struct {
	User    string `json:"user"`
	License string `json:"license"`
}

// Subscriptions has the purchases of the products that the policy names, or the reason why they could not be read.
type Subscriptions struct {
	List   []directory.Subscription `json:"list,omitempty"`
	Failed string                   `json:"failed,omitempty"`
}

// Mailboxes says where a run stored the mailbox usage report, or why there is no report. The object has a
// directory.Mailbox on each line.
type Mailboxes struct {
	Key    string `json:"key,omitempty"`
	Failed string `json:"failed,omitempty"`
	// Kinds has the recipient types of the mailboxes that are not user mailboxes, by user principal name in lower
	// case.
	Kinds map[string]string `json:"kinds,omitempty"`
	// Shown means that Kinds comes from this run's own report. If it is false, Kinds comes from an earlier run.
	Shown bool `json:"shown,omitempty"`
}

// PolicyHash returns the SHA-256 of the run's copy of the policy, in hex.
func (b *Begin) PolicyHash() string { return hexSum([]byte(b.Policy)) }

// SKUIDs returns the tenant's skuIds. A key is any name that a policy may use for the product.
func (b *Begin) SKUIDs() map[string]string { return directory.SKUIDs(b.SKUs) }

// Group returns what the run found for a group that the policy names. If the run did not look for the group, the field
// Unreadable of the result is set.
func (b *Begin) Group(ref directory.GroupRef) directory.Group {
	for _, g := range b.Groups {
		if g.Ref.Key(false) == ref.Key(false) {
			return g
		}
	}
	return directory.Group{Ref: ref, Unreadable: "the run did not look for it"}
}

// Part is one object of a snapshot.
type Part struct {
	Key       string `json:"key"`
	Partition int    `json:"partition"`
	People    int    `json:"people"`
	Members   int    `json:"members,omitempty"`
	Bytes     int    `json:"bytes"`          // size of the object
	Size      int    `json:"size,omitempty"` // uncompressed size of a part that an older version wrote as lines of JSON
	SHA256    string `json:"sha256"`         // hash of the object, in hex
}

// Reading is what a run read from one source.
type Reading struct {
	Source directory.Source `json:"source"`
	directory.Freshness
	// Failed says why the source could not be read. Absent says that the source is not set up. In both cases the run
	// continues, and everything in the source is unknown.
	Failed string `json:"failed,omitempty"`
	Absent bool   `json:"absent,omitempty"`
	People int    `json:"people"`
	// PartialLogon says why the last logons of the source are incomplete: some controllers did not answer, or the
	// domain does not keep the date. The activity dates of the source are then unknown.
	PartialLogon string   `json:"unasked,omitempty"`
	Unreadable   []string `json:"unreadable,omitempty"`
	// Loose lists the immutable ids of Entra accounts without a SID, whose Active Directory accounts may be in another
	// partition. It is empty in a run with one partition. Unplaced is the number of further accounts of this kind.
	Loose    []string `json:"loose,omitempty"`
	Unplaced int      `json:"unplaced,omitempty"`
	// Why maps the key of a group to the reason why its members could not be read, unless begin.json has the reason.
	Why     map[string]string `json:"why,omitempty"`
	Hidden  []string          `json:"hidden,omitempty"`  // keys of groups that hide their members, but not from this run
	Members map[string]int    `json:"members,omitempty"` // the number of listed members, including repetitions, by key of the group; a group without members has no entry
	Parts   []Part            `json:"parts,omitempty"`
	// Groups has the objectGUIDs of the Active Directory groups whose members were read. A key is GroupRef.Key(false).
	Groups map[string]string `json:"groups,omitempty"`
	// GroupSIDs has the objectSids of the groups in Groups, by the same keys.
	GroupSIDs map[string]string `json:"groupSids,omitempty"`

	// Full is the time of the last reading of everybody. Changed is the number of people who changed, in a delta
	// reading. WhyFull says why everybody was read, in a full reading.
	Full      time.Time            `json:"full,omitzero"`
	Changed   int                  `json:"changed,omitempty"`
	WhyFull   string               `json:"whyFull,omitempty"`
	Watermark *directory.Watermark `json:"mark,omitempty"` // nil if the next reading must read everybody
	// Began is when the relay began to read, by the relay's clock. It is zero without a relay, or if an older relay did
	// not send it.
	Began time.Time `json:"began,omitzero"`
}

// maxLoose is the largest length of Loose. The limit keeps the manifest small.
const maxLoose = 5000

// The method "loosen" adds the ids to Loose until Loose has maxLoose ids. It counts all other ids, and "more" further
// ids, in Unplaced.
func (r *Reading) loosen(more int, ids ...string) {
	room := min(len(ids), maxLoose-len(r.Loose))
	r.Loose = append(r.Loose, ids[:room]...)
	r.Unplaced += more + len(ids) - room
}

// Join adds the reading o to r. The readings have different people of the same source.
func (r *Reading) Join(o *Reading) {
	r.Source = o.Source
	r.Freshness.Join(o.Freshness)
	r.loosen(o.Unplaced, o.Loose...)
	r.People += o.People
	r.Unreadable = append(r.Unreadable, o.Unreadable...)
	r.Hidden = append(r.Hidden, o.Hidden...)
	for key, why := range o.Why {
		set(&r.Why, key, why)
	}
	for key, n := range o.Members {
		set(&r.Members, key, r.Members[key]+n)
	}
	r.Parts = append(r.Parts, o.Parts...)
}

func set[T any](m *map[string]T, key string, value T) {
	if *m == nil {
		*m = map[string]T{}
	}
	(*m)[key] = value
}

// Manifest is runs/<run>/manifest.json. If a run makes a new plan from an existing snapshot, the parts are in the
// folder of another run.
type Manifest struct {
	Run      string     `json:"run"`
	Taken    time.Time  `json:"taken"`
	Readings [2]Reading `json:"readings"` // indexed by directory.Source
	// For each partition, Weave made a table of people and a table of members from the parts: one entry of People and
	// one of Members. Columns are the columns of the tables of people. Runs of version 1.4 and earlier have no tables,
	// and are read from their parts.
	People  []Part   `json:"people,omitempty"`
	Members []Part   `json:"members,omitempty"`
	Columns []string `json:"columns,omitempty"`
	// Reports is a copy of Begin.Reports, with the hashes of the reports' tables.
	Reports []usage.Reading `json:"reports,omitempty"`
	// History is the key of the digest of earlier runs. It is empty if there is no digest.
	History string `json:"history,omitempty"`
	// Freed is the key of the object with what the ledger says about freed seats. Later runs compute from it how much
	// money is saved. It is empty if there is no such object.
	Freed string `json:"freed,omitempty"`
}

// maxManifest is the largest size of a manifest, in bytes. A part takes about 200 bytes.
const maxManifest = 16 << 20

const stampLayout = "20060102T150405Z"

// NewRun returns a name for a run. Names sort by time, even within a second, because the fraction of the second
// follows the time.
func NewRun(now time.Time, random [4]byte) string {
	fraction := now.Nanosecond() / 15_259 // below 1<<16
	random[0], random[1] = byte(fraction>>8), byte(fraction)
	return now.UTC().Format(stampLayout) + "-" + hex.EncodeToString(random[:])
}

// mostAhead is how far the time in a run's name may be ahead of this machine's clock, because the clocks of two
// machines differ a little.
const mostAhead = 10 * time.Minute

// Ahead reports whether the time in a run's name is later than "now" by more than mostAhead. Then some clock was
// wrong, and the run must not count as the newest.
func Ahead(run string, now time.Time) bool {
	stamp, _, _ := strings.Cut(run, "-")
	began, err := time.Parse(stampLayout, stamp)
	return err == nil && began.After(now.Add(mostAhead))
}

// PutBegin writes begin.json. If the run already has a begin.json, the object stays unchanged, and the error is
// store.ErrExists. PutBegin also fails if the store would overwrite an existing object (see store.PutJSONProven).
func PutBegin(ctx context.Context, s store.Store, b *Begin) error {
	if err := store.PutJSONProven(ctx, s, layout.Begin(b.Run), b); err != nil {
		return fmt.Errorf("cannot begin run %s: %w", b.Run, err)
	}
	return nil
}

// GetBegin reads begin.json. The error is ErrUnknownRun if the store has none.
func GetBegin(ctx context.Context, s store.Store, run string) (*Begin, error) {
	var b Begin
	if err := store.GetJSON(ctx, s, layout.Begin(run), &b); err != nil {
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadKey) {
			return nil, fmt.Errorf("run %q: %w", run, ErrUnknownRun)
		}
		return nil, fmt.Errorf("read the beginning of run %s: %w", run, err)
	}
	if b.Run != run || b.Partitions < 1 {
		return nil, fmt.Errorf("begin.json of run %s: %w", run, store.ErrDamaged)
	}
	return &b, nil
}

// Seal writes the manifest, which turns the parts of a run into a snapshot. If the run is sealed already, the first
// manifest stays.
func Seal(ctx context.Context, s store.Store, m *Manifest) error {
	err := store.PutJSONIfAbsent(ctx, s, layout.Manifest(m.Run), m)
	if err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("seal the snapshot of run %s: %w", m.Run, err)
	}
	return nil
}

// GetManifest returns the manifest of a run and its SHA-256 in hex. The error is ErrNone if the run was never sealed.
func GetManifest(ctx context.Context, s store.Store, run string) (*Manifest, string, error) {
	raw, err := store.GetBytes(ctx, s, layout.Manifest(run), maxManifest)
	if errors.Is(err, store.ErrNotFound) {
		return nil, "", fmt.Errorf("run %s: %w", run, ErrNone)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the manifest of run %s: %w", run, err)
	}
	var m Manifest
	if err := store.Decode(layout.Manifest(run), raw, &m); err != nil {
		return nil, "", fmt.Errorf("read the manifest of run %s: %w", run, err)
	}
	if m.Run != run {
		return nil, "", fmt.Errorf("manifest of run %s: %w", run, store.ErrDamaged)
	}
	return &m, hexSum(raw), nil
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
