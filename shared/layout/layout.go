// Package layout names every object in the store. No other package builds keys, so this file shows the whole layout,
// which docs/store.md describes and on which the permissions on the bucket rely. The keys of runs sort by time, because
// the names of runs do.
package layout

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Prefixes under which objects are listed.
const (
	Runs   = "runs/"
	Ledger = "ledger/"

	Plans     = "history/plans/"     // one object for each run for everybody: the part of its plan that later runs need
	Others    = "history/others/"    // one object for each run for one person, each restore, and each trial of another policy
	Overrides = "history/overrides/" // one object for each plan that an operator applied in spite of the limits
	Withdrawn = "history/withdrawn/" // one object for each run, or each person of a run, that another run restores
	Backtests = "history/backtests/" // one object for each kept backtest, named after the last run in the backtest
)

// Policy is the key of the policy in force in the bucket of a deployment.
const Policy = "policy.yaml"

// Leases is the prefix of the objects of the lease, by which only one nightly run works at a time. The prefix is below
// runs/, so that the bucket retains these objects for as long as those of runs.
const Leases = Runs + "lease/"

// Lease returns the key of object n in the chain of a lease (package lease).
func Lease(n int) string { return fmt.Sprintf("%s%06d.json", Leases, n) }

// Run returns the prefix of all objects of a run.
func Run(run string) string { return Runs + run + "/" }

// IsRun reports whether a folder below Runs belongs to a run. The lease and two checks also have folders below Runs.
func IsRun(folder string) bool {
	return Run(folder) != Leases && folder != checked && folder != examined
}

// Begin returns the key of a run's inputs. The inputs are fixed before the run reads people.
func Begin(run string) string { return Run(run) + "begin.json" }

// Manifest returns the key of a run's manifest, which turns the parts of the run into a snapshot.
func Manifest(run string) string { return Run(run) + "manifest.json" }

// Part returns the key of the accounts of one partition that one attempt read from a source.
func Part(run, source string, partition int, attempt string) string {
	return fmt.Sprintf("%s%s/%04d/%s.parquet", Run(run), source, partition, attempt)
}

// IsLinePart reports whether a key belongs to a part in the old format, JSON Lines.
func IsLinePart(key string) bool { return strings.HasSuffix(key, ".jsonl.gz") }

// Table returns the key of one partition of a table of a run. The argument "name" is people or members. The argument
// "sum" is the SHA-256 of the content, in hex.
func Table(run, name string, partition int, sum string) string {
	return fmt.Sprintf("%s%s/%04d-%.16s.parquet", Run(run), name, partition, sum)
}

// EntraCall returns the key of the object in which one call of the function that reads Entra ID stores how far it got.
func EntraCall(run string, call int) string {
	return fmt.Sprintf("%sentra/calls/%04d.json", Run(run), call)
}

// Relay returns the prefix of all objects that the relay reads or writes for a run.
func Relay(run string) string { return Run(run) + "ad/" }

// Since returns the key of the watermark for a delta reading by the relay.
func Since(run string) string { return Relay(run) + "since.json" }

// Input returns the key of the input of a task of the relay: a list of people or changes.
func Input(run, task string) string { return Relay(run) + "input/" + task + ".json" }

// Everyone returns the key of the reading of everybody by the relay. The argument "attempt" is the attempt of the task.
func Everyone(run string, attempt int) string { return fmt.Sprintf("%s%d.json", Relay(run), attempt) }

// Evidence returns the key of what the relay read about the people of a batch in one attempt.
func Evidence(run, batch, attempt string) string {
	return Relay(run) + "evidence/" + batch + "/" + attempt + ".json"
}

// Written returns the key of what became of the writes of a batch in one attempt of the relay.
func Written(run, batch, attempt string) string {
	return Relay(run) + "results/" + batch + "/" + attempt + ".json"
}

// The constant "checked" takes the place of a run in the keys that the relay writes to check its access.
const checked = "relay-check"

// Probe returns the key that the relay writes to check its access.
func Probe() string { return Relay(checked) + "probe.json" }

// The constant "examined" takes the place of a run in the keys that idleseat doctor writes to check the store.
const examined = "doctor-check"

// DoctorProbe returns the key that idleseat doctor writes to check the store.
func DoctorProbe() string { return Run(examined) + "probe.json" }

// DoctorOnce returns the key that idleseat doctor creates once, to check that the store refuses a second creation.
func DoctorOnce() string { return Run(examined) + "once.json" }

// Mailboxes returns the key of the mailbox usage report that a run read in one attempt.
func Mailboxes(run, attempt string) string {
	return Run(run) + "mailboxes/" + attempt + ".jsonl.gz"
}

// Usage returns the key of a usage report that a run read in one attempt. The argument "report" is a name such as m365.
func Usage(run, report, attempt string) string {
	return Run(run) + "usage/" + report + "-" + attempt + ".bin"
}

// Known returns the key of one partition of a run's table of known accounts. This table has what later runs need to
// know of each account.
func Known(run string, partition int) string {
	return fmt.Sprintf("%sknown/%04d.gz", Run(run), partition)
}

// ActivityGaps returns the key of a list of accounts without a date of activity, from old versions. New versions write
// the table of Known instead.
func ActivityGaps(run string, partition int) string {
	return fmt.Sprintf("%sdateless/%04d.jsonl.gz", Run(run), partition)
}

// History returns the key of the digest of earlier runs. Each attempt of a run builds its own digest.
func History(run, attempt string) string {
	return Run(run) + "history/" + attempt + ".jsonl.gz"
}

// Freed returns the key of the summary of the ledger from which package money counts freed seats. Each attempt of a run
// makes its own summary.
func Freed(run, attempt string) string {
	return Run(run) + "history/freed-" + attempt + ".jsonl.gz"
}

// Decisions returns the key of the rules' decisions for one partition.
func Decisions(run string, partition int) string {
	return fmt.Sprintf("%sdecisions/%04d.jsonl.gz", Run(run), partition)
}

// Plan returns the key of the plan of a run.
func Plan(run string) string { return Run(run) + "plan.json" }

// Changes returns the key of the CSV file with the changes that a run plans.
func Changes(run string) string { return Run(run) + "changes.csv" }

// Report returns the key of the HTML report of a run.
func Report(run string) string { return Run(run) + "report.html" }

// Point returns the key of the figures that a run stores for the trend in later reports.
func Point(run string) string { return Run(run) + "point.json" }

// Results returns the prefix of the results of a run's batches.
func Results(run string) string { return Run(run) + "results/" }

// Result returns the key of the results of one batch.
func Result(run, batch string) string { return Results(run) + batch + ".json" }

// Ended returns the key of the results that one call stores beside those of a batch.
func Ended(run, batch, attempt string) string { return Result(run, batch+"/"+attempt) }

// Noted returns the key of an object about a run. The prefix is Plans, Others, Overrides, Withdrawn or Backtests.
func Noted(prefix, run string) string { return prefix + run + ".json" }

// NameIn returns the name of the run or person in a key below a prefix. It reverses Noted and Stop.
func NameIn(prefix, key string) string {
	return strings.TrimSuffix(strings.TrimPrefix(key, prefix), ".json")
}

// Stopped returns the prefix of the keys that Stop returns for a run.
func Stopped(run string) string { return Withdrawn + run + "/" }

// Stop returns the key of the object that forbids a run to change the licenses of one person.
func Stop(run, user string) string { return Stopped(run) + user + ".json" }

// Person returns the prefix of a person's objects in the ledger.
func Person(person string) string { return Ledger + person + "/" }

// License returns the prefix of the ledger's objects for one license of a person.
func License(person, license string) string { return Person(person) + license + "/" }

// Entry returns the key of an intent in the ledger.
func Entry(person, license string, seq int) string {
	return fmt.Sprintf("%s%06d.json", License(person, license), seq)
}

// The names of objects about an intent. Package ledger says what each of them means.
const (
	Done     = "done"
	Leaving  = "leaving"
	Back     = "back"
	Sending  = "sending"
	Free     = "free"
	Answered = "answered"
	InTarget = "in-target"
	Second   = "second-try"
	Third    = "third-try"
	Rejoined = "rejoined"

	EntraGone      = "entra-gone"
	EntraSeenAgain = "entra-seen-again"
	ADGone         = "ad-gone"
	ADSeenAgain    = "ad-seen-again"
)

// Nth returns the name of the object number n of several with the same meaning, such as entra-gone-2. The first one has
// no number in its name.
func Nth(about string, n int) string {
	if n == 1 {
		return about
	}
	return fmt.Sprintf("%s-%d", about, n)
}

// Beside returns the key of an object about an intent. The argument "about" is one of the names above, or a
// result of Nth.
func Beside(person, license string, seq int, about string) string {
	return fmt.Sprintf("%s%06d.%s.json", License(person, license), seq, about)
}

// The expression "entries" matches the last element of the key of an intent, or of an object about an intent.
var entries = regexp.MustCompile(`^(\d{6,})(\.[a-z0-9-]+)?\.json$`)

// SeqIn returns the number of the intent in the last element of a key: that of an intent, or of an object about it. The
// result "beside" is true for an object about an intent. The result "known" is false for a name that neither Entry nor
// Beside returns.
func SeqIn(name string) (seq int, beside, known bool) {
	parts := entries.FindStringSubmatch(name)
	if parts == nil {
		return 0, false, false
	}
	seq, err := strconv.Atoi(parts[1])
	if err != nil || parts[1] != fmt.Sprintf("%06d", seq) {
		return 0, false, false
	}
	return seq, parts[2] != "", true
}

// Attempt returns a new unique name for the output of one attempt of a repeatable step.
func Attempt() string { return strings.ToLower(rand.Text()[:10]) }
