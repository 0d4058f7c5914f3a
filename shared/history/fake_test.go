package history

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/idleseat/idleseat/shared/store"
)

// The type "counting" counts the calls that read the ledger.
type counting struct {
	store.Store
	ledger int
}

func (c *counting) note(key string) {
	if strings.HasPrefix(key, "ledger/") {
		c.ledger++
	}
}

func (c *counting) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	c.note(key)
	return c.Store.Get(ctx, key)
}

func (c *counting) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	c.note(prefix)
	return c.Store.List(ctx, prefix)
}
