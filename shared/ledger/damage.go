package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrDamaged is returned for an object that was altered after the ledger wrote it, that the ledger did not write, or
// whose intent is missing. No run changes the license that the object is about until somebody repairs the object. All
// other changes go on.
var ErrDamaged = errors.New("damaged ledger")

// The function "damaged" returns an ErrDamaged with the key of the object, its fault, and the remedy.
func damaged(key, format string, args ...any) error {
	return fmt.Errorf("%w: the object %s %s; bring back its earlier version or a backup of it, or move it out of the store if it does not belong there: until then nothing is changed about this license of this person",
		ErrDamaged, key, fmt.Sprintf(format, args...))
}

func sumOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// The method "keys" returns the keys of the intents about a license, in order. It returns an ErrDamaged if the ledger
// would not write an object under such a key, or if the intent of a completion or mark is missing. The next intent
// might get the number of the missing one, and that completion would then close it. Even with an error, the method
// returns the keys that it found.
func (p *Page) keys(ctx context.Context, license string) ([]string, error) {
	keys := slices.Clip(p.intents[license])
	for _, name := range p.others[license] {
		key := layout.License(p.person, license) + name
		seq, _, known := layout.SeqIn(name)
		if !known {
			return keys, damaged(key, "is none of the ledger's")
		}
		intent := layout.Entry(p.person, license, seq)
		if slices.Contains(keys, intent) {
			continue
		}
		// While this process read the list, another process may have written an intent and then its completion or
		// mark, and the list may have only the latter. The method therefore looks for the intent once more.
		body, err := p.ledger.store.Get(ctx, intent)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return keys, damaged(key, "belongs to the intent %s, which is not there", intent)
		case err != nil:
			return keys, fmt.Errorf("read the ledger: %w", err)
		}
		if err := body.Close(); err != nil {
			return keys, fmt.Errorf("read the ledger: %w", err)
		}
		keys = append(keys, intent)
		slices.Sort(keys)
	}
	return keys, nil
}

// The method "fits" checks an object beside the entry, such as a completion. It returns an ErrDamaged if the object was
// written for another intent. The parameter "sum" is the hash of the intent that the object contains. Older versions
// wrote no hash, so "sum" may be empty if the intent is not Bound.
func (e *Entry) fits(about, sum string) error {
	if sum == e.Sum || sum == "" && !e.Bound {
		return nil
	}
	return damaged(e.beside(about), "was written about another intent than %s", e.Key())
}

// isIntent reports whether name is the last element of the key of an intent.
func isIntent(name string) bool {
	_, beside, known := layout.SeqIn(name)
	return known && !beside
}
