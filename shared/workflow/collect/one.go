package collect

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// errEnough ends a listing after its beginning, when no more is needed.
var errEnough = errors.New("enough")

// adSample is how many accounts of Active Directory are sufficient to judge the feed.
const adSample = 1000

// one is the person of a run for one person, with the accounts that were found.
type one struct {
	source  OneAD // nil when Active Directory is not set up
	entra   *directory.EntraUser
	ad      *directory.ADUser
	unasked *directory.PartialLogonError // why the last logon is not known; nil when it is
	adError error                        // why the AD half could not be read

	memberships map[string][]string // as directory.Accounts has them
	unreadable  []string
}

// One reads and seals a run for one person, the last logon from every
// controller. The first page of each source is sampled besides, since one
// person cannot tell whether a feed is broken for everybody. Nobody of that
// name in either source is directory.ErrNoPerson, and there is no run then.
func (c *Collector) One(ctx context.Context, in Start) error {
	b, err := c.resolve(ctx, in)
	if err != nil {
		return err
	}
	var ad OneAD
	if c.AD != nil {
		ad = c.AD
	}
	found, err := c.find(ctx, ad, b.User)
	if err != nil {
		return err
	}
	if err := snapshot.PutBegin(ctx, c.Store, b); err != nil {
		return err
	}
	return c.sealOne(ctx, b, in.Policy, found)
}

// BeginOne begins a run for one person whose Active Directory account is read
// by somebody else, and tells by what: the SID that Entra ID knows, empty when
// it knows none, or the name (known is false) when it does not know the person.
// The run goes on with SealOne.
func (c *Collector) BeginOne(ctx context.Context, in Start) (b *snapshot.Begin, sid string, known bool, err error) {
	if b, err = c.resolve(ctx, in); err != nil {
		return nil, "", false, err
	}
	u, err := c.Entra.FindPerson(ctx, in.User)
	known = err == nil
	if err != nil && !errors.Is(err, directory.ErrNoPerson) {
		return nil, "", false, fmt.Errorf("read %q: %w", in.User, err)
	}
	b, err = c.begin(ctx, b)
	return b, u.SID, known, err
}

// SealOne reads the rest of a run for one person and seals it. ad answers for
// Active Directory; nil when it is not set up.
func (c *Collector) SealOne(ctx context.Context, b *snapshot.Begin, p *policy.Policy, ad OneAD) error {
	found, err := c.find(ctx, ad, b.User)
	if err != nil {
		return err
	}
	return c.sealOne(ctx, b, p, found)
}

func (c *Collector) sealOne(ctx context.Context, b *snapshot.Begin, p *policy.Policy, found *one) error {
	name := attempt + "-" + rand.Text()[:10] // the step may be repeated
	entra, err := c.read(ctx, b, directory.Entra, name, func(w *snapshot.Writer) error { return c.writeEntra(ctx, b, p, found, w) })
	if err != nil {
		return fmt.Errorf("run %s: %w", b.Run, err)
	}
	if found.entra == nil {
		entra.Failed = fmt.Sprintf("nobody in Entra ID is named %q, and the account found in Active Directory may belong to somebody named otherwise there", b.User)
	}
	return c.Seal(ctx, b.Run, entra, c.oneAD(ctx, b, p, name, found))
}

// oneAD is the AD half of a run for one person.
func (c *Collector) oneAD(ctx context.Context, b *snapshot.Begin, p *policy.Policy, name string, found *one) snapshot.Reading {
	if found.source == nil {
		return snapshot.Reading{Source: directory.AD, Absent: true}
	}
	if found.adError != nil {
		return snapshot.Reading{Source: directory.AD, Failed: found.adError.Error()}
	}
	reading, err := c.read(ctx, b, directory.AD, name, func(w *snapshot.Writer) error { return c.writeAD(ctx, b, p, found, w) })
	if err == nil {
		reading.GroupSIDs, err = found.groupSIDs(ctx, p)
	}
	if err != nil {
		return snapshot.Reading{Source: directory.AD, Failed: err.Error()}
	}
	return reading
}

// groupSIDs are the objectSids of the groups that give products, as a Reading has them.
func (o *one) groupSIDs(ctx context.Context, p *policy.Policy) (map[string]string, error) {
	var sids map[string]string
	for _, l := range p.Licenses {
		if !l.Synced() {
			continue
		}
		g, err := o.source.FindGroup(ctx, l.Group.Name)
		if errors.Is(err, directory.ErrNoGroup) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if sids == nil {
			sids = map[string]string{}
		}
		sids[l.Group.Key(false)] = g.SID
	}
	return sids, nil
}

// find looks for the person in Entra by name and in Active Directory by SID,
// or the other way round for somebody whom only Active Directory knows by the
// name.
func (c *Collector) find(ctx context.Context, ad OneAD, name string) (*one, error) {
	u, err := c.Entra.FindPerson(ctx, name)
	if err == nil {
		found := &one{source: ad, entra: &u}
		if u.SID != "" && ad != nil {
			found.readAD(ctx, u.SID)
		}
		return found, nil
	}
	if !errors.Is(err, directory.ErrNoPerson) || ad == nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	account, err := ad.FindPerson(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read %q, whom Entra ID does not know: %w", name, err)
	}
	found := &one{source: ad}
	found.readAD(ctx, account.SID)
	if account.UserPrincipalName == "" {
		return found, nil
	}
	switch u, err := c.Entra.FindPerson(ctx, account.UserPrincipalName); {
	case err == nil && u.SID == account.SID:
		found.entra = &u
	case err != nil && !errors.Is(err, directory.ErrNoPerson):
		return nil, fmt.Errorf("read %q: %w", account.UserPrincipalName, err)
	}
	return found, nil
}

func (o *one) readAD(ctx context.Context, sid string) {
	account, err := o.source.ReadPerson(ctx, sid)
	var unasked *directory.PartialLogonError
	switch {
	case errors.As(err, &unasked):
		o.ad, o.unasked = &account, unasked
	case errors.Is(err, directory.ErrNoPerson):
	case err != nil:
		o.adError = err
	default:
		o.ad = &account
	}
}

func (c *Collector) writeEntra(ctx context.Context, b *snapshot.Begin, p *policy.Policy, found *one, w *snapshot.Writer) error {
	err := c.Entra.ListPeople(ctx, "", func(page []directory.EntraUser, _ string) error {
		for i := range page {
			w.SampleEntra(&page[i])
		}
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if found.entra == nil {
		return nil
	}
	if err := w.AddEntra(found.entra); err != nil {
		return err
	}
	groups := directory.GroupsOf{User: found.entra.ID, All: c.Entra.GroupsOf, Listed: c.Entra.DirectGroups}
	for _, q := range p.MemberQueries() {
		if q.Ref.Source != directory.Entra {
			continue
		}
		g := b.Group(q.Ref)
		in, err := groups.Of(ctx, q.Direct)
		if err != nil {
			return err
		}
		member, err := c.isMember(ctx, &g, &q, in, found.entra.ID)
		switch key := q.Ref.Key(q.Direct); {
		case g.Unreadable != "":
			found.unreadable = append(found.unreadable, key)
			w.Unreadable(key)
		case errors.Is(err, directory.ErrHidden):
			found.unreadable = append(found.unreadable, key)
			w.Withheld(key, err)
		case err != nil:
			return err
		case member:
			found.joins(found.entra.ID, key)
			if err := w.AddMember(key, found.entra.ID, found.entra.PartitionKey()); err != nil {
				return err
			}
		}
	}
	return nil
}

// isMember tells whether a person is in a group of Entra ID. memberOf leaves hidden
// groups out, so that only their own list tells who is not in them.
func (c *Collector) isMember(ctx context.Context, g *directory.Group, q *policy.MemberQuery, in []string, id string) (member bool, err error) {
	member = slices.Contains(in, g.ID)
	if member || !g.Hidden || g.Unreadable != "" {
		return member, nil
	}
	err = c.Entra.ListMembers(ctx, *g, "", func(page []directory.Member, _ string) error {
		if member = slices.ContainsFunc(page, func(m directory.Member) bool { return m.ID == id && (m.Direct || !q.Direct) }); member {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return member, err
}

// joins notes a membership.
func (o *one) joins(id, key string) {
	if o.memberships == nil {
		o.memberships = map[string][]string{}
	}
	o.memberships[id] = append(o.memberships[id], key)
}

// writeAD writes the AD half. It comes after writeEntra.
func (c *Collector) writeAD(ctx context.Context, b *snapshot.Begin, p *policy.Policy, found *one, w *snapshot.Writer) error {
	if err := found.sample(ctx, w); err != nil || found.ad == nil {
		return err
	}
	for _, q := range p.MemberQueries() {
		if q.Ref.Source != directory.AD {
			continue
		}
		member, err := found.source.MemberOf(ctx, found.ad.SID, q.Ref.Name, q.Direct)
		switch key := q.Ref.Key(q.Direct); {
		case errors.Is(err, directory.ErrNoGroup):
			found.unreadable = append(found.unreadable, key)
			w.Unreadable(key)
		case err != nil:
			return err
		case member:
			found.joins(found.ad.SID, key)
			if err := w.AddMember(key, found.ad.SID, found.ad.SID); err != nil {
				return err
			}
		}
	}
	if found.unasked == nil {
		return w.AddAD(found.ad)
	}
	proven, err := found.proven(b, p)
	if err != nil {
		return err
	}
	if proven {
		found.ad.LogOnBy(found.unasked.Latest)
	} else {
		w.PartialLogon(found.unasked.Error())
	}
	return w.AddAD(found.ad)
}

// sample looks at some people's dates, to judge the feed.
func (o *one) sample(ctx context.Context, w *snapshot.Writer) error {
	sampled := 0
	err := o.source.ListPeople(ctx, func(u directory.ADUser) error {
		w.SampleAD(&u)
		if sampled++; sampled == adSample {
			return errEnough
		}
		return nil
	})
	if unasked, ok := errors.AsType[*directory.PartialLogonError](err); ok {
		w.PartialLogon(unasked.Error())
		return nil
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// proven tells whether the last logon need not be known: some rule reclaims
// also when it was at the latest instant that it can have been, and every rule
// that asks for it does.
func (o *one) proven(b *snapshot.Begin, p *policy.Policy) (bool, error) {
	if o.unasked.Latest.IsZero() {
		return false, nil
	}
	judge, err := p.NewJudge(b.SKUIDs(), b.AsOf)
	if err != nil {
		return false, err
	}
	h := directory.Accounts{AD: []directory.ADUser{*o.ad}, ADState: directory.Present, Memberships: o.memberships, Unreadable: o.unreadable, Anchor: p.Anchor}
	if h.Stale[directory.AD] = o.unasked.Error(); o.entra != nil {
		h.Entra, h.EntraState = []directory.EntraUser{*o.entra}, directory.Present
	}
	reclaimed := false
	for person := range h.Join() {
		for _, rule := range p.Rules {
			if judge.Ask(rule, person).Outcome != policy.Undecided {
				continue
			}
			switch judge.Ask(rule, person.LoggedOnBy(o.unasked.Latest)).Outcome {
			case policy.Reclaim:
				reclaimed = true
			case policy.Undecided: // for another reason
			default:
				return false, nil
			}
		}
	}
	return reclaimed, nil
}
