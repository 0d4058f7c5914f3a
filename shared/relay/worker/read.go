package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/adread"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	maxInput    = 16 << 20 // the largest size of an input object, in bytes
	atTheSame   = 8        // the number of candidates that are read concurrently
	nonceLetter = 10       // 50 random bits, so that two deliveries practically never get the same name
)

// The function "unique" returns a name for the objects of one delivery of a message, so that two relays that work on
// the same task write different objects.
func unique(m *protocol.Message) string {
	return fmt.Sprintf("%d-%s", m.Attempt, strings.ToLower(rand.Text()[:nonceLetter]))
}

// readEveryone reads everybody and the members of the groups. It stores them as parts, and then a reading that
// describes the parts. The key of the reading depends only on the attempt, so if several relays work on one attempt,
// the first stored reading counts.
func (r *Relay) readEveryone(l *lease, m *protocol.Message) (string, error) {
	key := layout.Everyone(m.Run, m.Attempt)
	if done, err := r.exists(l.ctx, key); err != nil || done {
		return key, err
	}
	all := adread.Reader{
		Store: r.store, Run: &snapshot.Begin{Run: m.Run, Partitions: m.Partitions, AsOf: m.AsOf}, AD: r.ad,
		Groups: m.Groups, Rests: m.Rests, Attempt: unique(m), Now: r.clock.Now, Leased: l.leased,
	}
	if err := r.ad.CheckClock(l.ctx, r.clock.Now); err != nil {
		return "", err
	}
	began := r.clock.Now().UTC()
	before, why := r.since(l.ctx, m)
	reading, err := all.Read(l.ctx, before, why)
	if err != nil {
		return "", err
	}
	reading.Began = began
	l.log.Info("everyone was read", "people", reading.People, "changed", reading.Changed, "full", reading.WhyFull, "parts", len(reading.Parts))
	if err := l.leased(); err != nil {
		return "", err
	}
	if err := store.PutJSONIfAbsent(l.ctx, r.store, key, &reading); err != nil && !errors.Is(err, store.ErrExists) {
		return "", err
	}
	return key, nil
}

func (r *Relay) exists(ctx context.Context, key string) (bool, error) {
	body, err := r.store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, body.Close()
}

// The method "since" returns the earlier reading that the message names, or an error that says why it cannot be used.
func (r *Relay) since(ctx context.Context, m *protocol.Message) (*snapshot.Reading, error) {
	if m.Since == "" {
		return nil, errors.New("the message names no earlier reading")
	}
	before := new(snapshot.Reading)
	if err := store.GetJSON(ctx, r.store, m.Since, before); err != nil {
		return nil, fmt.Errorf("read the earlier reading: %w", err)
	}
	return before, nil
}

// readCandidates reads people, with their last logons from every domain controller. Each delivery of a message causes
// a new read, because earlier evidence may be out of date.
func (r *Relay) readCandidates(l *lease, m *protocol.Message) (string, error) {
	text, err := r.input(l, m)
	if err != nil {
		return "", err
	}
	people, err := protocol.ParsePeople(text)
	if err != nil {
		return "", &badError{fmt.Errorf("input %s: %w", m.Input, err)}
	}
	read, err := r.evidence(l.ctx, m, people)
	if err != nil {
		return "", err
	}
	l.log.Info("candidates were read", "people", len(read.People))
	return r.put(l, layout.Evidence(m.Run, m.Batch, unique(m)), read)
}

// The method "input" reads the object that a message names. An error has the key without quotes, because the function
// "nameless" removes quoted strings, which may be names of people.
func (r *Relay) input(l *lease, m *protocol.Message) ([]byte, error) {
	text, err := store.GetBytes(l.ctx, r.store, m.Input, maxInput)
	if err == nil {
		text, err = store.Unseal(m.Input, text)
	}
	if err != nil {
		err = fmt.Errorf("input %s: %w", m.Input, err)
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDamaged) {
		return nil, &badError{err}
	}
	return text, err
}

// The method "put" stores the answer to a batch. Each delivery of the message uses its own key, and put returns it.
func (r *Relay) put(l *lease, key string, v any) (string, error) {
	if err := l.leased(); err != nil {
		return "", err
	}
	return key, store.PutJSONIfAbsent(l.ctx, r.store, key, v)
}

func (r *Relay) evidence(ctx context.Context, m *protocol.Message, people *protocol.People) (*protocol.Evidence, error) {
	if m.Sample > 0 {
		if err := r.ad.CheckClock(ctx, r.clock.Now); err != nil {
			return nil, err
		}
	}
	e := &protocol.Evidence{Run: m.Run, Batch: m.Batch, Read: r.clock.Now().UTC(), People: make([]protocol.Account, len(people.SIDs)+len(people.Names)+len(people.ImmutableIDs))}
	var noGroup sync.Map // keys of groups that could not be read
	groups, err := r.groups(ctx, m.Groups, e, &noGroup)
	if err != nil {
		return nil, err
	}
	var reading errgroup.Group
	reading.SetLimit(atTheSame)
	for i := range e.People {
		reading.Go(func() error {
			named := i - len(people.SIDs)
			anchored := named - len(people.Names)
			switch {
			case named < 0:
				e.People[i] = r.account(ctx, people.SIDs[i], groups, &noGroup)
			case anchored < 0:
				e.People[i] = r.named(ctx, people.Names[named], groups, &noGroup)
			default:
				e.People[i] = r.anchored(ctx, people.ImmutableIDs[anchored], people.Anchor, groups, &noGroup)
			}
			return context.Cause(ctx)
		})
	}
	if err := reading.Wait(); err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	noGroup.Range(func(key, _ any) bool { keys[key.(string)] = true; return true })
	e.Unreadable = slices.Sorted(maps.Keys(keys))
	return e, r.sample(ctx, m.Sample, e)
}

// The method "groups" reads the groups of a message and adds them to e. It returns the groups whose memberships are to
// be read: all but the license groups that could not be read. Such a license group stops only its own changes. If
// another group exists but cannot be read, the method fails, because any change may depend on it.
func (r *Relay) groups(ctx context.Context, all []protocol.Group, e *protocol.Evidence, noGroup *sync.Map) (asked []protocol.Group, err error) {
	e.Found, e.Failed = map[string]directory.Group{}, map[string]string{}
	for _, g := range all {
		found, err := r.ad.FindGroup(ctx, g.DN)
		switch {
		case err == nil:
			e.Found[g.DN] = found
			if err := r.empty(ctx, g, e); err != nil {
				return nil, err
			}
		case errors.Is(err, directory.ErrNoGroup) && g.Direct && directory.IsGroupGUID(g.DN):
			e.Gone = append(e.Gone, g.Key())
		case errors.Is(err, directory.ErrNoGroup):
			noGroup.Store(g.Key(), true)
		case g.Direct && ctx.Err() == nil:
			e.Failed[g.Key()] = err.Error()
			continue
		default:
			return nil, err
		}
		asked, e.Groups = append(asked, g), append(e.Groups, g.Key())
	}
	return asked, nil
}

// The method "empty" adds a group to e.Empty if nobody is in it, or fewer people than g.Least. It skips license groups,
// whose field Direct is set, because they may be empty at any time. A group that hides its members is not added.
func (r *Relay) empty(ctx context.Context, g protocol.Group, e *protocol.Evidence) error {
	if g.Direct {
		return nil
	}
	some, err := r.ad.HasMembers(ctx, g.DN, max(1, g.Least))
	if errors.Is(err, directory.ErrNoGroup) {
		return nil
	}
	if err == nil && !some {
		e.Empty = append(e.Empty, g.Key())
	}
	return err
}

// The method "sample" adds to e the last logons of the first n accounts in the directory. If they cannot be read,
// e.Unsampled says why.
func (r *Relay) sample(ctx context.Context, n int, e *protocol.Evidence) error {
	if n == 0 {
		return nil
	}
	err := evidence.SampleAD(ctx, r.ad, n, func(u *directory.ADUser) { e.Sample = append(e.Sample, u.LastLogonTimestamp) })
	if err != nil {
		e.Sample, e.Unsampled = nil, err.Error()
	}
	return context.Cause(ctx)
}

func (r *Relay) named(ctx context.Context, name string, groups []protocol.Group, noGroup *sync.Map) protocol.Account {
	found, err := r.ad.FindPerson(ctx, name)
	switch {
	case errors.Is(err, directory.ErrNoPerson):
		return protocol.Account{Name: name}
	case err != nil:
		return protocol.Account{Name: name, Failed: err.Error()}
	}
	a := r.account(ctx, found.SID, groups, noGroup)
	a.Name = name
	return a
}

// The method "anchored" reads the person whose account in Entra ID has the immutable id.
func (r *Relay) anchored(ctx context.Context, id string, anchor directory.Anchor, groups []protocol.Group, noGroup *sync.Map) protocol.Account {
	sid, err := r.ad.FindAnchor(ctx, id, anchor)
	switch {
	case errors.Is(err, directory.ErrNoPerson):
		return protocol.Account{ImmutableID: id}
	case err != nil:
		return protocol.Account{ImmutableID: id, Failed: err.Error()}
	}
	a := r.account(ctx, sid, groups, noGroup)
	a.ImmutableID = id
	return a
}

// The method "account" reads one person. The result marks everything that could not be read, so that an unread value
// differs from an empty one.
func (r *Relay) account(ctx context.Context, sid string, groups []protocol.Group, noGroup *sync.Map) protocol.Account {
	questions := make([]directory.Question, len(groups))
	for i, g := range groups {
		questions[i] = g.Question()
	}
	read, err := evidence.ReadAccount(ctx, r.ad, sid, questions)
	if err != nil {
		return protocol.Account{SID: sid, Failed: err.Error()}
	}
	for _, key := range read.Unreadable {
		noGroup.Store(key, true)
	}
	a := protocol.Account{SID: sid, User: read.User, LeftOut: read.LeftOut, Groups: read.In}
	if read.Partial != nil {
		a.PartialLogon, a.Latest = read.Partial.Error(), read.Partial.Latest
	}
	a.Seen = a.See(groups, read.Unreadable)
	return a
}
