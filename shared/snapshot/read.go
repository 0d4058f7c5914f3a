package snapshot

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

// Read loads both halves of one partition into h, reusing its memory. Nothing
// of it may be used when the error is not nil: a part that is missing,
// truncated or altered is store.ErrDamaged.
func (m *Manifest) Read(ctx context.Context, s store.Store, partition int, h *directory.Halves) error {
	*h = directory.Halves{
		Entra: h.Entra[:0], AD: h.AD[:0], Memberships: map[string][]string{},
		EntraState: m.state(directory.Entra), ADState: m.state(directory.AD),
	}
	groups := map[string]string{} // one copy of each group's key
	for _, r := range m.Readings {
		h.Unreadable = append(h.Unreadable, r.Unreadable...)
		for _, p := range r.Parts {
			if p.Partition != partition {
				continue
			}
			if err := readPart(ctx, s, r.Source, p, h, groups); err != nil {
				return fmt.Errorf("read %s: %w", p.Key, err)
			}
		}
	}
	return nil
}

// state of a source as a whole.
func (m *Manifest) state(src directory.Source) directory.Presence {
	if r := &m.Readings[src]; r.Absent || r.Failed != "" {
		return directory.NotRead
	}
	return directory.Present
}

func readPart(ctx context.Context, s store.Store, src directory.Source, p Part, h *directory.Halves, groups map[string]string) error {
	body, err := s.Get(ctx, p.Key)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%w: the object is gone", store.ErrDamaged)
	}
	if err != nil {
		return err
	}
	defer body.Close()
	sum := sha256.New()
	raw := io.TeeReader(body, sum)
	people, members := len(h.Entra)+len(h.AD), 0
	err = store.EachLine(raw, func(text string) error {
		if isMembership(text) {
			members++
			return addMembership(text, h, groups)
		}
		return addPerson(text, src, h)
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return err
	}
	people = len(h.Entra) + len(h.AD) - people
	if got := fmt.Sprintf("%x", sum.Sum(nil)); got != p.SHA256 || people != p.People || members != p.Members {
		return fmt.Errorf("%w: checksum or counts are not those of the manifest", store.ErrDamaged)
	}
	return nil
}

func addPerson(text string, src directory.Source, h *directory.Halves) error {
	if src == directory.AD {
		h.AD = append(h.AD, directory.ADUser{})
		return decodeAD(text, &h.AD[len(h.AD)-1])
	}
	h.Entra = append(h.Entra, directory.EntraUser{})
	return decodeEntra(text, &h.Entra[len(h.Entra)-1])
}

func addMembership(text string, h *directory.Halves, groups map[string]string) error {
	var m membership
	if err := decodeMembership(text, &m); err != nil {
		return err
	}
	key, known := groups[m.Group]
	if !known {
		key = m.Group
		groups[key] = key
	}
	h.Memberships[m.Member] = append(h.Memberships[m.Member], key)
	return nil
}
