// Package snapshot holds what a run saw: what was resolved before people were
// read (begin.json), the parts that collect wrote, one per partition and call,
// and the manifest that makes them a snapshot. The manifest is written last;
// without it, or with one part that does not match its checksum, there is no
// snapshot and nothing may be decided.
package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrNone is returned for a run that has no manifest: it never read everything.
var ErrNone = errors.New("the run has no snapshot: it failed or is still reading")

// ErrUnknownRun is returned for a run that the store does not have.
var ErrUnknownRun = errors.New("no such run in the store")

// Begin is runs/<run>/begin.json: what every step of a run starts from.
type Begin struct {
	Run     string    `json:"run"`
	Started time.Time `json:"started"`
	// Read is when reading began. A run over the snapshot of another one, Copy, has
	// that one's.
	Read time.Time `json:"read"`
	Copy string    `json:"copy,omitempty"`
	// AsOf is the planning instant: rules and the age of feeds are asked at it.
	AsOf       time.Time `json:"asOf"`
	Tenant     string    `json:"tenant"`
	Tool       string    `json:"tool"` // version of idleseat
	Partitions int       `json:"partitions"`
	People     int       `json:"people,omitempty"`    // in Entra, about
	User       string    `json:"user,omitempty"`      // a run for one person: the name asked for
	Scheduled  bool      `json:"scheduled,omitempty"` // started by the schedule
	// AcceptFeeds: an operator says that the sources are right as they are now,
	// however much they shrank.
	AcceptFeeds bool   `json:"acceptFeeds,omitempty"`
	Policy      string `json:"policy"` // the run's own copy of the policy file
	// PolicyFile is where the file lies on the machine that made the run; empty in a
	// deployment, whose bucket has the policy in force, and where it is not known.
	PolicyFile string            `json:"policyFile,omitempty"`
	SKUs       []directory.SKU   `json:"skus"`
	Groups     []directory.Group `json:"groups"`
	// Granting are groups besides that give a license of the policy.
	Granting []directory.Group `json:"granting,omitempty"`
	// Former are, in a restore, the license groups of the run that took the licenses,
	// as that run resolved them. The key is the name of the license in its policy.
	Former map[string]directory.Group `json:"former,omitempty"`
	// FormerToo are the further groups of licenses that several groups gave.
	FormerToo map[string][]directory.Group `json:"formerToo,omitempty"`
	// Members are the keys (GroupRef.Key) of the groups whose members are read.
	Members []string `json:"members"`
	// Earlier is what earlier runs found under the names of policies; nil: nothing.
	Earlier *directory.Earlier `json:"earlier,omitempty"`
	// Lost says why the objects of newer runs do not count for Earlier.
	Lost []string `json:"lost,omitempty"`
	// Unnamed are, in a run for one person, names that the policy lists and nobody has.
	// A run for everybody finds them by itself.
	Unnamed []string `json:"unnamed,omitempty"`
	// Mailboxes is the mailbox usage report; nil when the policy does not ask.
	Mailboxes *Mailboxes `json:"mailboxes,omitempty"`
	// Reports are the usage reports by which the signals come that the policy names.
	Reports []usage.Reading `json:"reports,omitempty"`
}

// Mailboxes tells where a run keeps the mailbox usage report, a directory.Mailbox
// on each line, or why it has none.
type Mailboxes struct {
	Key    string `json:"key,omitempty"`
	Failed string `json:"failed,omitempty"`
	// Kinds are the recipient types by user principal name in lower case, of mailboxes
	// that the report calls something else than a user's.
	Kinds map[string]string `json:"kinds,omitempty"`
}

// PolicyHash is the SHA-256 of the run's copy of the policy, in hex.
func (b *Begin) PolicyHash() string { return hexSum([]byte(b.Policy)) }

// SKUIDs are the tenant's skuIds by every name that a policy may give to them.
func (b *Begin) SKUIDs() map[string]string { return directory.SKUIDs(b.SKUs) }

// Group is what was resolved of a group that the policy names.
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
	Bytes     int    `json:"bytes"`          // of the object
	Size      int    `json:"size,omitempty"` // of its lines, in bytes, where it has lines
	SHA256    string `json:"sha256"`         // of the object, in hex
}

// Reading is what one source gave to a run.
type Reading struct {
	Source directory.Source `json:"source"`
	directory.Freshness
	// Failed says why the source could not be read; Absent that it is not set
	// up. Either way the run goes on and everything of the source is unknown.
	Failed string `json:"failed,omitempty"`
	Absent bool   `json:"absent,omitempty"`
	People int    `json:"people"`
	// PartialLogon says which controllers' last logons are missing in a run for
	// one person; activity dates of the source are then unknown.
	PartialLogon string   `json:"unasked,omitempty"`
	Unreadable   []string `json:"unreadable,omitempty"`
	// Loose are the immutable ids of Entra accounts that have no SID, by which they lie
	// in another partition than their account in Active Directory; Unplaced is how many
	// more there are.
	Loose    []string `json:"loose,omitempty"`
	Unplaced int      `json:"unplaced,omitempty"`
	// Why says, by key, why members are unreadable, where begin.json does not.
	Why     map[string]string `json:"why,omitempty"`
	Hidden  []string          `json:"hidden,omitempty"`  // keys of groups with hidden members that could be seen
	Members map[string]int    `json:"members,omitempty"` // listed by key, also twice; left out: none
	Parts   []Part            `json:"parts,omitempty"`
	// Groups are the objectGUIDs of the groups of Active Directory whose members were
	// read, by GroupRef.Key(false).
	Groups map[string]string `json:"groups,omitempty"`
	// GroupSIDs are their objectSids, by the same keys.
	GroupSIDs map[string]string `json:"groupSids,omitempty"`

	// Full is when everybody was last read afresh; a later reading took only
	// the changes since Watermark, of Changed people. WhyFull says why not.
	Full      time.Time            `json:"full,omitzero"`
	Changed   int                  `json:"changed,omitempty"`
	WhyFull   string               `json:"whyFull,omitempty"`
	Watermark *directory.Watermark `json:"mark,omitempty"` // nil: the next reading is of everybody
}

// maxLoose bounds Loose: they stand in the manifest.
const maxLoose = 5000

// loosen adds immutable ids, and more that are only counted.
func (r *Reading) loosen(more int, ids ...string) {
	room := min(len(ids), maxLoose-len(r.Loose))
	r.Loose = append(r.Loose, ids[:room]...)
	r.Unplaced += more + len(ids) - room
}

// Join adds what another call of reading the same source gave.
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

// Manifest is runs/<run>/manifest.json. Parts may lie in another run's folder,
// when a run plans again over a snapshot that was already taken.
type Manifest struct {
	Run      string     `json:"run"`
	Taken    time.Time  `json:"taken"`
	Readings [2]Reading `json:"readings"` // by Source
	// People and Members are the tables that Weave made of the parts, one of each for a
	// partition, and Columns what that of people has. Runs of version 1.4 and before have
	// none, and are read from their parts.
	People  []Part   `json:"people,omitempty"`
	Members []Part   `json:"members,omitempty"`
	Columns []string `json:"columns,omitempty"`
	// Reports are those of Begin, which the manifest binds by their sums.
	Reports []usage.Reading `json:"reports,omitempty"`
	// History is the key of what the run knows of earlier ones; empty: nothing.
	History string `json:"history,omitempty"`
}

// maxManifest bounds the manifest in bytes: some 200 a part.
const maxManifest = 16 << 20

// stampLayout is how the name of a run begins.
const stampLayout = "20060102T150405Z"

// NewRun names a run. Names sort by time, within a second too: half of what
// follows the second is its fraction.
func NewRun(now time.Time, random [4]byte) string {
	fraction := now.Nanosecond() / 15_259 // below 1<<16
	random[0], random[1] = byte(fraction>>8), byte(fraction)
	return now.UTC().Format(stampLayout) + "-" + hex.EncodeToString(random[:])
}

// mostAhead is how much later than now a run may have begun: the clocks of two
// machines differ a little.
const mostAhead = 10 * time.Minute

// Ahead tells that a run is named by a clock that was ahead of now. What such a run
// says is not newer than anything.
func Ahead(run string, now time.Time) bool {
	stamp, _, _ := strings.Cut(run, "-")
	began, err := time.Parse(stampLayout, stamp)
	return err == nil && began.After(now.Add(mostAhead))
}

// PutBegin writes begin.json, by which it proves that the store can write once. A run that already began keeps the first one:
// the answer is store.ErrExists.
func PutBegin(ctx context.Context, s store.Store, b *Begin) error {
	if err := store.PutJSONProven(ctx, s, layout.Begin(b.Run), b); err != nil {
		return fmt.Errorf("begin run %s: %w", b.Run, err)
	}
	return nil
}

// GetBegin reads begin.json.
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

// Seal writes the manifest, which turns the parts of a run into a snapshot.
// Sealing twice keeps the first manifest.
func Seal(ctx context.Context, s store.Store, m *Manifest) error {
	err := store.PutJSONIfAbsent(ctx, s, layout.Manifest(m.Run), m)
	if err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("seal the snapshot of run %s: %w", m.Run, err)
	}
	return nil
}

// GetManifest reads the manifest of a run and its SHA-256 in hex. The error is
// ErrNone when the run was never sealed.
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

// Latest is the newest sealed run that fits.
func Latest(ctx context.Context, s store.Store, fits func(*Begin) bool) (run string, err error) {
	var sealed []string
	for key, err := range s.List(ctx, layout.Runs) {
		if err != nil {
			return "", fmt.Errorf("look for the latest run: %w", err)
		}
		if run, ok := layout.Sealed(key); ok {
			sealed = append(sealed, run)
		}
	}
	for _, run := range slices.Backward(sealed) { // keys come in order, and runs sort by time
		b, err := GetBegin(ctx, s, run)
		if err != nil {
			return "", err
		}
		if fits(b) {
			return run, nil
		}
	}
	return "", fmt.Errorf("%w that read this: plan first", ErrUnknownRun)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
