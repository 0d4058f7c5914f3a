package collect

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func newSteps(t *testing.T, relay bool) (*Steps, *bench) {
	t.Helper()
	b := newBench(t)
	s := &Steps{Collector: *b.Collector, Relay: relay, Policy: func(context.Context) (*policy.Policy, string, error) { return load(t, text), text, nil }}
	s.AD = nil // only the relay reads Active Directory
	return s, b
}

func (s *Steps) take(t *testing.T, in StepInput) *StepOutput {
	t.Helper()
	out, err := s.Do(t.Context(), in, time.Time{})
	if err != nil {
		t.Fatalf("%s: %v", in.Op, err)
	}
	return out
}

func begin(request string) StepInput {
	return StepInput{Op: "begin", Entrance: entrance.Plan, Execution: "e-1", Started: asOf, Request: json.RawMessage(request)}
}

func TestRequestsThatAreNone(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		`{"user":""}`: "the user is empty", `{"apply":true}`: "apply is for one user", `{"usr":"anna"}`: "unknown field", `[]`: "cannot unmarshal", `{"user":3}`: "cannot unmarshal",
	} {
		s, b := newSteps(t, true)
		if _, err := s.Do(t.Context(), begin(request), time.Time{}); !errors.Is(err, ErrRequest) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", request, err)
		}
		if len(b.entra.calls) > 0 {
			t.Errorf("%s: asked %q", request, b.entra.calls)
		}
	}
	s, _ := newSteps(t, true)
	if _, err := s.Do(t.Context(), StepInput{Op: "fly"}, time.Time{}); !errors.Is(err, ErrRequest) {
		t.Errorf("unknown step: %v", err)
	}
	if _, err := s.Do(t.Context(), StepInput{Op: "seal", Run: "none"}, time.Time{}); !errors.Is(err, snapshot.ErrUnknownRun) {
		t.Errorf("unknown run: %v", err)
	}
}

func TestBeginTwice(t *testing.T) {
	t.Parallel()
	s, bench := newSteps(t, true)
	s.Deployment = "prod"
	first, again := s.take(t, begin(`{}`)), s.take(t, begin(`{}`))
	if b, err := snapshot.GetBegin(t.Context(), bench.Store, first.Run); err != nil || b.Deployment != "prod" {
		t.Errorf("the run says that the deployment %q made it, %v", b.Deployment, err)
	}
	if d := cmp.Diff(first, again); d != "" || first.Run == "" || !first.Relay || first.Parts < 1 {
		t.Errorf("%+v (-first +again):\n%s", first, d)
	}
}

// TestSealWhatTheRelayBrought: a run is sealed with the relay's reading, or with the reason why there is none. If
// nobody asked the relay, Active Directory counts as absent.
func TestSealWhatTheRelayBrought(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ad   protocol.Ending
		want snapshot.Reading
	}{
		"absent":  {protocol.Ending{Absent: true}, snapshot.Reading{Source: directory.AD, Absent: true}},
		"silent":  {protocol.Ending{Error: "States.HeartbeatTimeout"}, snapshot.Reading{Source: directory.AD, Failed: "the relay brought nothing: it did not answer in time (States.HeartbeatTimeout). Check that the relay is running"}},
		"failed":  {protocol.Ending{Error: "Relay.Failed", Cause: "wrong password"}, snapshot.Reading{Source: directory.AD, Failed: "the relay brought nothing: wrong password"}},
		"reading": {protocol.Ending{Answer: protocol.Answer{Key: "runs/x/ad/0.json"}}, snapshot.Reading{Source: directory.AD, People: 7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, b := newSteps(t, true)
			if err := store.PutJSON(t.Context(), b.Store, "runs/x/ad/0.json", snapshot.Reading{Source: directory.AD, People: 7}); err != nil {
				t.Fatal(err)
			}
			out := s.take(t, begin(`{}`))
			for call := 0; ; call++ {
				if s.take(t, StepInput{Op: "entra", Run: out.Run, Call: call}).Done {
					break
				}
			}
			sealed := s.take(t, StepInput{Op: "seal", Run: out.Run, AD: tt.ad})
			if len(sealed.Partitions) != out.Parts {
				t.Errorf("partitions %v", sealed.Partitions)
			}
			m, _, err := snapshot.GetManifest(t.Context(), b.Store, out.Run)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, m.Readings[directory.AD]); d != "" {
				t.Errorf("reading (-want +got):\n%s", d)
			}
		})
	}
}

// TestClockOfTheRelay: a reading counts as failed if the clocks of the relay and of the cloud differ by more than ten
// minutes. The relay alone cannot notice that, because the controllers may be wrong by the same time.
func TestClockOfTheRelay(t *testing.T) {
	t.Parallel()
	for ahead, believed := range map[time.Duration]bool{0: true, 10 * time.Minute: true, -10 * time.Minute: true, 11 * time.Minute: false, -11 * time.Minute: false, 72 * time.Hour: false} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			s, b := newSteps(t, true)
			out := s.take(t, begin(`{}`))
			for call := 0; ; call++ {
				if s.take(t, StepInput{Op: "entra", Run: out.Run, Call: call}).Done {
					break
				}
			}
			began := asOf.Add(ahead) // by the clock of a relay that was asked at once
			if ahead > 0 {
				began = s.Now().Add(ahead) // by the clock of a relay that answered just now
			}
			key := "runs/x/ad/0.json"
			if err := store.PutJSON(t.Context(), b.Store, key, snapshot.Reading{Source: directory.AD, People: 7, Began: began}); err != nil {
				t.Fatal(err)
			}
			s.take(t, StepInput{Op: "seal", Run: out.Run, AD: protocol.Ending{Answer: protocol.Answer{Key: key}}})
			m, _, err := snapshot.GetManifest(t.Context(), b.Store, out.Run)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Readings[directory.AD]; (got.Failed == "") != believed || !believed && !strings.Contains(got.Failed, "the clocks disagree: the relay says") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestOneInSteps: a run for one person asks the relay to read the person by the SID in Entra ID, or by the name if the
// person is not found in Entra ID. The run is sealed with the answer of the relay.
func TestOneInSteps(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		user string
		want protocol.People
	}{
		"in both":       {"anna@x.example", protocol.People{SIDs: []string{"S-1-5-21-1"}}},
		"Entra only":    {"bo@x.example", protocol.People{SIDs: []string{}}},
		"perhaps in AD": {"cid@x.example", protocol.People{SIDs: []string{}, Names: []string{"cid@x.example"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, b := newSteps(t, true)
			in := begin(`{"user":"` + tt.user + `","apply":true}`)
			in.Entrance = entrance.Approve
			out := s.take(t, in)
			var people protocol.People
			if err := store.GetJSON(t.Context(), b.Store, out.Input, &people); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, people); d != "" || !out.One || !out.Apply || out.Sample == 0 {
				t.Errorf("%+v, people (-want +got):\n%s", out, d)
			}
		})
	}
	s, b := newSteps(t, true)
	out := s.take(t, begin(`{"user":"anna@x.example"}`))
	e := protocol.Evidence{Read: s.Now(), Sample: []time.Time{asOf}, People: []protocol.Account{{SID: annaAD.SID, User: &annaAD}}}
	for _, g := range out.Groups {
		e.Groups = append(e.Groups, g.Key())
	}
	if err := store.PutJSON(t.Context(), b.Store, "runs/x/ad/evidence.json", e); err != nil {
		t.Fatal(err)
	}
	sealed := s.take(t, StepInput{Op: "one", Run: out.Run, User: "anna@x.example", AD: protocol.Ending{Answer: protocol.Answer{Key: "runs/x/ad/evidence.json"}}})
	m, _, err := snapshot.GetManifest(t.Context(), b.Store, out.Run)
	if err != nil || len(sealed.Partitions) != 1 {
		t.Fatalf("%+v, %v", sealed, err)
	}
	var h directory.Accounts
	if err := m.Read(t.Context(), b.Store, 0, &h); err != nil || len(h.AD) != 1 || len(h.Entra) != 1 {
		t.Errorf("%d and %d accounts, %v", len(h.AD), len(h.Entra), err)
	}
	none, _ := newSteps(t, false)
	if _, err := none.Do(t.Context(), begin(`{"user":"cid@x.example"}`), time.Time{}); !errors.Is(err, directory.ErrNoPerson) {
		t.Errorf("nobody, and no Active Directory: %v", err)
	}
}

// TestEntrances: each kind of request is accepted only by certain entrances (state machines). Every other entrance
// refuses the request without asking a source. Only a run from the entrance Nightly counts as scheduled.
func TestEntrances(t *testing.T) {
	t.Parallel()
	for request, want := range map[string][]entrance.Name{
		`{}`:                                     {entrance.Plan, entrance.Nightly},
		`{"acceptFeeds":true}`:                   {entrance.Approve},
		`{"user":"anna@x.example"}`:              {entrance.Plan},
		`{"user":"anna@x.example","apply":true}`: {entrance.Approve},
		`{"scheduled":true}`:                     {},
	} {
		for _, n := range []entrance.Name{"", entrance.Plan, entrance.Nightly, entrance.Approve, entrance.Override, entrance.Restore} {
			s, b := newSteps(t, true)
			in := begin(request)
			in.Entrance = n
			out, err := s.Do(t.Context(), in, time.Time{})
			if !slices.Contains(want, n) {
				if !errors.Is(err, ErrRequest) || len(b.entra.calls) > 0 {
					t.Errorf("%s at %q: %v, asked %q", request, n, err, b.entra.calls)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s at %q: %v", request, n, err)
				continue
			}
			kept, err := snapshot.GetBegin(t.Context(), b.Store, out.Run)
			if err != nil || kept.Scheduled != (n == entrance.Nightly) {
				t.Errorf("%s at %q: %v, scheduled %v", request, n, err, kept.Scheduled)
			}
		}
	}
}
