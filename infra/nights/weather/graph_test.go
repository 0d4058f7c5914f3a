package weather

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type came struct {
	Status  int
	Type    string
	Retry   string
	Body    string
	Reset   bool // whether no answer arrived
	Cut     bool // whether the body was incomplete
	Entries []string
	Next    bool
}

// The method "get" sends a GET request to Graph with a plain HTTP client, not with the product's client.
func (r *rig) get(t *testing.T, pathAndQuery string) (c came, header http.Header) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(r.GraphURL + strings.ReplaceAll(pathAndQuery, " ", "%20"))
	if err != nil {
		return came{Reset: true}, nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	c = came{Status: response.StatusCode, Type: strings.Split(response.Header.Get("Content-Type"), ";")[0],
		Retry: response.Header.Get("Retry-After"), Body: string(body), Cut: errors.Is(err, io.ErrUnexpectedEOF)}
	if err != nil && !c.Cut {
		t.Fatalf("read the answer: %v", err)
	}
	if l, isList := readList(body); isList {
		c.Next = l.fields["@odata.nextLink"] != nil
		for _, e := range l.entries {
			c.Entries = append(c.Entries, idOf(e))
		}
	}
	return c, response.Header
}

const usersPage = "/users?$select=id,signInActivity,onPremisesSamAccountName,createdDateTime,accountEnabled,usageLocation,licenseAssignmentStates,onPremisesImmutableId,onPremisesSecurityIdentifier&$top=20"

// TestGraphAnswers checks what a plain HTTP client receives under many kinds of faults. Each fault must be in the list
// of faults. Simulated time may pass only with GraphSlow and GraphStalled.
func TestGraphAnswers(t *testing.T) {
	t.Parallel()
	tests := map[Kind]func(calm, got came) string{
		GraphSlow:           same,
		GraphThrottled:      func(_, got came) string { return want(got.Status == 429 && len(got.Retry) < 4 && got.Retry != "") },
		GraphThrottledUntil: func(_, got came) string { return want(got.Status == 429 && strings.HasSuffix(got.Retry, "GMT")) },
		Graph500:            func(_, got came) string { return want(got.Status == 500 && !got.Cut) },
		Graph502:            func(_, got came) string { return want(got.Status == 502) },
		Graph503:            func(_, got came) string { return want(got.Status == 503) },
		Graph504:            func(_, got came) string { return want(got.Status == 504) },
		GraphReset:          func(_, got came) string { return want(got.Reset) },
		GraphStalled:        func(_, got came) string { return want(got.Reset) },
		GraphToken:          func(_, got came) string { return want(got.Status == 401 && strings.Contains(got.Body, "expired")) },
		GraphCutLength:      func(calm, got came) string { return want(got.Cut && strings.HasPrefix(calm.Body, got.Body)) },
		GraphCutChunks:      func(calm, got came) string { return want(got.Cut && strings.HasPrefix(calm.Body, got.Body)) },
		GraphCutJSON: func(calm, got came) string {
			return want(!got.Cut && got.Body != calm.Body && strings.HasPrefix(calm.Body, got.Body) && !json.Valid([]byte(got.Body)))
		},
		GraphHTML:       func(_, got came) string { return want(got.Status == 200 && got.Type == "text/html") },
		GraphPageTwice:  func(calm, got came) string { return want(slices.Equal(calm.Entries, got.Entries) && got.Next) },
		GraphLinkBack:   func(calm, got came) string { return want(slices.Equal(calm.Entries, got.Entries) && got.Next) },
		GraphEmptyPage:  func(_, got came) string { return want(got.Status == 200 && len(got.Entries) == 0 && got.Next) },
		GraphEntryTwice: func(calm, got came) string { return want(len(got.Entries) > len(calm.Entries) && sameSet(calm, got)) },
		GraphShuffled: func(calm, got came) string {
			return want(len(got.Entries) == len(calm.Entries) && !slices.Equal(calm.Entries, got.Entries) && sameSet(calm, got))
		},
		GraphDatesLost:    func(calm, got came) string { return want(less(calm, got, "signInActivity") > 0) },
		GraphAllDatesLost: func(_, got came) string { return want(!strings.Contains(got.Body, `"signInActivity"`)) },
		GraphDatesOlder: func(calm, got came) string {
			return want(calm.Body != got.Body && slices.Equal(calm.Entries, got.Entries))
		},
		GraphPropertyLost: func(calm, got came) string {
			return want(len(got.Body) < len(calm.Body) && slices.Equal(calm.Entries, got.Entries))
		},
		GraphPeopleMissing: func(calm, got came) string { return want(len(got.Entries) < len(calm.Entries)) },
		GraphDatesDenied:   func(_, got came) string { return want(got.Status == 403) },
	}
	for kind, check := range tests {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(6) {
				r := newRig(t, seed, 60)
				calm, _ := r.get(t, usersPage)
				r.Begin(storm(kind))
				before := r.clock.Now()
				got, _ := r.get(t, usersPage)
				faults := r.Faults()
				if len(faults) == 0 { // the fault concerns one person in ten, and perhaps nobody in this answer
					continue
				}
				if wrong := check(calm, got); wrong != "" {
					t.Errorf("seed %d: %s:\ncalm %+v\ngot  %+v", seed, wrong, calm, got)
				}
				if passed := r.clock.Now().After(before); passed != (kind == GraphSlow || kind == GraphStalled) {
					t.Errorf("seed %d: simulated time passed: %v", seed, passed)
				}
				if faults[0].Kind != kind || faults[0].Night != 7 {
					t.Errorf("seed %d: %v", seed, faults)
				}
				return
			}
			t.Error("no seed has a fault")
		})
	}
}

func same(calm, got came) string { return cmp.Diff(calm, got) }

func want(met bool) string {
	if met {
		return ""
	}
	return "not as meant"
}

func less(calm, got came, text string) int {
	return strings.Count(calm.Body, text) - strings.Count(got.Body, text)
}

func sameSet(a, b came) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a.Entries))), slices.Compact(slices.Sorted(slices.Values(b.Entries))))
}

// TestGraphParts: a fault that denies one kind of read affects no other reads. In one night, all reads of a group's
// members are denied, or none.
func TestGraphParts(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, 60)
	group := r.groupID(t, "LIC-M365-E3")
	r.Begin(storm(GraphSKUsDenied, GraphReportsDenied, GraphMembersDenied))
	for path, status := range map[string]int{"/subscribedSkus": 403, "/reports/getMailboxUsageDetail(period='D7')": 403, "/organization": 200, "/users?$top=5": 200} {
		if got, _ := r.get(t, path); got.Status != status {
			t.Errorf("%s: %d, want %d", path, got.Status, status)
		}
	}
	denied := 0
	for night := range 30 {
		r.Begin(Plan{Night: night, Kinds: []Kind{GraphMembersDenied}})
		got, _ := r.get(t, "/groups/"+group+"/members?$top=5")
		again, _ := r.get(t, "/groups/"+group+"/members?$top=5")
		if got.Status != again.Status {
			t.Errorf("night %d: %d and then %d", night, got.Status, again.Status)
		}
		if got.Status == 403 {
			denied++
		}
	}
	if denied == 0 || denied == 30 {
		t.Errorf("the members are denied in %d of 30 nights", denied)
	}
}

// TestGraphClock: the header Date of the answers is wrong by the same amount for the whole night.
func TestGraphClock(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		r := newRig(t, seed, 30)
		r.Begin(storm(GraphClock))
		var first string
		for range 3 {
			_, header := r.get(t, "/organization")
			at, err := http.ParseTime(header.Get("Date"))
			if by := at.Sub(r.clock.Now()).Abs().Minutes(); err != nil || by < 2 {
				t.Errorf("seed %d: %v, by %v minutes", seed, err, by)
			}
			if first == "" {
				first = header.Get("Date")
			}
			if first != header.Get("Date") {
				t.Errorf("seed %d: %s and then %s", seed, first, header.Get("Date"))
			}
		}
		if n := len(r.Faults()); n != 1 {
			t.Errorf("seed %d: %d faults", seed, n)
		}
	}
}

// TestReplay: a night can be repeated exactly. If one fault is left out, no other fault changes.
func TestReplay(t *testing.T) {
	t.Parallel()
	live := func(without ...uint64) (list []Fault) {
		r := newRig(t, 11, 60)
		r.Without(without...)
		r.Begin(Plan{Night: 3, Often: 0.3, Kinds: []Kind{Graph503, GraphReset, GraphDatesLost, GraphShuffled}})
		for n := range 40 {
			r.get(t, fmt.Sprintf("%s&$filter=id%%20in('%032d')", usersPage, n%3))
			r.get(t, usersPage)
		}
		return r.Faults()
	}
	first := live()
	if len(first) < 10 {
		t.Fatalf("only %d faults", len(first))
	}
	if d := cmp.Diff(first, live()); d != "" {
		t.Errorf("lived again (-first +again):\n%s", d)
	}
	out := first[len(first)/2]
	shorter := slices.DeleteFunc(slices.Clone(first), func(f Fault) bool { return f.Number == out.Number })
	if d := cmp.Diff(shorter, live(out.Number)); d != "" {
		t.Errorf("without fault %d (-want +got):\n%s", out.Number, d)
	}
}
