package collect

import (
	"context"
	"errors"
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/adread"
)

// The constant "attempt" is a part of the keys under which a reader stores the accounts. On one machine it can be
// constant, because only one reader reads a source for a run.
const attempt = "1"

// The function "tolerance" returns the number of people that a list may lack. People may be deleted during the reading,
// and the count may be old.
func tolerance(counted int) int { return 5 + counted/100 }

// ReadAD reads everybody in Active Directory, or only the changes since an earlier run if that is possible. If ReadAD
// fails, the run has no people from Active Directory.
func (c *Collector) ReadAD(ctx context.Context, b *snapshot.Begin, p *policy.Policy) (snapshot.Reading, error) {
	if c.AD == nil {
		return snapshot.Reading{Source: directory.AD, Absent: true}, nil
	}
	all := adread.Reader{
		Store: c.Store, Run: b, AD: c.AD, Groups: adGroups(p), Rests: p.Rests(), Attempt: attempt, Now: c.Now,
		Progress: func(people int) { c.progress(directory.AD, people, 0) },
	}
	before, why := c.earlier(ctx, b)
	return all.Read(ctx, before, why)
}

func adGroups(p *policy.Policy) (groups []protocol.Group) {
	for _, q := range p.MemberQueries() {
		if q.Ref.Source == directory.AD {
			groups = append(groups, protocol.Group{DN: q.Ref.Name, Direct: q.Direct})
		}
	}
	return groups
}

func (c *Collector) read(ctx context.Context, b *snapshot.Begin, src directory.Source, attempt string, fill func(*snapshot.Writer) error) (snapshot.Reading, error) {
	w, err := snapshot.NewWriter(c.Store, b, src, attempt, b.AsOf)
	if err != nil {
		return snapshot.Reading{}, err
	}
	if err := fill(w); err != nil {
		return snapshot.Reading{}, errors.Join(fmt.Errorf("read %s: %w", src, err), w.Close())
	}
	reading, err := w.Finish(ctx)
	return reading, errors.Join(err, w.Close())
}

func (c *Collector) progress(s directory.Source, people, total int) {
	if c.Progress != nil {
		c.Progress(s, people, total)
	}
}
