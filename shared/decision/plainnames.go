package decision

import (
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// The type "keySet" is a set of account keys. Its Bloom filter (bits) excludes most other keys without a lookup in the
// map.
type keySet struct {
	bits [1 << 14]uint64
	keys map[uint64]bool
}

func bitOf(key uint64) (word, bit uint64) { return key >> 6 & (1<<14 - 1), 1 << (key & 63) }

func (s *keySet) add(id string) {
	if s.keys == nil {
		s.keys = map[uint64]bool{}
	}
	key := known.KeyOf(id)
	s.keys[key] = true
	word, bit := bitOf(key)
	s.bits[word] |= bit
}

func (s *keySet) has(key uint64) bool {
	word, bit := bitOf(key)
	return s.bits[word]&bit != 0 && s.keys[key]
}

// The type "prints" is a set of fingerprints of names (known.PrintOf). The field "some" is true if the set is not
// empty.
type prints struct {
	some bool
	has  [1 << 16]bool
}

func (p *prints) add(name string) { p.some, p.has[known.PrintOf(name)] = true, true }

// The method "any" reports whether the set contains a fingerprint from "of". The argument "of" consists of four
// fingerprints of sixteen bits. The fingerprint zero stands for a missing name.
func (p *prints) any(of int64) bool {
	four := uint64(of)
	return p.has[uint16(four)] || p.has[uint16(four>>16)] || p.has[uint16(four>>32)] || p.has[uint16(four>>48)]
}

// The method "listed" marks the rows of people about whom the policy, the digest or the mailbox report may have a fact.
// The rules are then evaluated for each of these people separately.
func (p *screening) listed() error {
	for _, keys := range p.keys {
		for row, key := range keys.Rows {
			p.open[row] = p.open[row] || key != table.None && p.named.has(uint64(key))
		}
	}
	if p.names.some {
		columns, err := p.people.Columns(snapshot.Names)
		if err != nil {
			return err
		}
		for row, names := range columns[0].Rows {
			p.open[row] = p.open[row] || p.names.any(names)
		}
	}
	if m := p.run.Begin.Mailboxes; m == nil || len(m.Kinds) == 0 {
		return nil
	}
	return p.mailboxes()
}

// The method "mailboxes" marks a row as open if the mailbox report says that the account is not a person's, for example
// a shared mailbox.
func (p *screening) mailboxes() error {
	columns, err := p.people.Columns("entra_user_principal_name")
	if err != nil {
		return err
	}
	var u directory.EntraUser
	held := make([]bool, len(columns[0].Words))
	for word, name := range columns[0].Words {
		u.UserPrincipalName, u.MailboxKind = name, ""
		p.run.KnowMailbox(&u)
		kind, _ := (&directory.Person{Entra: &u}).Kind()
		held[word] = kind != directory.KindPerson
	}
	for row, word := range columns[0].Rows {
		p.open[row] = p.open[row] || word != table.None && held[word]
	}
	return nil
}
