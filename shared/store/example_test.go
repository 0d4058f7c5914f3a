package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/idleseat/idleseat/shared/store"
)

// The first call of PutIfAbsent for a key succeeds. The second call returns ErrExists, and the first object stays.
func ExampleStore() {
	folder, err := os.MkdirTemp("", "store-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(folder) }()
	ctx := context.Background()
	s, err := store.Open(ctx, folder) // or "s3://bucket/prefix"
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.PutIfAbsent(ctx, "runs/1/begin.json", strings.NewReader("first")))
	err = s.PutIfAbsent(ctx, "runs/1/begin.json", strings.NewReader("second"))
	fmt.Println(errors.Is(err, store.ErrExists))
	b, err := store.GetBytes(ctx, s, "runs/1/begin.json", 100)
	fmt.Printf("%s %v\n", b, err)
	for key, err := range s.List(ctx, "runs/") {
		fmt.Println(key, err)
	}
	// Output:
	// <nil>
	// true
	// first <nil>
	// runs/1/begin.json <nil>
}

// GetJSON rejects a sealed object that was copied to another key.
func ExamplePutJSON() {
	ctx := context.Background()
	var s store.Memory
	v := map[string]string{"person": "anna"}
	fmt.Println(store.PutJSON(ctx, &s, "ledger/anna/e3/000001.json", v))
	copied, err := store.GetBytes(ctx, &s, "ledger/anna/e3/000001.json", 1000)
	fmt.Println(err)
	fmt.Println(store.PutBytes(ctx, &s, "ledger/bert/e3/000001.json", copied))
	err = store.GetJSON(ctx, &s, "ledger/bert/e3/000001.json", &v)
	fmt.Println(errors.Is(err, store.ErrDamaged))
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// true
}
