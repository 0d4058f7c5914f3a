package evaluate_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/evaluate"
)

// BenchmarkEvaluate measures the work of one night on one core: it reads, joins and evaluates everybody in a snapshot
// of the simulated company with two rules, and writes the decisions. For comparison, DuckDB evaluates the same rules on
// the same files. IDLESEAT_BENCH_PEOPLE sets the number of people (1,000,000).
func BenchmarkEvaluate(b *testing.B) {
	people := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("IDLESEAT_BENCH_PEOPLE")); err == nil {
		people = n
	}
	ctx := context.Background()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // the value that the commands use
	folder := b.TempDir()
	s, err := store.Open(ctx, folder)
	if err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	snapshotOf(b, ctx, s, people, sandboxPolicy(b))
	b.Logf("collected %d people in %s", people, time.Since(begun).Round(time.Millisecond))
	b.ReportAllocs()
	before := night(b, ctx, s, "bench", nil)
	var clock, cpu []float64
	for b.Loop() { // every night in the loop has the digest of an earlier night
		started, used := time.Now(), processed(b)
		night(b, ctx, s, "bench", before)
		clock, cpu = append(clock, time.Since(started).Seconds()), append(cpu, processed(b)-used)
	}
	b.ReportMetric(float64(people)*float64(b.N)/b.Elapsed().Seconds(), "people/s")
	besideDuckDB(b, filepath.Join(folder, "runs", "bench", "people"), begun, median(clock), median(cpu))
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// The function "night" evaluates every partition. The parameter "before" is the digest of the night before, and the
// result is the digest for the next night.
func night(b *testing.B, ctx context.Context, s store.Store, run string, before *history.Digest) *history.Digest {
	b.Helper()
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		b.Fatal(err)
	}
	r.History = before
	w, err := evaluate.NewWorker(r)
	if err != nil {
		b.Fatal(err)
	}
	for n := range r.Begin.Partitions {
		if err := w.Partition(ctx, n); err != nil {
			b.Fatal(err)
		}
	}
	seen := &plan.Baseline{Run: r.Begin.Run, Partitions: r.Begin.Partitions, Read: r.Begin.Read}
	return &history.Digest{Baselines: [2]*plan.Baseline{seen, seen}}
}

func sandboxPolicy(b *testing.B) string {
	b.Helper()
	served, err := sandbox.Start(sandbox.Options{Users: 20})
	if err != nil {
		b.Fatal(err)
	}
	defer served.Close()
	return string(served.Policy())
}

func snapshotOf(b *testing.B, ctx context.Context, s store.Store, people int, text string) {
	b.Helper()
	c := company{Company: sandbox.NewCompany(sandbox.Options{Users: people, Seed: 1})}
	p, err := policy.Load("policy", []byte(text))
	if err != nil {
		b.Fatal(err)
	}
	collector := &collect.Collector{Store: s, Entra: c, AD: adSide{c}, Now: time.Now, Tool: "bench"}
	begin, err := collector.Begin(ctx, collect.Start{Run: "bench", AsOf: time.Now(), Policy: p, Text: text})
	if err != nil {
		b.Fatal(err)
	}
	entra, err := collector.ReadEntra(ctx, begin, p)
	if err != nil {
		b.Fatal(err)
	}
	ad, err := collector.ReadAD(ctx, begin, p)
	if err != nil {
		b.Fatal(err)
	}
	if err := collector.Seal(ctx, "bench", entra, ad); err != nil {
		b.Fatal(err)
	}
}

// The type "company" is a simulated company that the collector reads without HTTP and LDAP.
type company struct{ *sandbox.Company }

func (company) Tenant(context.Context) (string, []directory.SKU, error) {
	return sandbox.TenantID, []directory.SKU{
		{ID: "05e9a617-0261-4cee-bb44-138d3ef5d965", PartNumber: "SPE_E3"},
		{ID: "4b9405b0-7788-4568-add1-99614e613b69", PartNumber: "EXCHANGESTANDARD"},
	}, nil
}

func (c company) Mailboxes(context.Context, func(directory.Mailbox) error) error { return nil }

func (c company) Subscriptions(context.Context) ([]directory.Subscription, error) { return nil, nil }

func (c company) CountPeople(context.Context) (n int, err error) {
	for range c.EntraUsers() {
		n++
	}
	return n, nil
}

func (company) FindGroup(_ context.Context, name string) (directory.Group, error) {
	return directory.Group{ID: name, Name: name}, nil
}

func (company) LicenseGroups(context.Context) ([]directory.Group, error) { return nil, nil }

func (c company) ListPeople(_ context.Context, _ string, page func([]directory.EntraUser, string) error) error {
	for u := range c.EntraUsers() {
		u.Mail, u.JobTitle, u.CompanyName, u.OfficeLocation = u.UserPrincipalName, "Engineer", "Contoso", "Building 7"
		u.EmployeeID, u.Department, u.Country = "E1234567", "Research and Development", "Sweden"
		u.Extension = directory.ExtensionAttributes{"alpha", "beta", "gamma", "delta"}
		if err := page([]directory.EntraUser{u}, ""); err != nil {
			return err
		}
	}
	return nil
}

func (company) ListMembers(context.Context, directory.Group, string, func([]directory.Member, string) error) error {
	return nil
}

func (company) FindID(context.Context, string) (string, error) { return "", directory.ErrNoPerson }

func (company) FindPerson(context.Context, string) (directory.EntraUser, error) {
	return directory.EntraUser{}, directory.ErrNoPerson
}

func (company) GroupsOf(context.Context, string) ([]string, error) { return nil, nil }

func (company) DirectGroups(context.Context, string) ([]string, error) { return nil, nil }

type adSide struct{ company }

func (c adSide) ListPeople(_ context.Context, each func(directory.ADUser) error) error {
	for u := range c.ADUsers() {
		u.Mail, u.Title, u.Company, u.Office = u.UserPrincipalName, "Engineer", "Contoso", "Building 7"
		u.EmployeeID, u.Department, u.Country = "E1234567", "Research and Development", "Sweden"
		u.Extension = directory.ExtensionAttributes{"alpha", "beta", "gamma", "delta"}
		if err := each(u); err != nil {
			return err
		}
	}
	return nil
}

func (c adSide) ListFull(ctx context.Context, _ []string, each func(directory.ADUser) error) (*directory.Watermark, error) {
	return nil, c.ListPeople(ctx, each)
}

func (adSide) ListChanges(context.Context, directory.Watermark, []string, func(sid, dn string) error, func(directory.ADUser) error) (directory.Watermark, error) {
	return directory.Watermark{}, directory.ErrNoWatermark
}

func (adSide) FindGroup(_ context.Context, name string) (directory.Group, error) {
	return directory.Group{ID: name}, nil
}

func (c adSide) ListMembers(_ context.Context, _ string, direct bool, each func(string) error) error {
	for i := range c.Size() {
		p := c.Person(i)
		if direct && p.AD != nil && len(p.ADGroups) > 0 {
			if err := each(p.AD.SID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (adSide) FindPerson(context.Context, string) (directory.ADUser, error) {
	return directory.ADUser{}, directory.ErrNoPerson
}

func (adSide) ReadPerson(context.Context, string) (directory.ADUser, error) {
	return directory.ADUser{}, directory.ErrNoPerson
}

func (adSide) MemberOf(context.Context, string, string, bool) (bool, error) { return false, nil }

func (adSide) CheckClock(context.Context, func() time.Time) error { return nil }

func (adSide) ListPrimary(context.Context, string, func(sid string) error) error { return nil }

func (adSide) ListNested(context.Context, string, func(sid string) error) error { return nil }
