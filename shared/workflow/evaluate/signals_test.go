package evaluate_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
)

const (
	workloads  = "  exchange: m365.exchange\n  teams: m365.teams\n  sharepoint: m365.sharepoint\n"
	lastUse    = "  lastUse: newest(entra.lastActivity, m365.exchange, m365.teams, m365.sharepoint)\n"
	bySignIn   = "AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()"
	ofReports  = "(exchange.earlierThan(now - days(60)) || exchange.hasNoValue()) && (teams.earlierThan(now - days(60)) || teams.hasNoValue()) && (sharepoint.earlierThan(now - days(60)) || sharepoint.hasNoValue())"
	byLastUse  = "lastUse.earlierThan(now - days(60)) || lastUse.hasNoValue()"
	attributes = "attributes:\n"
)

// BenchmarkSignals measures how much longer a night takes if the same two rules use five signals instead of two. One
// policy compares each workload's date separately, and the other compares the newest of all dates.
// IDLESEAT_BENCH_PEOPLE sets the number of people (100,000).
func BenchmarkSignals(b *testing.B) {
	people := 100_000
	if n, err := strconv.Atoi(os.Getenv("IDLESEAT_BENCH_PEOPLE")); err == nil {
		people = n
	}
	ctx := context.Background()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // the value that the commands use
	s, err := store.Open(ctx, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	two := sandboxPolicy(b)
	each := strings.Replace(strings.Replace(two, attributes, attributes+workloads, 1), bySignIn, "("+bySignIn+") && "+ofReports, 1)
	newest := strings.Replace(strings.Replace(two, attributes, attributes+lastUse, 1), bySignIn, byLastUse, 1)
	snapshotOf(b, ctx, s, people, each)
	runs := []string{"bench-two", "bench-each", "bench-newest"}
	before, cpu := map[string]*history.Digest{}, map[string][]float64{}
	for i, text := range []string{two, each, newest} {
		p, err := policy.Load("policy", []byte(text))
		if err != nil {
			b.Fatal(err)
		}
		if err := collect.BeginOver(ctx, s, "bench", collect.Start{Run: runs[i], AsOf: time.Now(), Policy: p, Text: text}, "bench", time.Now()); err != nil {
			b.Fatal(err)
		}
		before[runs[i]] = night(b, ctx, s, runs[i], nil)
	}
	for b.Loop() {
		for _, run := range runs {
			used := processed(b)
			night(b, ctx, s, run, before[run])
			cpu[run] = append(cpu[run], processed(b)-used)
		}
	}
	of := median(cpu["bench-two"])
	b.Logf("two signals take %.3f s of processing, five %.3f s, the newest of five %.3f s", of, median(cpu["bench-each"]), median(cpu["bench-newest"]))
	b.ReportMetric(median(cpu["bench-each"])/of, "x-two")
	b.ReportMetric(median(cpu["bench-newest"])/of, "x-two-newest")
}

// Report returns a report about everybody. Three quarters of the people use Teams, and half use SharePoint.
func (c company) Report(_ context.Context, _ string, _ []string, read func(io.Reader) error) error {
	refreshed := time.Now().UTC().AddDate(0, 0, -2)
	var text strings.Builder
	text.WriteString("Report Refresh Date,User Principal Name,Report Period,Is Deleted")
	for _, workload := range []string{"Exchange", "Teams", "SharePoint", "OneDrive"} {
		fmt.Fprintf(&text, ",%s Last Activity Date,%s License Assign Date,Has %[1]s License", workload, workload)
	}
	i := 0
	for u := range c.EntraUsers() {
		i++
		day, last := "", u.LastActivity().AddDate(0, 0, -i%3)
		if last.After(refreshed) {
			last = refreshed
		}
		if refreshed.Sub(last) < 180*24*time.Hour {
			day = last.Format(time.DateOnly)
		}
		fmt.Fprintf(&text, "\n%s,%s,180,False", refreshed.Format(time.DateOnly), u.UserPrincipalName)
		for n, used := range []bool{true, i%4 > 0, i%2 > 0, true} {
			if used {
				fmt.Fprintf(&text, ",%s,2024-01-0%d,True", day, n+1)
			} else {
				fmt.Fprintf(&text, ",,2024-01-0%d,True", n+1)
			}
		}
	}
	text.WriteString("\n")
	return read(strings.NewReader(text.String()))
}
