package activedirectory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// A controller that does not replicate updates lastLogonTimestamp only in its own copy (MS-ADA1 2.352), and the other
// copies keep the old date. If such a controller is not read, the old date proves nothing about logons there. The date
// therefore counts for such a controller only if a controller that was read has lately received its changes.

// syncAge is how old the last replication from a controller may be. It is twice the default interval between two sites,
// 180 minutes (Microsoft Learn, "Determining the Interval"), because changes may pass through a site in between.
const syncAge = 6 * time.Hour

// syncTimes returns, by raw invocationId, when the session's controller last received the changes of each other
// controller. replUpToDateVector also has controllers whose changes come by way of another one (MS-DRSR 5.166), and
// repsFrom has the direct ones (MS-DRSR 5.170). Samba 4.17 has no times in replUpToDateVector. The result is empty if
// the account may not read these attributes.
func (s *session) syncTimes() (map[string]time.Time, error) {
	const vector, sources = "replUpToDateVector", "repsFrom"
	e, err := s.domainObject(vector, sources)
	if err != nil {
		return nil, err
	}
	all := map[string]time.Time{}
	note := func(invocation, at []byte) {
		id := string(invocation)
		all[id] = later(all[id], syncTime(binary.LittleEndian.Uint64(at)))
	}
	eachCursor(e.GetEqualFoldRawAttributeValue(vector), note)
	for _, raw := range e.GetEqualFoldRawAttributeValues(sources) {
		// The offsets of timeLastSuccess and uuidInvocId in REPS_FROM. Version 2 of this structure has the same offsets and
		// only additional fields at the end.
		const success, invocation = 16, 176
		if len(raw) >= invocation+16 {
			note(raw[invocation:invocation+16], raw[success:])
		}
	}
	return all, nil
}

// eachCursor calls the function "note" with each invocationId and time of a vector of version 2 (MS-DRSR,
// UPTODATE_VECTOR_V2_EXT and UPTODATE_CURSOR_V2). Version 1 has no times.
func eachCursor(raw []byte, note func(invocation, at []byte)) {
	const version, head, cursor = 2, 16, 32
	if len(raw) < head || binary.LittleEndian.Uint32(raw) != version {
		return
	}
	for c := range slices.Chunk(raw[head:], cursor) {
		if len(c) == cursor {
			note(c[:16], c[24:])
		}
	}
}

// syncTime returns a time of replication, or the zero time for "never". MS-DRSR counts seconds since 1601 (DSTIME), and
// Samba counts intervals of 100 ns in a vector (FILETIME). A number that would be on the first day of 1601 as a
// FILETIME is a number of seconds.
func syncTime(n uint64) time.Time {
	const perSecond, firstDay = 1e7, 24 * 60 * 60 * 1e7
	if n < firstDay {
		n *= perSecond
	}
	if t, err := fileTime(strconv.FormatUint(n, 10)); err == nil && t.Year() >= 2000 {
		return t
	}
	return time.Time{}
}

// The method "doubts" returns why the controllers that were read may lack a change of a controller that was not read.
// The function "read" says which answer counts as read.
func (d *domain) doubts(answers []answer, read func(*answer) bool, now time.Time) (why faults) {
	vouched := slices.ContainsFunc(answers, func(a answer) bool { return read(&a) && strings.EqualFold(a.controller.name, d.asked) })
	for _, a := range answers {
		c := a.controller
		at := d.synced[c.invocation]
		switch {
		case read(&a):
		case !vouched:
			why = append(why, fmt.Errorf("no controller that was read tells when it last received the changes of %s", c.name))
		case at.IsZero() || c.invocation == "":
			why = append(why, fmt.Errorf("%s does not tell when it last received the changes of %s", d.asked, c.name))
		case now.Sub(at).Abs() > syncAge:
			why = append(why, fmt.Errorf("%s last received the changes of %s at %s", d.asked, c.name, at.UTC().Format(time.RFC3339)))
		}
	}
	return why
}

const reachIt = "make the controller answer, or remove it from the directory if it is gone for good"

// The method "nobody" returns the result if no controller has the person within the bases and the filter: the account
// that they leave out, if a controller has it. An attribute in which the controllers differ is unreadable. The error is
// directory.ErrNoPerson only if it is certain that no other controller has the account. A new or restored account may
// still be on one controller alone.
func (d *domain) nobody(answers []answer, now time.Time) (leftOut directory.ADUser, err error) {
	var why faults
	open := d.unnamed != nil
	for _, a := range answers {
		fault, isFault := errors.AsType[*fault](a.err)
		open = open || !a.lacks() && !(isFault && fault.elsewhere)
	}
	doubts := d.doubts(answers, (*answer).lacks, now)
	open = open || len(doubts) > 0
	for _, a := range answers {
		if open {
			why = append(why, a.unproven())
		} else {
			why = append(why, a.err)
		}
		switch {
		case !a.leftOut():
		case leftOut.SID == "":
			leftOut = a.user
		default:
			leftOut.Agree(&a.user)
		}
	}
	if d.unnamed != nil {
		why = append(why, d.unnamed)
	}
	if len(doubts) > 0 {
		why = append(append(why, doubts...), errors.New("so the account may be there; "+reachIt))
	}
	return leftOut, why
}

func (a *answer) lacks() bool { return errors.Is(a.err, directory.ErrNoPerson) }

// The method "unproven" returns the error of the answer, but replaces directory.ErrNoPerson with another error of the
// same text. The caller uses it if another controller has the account or may have it, because the account may then
// exist.
func (a *answer) unproven() error {
	if a.lacks() {
		return errors.New(a.err.Error())
	}
	return a.err
}

// The method "stamped" reports whether the answer has lastLogonTimestamp, or shows that it is empty.
func (a *answer) stamped() bool {
	return a.err == nil || (a.within() || a.leftOut()) && !a.user.Hides("lastLogonTimestamp")
}
