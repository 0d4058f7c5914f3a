package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/store"
)

// A change begins with an intent and ends with a completion. In between, no other run can begin to change the same
// license of the same person.
func ExampleLedger() {
	ctx := context.Background()
	l := ledger.In(&store.Memory{})
	night := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	first := ledger.Intent{Person: "anna", License: "m365-e3", Run: "monday", Rule: "idle", Reason: "never signed in", At: night}

	last, err := l.Latest(ctx, "anna", "m365-e3")
	fmt.Println(last == nil, err)
	open, err := l.Begin(ctx, first, last)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(open.Key(), open.Completion == nil)

	second := first
	second.Run = "tuesday"
	_, err = l.Begin(ctx, second, open)
	fmt.Println(errors.Is(err, ledger.ErrBlocked))

	// Here, apply would change the directory and read it again.
	fmt.Println(l.Complete(ctx, open, ledger.Completion{Outcome: ledger.Done, At: night.Add(time.Minute)}))
	next, err := l.Begin(ctx, second, open)
	fmt.Println(next.Key(), err)
	// Output:
	// true <nil>
	// ledger/anna/m365-e3/000001.json true
	// true
	// <nil>
	// ledger/anna/m365-e3/000002.json <nil>
}
