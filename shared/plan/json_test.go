package plan

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/policy"
)

// AppendJSON writes the same bytes as encoding/json for random values of every field, so the test fails if Decision has
// a field that AppendJSON does not write.
func TestAppendJSON(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		var d Decision
		vary(r, reflect.ValueOf(&d).Elem())
		want, err := json.Marshal(&d)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := d.AppendJSON([]byte("before ")); string(got) != "before "+string(want) || err != nil {
			t.Fatalf("seed %d: error %v,\n%s\nwant\n%s", seed, err, got, want)
		}
	}
}

// vary fills v with random values, but leaves parts of it empty.
func vary(r *rand.Rand, v reflect.Value) {
	if r.IntN(3) == 0 {
		return
	}
	switch at := v.Addr().Interface().(type) {
	case *time.Time:
		*at = time.Unix(r.Int64N(5e9), r.Int64N(2)*r.Int64N(1e9)).UTC()
		return
	case *policy.Outcome:
		*at = policy.Outcome(r.IntN(5))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"a", "anna@contoso.example", "<b>&\"\\", "Größe", "\u2028\x00\x7f", "\xff", " "}[r.IntN(7)])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(r.Int64N(2000) - 1000)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		vary(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			vary(r, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			vary(r, v.Field(i))
		}
	default:
		panic(fmt.Sprintf("a field of type %s: teach the test to fill it", v.Type()))
	}
}

// A time that JSON cannot represent is an error, as in encoding/json.
func TestNoJSON(t *testing.T) {
	t.Parallel()
	d := Decision{IdleSince: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if _, err := json.Marshal(&d); err == nil {
		t.Fatal("encoding/json writes the year 10000")
	}
	if got, err := d.AppendJSON(nil); err == nil {
		t.Errorf("written as %s", got)
	}
}
