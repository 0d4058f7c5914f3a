package plan

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/policy"
)

func boundPlan() *Plan {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	return &Plan{
		Run: "run", AsOf: at, ManifestHash: "m", PolicyHash: "p", Tenant: "t", Tool: "v1", Verdict: Review, Mode: policy.Review, Restores: "r0", Resumes: []string{"r1"},
		Changes: []Change{{User: "ann", License: "e3", Via: Direct, Reason: "idle"}}, Notices: []Change{{User: "bob", License: "e3", Via: Notice}},
		Pending: []Begun{{User: "cid", License: "e3", Run: "r1", Since: at, Reason: "waits"}}, Matches: map[string]int{"m365": 2}, MatchHash: "h",
	}
}

// TestWhatTheHashCovers: if a member of a plan decides which licenses are changed, the hash covers it. The hash covers
// no other member.
func TestWhatTheHashCovers(t *testing.T) {
	t.Parallel()
	before := boundPlan()
	before.Bind()
	if len(before.PlanHash) != 64 || !slices.IsSorted(before.Hashed) || before.Hash() != before.PlanHash {
		t.Fatalf("%q by %v", before.PlanHash, before.Hashed)
	}
	for name, tc := range map[string]struct {
		change  func(*Plan)
		covered bool
	}{
		"asOf":               {func(p *Plan) { p.AsOf = p.AsOf.Add(1) }, true},
		"a change":           {func(p *Plan) { p.Changes[0].User = "eve" }, true},
		"a change's reason":  {func(p *Plan) { p.Changes[0].Reason = "other" }, true},
		"one change more":    {func(p *Plan) { p.Changes = append(p.Changes, p.Changes[0]) }, true},
		"the manifest":       {func(p *Plan) { p.ManifestHash = "x" }, true},
		"the policy":         {func(p *Plan) { p.PolicyHash = "x" }, true},
		"who matches":        {func(p *Plan) { p.MatchHash = "x" }, true},
		"how many match":     {func(p *Plan) { p.Matches["m365"]++ }, true},
		"a notice":           {func(p *Plan) { p.Notices[0].User = "eve" }, true},
		"overridable":        {func(p *Plan) { p.Overridable = true }, true},
		"a pending change":   {func(p *Plan) { p.Pending[0].Run = "r9" }, true},
		"restores":           {func(p *Plan) { p.Restores = "" }, true},
		"resumes":            {func(p *Plan) { p.Resumes = nil }, true},
		"tenant":             {func(p *Plan) { p.Tenant = "x" }, true},
		"tool":               {func(p *Plan) { p.Tool = "x" }, true},
		"verdict":            {func(p *Plan) { p.Verdict = Apply }, true},
		"why one is pending": {func(p *Plan) { p.Pending[0].Reason = "waits longer" }, false},
		"when it was made":   {func(p *Plan) { p.Created, p.Expires = p.AsOf, p.AsOf.Add(1) }, false},
		"its notes":          {func(p *Plan) { p.Notes = []string{"x"} }, false},
		"the list itself":    {func(p *Plan) { p.Hashed = nil }, false},
	} {
		after := boundPlan()
		if tc.change(after); (after.Hash() != before.PlanHash) != tc.covered {
			t.Errorf("%s: covered %t, want %t", name, !tc.covered, tc.covered)
		}
	}
}

// TestHashOf: HashOf hashes those members of the stored text that are in the list "hashed". It fails if the list leaves
// out a member that the hash must cover.
func TestHashOf(t *testing.T) {
	t.Parallel()
	p := boundPlan()
	p.Bind()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for name, tc := range map[string]struct {
		text  string
		same  bool // whether the hash is that of the plan
		fault string
	}{
		"as it is":                {text, true, ""},
		"a member is added":       {strings.Replace(text, "{", `{"ticket":"T-1",`, 1), true, ""},
		"an altered member":       {strings.Replace(text, `"user":"ann"`, `"user":"eve"`, 1), false, ""},
		"one more is covered":     {strings.Replace(text, `"verdict"],`, `"verdict","window"],`, 1), false, ""},
		"a member is not covered": {strings.Replace(text, `"changes","manifestHash"`, `"manifestHash"`, 1), false, "the hash does not cover [changes]"},
		"nothing is covered":      {strings.Replace(text, `"hashed":["asOf"`, `"hashed":[],"was":["asOf"`, 1), false, "the hash does not cover [asOf changes"},
		"in another order":        {strings.Replace(text, `"asOf","changes"`, `"changes","asOf"`, 1), false, "not in order"},
		"a member twice":          {strings.Replace(text, `"asOf","changes"`, `"asOf","asOf","changes"`, 1), false, "not in order"},
		"the list is no list":     {strings.Replace(text, `"hashed":["asOf"`, `"hashed":7,"was":["asOf"`, 1), false, "cannot unmarshal"},
		"the pending are no list": {strings.Replace(text, `"pending":[`, `"pending":7,"was":[`, 1), false, "cannot unmarshal"},
		"no JSON":                 {text[1:], false, "invalid character"},
		"why one is pending":      {strings.Replace(text, "waits", "waits longer", 1), true, ""},
	} {
		got, err := HashOf([]byte(tc.text))
		if fault := tc.fault; (err != nil) != (fault != "") || err != nil && (!strings.Contains(err.Error(), fault) || got != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		} else if (got == p.PlanHash) != tc.same {
			t.Errorf("%s: the hash is that of the plan: %t", name, !tc.same)
		}
	}
}

// TestHashOfFormat1: the hash of a plan of format 1, which has no list of hashed members, is still the one that the old
// version computed.
func TestHashOfFormat1(t *testing.T) {
	t.Parallel()
	const text = `{"asOf":"2026-11-23T09:00:00Z","tenant":"t","tool":"v1","manifestHash":"m","policyHash":"p","verdict":"review","overridable":false,` +
		`"changes":[{"user":"ann","userPrincipalName":"ann@x.example","rule":"m365","license":"e3","via":"direct","reason":"idle","idleSince":null,"monthlySaving":35}],` +
		`"pending":[{"user":"cid","rule":"m365","license":"e3","run":"r1","since":"2026-11-22T09:00:00Z","reason":"waits"}]}`
	const want = "f40c12efc39660c3fabb8caea3e8b3da35baf43f12023a7977e08320bb7afb35"
	for name, tc := range map[string]struct {
		text  string
		same  bool
		fault bool
	}{
		"as it is":           {text, true, false},
		"why one is pending": {strings.Replace(text, "waits", "waits longer", 1), true, false},
		"somebody else":      {strings.Replace(text, `"user":"ann"`, `"user":"eve"`, 1), false, false},
		"another verdict":    {strings.Replace(text, `"review"`, `"apply"`, 1), false, false},
		"no date":            {strings.Replace(text, `"2026-11-23T09:00:00Z"`, `"today"`, 1), false, true},
	} {
		got, err := HashOf([]byte(tc.text))
		if (got == want) != tc.same || (err != nil) != tc.fault {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestArrow(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ rule, to, want string }{
		{"m365", "exo", "e3 → exo"}, {"m365", "", "e3 removed"}, {RestoreRule, "exo", "exo → e3"}, {RestoreRule, "", "e3 restored"},
	} {
		if got := Arrow(tc.rule, "e3", tc.to); got != tc.want {
			t.Errorf("%+v: %q", tc, got)
		}
	}
}
