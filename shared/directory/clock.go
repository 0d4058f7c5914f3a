package directory

import (
	"errors"
	"fmt"
	"time"
)

// ErrClock is returned when the clock of this machine and the clock of a directory differ too much. If either clock is
// wrong, the computed age of every date is wrong.
var ErrClock = errors.New("the clocks disagree")

// maxClockSkew is how far the clock of a directory may differ from the clock of this machine. Kerberos allows a
// difference of five minutes. The other five minutes allow for a slow answer of the directory.
const maxClockSkew = 10 * time.Minute

// CheckClock compares the clock of a directory with the clock of this machine. The parameter "told" is the time of the
// directory, and "ours" is the time of this machine. CheckClock returns an error if the times differ by more than
// maxClockSkew. The error wraps ErrClock and names both times.
func CheckClock(directory string, told, ours time.Time) error {
	if ours.Sub(told).Abs() <= maxClockSkew {
		return nil
	}
	return fmt.Errorf("%w: %s says that it is %s, and this machine says %s, which is more than %d minutes apart; nothing is decided by a wrong clock: set this machine's clock right, and run again",
		ErrClock, directory, told.UTC().Format(time.RFC3339), ours.UTC().Format(time.RFC3339), int(maxClockSkew/time.Minute))
}
