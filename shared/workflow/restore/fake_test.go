package restore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	tenant = earlier.Tenant
	text   = earlier.Policy
)

var (
	asOf    = earlier.AsOf
	clock   = asOf.Add(time.Minute)
	errDown = errors.New("down")
)

func storeWithRun(t *testing.T) store.Store {
	t.Helper()
	s := store.Store(&store.Memory{})
	b := &snapshot.Begin{
		Run: "run", Read: asOf, AsOf: asOf, Tenant: tenant, Tool: "v1", Policy: text, Partitions: 1,
		SKUs: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}},
	}
	if err := snapshot.PutBegin(t.Context(), s, b); err != nil {
		t.Fatal(err)
	}
	return s
}

func users(changes []plan.Change) string {
	var all []string
	for _, c := range changes {
		all = append(all, c.User)
	}
	return strings.Join(all, " ")
}
