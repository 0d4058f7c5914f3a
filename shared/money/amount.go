package money

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Cents is an amount of money in hundredths of a currency. Sums of Cents are exact.
type Cents int64

// String returns the amount with two decimals, such as "-3.05".
func (c Cents) String() string {
	sign, n := "", uint64(c)
	if c < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// Float returns the amount as a number for charts. Sums of these numbers are not exact.
func (c Cents) Float() float64 { return float64(c) / 100 }

// MarshalJSON writes the amount as a number with two decimals.
func (c Cents) MarshalJSON() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalJSON reads the output of MarshalJSON. It fails for any other text.
func (c *Cents) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseInt(strings.Replace(string(text), ".", "", 1), 10, 64)
	if err != nil || Cents(n).String() != string(text) {
		return fmt.Errorf("%q is no amount with two decimals", text)
	}
	*c = Cents(n)
	return nil
}

// One unit of a currency has this many units of the type "amount". The highest price of a policy (999,999), for each of
// 31 days, for a million seats, is 3.1e17, which fits into an int64. The package needs no library for decimals, because
// it only adds, multiplies by a number of days, and divides once for each row.
const parts = 10_000

// amount is money in ten-thousandths of a currency.
type amount int64

func priced(price float64) amount { return amount(math.Round(price * parts)) }

// The method "per" returns the amount divided by n, rounded once to whole cents. Half a cent is rounded away from zero.
// The argument "n" is positive.
func (a amount) per(n int) Cents {
	const inCent = parts / 100
	d := amount(n) * inCent
	if a < 0 {
		return -(-a).per(n)
	}
	return Cents((a + d/2) / d)
}
