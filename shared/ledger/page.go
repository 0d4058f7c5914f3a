package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/layout"
)

// Of lists the ledger of one person and returns it as a Page.
func (l *Ledger) Of(ctx context.Context, person string) (*Page, error) {
	return l.list(ctx, person, layout.Person(person))
}

// Page is the part of the ledger about one person. A Page has the keys that existed when the ledger was listed. Its
// methods read the objects.
type Page struct {
	ledger  *Ledger
	person  string
	intents map[string][]string // keys of the intents by license, in order
	others  map[string][]string // last elements of the other keys, by license
}

func (l *Ledger) list(ctx context.Context, person, prefix string) (*Page, error) {
	page := l.empty(person)
	for key, err := range l.store.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("list the ledger of %s: %w", person, err)
		}
		if parts := strings.Split(key, "/"); len(parts) == 4 {
			page.add(key, parts[2], parts[3])
		}
	}
	return page, nil
}

func (l *Ledger) empty(person string) *Page {
	return &Page{ledger: l, person: person, intents: map[string][]string{}, others: map[string][]string{}}
}

// The method "add" adds an object about a license. The parameter "name" is the last element of its key.
func (p *Page) add(key, license, name string) {
	if isIntent(name) {
		p.intents[license] = append(p.intents[license], key)
	} else {
		p.others[license] = append(p.others[license], name)
	}
}

// Person returns the person whom the page is about.
func (p *Page) Person() string { return p.person }

// Objects returns the number of objects that the ledger has about the license. The ledger never changes or deletes an
// object. So if the number has not changed, the objects have not changed either.
func (p *Page) Objects(license string) int { return len(p.intents[license]) + len(p.others[license]) }

// Licenses returns the licenses of the person that have any object in the ledger, sorted.
func (p *Page) Licenses() []string {
	all := maps.Clone(p.intents)
	maps.Copy(all, p.others)
	return slices.Sorted(maps.Keys(all))
}

// Latest returns the newest entry for a license, or nil if there is none. It returns an ErrDamaged if an object of the
// license is damaged.
func (p *Page) Latest(ctx context.Context, license string) (*Entry, error) {
	keys, err := p.keys(ctx, license)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return p.ledger.read(ctx, p.person, license, keys[len(keys)-1])
}

// Standing returns the entry that describes the present state of a license; see Ledger.Standing.
func (p *Page) Standing(ctx context.Context, license string) (*Entry, error) {
	keys, err := p.keys(ctx, license)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Backward(keys) {
		e, err := p.ledger.read(ctx, p.person, license, key)
		if err != nil {
			return nil, err
		}
		if e.Completion == nil || e.Completion.Outcome.stands() {
			return e, nil
		}
	}
	return nil, nil
}

// Entries yields every entry for a license, oldest first. For a damaged object, it yields an ErrDamaged and goes on.
// After any other error, it stops.
func (p *Page) Entries(ctx context.Context, license string) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		keys, damage := p.keys(ctx, license)
		for _, key := range keys {
			e, err := p.ledger.read(ctx, p.person, license, key)
			if !yield(e, err) || err != nil && !errors.Is(err, ErrDamaged) {
				return
			}
		}
		if damage != nil {
			yield(nil, damage)
		}
	}
}
