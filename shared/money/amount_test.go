package money

import (
	"encoding/json"
	"math"
	"testing"
)

func TestCents(t *testing.T) {
	t.Parallel()
	for c, want := range map[Cents]string{0: "0.00", 5: "0.05", -5: "-0.05", 1234: "12.34", -305: "-3.05", math.MaxInt64: "92233720368547758.07", math.MinInt64: "-92233720368547758.08"} {
		text, err := json.Marshal(c)
		if err != nil || string(text) != want || c.String() != want {
			t.Errorf("Cents(%d): %s, %v, %s; want %s", int64(c), text, err, c, want)
		}
		var back Cents
		if err := json.Unmarshal(text, &back); err != nil || back != c {
			t.Errorf("%s is read as %d, %v", text, back, err)
		}
	}
	for _, text := range []string{"1", "1.5", "1.234", "1e2", `"1.00"`, "null.00", "+3.05", "-.05", ".05", "03.05", "-0.00"} {
		var c Cents
		if err := c.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s is read as %s", text, c)
		}
	}
}

// TestRounding: a price is rounded to four decimals, and the amount of a row is rounded once to whole cents.
func TestRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		price float64
		times amount
		days  int
		want  Cents
	}{
		{39, 1, 1, 3900}, {0.1, 3, 1, 30}, {10.35, 1_000_000, 1, 1_035_000_000}, {33.3333, 3, 1, 10000},
		{0.005, 1, 1, 1}, {0.0049, 1, 1, 0}, {-0.005, 1, 1, -1}, {1, 1, 30, 3}, {39, 15, 30, 1950}, {39, 1, 31, 126}, {39, -1, 31, -126},
		{999_999, 31 * 1_000_000, 31, 99_999_900_000_000},
	} {
		if got := (priced(c.price) * c.times).per(c.days); got != c.want {
			t.Errorf("%v × %d / %d = %s, want %s", c.price, c.times, c.days, got, c.want)
		}
	}
}
