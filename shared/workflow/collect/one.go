package collect

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

type one struct {
	*evidence.Person
	source OneAD // nil if Active Directory is not set up
}

// One reads and seals a run for one person. It asks every controller for the last logon. It also reads a sample of each
// source, because one person does not show whether the source lacks dates for everybody. It fails with
// directory.ErrNoPerson if no source has the name; then no run has begun.
func (c *Collector) One(ctx context.Context, in Start) error {
	b, err := c.resolve(ctx, in)
	if err != nil {
		return err
	}
	var ad OneAD
	if c.AD != nil {
		ad = c.AD
	}
	found, err := c.find(ctx, ad, b.User, in.Policy)
	if err != nil {
		return err
	}
	if err := snapshot.PutBegin(ctx, c.Store, b); err != nil {
		return err
	}
	return c.sealOne(ctx, b, in.Policy, found)
}

// BeginOne begins a run for one person whose Active Directory account the relay reads. SealOne then continues the run.
// The result "known" reports whether Entra ID has the person. If it has, the relay must look for the account with the
// SID, or for nobody if sid is empty. Otherwise the relay must look for in.User.
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

// SealOne continues the run that BeginOne began: it reads the person and seals the run. The parameter "ad" is nil if
// Active Directory is not set up.
func (c *Collector) SealOne(ctx context.Context, b *snapshot.Begin, p *policy.Policy, ad OneAD) error {
	found, err := c.find(ctx, ad, b.User, p)
	if err != nil {
		return err
	}
	return c.sealOne(ctx, b, p, found)
}

func (c *Collector) sealOne(ctx context.Context, b *snapshot.Begin, p *policy.Policy, found *one) error {
	name := attempt + "-" + rand.Text()[:10] // unique, because a step may be repeated
	entra, err := c.read(ctx, b, directory.Entra, name, func(w *snapshot.Writer) error { return c.writeEntra(ctx, b, p, found, w) })
	if err != nil {
		return fmt.Errorf("run %s: %w", b.Run, err)
	}
	if found.Entra == nil {
		entra.Failed = fmt.Sprintf("nobody in Entra ID is named %q, and the account found in Active Directory may belong to somebody named otherwise there", b.User)
	}
	return c.Seal(ctx, b.Run, entra, c.oneAD(ctx, b, p, name, found))
}

// oneAD writes the person's Active Directory account into the snapshot, and returns a summary of the reading. If Active
// Directory cannot be read, the summary says why.
func (c *Collector) oneAD(ctx context.Context, b *snapshot.Begin, p *policy.Policy, name string, found *one) snapshot.Reading {
	if found.source == nil {
		return snapshot.Reading{Source: directory.AD, Absent: true}
	}
	if found.Failed != nil {
		return snapshot.Reading{Source: directory.AD, Failed: found.Failed.Error()}
	}
	if found.AD == nil && found.Entra != nil && found.Entra.OnPremises() {
		return snapshot.Reading{Source: directory.AD, Failed: noSID}
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

// noSID is the reason why a run for one person does not read Active Directory. A run for everybody reads all accounts,
// and also joins them by the immutable id.
const noSID = "the account in Entra ID may belong to one in Active Directory, but has no onPremisesSecurityIdentifier, by which a run for one person finds it; a plan for everybody finds it"

// groupSIDs returns the objectSid of each Active Directory group that gives a product, by the key of the group. It
// omits groups that are missing.
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

func (c *Collector) find(ctx context.Context, ad OneAD, name string, p *policy.Policy) (*one, error) {
	found, err := evidence.Find(ctx, c.Entra, ad, name, p.Anchor)
	return &one{found, ad}, err
}

func (c *Collector) writeEntra(ctx context.Context, b *snapshot.Begin, p *policy.Policy, found *one, w *snapshot.Writer) error {
	if err := evidence.SampleEntra(ctx, c.Entra, w.SampleEntra); err != nil || found.Entra == nil {
		return err
	}
	if err := w.AddEntra(found.Entra); err != nil {
		return err
	}
	var groups []evidence.Group
	for _, q := range entraQueries(p) {
		groups = append(groups, evidence.Group{Question: q, Now: b.Group(q.Ref)})
	}
	var err error
	if found.Groups, err = evidence.ReadGroups(ctx, c.Entra, found.Entra.ID, groups); err != nil {
		return err
	}
	return write(w, &found.Groups, found.Entra.ID, found.Entra.PartitionKey())
}

func write(w *snapshot.Writer, b *evidence.Belonging, id, partitionKey string) error {
	for _, key := range b.Unreadable {
		if why := b.Why[key]; why != nil {
			w.Withheld(key, why)
		} else {
			w.Unreadable(key)
		}
	}
	for _, key := range b.In {
		if err := w.AddMember(key, id, partitionKey); err != nil {
			return err
		}
	}
	return nil
}

// writeAD writes the Active Directory account. It evaluates rules that need the groups in Entra ID. Call it after
// writeEntra, which reads these groups.
func (c *Collector) writeAD(ctx context.Context, b *snapshot.Begin, p *policy.Policy, found *one, w *snapshot.Writer) error {
	err := evidence.SampleAD(ctx, found.source, evidence.Enough, w.SampleAD)
	if partial, ok := errors.AsType[*directory.PartialLogonError](err); ok {
		w.PartialLogon(partial.Error())
	} else if err != nil {
		return err
	}
	if found.AD == nil || found.AD.User == nil && found.Entra == nil {
		return nil
	}
	account, sid := found.AD.User, ""
	if account != nil {
		sid = account.SID
	} else {
		sid = found.Entra.SID // groups may list an account that is not read
	}
	if err := found.AD.Ask(ctx, found.source, sid, p.MemberQueries()); err != nil {
		return err
	}
	if err := write(w, &found.AD.Belonging, sid, sid); err != nil || account == nil {
		return err
	}
	if found.AD.Partial == nil {
		return w.AddAD(account)
	}
	proven, err := found.proven(b, p)
	if err != nil {
		return err
	}
	if proven {
		account.LogOnBy(found.Latest())
	} else {
		w.PartialLogon(found.AD.Partial.Error())
	}
	return w.AddAD(account)
}

// The method "proven" reports whether a license is reclaimed whatever the unknown last logon is. It asks the undecided
// rules again with the latest possible logon. At least one must reclaim its license, and none may keep it or exempt the
// person. A rule that stays undecided does not count, because it lacks something else.
func (o *one) proven(b *snapshot.Begin, p *policy.Policy) (bool, error) {
	latest := o.Latest()
	if latest.IsZero() {
		return false, nil
	}
	judge, err := p.NewJudge(b.SKUIDs(), b.AsOf)
	if err != nil {
		return false, err
	}
	reclaimed := false
	for person := range o.Accounts(p.Anchor).Join() {
		for _, rule := range p.Rules {
			if judge.Ask(rule, person).Outcome != policy.Undecided {
				continue
			}
			switch judge.Ask(rule, person.LoggedOnBy(latest)).Outcome {
			case policy.Reclaim:
				reclaimed = true
			case policy.Undecided: // for a reason other than the last logon
			default:
				return false, nil
			}
		}
	}
	return reclaimed, nil
}
