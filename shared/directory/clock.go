package directory

import (
	"errors"
	"fmt"
	"time"
)

// ErrClock means that the clocks of this machine and of a directory differ too much. The age of each date would be
// wrong.
var ErrClock = errors.New("the clocks disagree")

// maxClockSkew is the five minutes that Kerberos tolerates, and five minutes for a slow answer of the directory.
const maxClockSkew = 10 * time.Minute

// CheckClock compares the time of a directory ("told") with the time of this machine ("ours"). If they differ by more
// than maxClockSkew, the error wraps ErrClock and names both times.
func CheckClock(directory string, told, ours time.Time) error {
	if ours.Sub(told).Abs() <= maxClockSkew {
		return nil
	}
	return fmt.Errorf("%w: %s says that it is %s, and this machine says %s, which is more than %d minutes apart; nothing is decided by a wrong clock: set this machine's clock right, and run again",
		ErrClock, directory, told.UTC().Format(time.RFC3339), ours.UTC().Format(time.RFC3339), int(maxClockSkew/time.Minute))
}
