package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrDamaged is returned for an object of the ledger that cannot be believed. It
// stops what is about that person's license, and nobody else's.
var ErrDamaged = errors.New("damaged ledger")

// damaged names the object, what is wrong with it, and the cure.
func damaged(key, format string, args ...any) error {
	return fmt.Errorf("%w: the object %s %s; bring back its earlier version or a backup of it, or move it out of the store if it does not belong there: until then nothing is changed about this license of this person",
		ErrDamaged, key, fmt.Sprintf(format, args...))
}

// sumOf is the SHA-256 of an intent as it is stored, in hex.
func sumOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// named is the name of an object of the ledger below its license: a number, and what
// it says about the intent of that number.
var named = regexp.MustCompile(`^(\d{6,})(\.[a-z0-9-]+)?\.json$`)

// check looks for objects that do not belong to a license, and for what is said about
// an intent that is not there: an old completion must not close the next change.
func (p *Page) check(ctx context.Context, license string) error {
	for _, name := range p.others[license] {
		key := layout.License(p.person, license) + name
		parts := named.FindStringSubmatch(name)
		if parts == nil {
			return damaged(key, "is none of the ledger's")
		}
		intent := layout.License(p.person, license) + parts[1] + ".json"
		if slices.Contains(p.intents[license], intent) {
			continue
		}
		// The list may have been read while both were written.
		body, err := p.ledger.store.Get(ctx, intent)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return damaged(key, "belongs to the intent %s, which is not there", intent)
		case err != nil:
			return fmt.Errorf("read the ledger: %w", err)
		}
		if err := body.Close(); err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
	}
	return nil
}

// fits checks that what lies beside an entry was written about this very intent.
// Versions before the binding wrote no hash.
func (e *Entry) fits(suffix, sum string) error {
	if sum == e.Sum || sum == "" && !e.Bound {
		return nil
	}
	return damaged(e.beside(suffix), "was written about another intent than %s", e.Key())
}

// isIntent tells the key of an intent by its last part.
func isIntent(name string) bool {
	parts := named.FindStringSubmatch(name)
	return parts != nil && parts[2] == ""
}
