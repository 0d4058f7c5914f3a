package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSingleReadsAreLimited(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := newAsker(t, Options{Now: now.now})
	target := "/users/" + a.id(1) + "?$select=id,signInActivity"
	for range 10 {
		if got := a.get(target); got.status != 200 {
			t.Fatalf("within the limit: %d", got.status)
		}
		now.turn(time.Second)
	}
	got := a.get(target)
	if got.status != 429 || got.header.Get("Retry-After") != "50" || got.header.Get("x-ms-throttle-scope") == "" || got.header.Get("x-ms-throttle-information") == "" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	if other := a.get("/users/" + a.id(1) + "?$select=id,assignedLicenses"); other.status != 200 {
		t.Errorf("a read without signInActivity: %d", other.status)
	}
	wait, _ := strconv.Atoi(got.header.Get("Retry-After"))
	now.turn(time.Duration(wait) * time.Second)
	if got := a.get(target); got.status != 200 {
		t.Errorf("after Retry-After: %d", got.status)
	}
}

func TestListLimit(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := newAsker(t, Options{Now: now.now, ListLimit: 5})
	statuses := map[int]int{}
	for range 7 {
		statuses[a.get("/users?$select=id,signInActivity&$top=5").status]++
	}
	if diff := cmp.Diff(map[int]int{200: 5, 429: 2}, statuses); diff != "" {
		t.Error(diff)
	}
	now.turn(10 * time.Second)
	if got := a.get("/users?$select=id,signInActivity"); got.status != 200 {
		t.Errorf("after 10 s: %d", got.status)
	}
}

func TestPageSizeThatGraphOnceRefused(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{SignInPage: 120})
	if got := a.get("/users?$select=id,signInActivity&$top=500"); got.status != 400 || !strings.Contains(got.message(), "Cannot query data for more than 120 users at a time.") {
		t.Errorf("%d %s", got.status, got.message())
	}
	if got := a.get("/users?$select=id,signInActivity&$top=120"); got.status != 200 {
		t.Errorf("%d %s", got.status, got.message())
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Users: 250})
	got := a.do("GET", "/users?$count=true&$top=1&$select=id", "", "ConsistencyLevel", "eventual").body["@odata.count"]
	if want := float64(len(slices.Collect(a.c.EntraUsers()))); got != want {
		t.Errorf("@odata.count = %v, want %v", got, want)
	}
}
