package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestReplicasLag: after a write, some reads show the old state and others the new state. After the lag, all reads
// show the new state.
func TestReplicasLag(t *testing.T) {
	t.Parallel()
	now := fixedNow()
	a := newAsker(t, Options{Users: 50, Seed: 1, Lag: time.Minute, Now: func() time.Time { return now }})
	user := a.c.Person(3).Entra.ID
	body := `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/` + user + `"}`
	now = now.Add(time.Hour)
	if r := a.do("POST", "/groups/"+groupID(groupDuplicate)+"/members/$ref", body, "Content-Type", "application/json"); r.status != 204 {
		t.Fatalf("%d %s", r.status, r.text)
	}
	for _, path := range []string{"/users/" + user + "/memberOf?$select=id", "/groups/" + groupID(groupDuplicate) + "/members?$select=id"} {
		for _, tc := range []struct {
			after    time.Duration
			old, new bool
		}{{30 * time.Second, true, true}, {90 * time.Second, false, true}} {
			at := now
			now = now.Add(tc.after)
			shown := map[bool]int{}
			for range 100 {
				list := fmt.Sprint(a.do("GET", path, "").body["value"])
				shown[strings.Contains(list, groupID(groupDuplicate)) || strings.Contains(list, user)]++
			}
			now = at
			if (shown[false] > 0) != tc.old || (shown[true] > 0) != tc.new {
				t.Errorf("%s, %s after the write: %v", path, tc.after, shown)
			}
		}
	}
}
