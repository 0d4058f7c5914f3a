package decision

import (
	"context"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// Swept has the verdicts on the people of a partition for whom the columns of the snapshot settle the verdicts (see
// Screen).
type Swept struct {
	*policy.Swept
	// Keys has the PersonKey of each row.
	Keys   []uint64
	people *snapshot.People
}

// PersonKey returns known.KeyOf of a person's id, which identifies the person in the snapshots of several runs.
func PersonKey(p *directory.Person) uint64 { return known.KeyOf(p.ID()) }

// Sweep returns the verdicts of all rules on the people for whom the columns settle the verdicts. It puts only the
// other people into h. If the run cannot be screened, it puts all people into h and returns no verdicts. Unlike Read,
// it counts nobody. The next call of Read or Sweep overwrites the result.
func (s *Screen) Sweep(ctx context.Context, partition int, h *directory.Accounts) (*Swept, error) {
	r := s.run
	nobody := &Swept{Swept: &policy.Swept{}}
	if !s.can() {
		return nobody, r.Read(ctx, partition, h)
	}
	people, err := r.Manifest.OpenPeople(ctx, r.store, partition, &s.memory)
	if err != nil {
		return nil, err
	}
	p, crowd, err := s.prepare(ctx, partition, people)
	if err != nil {
		return nil, err
	}
	if crowd == nil {
		return nobody, r.putOpen(ctx, people, p.open, h)
	}
	if err := p.addGrace(crowd); err != nil {
		return nil, err
	}
	swept := &Swept{Swept: s.judge.Sweep(crowd), people: people, Keys: make([]uint64, people.Rows)}
	if p.failed != nil {
		return nil, p.failed
	}
	for row := range swept.Keys {
		key := p.keys[directory.Entra].Rows[row]
		if key == table.None {
			key = p.keys[directory.AD].Rows[row]
		}
		swept.Keys[row] = uint64(key)
	}
	return swept, r.putOpen(ctx, people, swept.Open, h)
}

// Texts returns a column of texts of the partition, such as "entra_department".
func (s *Swept) Texts(column string) (*table.Column, error) {
	columns, err := s.people.Columns(column)
	if err != nil {
		return nil, err
	}
	return columns[0], nil
}

// addGrace adds three functions to a crowd. They say since when an account is enabled, since when it is in a group, and
// when its licenses last changed. Grace begins at these times.
func (p *screening) addGrace(crowd *policy.Crowd) error {
	columns, err := p.people.Columns("entra_account_enabled", "ad_account_enabled")
	if err != nil {
		return err
	}
	crowd.EnabledSince = func(source directory.Source, row int) int64 {
		switch columns[source].Rows[row] {
		case table.None:
			return policy.Never
		case 1:
			return micros(p.kept[source][row].Enabled)
		}
		return policy.None
	}
	now, entries := known.SecondOf(p.run.Begin.Read), map[string]giving{}
	crowd.MemberSince = func(source directory.Source, key string, row int) int64 {
		g, is := entries[key]
		if !is {
			g = giving{key, p.past[source].groups[key], p.run.identified(key)}
			entries[key] = g
		}
		return micros(p.past[source].member(uint64(p.keys[source].Rows[row]), g, now).Since)
	}
	crowd.Changed = func() (policy.Column, bool) {
		columns, err := p.people.Columns("entra_licenses_changed")
		if err != nil {
			p.failed = err
			return policy.Column{}, false
		}
		return policy.Column{Rows: columns[0].Rows, Words: columns[0].Words}, true
	}
	return nil
}

// The function "micros" converts seconds to microseconds since 1970. It returns None for known.Always, the time before
// the first reading.
func micros(s known.Second) int64 {
	if s <= known.Always {
		return policy.None
	}
	return int64(s) * 1e6
}

// Reuse prepares a Judge of another run for this run, so that the rules need not be compiled again. The policy and the
// products of the tenant must be the same.
func (r *Run) Reuse(judge *policy.Judge) {
	judge.At(r.Begin.AsOf)
	judge.Follow(r.people())
}
