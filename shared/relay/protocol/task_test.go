package protocol

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	good     = `{"version":1,"kind":"read-everyone","token":"t","run":"r1","attempt":2,"asOf":"2026-11-23T02:00:00Z","partitions":3,"groups":[{"dn":"CN=A,DC=x","direct":true}]}`
	goodList = `{"changes":[{"id":"c1","sid":"S-1-5-21-1-2-3-4","guid":"AAAAAAAAAAAAAAAAAAAAAA==","group":"CN=B","action":"add"},` +
		`{"id":"c2","sid":"S-1-5-21-1-2-3-4","guid":"AAAAAAAAAAAAAAAAAAAAAA==","group":"CN=A","action":"remove","after":"c1"}]}`
)

func TestParse(t *testing.T) {
	t.Parallel()
	want := &Message{Version: 1, Kind: ReadEveryone, Token: "t", Run: "r1", Attempt: 2, AsOf: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC),
		Partitions: 3, Groups: []Group{{DN: "CN=A,DC=x", Direct: true}}}
	got, err := Parse(good)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, message (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff("ad/direct:cn=a,dc=x", got.Groups[0].Key()); diff != "" {
		t.Errorf("key (-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	batch := strings.NewReplacer(`"read-everyone"`, `"write-members"`, `"partitions":3`, `"batch":"b1","input":"runs/r1/ad/input/b1.json"`).Replace(good)
	if _, err := Parse(batch); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, body, token, want string
	}{
		{"not JSON", "hello", "", "not a message"},
		{"two values", good + "{}", "", "not a message"},
		{"a date that is none", strings.Replace(good, "2026-11", "2026-77", 1), "t", "not a message"},
		{"a number for a text", strings.Replace(good, `"r1"`, `1`, 1), "t", "not a message"},
		{"an unknown field", strings.Replace(good, `"partitions"`, `"people":["anna"],"partitions"`, 1), "t", "unknown field"},
		{"another version", strings.Replace(good, `"version":1`, `"version":2`, 1), "t", "version 2"},
		{"no token", strings.Replace(good, `"t"`, `""`, 1), "", "no token"},
		{"a run that climbs", strings.Replace(good, `"r1"`, `"../r1"`, 1), "t", "cannot be the name of a run"},
		{"a negative attempt", strings.Replace(good, `"attempt":2`, `"attempt":-2`, 1), "t", "negative"},
		{"an unknown kind", strings.Replace(good, "read-everyone", "fly", 1), "t", `kind "fly"`},
		{"no partitions", strings.Replace(good, `"partitions":3`, `"partitions":0`, 1), "t", "partitions is 0"},
		{"too many partitions", strings.Replace(good, `"partitions":3`, `"partitions":1000000`, 1), "t", "partitions is 1000000"},
		{"no instant", strings.Replace(good, `"asOf":"2026-11-23T02:00:00Z",`, ``, 1), "t", "asOf"},
		{"a group without a name", strings.Replace(good, "CN=A,DC=x", "", 1), "t", "group 0"},
		{"no batch", strings.Replace(batch, `"b1"`, `""`, 1), "t", "name of a batch"},
		{"input of another run", strings.Replace(batch, "runs/r1", "runs/r2", 1), "t", "not the key of an object under runs/r1/ad/"},
		{"input that climbs", strings.Replace(batch, "input/b1", "../../../ledger/b1", 1), "t", "not the key of an object under"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Parse(tt.body)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(tt.token, m.Token); diff != "" {
				t.Errorf("token (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	people := func(text string) error { _, err := ParsePeople([]byte(text)); return err }
	changes := func(text string) error { _, err := ParseChanges([]byte(text)); return err }
	tests := []struct {
		name  string
		parse func(string) error
		text  string
		want  string // a part of the error; empty if there is no error
	}{
		{"people", people, `{"sids":["S-1-5-21-1-2-3-4"]}`, ""},
		{"nobody", people, `{"sids":[]}`, ""},
		{"not a SID", people, `{"sids":["S-1-5-21-1-2-3-4)(cn=*"]}`, "is not a SID"},
		{"too many people", people, `{"sids":["` + strings.Repeat(`S-1-5-21-1-2-3-4","`, maxBatch) + `S-1-5-21-1-2-3-4"]}`, "more than"},
		{"a misspelt field", people, `{"sid":[]}`, "unknown field"},
		{"changes", changes, goodList, ""},
		{"one id twice", changes, strings.Replace(goodList, `"id":"c2"`, `"id":"c1"`, 1), "is there twice"},
		{"no id", changes, strings.Replace(goodList, `"id":"c1"`, `"id":""`, 1), "cannot be the id"},
		{"not a SID", changes, strings.Replace(goodList, "S-1", "T-1", 1), "is not a SID"},
		{"not a GUID", changes, strings.Replace(goodList, "AAAA", "", 1), "objectGUID"},
		{"no group", changes, strings.Replace(goodList, "CN=B", "", 1), "no group"},
		{"an unknown action", changes, strings.Replace(goodList, `"add"`, `"move"`, 1), "neither add nor remove"},
		{"after a later one", changes, strings.Replace(goodList, `"after":"c1"`, `"after":"c2"`, 1), "no earlier change"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.parse(tt.text)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(goodList)
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := Parse(text); err == nil {
			again, merr := json.Marshal(m)
			if back, err := Parse(string(again)); merr != nil || err != nil {
				t.Errorf("%s came back as %+v: %v, %v", again, back, merr, err)
			}
		}
		if c, err := ParseChanges([]byte(text)); err == nil && len(c.Changes) > maxBatch {
			t.Errorf("%d changes", len(c.Changes))
		}
	})
}

// TestUndate: the method "Undate" sets the time of the evidence to the time at which the cloud asked for it. It removes
// what the relay read about the last logon of each account.
func TestUndate(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	e := Evidence{Read: asked.Add(9 * time.Hour), People: []Account{{SID: "S-1-5-21-1", Seen: &Seen{Dated: true}}}}
	e.Undate(asked)
	if d := cmp.Diff(Evidence{Read: asked, People: []Account{{SID: "S-1-5-21-1"}}}, e); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
