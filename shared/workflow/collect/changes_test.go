package collect

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

var danAD = directory.ADUser{SID: "S-1-5-21-4", GUID: "guid-dan", SAMAccount: "dan", LastLogonTimestamp: daysAgo(1)}

// TestChanges: a delta reading that is merged into the earlier reading has the same people as a full reading.
func TestChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ad.usn = 5
	first := b.night(t, "run-1", citrixDN)
	moved := annaAD
	moved.DN = "CN=Anna,OU=New"
	// Cid is gone, Dan is new, and Eve is created during the reading.
	eve := directory.ADUser{SID: "S-1-5-21-5", GUID: "guid-eve"}
	b.ad.people, b.ad.changed = []directory.ADUser{moved, danAD}, []directory.ADUser{danAD, eve}
	b.ad.in[citrixDN] = []string{danAD.SID}
	b.ad.usn, b.ad.calls = 9, nil
	b.Now = func() time.Time { return clock.AddDate(0, 0, 6) }
	got := b.night(t, "run-2", citrixDN)

	want := []string{"ListChanges since 5", "ListMembers " + citrixDN + " direct=true"}
	if d := cmp.Diff(want, b.ad.calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	full := newBench(t)
	full.ad.people, full.ad.in = []directory.ADUser{moved, danAD, eve}, b.ad.in
	all := full.night(t, "run-2", citrixDN)
	if d := cmp.Diff(full.everybody(t, &all), b.everybody(t, &got)); d != "" {
		t.Errorf("everybody (-full +changes):\n%s", d)
	}
	parts := got.Parts
	got.Parts = nil
	wantReading := snapshot.Reading{
		Source: directory.AD, People: 3, Freshness: directory.Freshness{Sampled: 3, WithActivity: 2, Newest: daysAgo(1)},
		Full: first.Full, Changed: 2, Watermark: &directory.Watermark{Controller: "dc1", USN: 9}, Members: map[string]int{citrixKey: 1},
		Groups: map[string]string{"ad:cn=citrix,ou=licenses,dc=corp": "guid of CN=Citrix,OU=Licenses,DC=corp"},
	}
	if d := cmp.Diff(wantReading, got); d != "" {
		t.Errorf("reading (-want +got):\n%s", d)
	}
	for _, p := range parts {
		if !strings.HasPrefix(p.Key, "runs/run-2/ad/") {
			t.Errorf("part %s is not the run's own", p.Key)
		}
	}
}

type withoutParts struct{ store.Store }

func (s withoutParts) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if strings.HasPrefix(key, "runs/run-1/ad/") {
		return nil, store.ErrNotFound
	}
	return s.Store.Get(ctx, key)
}

// TestFullReading: if a delta reading is not possible, the run reads everybody.
func TestFullReading(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, b *bench)
		want  string
	}{
		{"the watermark is not known", func(_ *testing.T, b *bench) { b.ad.fail = fails{"ListChanges since 5": directory.ErrNoWatermark} }, "cannot be listed"},
		{"new without having changed", func(_ *testing.T, b *bench) { b.ad.people = append(b.ad.people, danAD) }, "new without having changed"},
		{"a date is gone", func(_ *testing.T, b *bench) {
			b.ad.changed = []directory.ADUser{{SID: annaAD.SID, GUID: annaAD.GUID}}
		}, "lastLogonTimestamp is gone"},
		{"a week ago", func(_ *testing.T, b *bench) { b.Now = func() time.Time { return clock.Add(FullReadEvery) } }, "last read on 2026-11-23"},
		{"the clock went back", func(_ *testing.T, b *bench) { b.Now = func() time.Time { return clock.Add(-time.Hour) } }, "last read on 2026-11-23"},
		{"parts are gone", func(_ *testing.T, b *bench) { b.Store = withoutParts{b.Store} }, "the object is gone"},
		{"a part cannot be put", func(_ *testing.T, b *bench) { b.Store = brokenStore{b.Store, attempt + "-changes"} }, "down"},
		{"other partitions", func(t *testing.T, b *bench) {
			b.sealAs(t, &snapshot.Begin{Run: "run-15", Tenant: tenant, Partitions: 7}, snapshot.Reading{Source: directory.AD, Full: clock, Watermark: &directory.Watermark{}})
		}, "run-15 has 7 partitions, this one 3"},
		{"the last one failed", func(t *testing.T, b *bench) {
			b.sealAs(t, &snapshot.Begin{Run: "run-15", Tenant: tenant, Partitions: 3}, snapshot.Reading{Source: directory.AD, Failed: "down"})
		}, "run-15 has no watermark"},
		{"parts of an older version, without some properties", func(t *testing.T, b *bench) {
			b.sealAs(t, &snapshot.Begin{Run: "run-15", Tenant: tenant, Partitions: 3}, b.oldReading(t, "run-15"))
		}, "has no column ad_"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.ad.usn = 5
			b.night(t, "run-1", citrixDN)
			c.spoil(t, b)
			b.ad.calls = nil
			got := b.night(t, "run-2", citrixDN)
			if !strings.Contains(got.WhyFull, c.want) || got.Changed != 0 || got.People != len(b.ad.people) || !got.Full.Equal(b.Now()) {
				t.Errorf("%+v, want it in full since %q", got, c.want)
			}
			if !slices.Contains(b.ad.calls, "ListPeople") {
				t.Errorf("calls: %q", b.ad.calls)
			}
		})
	}
}

// oldReading writes a full reading like an older version of idleseat, with parts that are not in Parquet. The parts
// have only SIDs.
func (b *bench) oldReading(t *testing.T, run string) snapshot.Reading {
	t.Helper()
	r := snapshot.Reading{Source: directory.AD, Full: clock, Watermark: &directory.Watermark{Controller: "dc1", USN: 5}}
	for _, u := range b.ad.people {
		lines := fmt.Sprintf("{\"columns\":[\"sid\"]}\n[%q]\n", u.SID)
		var raw bytes.Buffer
		zip := gzip.NewWriter(&raw)
		_, err := zip.Write([]byte(lines))
		part := snapshot.Part{Key: "runs/" + run + "/ad/" + u.SID + ".jsonl.gz", Partition: directory.Partition(u.SID, 3), People: 1, Size: len(lines)}
		if err := errors.Join(err, zip.Close(), store.PutBytes(t.Context(), b.Store, part.Key, raw.Bytes())); err != nil {
			t.Fatal(err)
		}
		part.Bytes, part.SHA256 = raw.Len(), fmt.Sprintf("%x", sha256.Sum256(raw.Bytes()))
		r.Parts = append(r.Parts, part)
	}
	return r
}

// TestChangesOfOthers: a delta reading builds neither on a run for one person, nor on a run of another tenant, nor on a
// later run.
func TestChangesOfOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ad.usn = 5
	b.night(t, "run-1", citrixDN)
	for _, begin := range []snapshot.Begin{
		{Run: "run-11", Tenant: tenant, Partitions: 1, User: "anna"},
		{Run: "run-12", Tenant: "another", Partitions: 3},
		{Run: "run-3", Tenant: tenant, Partitions: 3},
	} {
		b.sealAs(t, &begin, snapshot.Reading{Source: directory.AD, Failed: "down"})
	}
	if got := b.night(t, "run-2", citrixDN); got.WhyFull != "" {
		t.Errorf("in full: %s", got.WhyFull)
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ad.usn = 5
	begin := &snapshot.Begin{Run: "run-2", Tenant: tenant, Partitions: 3}
	if key, err := b.Since(t.Context(), begin); key != "" || err != nil {
		t.Errorf("before any run: %q, %v", key, err)
	}
	want := b.night(t, "run-1", citrixDN)
	key, err := b.Since(t.Context(), begin)
	if err != nil || key != "runs/run-2/ad/since.json" {
		t.Fatalf("%q, %v", key, err)
	}
	var got snapshot.Reading
	if err := store.GetJSON(t.Context(), b.Store, key, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("earlier reading (-sealed +laid ready):\n%s", d)
	}
	b.Store = brokenStore{b.Store, "since.json"}
	if _, err := b.Since(t.Context(), begin); err == nil {
		t.Error("no error although it could not be written")
	}
}

func TestChangesInterrupted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ad.usn = 5
	b.night(t, "run-1", citrixDN)
	b.ad.calls = nil
	ctx, cancel := context.WithCancel(t.Context())
	b.AD = interrupted{b.ad, cancel}
	begin := &snapshot.Begin{Run: "run-2", AsOf: asOf, Tenant: tenant, Partitions: 3}
	if _, err := b.ReadAD(ctx, begin, load(t, text)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if slices.Contains(b.ad.calls, "ListPeople") {
		t.Error("everybody was read after the interruption")
	}
}

type interrupted struct {
	*fakeAD
	cancel context.CancelFunc
}

func (f interrupted) ListChanges(ctx context.Context, since directory.Watermark, _ []string, _ func(sid, dn string) error, _ func(directory.ADUser) error) (directory.Watermark, error) {
	f.cancel()
	return since, ctx.Err()
}

func (b *bench) sealAs(t *testing.T, begin *snapshot.Begin, ad snapshot.Reading) {
	t.Helper()
	if err := snapshot.PutBegin(t.Context(), b.Store, begin); err != nil {
		t.Fatal(err)
	}
	if err := b.Seal(t.Context(), begin.Run, snapshot.Reading{}, ad); err != nil {
		t.Fatal(err)
	}
}

// The method "night" reads Active Directory for a new run and seals the run. The parameter "group" replaces the DN of
// the Citrix group in the policy.
func (b *bench) night(t *testing.T, run, group string) snapshot.Reading {
	t.Helper()
	begin := &snapshot.Begin{Run: run, AsOf: b.Now().UTC(), Tenant: tenant, Partitions: 3}
	ad, err := b.ReadAD(t.Context(), begin, load(t, strings.ReplaceAll(text, citrixDN, group)))
	if err != nil {
		t.Fatal(err)
	}
	b.sealAs(t, begin, ad)
	return ad
}

type people struct {
	People []directory.ADUser
	Groups map[string][]string
}

func (b *bench) everybody(t *testing.T, r *snapshot.Reading) (all []people) {
	t.Helper()
	for n := range 3 {
		var h directory.Accounts
		if err := (&snapshot.Manifest{Readings: [2]snapshot.Reading{{}, *r}}).Read(t.Context(), b.Store, n, &h); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(h.AD, func(a, b directory.ADUser) int { return strings.Compare(a.SID, b.SID) })
		all = append(all, people{h.AD, h.Memberships})
	}
	return all
}
