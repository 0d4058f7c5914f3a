package policy

import (
	"testing"
	"time"
)

// LeaveEnd returns the end of the last leave that is over, and ignores a leave that is not over.
func TestLeaveEnd(t *testing.T) {
	t.Parallel()
	p := load(t, `exempt:
  leave:
    - {user: kim@contoso.example, until: 2026-10-01}
    - {user: id-1, until: 2026-10-15}
    - {user: kim@contoso.example, until: 2026-09-01}
    - {user: kim@contoso.example, until: 2027-01-01}
    - {user: other@contoso.example, until: 2026-11-01}
`+twoRules)
	j, last := judge(t, p, noon), p.Exempt.Leave[1].Until
	for at, want := range map[time.Time]time.Time{noon: last, last: last, last.Add(-1): p.Exempt.Leave[0].Until, noon.Add(-400 * day): {}} {
		j.At(at)
		if got := j.LeaveEnd(employee()); !got.Equal(want) {
			t.Errorf("as of %s: %s, want %s", at, got, want)
		}
	}
	stranger := employee()
	stranger.Entra.ID, stranger.Entra.UserPrincipalName = "id-2", "lo@contoso.example"
	if got := j.LeaveEnd(stranger); !got.IsZero() {
		t.Errorf("of somebody else: %s", got)
	}
}
