// Package client is the cloud's side of the relay. It answers questions about Active Directory from the evidence that
// the relay read, and collects the writes that the relay must make. It does no I/O. If the evidence does not cover a
// question, the answer is an error, and never "no".
package client

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
)

// Fresh is how long evidence may be used, from the start of the relay's reading.
const Fresh = time.Hour

// Directory is Active Directory as the relay read it for one step of a run. A Directory is not safe for concurrent use.
type Directory struct {
	evidence *protocol.Evidence
	failed   error                      // the error of all reads and writes, or nil if there is evidence
	results  map[string]protocol.Result // by id of the change
	pending  []protocol.Change
	last     protocol.Change // the last write for which there was no result
}

// New returns a Directory that answers from the evidence e. Its reads and writes fail if the evidence is older than
// Fresh, or if the clock of the relay disagrees with "now", the time of the cloud. The argument "written" has the
// results of the writes of earlier steps, in the order of the steps.
func New(e *protocol.Evidence, now time.Time, written ...protocol.Results) *Directory {
	d := &Directory{evidence: e, results: map[string]protocol.Result{}}
	if age := now.Sub(e.Read); age > Fresh {
		return Failed(fmt.Sprintf("what the relay read is %s old; evidence is good for %s", age.Round(time.Minute), Fresh))
	}
	if err := CheckClock(e.Read, e.Read, now); err != nil {
		return Failed(err.Error())
	}
	for _, w := range written {
		for _, r := range w.Results {
			d.results[r.ID] = r
		}
	}
	return d
}

// CheckClock compares the clock of the relay with the clock of the cloud, because the relay itself compares its clock
// only with that of its domain. By the clock of the relay, it read Active Directory at the time "read". By the clock of
// the cloud, this was between the times "from" and "to".
func CheckClock(read, from, to time.Time) error {
	ours := read
	switch {
	case read.Before(from):
		ours = from
	case read.After(to):
		ours = to
	}
	return directory.CheckClock("the relay", read, ours)
}

// Failed returns a Directory whose reads and writes all fail. The argument "why" says why the relay read nothing.
func Failed(why string) *Directory {
	return &Directory{failed: fmt.Errorf("the relay did not answer: %s", why)}
}

// PendingWrites returns the writes that were requested from d and that the relay must still make: they have no result,
// or the relay skipped them. They are in the order of the requests.
func (d *Directory) PendingWrites() *protocol.Changes {
	return &protocol.Changes{Changes: append([]protocol.Change{}, d.pending...)}
}

// CheckClock returns nil if there is evidence, because the relay and New have already compared the clocks.
func (d *Directory) CheckClock(context.Context, func() time.Time) error { return d.failed }

// ListPeople calls "each" for every account in the sample of the evidence, with nothing but its last logon. The sample
// shows whether the directory still has current dates.
func (d *Directory) ListPeople(_ context.Context, each func(directory.ADUser) error) error {
	if d.failed != nil {
		return d.failed
	}
	if d.evidence.Unsampled != "" {
		return fmt.Errorf("the relay could not sample last logons: %s", d.evidence.Unsampled)
	}
	for _, date := range d.evidence.Sample {
		if err := each(directory.ADUser{LastLogonTimestamp: date}); err != nil {
			return err
		}
	}
	return nil
}

// FindPerson returns the account that the relay found by the given name.
func (d *Directory) FindPerson(_ context.Context, name string) (directory.ADUser, error) {
	return d.account(func(a *protocol.Account) bool { return strings.EqualFold(a.Name, name) }, name)
}

// ReadPerson returns an account with its last logon, which the relay read from every controller. If the last logon is
// uncertain, it also returns a *directory.PartialLogonError. If the settings of the relay leave the account out, it
// also returns directory.ErrLeftOut.
func (d *Directory) ReadPerson(_ context.Context, sid string) (directory.ADUser, error) {
	return d.account(func(a *protocol.Account) bool { return a.SID == sid }, sid)
}

// FindAnchor returns the SID of the account that the relay found by the immutable id.
func (d *Directory) FindAnchor(_ context.Context, immutableID string, _ directory.Anchor) (sid string, err error) {
	a, err := d.find(func(a *protocol.Account) bool { return a.ImmutableID == immutableID }, immutableID)
	switch {
	case err != nil:
		return "", err
	case a.Failed != "":
		return "", fmt.Errorf("the relay could not read %q: %s", immutableID, a.Failed)
	case a.SID == "":
		return "", fmt.Errorf("%w with the immutable id %q", directory.ErrNoPerson, immutableID)
	}
	return a.SID, nil
}

func (d *Directory) account(is func(*protocol.Account) bool, name string) (directory.ADUser, error) {
	a, err := d.find(is, name)
	switch {
	case err != nil:
		return directory.ADUser{}, err
	case a.Failed != "":
		return directory.ADUser{}, fmt.Errorf("the relay could not read %q: %s", name, a.Failed)
	case a.LeftOut != nil:
		return *a.LeftOut, fmt.Errorf("%w: %q", directory.ErrLeftOut, name)
	case a.User == nil:
		return directory.ADUser{}, fmt.Errorf("%w: %q", directory.ErrNoPerson, name)
	case a.PartialLogon != "":
		return *a.User, &directory.PartialLogonError{Err: errors.New(a.PartialLogon), Latest: a.Latest}
	}
	return *a.User, nil
}

func (d *Directory) find(is func(*protocol.Account) bool, name string) (*protocol.Account, error) {
	if d.failed != nil {
		return nil, d.failed
	}
	for i := range d.evidence.People {
		if is(&d.evidence.People[i]) {
			return &d.evidence.People[i], nil
		}
	}
	return nil, fmt.Errorf("the relay was not asked about %q", name)
}

// FindGroup returns a group from the evidence. The group has no objectGUID if the relay has an older version.
func (d *Directory) FindGroup(_ context.Context, name string) (directory.Group, error) {
	if d.failed != nil {
		return directory.Group{}, d.failed
	}
	name = d.asked(name)
	if g, found := d.evidence.Found[name]; found {
		return g, nil
	}
	asked := false
	for _, direct := range []bool{true, false} {
		key := protocol.Group{DN: name, Direct: direct}.Key()
		if contains(d.evidence.Unreadable, key) || contains(d.evidence.Gone, key) {
			return directory.Group{}, fmt.Errorf("%w: %q", directory.ErrNoGroup, name)
		}
		asked = asked || contains(d.evidence.Groups, key)
	}
	if !asked {
		return directory.Group{}, d.unknown(protocol.Group{DN: name, Direct: true}.Key(), name)
	}
	return directory.Group{Ref: directory.GroupRef{Source: directory.AD, Name: name}, ID: name, Name: name}, nil
}

// The method "unknown" returns the error for a group that the evidence does not have.
func (d *Directory) unknown(key, name string) error {
	if why, failed := d.evidence.Failed[key]; failed {
		return fmt.Errorf("the relay could not read the group %q: %s", name, why)
	}
	return fmt.Errorf("the relay was not asked about the group %q", name)
}

// The method "asked" returns the name under which the evidence has a group. The parameter "name" is the DN or the
// objectGUID. In a run for one person, the evidence has the DN alone, because the run asked the relay before it knew
// the objectGUID.
func (d *Directory) asked(name string) string {
	if contains(d.evidence.Groups, protocol.Group{DN: name, Direct: true}.Key()) {
		return name
	}
	for dn, g := range d.evidence.Found {
		if g.GUID != "" && directory.GroupByGUID(g.GUID, "") == name {
			return dn
		}
	}
	return name
}

// MemberOf reports whether a person is in a group of the evidence.
func (d *Directory) MemberOf(_ context.Context, sid, groupDN string, direct bool) (bool, error) {
	a, err := d.find(func(a *protocol.Account) bool { return a.SID == sid || a.User != nil && a.User.SID == sid }, sid)
	if err != nil {
		return false, err
	}
	key := protocol.Group{DN: d.asked(groupDN), Direct: direct}.Key()
	switch {
	case contains(d.evidence.Unreadable, key):
		return false, fmt.Errorf("%w: %q", directory.ErrNoGroup, groupDN)
	case !contains(d.evidence.Groups, key):
		return false, d.unknown(key, groupDN)
	case a.Failed != "":
		return false, fmt.Errorf("the relay could not read %q: %s", sid, a.Failed)
	}
	return contains(a.Groups, key), nil
}

// HasMembers reports whether enough people are in a group of the evidence. The message to the relay says how many are
// enough (protocol.Group.Least). An older relay does not report groups with too few people, so the method then returns
// true.
func (d *Directory) HasMembers(_ context.Context, groupDN string, _ int) (bool, error) {
	key := protocol.Group{DN: groupDN}.Key()
	switch {
	case d.failed != nil:
		return false, d.failed
	case !contains(d.evidence.Groups, key):
		return false, fmt.Errorf("the relay was not asked about the group %q", groupDN)
	}
	return !contains(d.evidence.Empty, key), nil
}

func contains(list []string, key string) bool {
	for _, k := range list {
		if k == key {
			return true
		}
	}
	return false
}

// AddMember returns the result of an earlier request to add the person to the group. Without a result, or if the relay
// skipped the write, it adds the request to PendingWrites and returns directory.ErrDeferred.
func (d *Directory) AddMember(_ context.Context, groupDN, personGUID string) error {
	return d.write(protocol.Add, groupDN, personGUID)
}

// RemoveMember returns the result of an earlier request to remove the person from the group. Without a result, or if
// the relay skipped the write, it adds the request to PendingWrites and returns directory.ErrDeferred. If the request
// directly before adds the person to a group, both are one change. The relay then makes the removal only after that.
func (d *Directory) RemoveMember(_ context.Context, groupDN, personGUID string) error {
	return d.write(protocol.Remove, groupDN, personGUID)
}

func (d *Directory) write(action protocol.Action, groupDN, guid string) error {
	a, err := d.find(func(a *protocol.Account) bool { u := cmp.Or(a.User, a.LeftOut); return u != nil && u.GUID == guid }, guid)
	if err != nil {
		return err
	}
	c := protocol.Change{ID: writeID(action, groupDN, guid), SID: cmp.Or(a.User, a.LeftOut).SID, GUID: guid, Group: groupDN, Action: action}
	switch r := d.results[c.ID]; r.Outcome {
	case protocol.Done:
		return nil
	case protocol.Refused, protocol.Missing:
		return refusal(r)
	case protocol.Failed:
		return fmt.Errorf("the relay could not write it: %s", r.Note)
	case protocol.Outdated:
		return fmt.Errorf("the relay wrote nothing: %s", r.Note)
	}
	if action == protocol.Remove {
		c.Seen, c.After = a.Seen, d.joining(guid)
	}
	// One step may try a change several times, or give one group in exchange for several licenses.
	if !slices.ContainsFunc(d.pending, func(w protocol.Change) bool { return w.ID == c.ID }) {
		d.pending = append(d.pending, c)
	}
	d.last = c
	return directory.ErrDeferred
}

func refusal(r protocol.Result) error {
	return &directory.Refusal{Reason: r.Note, Err: fmt.Errorf("the relay was refused: %s", r.Note)}
}

// The method "joining" returns the id of the write that was asked for last, if it adds the person with this GUID to a
// group. Otherwise it returns "", because an earlier write of the person belongs to another license.
func (d *Directory) joining(guid string) string {
	if d.last.GUID == guid && d.last.Action == protocol.Add {
		return d.last.ID
	}
	return ""
}

// writeID returns the id of a write. It depends only on the arguments. So a later step computes the same id, and finds
// the result of the write.
func writeID(action protocol.Action, groupDN, guid string) string {
	sum := sha256.Sum256([]byte(string(action) + "\x00" + groupDN + "\x00" + guid))
	return hex.EncodeToString(sum[:12])
}
