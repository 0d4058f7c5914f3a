package entra

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/directory"
)

// TestPace: within any ten seconds, the client sends at most the five requests that Graph allows. It waits no longer
// than this limit requires.
func TestPace(t *testing.T) {
	t.Parallel()
	const pages = 40
	var play []answer
	for i := range pages {
		next := ""
		if i < pages-1 {
			next = fmt.Sprintf("$base/users?$skiptoken=%d", i)
		}
		play = append(play, list(next, graphUser(i)))
	}
	f := newFake(t, play...)
	f.pace = rate.NewLimiter(listRate, 1)
	clock := today
	f.now = func() time.Time { return clock }
	f.pause = func(_ context.Context, d time.Duration) error {
		clock = clock.Add(d)
		return nil
	}
	var at []time.Time
	err := f.ListPeople(t.Context(), "", func([]directory.EntraUser, string) error {
		at = append(at, clock)
		return nil
	})
	if err != nil || len(at) != pages {
		t.Fatalf("%d pages, %v", len(at), err)
	}
	for i := range at[5:] {
		if span := at[i+5].Sub(at[i]); span < 10*time.Second {
			t.Errorf("six requests from %d on within %s", i, span)
		}
	}
	const allowed = pages * 2 * time.Second // five in ten seconds
	if took := clock.Sub(today); took > allowed*105/100 {
		t.Errorf("%d pages took %s, and the limit allows %s", pages, took, allowed)
	}
}

func TestPaceOfHosts(t *testing.T) {
	t.Parallel()
	for url, paced := range map[string]bool{"https://graph.microsoft.com/v1.0": true, "http://127.0.0.1:1/v1.0": false} {
		c, err := New(Config{GraphURL: url, Auth: AuthAWS, TenantID: "t", ClientID: "c"}, clock.Real)
		if err != nil || (c.pace != nil) != paced {
			t.Errorf("%s is paced: %t, %v", url, c != nil && c.pace != nil, err)
		}
	}
}
