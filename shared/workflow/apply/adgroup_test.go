package apply

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/policy"
)

const newGUID = "33333333-0000-0000-0000-000000000003"

// TestADGroupIsReadOnce: a call of Apply reads a group once, even if the group does not exist. It repeats a read that
// failed.
func TestADGroupIsReadOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeEgon)
	b.ad.at(citrixDN, citrixGUID, 900)
	j := b.jobOf(t)
	b.ad.fail = map[string]error{"FindGroup #1": errDown}
	if g, err := j.adGroup(t.Context(), citrixDN); g != nil || !errors.Is(err, errDown) {
		t.Errorf("%+v, %v", g, err)
	}
	for range 2 {
		if g, err := j.adGroup(t.Context(), citrixDN); err != nil || g == nil || g.GUID != citrixGUID {
			t.Errorf("%+v, %v", g, err)
		}
		if g, err := j.adGroup(t.Context(), liteDN); err != nil || g != nil {
			t.Errorf("%+v, %v", g, err)
		}
	}
	if d := cmp.Diff([]string{"FindGroup " + citrixDN, "FindGroup " + citrixDN, "FindGroup " + liteDN}, b.ad.calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	j.Applier = &Applier{Store: b.Store, Entra: b.entra, Now: b.Applier.Now}
	if g, err := j.adGroup(t.Context(), "CN=another"); g != nil || err == nil {
		t.Errorf("without Active Directory: %+v, %v", g, err)
	}
}

// TestTargetOfAnEntry: a restore removes the person from a group only if the group belongs to the license that the
// change gave.
func TestTargetOfAnEntry(t *testing.T) {
	t.Parallel()
	lite := func(j *job) *policy.License { return j.run.Policy.LicenseNamed("lite") }
	for name, tc := range map[string]struct {
		in     ledger.Intent
		to     func(*job) *policy.License
		former map[string]directory.Group
		fail   bool
		want   bool
		is     error
	}{
		"the policy's":                   {ledger.Intent{To: "lite", Target: liteDN, TargetGUID: otherGUID}, lite, nil, false, true, nil},
		"another GUID":                   {ledger.Intent{To: "lite", Target: liteDN, TargetGUID: newGUID}, lite, nil, false, false, nil},
		"another GUID, the former one":   {ledger.Intent{To: "lite", Target: liteDN, TargetGUID: newGUID}, lite, map[string]directory.Group{"lite": {GUID: newGUID}}, true, true, nil},
		"no GUID, the policy's DN":       {ledger.Intent{To: "lite", Target: liteDN}, lite, nil, true, true, nil},
		"no GUID, another DN":            {ledger.Intent{To: "lite", Target: "CN=Admins"}, lite, nil, true, false, nil},
		"no GUID, the former DN":         {ledger.Intent{To: "lite", Target: "CN=Old"}, lite, map[string]directory.Group{"lite": {ID: "cn=old"}}, true, true, nil},
		"the policy has no such license": {ledger.Intent{To: "gone", Target: liteDN, TargetGUID: otherGUID}, func(*job) *policy.License { return nil }, nil, true, false, nil},
		"a license without a group":      {ledger.Intent{To: "x", Target: liteDN, TargetGUID: otherGUID}, func(*job) *policy.License { return &policy.License{Name: "x"} }, nil, true, false, nil},
		"a license of Entra":             {ledger.Intent{To: "exo", Target: liteDN, TargetGUID: otherGUID}, func(j *job) *policy.License { return j.run.Policy.LicenseNamed("exo") }, nil, true, false, nil},
		"the policy's group is gone": {ledger.Intent{To: "y", Target: liteDN, TargetGUID: otherGUID}, func(*job) *policy.License {
			return &policy.License{Name: "y", Group: &directory.GroupRef{Source: directory.AD, Name: "CN=Gone"}}
		}, nil, false, false, nil},
		"the group cannot be looked up": {ledger.Intent{To: "lite", Target: liteDN, TargetGUID: otherGUID}, lite, nil, true, false, errDown},
	} {
		b := newBench(t, freeEgon)
		b.ad.at(liteDN, otherGUID, 900)
		j := b.jobOf(t)
		j.run.Begin.Former = tc.former
		if tc.fail {
			b.ad.fail = map[string]error{"FindGroup " + liteDN: errDown, "FindGroup LIC-EXO": errDown}
		}
		if got, err := j.adTarget(t.Context(), tc.to(j), &tc.in); got != tc.want || !errors.Is(err, tc.is) {
			t.Errorf("%s: %t, %v; want %t, %v", name, got, err, tc.want, tc.is)
		}
	}
}

// TestGUIDsOfAnEntry: an objectGUID in an entry must be the one that the run read. If the run read none, it must be the
// objectGUID of the group that has the DN now. An entry without objectGUIDs passes.
func TestGUIDsOfAnEntry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		read           string // objectGUID of Citrix as the run read it
		source, target string
		fail           bool
		field          string // the field that the reason must name
		is             error
	}{
		"none":                          {citrixGUID, "", "", true, "", nil},
		"the one that was read":         {citrixGUID, citrixGUID, "", true, "", nil},
		"another than was read":         {otherGUID, citrixGUID, "", true, "sourceGuid", nil},
		"not read, and there":           {"", citrixGUID, otherGUID, false, "", nil},
		"not read, another one there":   {"", newGUID, otherGUID, false, "sourceGuid", nil},
		"not read, another target":      {"", citrixGUID, newGUID, false, "targetGuid", nil},
		"not read, cannot be looked up": {"", citrixGUID, "", true, "", errDown},
	} {
		b := newBench(t, freeEgon)
		b.reread(t, tc.read)
		b.ad.at(citrixDN, citrixGUID, 900)
		b.ad.at(liteDN, otherGUID, 900)
		if tc.fail {
			b.ad.fail = map[string]error{"FindGroup " + citrixDN: errDown}
		}
		e := &ledger.Entry{Seq: 1, Intent: ledger.Intent{Person: "p", License: "citrix", Source: citrixDN, SourceGUID: tc.source, Target: liteDN, TargetGUID: tc.target}}
		why, err := b.jobOf(t).alteredGUID(t.Context(), e)
		if (tc.field == "") != (why == "") || tc.field != "" && !strings.Contains(why, "as "+tc.field) || !errors.Is(err, tc.is) {
			t.Errorf("%s: %q, %v; want %q, %v", name, why, err, tc.field, tc.is)
		}
	}
	b := newBench(t, freeEgon)
	b.ad.at(liteDN, otherGUID, 900) // Citrix no longer exists
	e := &ledger.Entry{Seq: 1, Intent: ledger.Intent{Person: "p", License: "citrix", Source: citrixDN, SourceGUID: citrixGUID}}
	if why, err := b.jobOf(t).alteredGUID(t.Context(), e); !strings.Contains(why, "sourceGuid") || err != nil {
		t.Errorf("the group is gone: %q, %v", why, err)
	}
}

// TestSourceOfTheWayBack: a restore uses the group that the person left, even if its DN has changed. If that group is
// gone, the restore uses the group that the policy names now. It never uses a different group that now has the old DN.
func TestSourceOfTheWayBack(t *testing.T) {
	t.Parallel()
	const oldDN, movedDN = "CN=Citrix Old,DC=corp", "CN=Citrix Moved,DC=corp"
	group := func(dn, guid string) func(*fakeAD) { return func(f *fakeAD) { f.at(dn, guid, 900) } }
	type way struct{ Source, SourceGUID string }
	for name, tc := range map[string]struct {
		groups       []func(*fakeAD)
		source, guid string // DN and objectGUID in the entry
		former       string // objectGUID as the run that took the license read it
		want         way
		note         string
		refusal      string
	}{
		"as it was":                     {[]func(*fakeAD){group(citrixDN, citrixGUID)}, citrixDN, citrixGUID, "", way{citrixDN, citrixGUID}, "", ""},
		"letters of another case":       {[]func(*fakeAD){group(citrixDN, citrixGUID)}, strings.ToUpper(citrixDN), citrixGUID, "", way{citrixDN, citrixGUID}, "", ""},
		"renamed, as the policy has it": {[]func(*fakeAD){group(citrixDN, citrixGUID)}, oldDN, citrixGUID, "", way{citrixDN, citrixGUID}, "the group " + oldDN + " is called " + citrixDN + " now", ""},
		"renamed, known to the run":     {[]func(*fakeAD){group(movedDN, otherGUID), group(citrixDN, citrixGUID)}, oldDN, otherGUID, otherGUID, way{movedDN, otherGUID}, "the group " + oldDN + " is called " + movedDN + " now", ""},
		"renamed, known to nobody":      {[]func(*fakeAD){group(movedDN, otherGUID), group(citrixDN, citrixGUID)}, oldDN, otherGUID, "", way{}, "", "the ledger says that citrix was held by the group that is " + movedDN + " now, which the policy does not name"},
		"gone, another of its name":     {[]func(*fakeAD){group(citrixDN, newGUID)}, citrixDN, citrixGUID, "", way{}, "", "the group that was left (objectGUID " + citrixGUID + ") is gone, and another one (" + newGUID + ")"},
		"gone, the policy has another":  {[]func(*fakeAD){group(citrixDN, newGUID)}, oldDN, otherGUID, "", way{citrixDN, newGUID}, "restored by the group ad:" + citrixDN + ", since " + oldDN + " is gone", ""},
		"gone, and nothing else":        {[]func(*fakeAD){group(liteDN, newGUID)}, citrixDN, citrixGUID, "", way{}, "", "the group " + citrixDN + " cannot restore citrix: it is gone"},
		"gone, and the policy's too":    {[]func(*fakeAD){group(liteDN, newGUID)}, oldDN, otherGUID, "", way{}, "", "the group " + oldDN + " cannot restore citrix: it is gone"},
		"no GUID, the policy's":         {[]func(*fakeAD){group(citrixDN, citrixGUID)}, citrixDN, "", "", way{citrixDN, citrixGUID}, "", ""},
		"no GUID, not known":            {[]func(*fakeAD){group(citrixDN, citrixGUID), group(movedDN, otherGUID)}, movedDN, "", "", way{citrixDN, citrixGUID}, "restored by the group ad:" + citrixDN + ", since " + movedDN + " is gone", ""},
		"no GUID, made since":           {[]func(*fakeAD){func(f *fakeAD) { f.at(citrixDN, citrixGUID, 9) }}, citrixDN, "", "", way{}, "", "the group at " + citrixDN + " was made on 2026-11-14, after the license was taken on 2026-11-13"},
		"no GUID, made at that instant": {[]func(*fakeAD){func(f *fakeAD) { f.at(citrixDN, citrixGUID, 10) }}, citrixDN, "", "", way{citrixDN, citrixGUID}, "", ""},
		"no GUID, gone":                 {[]func(*fakeAD){group(liteDN, newGUID)}, citrixDN, "", "", way{}, "", "the group " + citrixDN + " cannot restore citrix: it is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeEgon)
			for _, g := range tc.groups {
				g(b.ad)
			}
			j := b.jobOf(t)
			if tc.former != "" {
				j.run.Begin.Former = map[string]directory.Group{"citrix": {GUID: tc.former}}
			}
			in := ledger.Intent{License: "citrix", Source: tc.source, SourceGUID: tc.guid, At: daysAgo(10)}
			note, refusal, err := j.adSourceOf(t.Context(), j.run.Policy.LicenseNamed("citrix"), &in)
			if (tc.refusal == "") != (refusal == "") || !strings.HasPrefix(refusal, tc.refusal) || note != tc.note || err != nil {
				t.Errorf("note %q, refusal %q, %v", note, refusal, err)
			}
			if got := (way{in.Source, in.SourceGUID}); tc.refusal == "" && got != tc.want {
				t.Errorf("by %+v, want %+v", got, tc.want)
			}
			for _, call := range slices.Clone(b.ad.calls) {
				k := b.jobOf(t)
				k.run.Begin.Former = j.run.Begin.Former
				b.ad.fail = map[string]error{call: errDown}
				in := ledger.Intent{License: "citrix", Source: tc.source, SourceGUID: tc.guid, At: daysAgo(10)}
				if note, refusal, err := k.adSourceOf(t.Context(), k.run.Policy.LicenseNamed("citrix"), &in); !errors.Is(err, errDown) || note+refusal != "" {
					t.Errorf("%s fails: note %q, refusal %q, %v", call, note, refusal, err)
				}
			}
		})
	}
}

// TestFormerSourceThatCannotBeRead: the entry of a restore names a group that the policy named earlier. If this group
// is gone, the restore uses the group that the policy names now. If the group cannot be read, it does not count as
// gone.
func TestFormerSourceThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const oldDN = "CN=Citrix Old,DC=corp"
	for name, tc := range map[string]struct {
		fail error
		into string
		note string
	}{
		"cannot be read": {errDown, "", ""},
		"gone":           {directory.ErrNoGroup, citrixDN, "restored by the group ad:" + citrixDN + ", since " + oldDN + " is gone"},
		"there":          {nil, oldDN, ""},
	} {
		b := newBench(t, freeEgon)
		b.ad.at(citrixDN, citrixGUID, 900)
		b.ad.at(oldDN, otherGUID, 900)
		b.ad.fail = map[string]error{"FindGroup " + oldDN: tc.fail}
		j := b.jobOf(t)
		j.run.Begin.Former = map[string]directory.Group{"citrix": {ID: oldDN}}
		in := ledger.Intent{License: "citrix", Source: oldDN, At: daysAgo(10)}
		note, refusal, err := j.adSourceOf(t.Context(), j.run.Policy.LicenseNamed("citrix"), &in)
		if tc.into == "" {
			if !errors.Is(err, errDown) || note+refusal != "" || in.Source != oldDN || in.SourceGUID != "" {
				t.Errorf("%s: %+v, note %q, refusal %q, %v", name, in, note, refusal, err)
			}
			continue
		}
		if in.Source != tc.into || note != tc.note || refusal != "" || err != nil {
			t.Errorf("%s: %+v, note %q, refusal %q, %v", name, in, note, refusal, err)
		}
	}
}

// TestGroupsAreIdentified: an intent gets the objectGUIDs of its groups. The change is refused if the group at a DN has
// another objectGUID than the run read.
func TestGroupsAreIdentified(t *testing.T) {
	t.Parallel()
	type guids struct{ Source, Target string }
	for name, tc := range map[string]struct {
		read   string // objectGUID of Citrix as the run read it
		groups func(*fakeAD)
		fail   string
		target string
		want   guids
		why    string
		is     error
	}{
		"both":                           {citrixGUID, func(f *fakeAD) { f.at(citrixDN, citrixGUID, 9); f.at(liteDN, otherGUID, 9) }, "", liteDN, guids{citrixGUID, otherGUID}, "", nil},
		"the source alone":               {citrixGUID, func(f *fakeAD) { f.at(citrixDN, citrixGUID, 9) }, "", "", guids{citrixGUID, ""}, "", nil},
		"not read by the run":            {"", func(f *fakeAD) { f.at(citrixDN, citrixGUID, 9) }, "", "", guids{citrixGUID, ""}, "", nil},
		"another one":                    {otherGUID, func(f *fakeAD) { f.at(citrixDN, citrixGUID, 9) }, "", "", guids{}, "the group at " + citrixDN + " is another one", nil},
		"its GUID is not told":           {citrixGUID, func(f *fakeAD) { f.at(citrixDN, "", 9) }, "", "", guids{}, "", nil},
		"gone":                           {citrixGUID, func(f *fakeAD) { f.at(liteDN, otherGUID, 9) }, "", liteDN, guids{}, "", directory.ErrNoGroup},
		"the target is gone":             {citrixGUID, func(f *fakeAD) { f.at(citrixDN, citrixGUID, 9) }, "", liteDN, guids{citrixGUID, ""}, "", directory.ErrNoGroup},
		"it cannot be looked up":         {citrixGUID, func(f *fakeAD) { f.at(citrixDN, citrixGUID, 9) }, citrixDN, "", guids{}, "", errDown},
		"the target cannot be looked up": {citrixGUID, func(f *fakeAD) { f.at(citrixDN, citrixGUID, 9); f.at(liteDN, otherGUID, 9) }, liteDN, liteDN, guids{citrixGUID, ""}, "", errDown},
	} {
		b := newBench(t, freeEgon)
		b.reread(t, tc.read)
		tc.groups(b.ad)
		if tc.fail != "" {
			b.ad.fail = map[string]error{"FindGroup " + tc.fail: errDown}
		}
		in := ledger.Intent{Source: citrixDN, Target: tc.target}
		why, err := b.jobOf(t).identify(t.Context(), &in)
		if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) || (tc.why == "") != (why == "") || !strings.HasPrefix(why, tc.why) {
			t.Errorf("%s: %q, %v", name, why, err)
		}
		if got := (guids{in.SourceGUID, in.TargetGUID}); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

// TestSameWay: sameWay reports whether two intents change the same groups and the same target product. Two source
// groups are the same if their names are equal or their GUIDs are equal. A target group must have an equal name and
// GUID.
func TestSameWay(t *testing.T) {
	t.Parallel()
	base := ledger.Intent{Source: "s", SourceGUID: "1", Target: "t", TargetGUID: "2", TargetSKU: "sku"}
	for name, tc := range map[string]struct {
		change func(*ledger.Intent)
		want   bool
	}{
		"the same":                 {func(*ledger.Intent) {}, true},
		"the source renamed":       {func(in *ledger.Intent) { in.Source = "s2" }, true},
		"another source":           {func(in *ledger.Intent) { in.Source, in.SourceGUID = "s2", "3" }, false},
		"the source by name alone": {func(in *ledger.Intent) { in.SourceGUID = "" }, true},
		"another name, no GUID":    {func(in *ledger.Intent) { in.Source, in.SourceGUID = "s2", "" }, false},
		"another target":           {func(in *ledger.Intent) { in.Target = "t2" }, false},
		"another target's GUID":    {func(in *ledger.Intent) { in.TargetGUID = "3" }, false},
		"another product":          {func(in *ledger.Intent) { in.TargetSKU = "" }, false},
	} {
		other := base
		tc.change(&other)
		if sameWay(&base, &other) != tc.want || sameWay(&other, &base) != tc.want {
			t.Errorf("%s: %t", name, !tc.want)
		}
	}
	if none, renamed := (ledger.Intent{Source: "s"}), (ledger.Intent{Source: "s2"}); sameWay(&none, &renamed) {
		t.Error("two names without a GUID are one group")
	}
}
