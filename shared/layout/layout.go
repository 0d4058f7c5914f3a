// Package layout names every object of the store. Only this package builds keys, so that one file has the layout that
// docs/store.md and the rights of a bucket name. Keys have slashes in every store. The keys of runs sort by time, since
// the names of runs do.
package layout

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// Prefixes under which objects are listed.
const (
	Runs   = "runs/"
	Ledger = "ledger/"

	Plans     = "history/plans/"     // what plans for everybody leave for later runs
	Others    = "history/others/"    // what plans for one person and restores leave
	Overrides = "history/overrides/" // limits that were set aside
	Withdrawn = "history/withdrawn/" // runs that another run restores
)

// Run is the prefix of all objects of a run.
func Run(run string) string { return Runs + run + "/" }

// Begin is what a run resolved before it read people.
func Begin(run string) string { return Run(run) + "begin.json" }

// manifest is the last part of the key of a manifest.
const manifest = "manifest.json"

// Manifest makes a run's parts a snapshot.
func Manifest(run string) string { return Run(run) + manifest }

// Sealed returns the run of a manifest's key. ok is false for any other key.
func Sealed(key string) (run string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 3 || parts[1] == "" || parts[2] != manifest {
		return "", false
	}
	return parts[1], true
}

// Part is what one attempt read from a source for one partition.
func Part(run, source string, partition int, attempt string) string {
	return fmt.Sprintf("%s%s/%04d/%s.jsonl.gz", Run(run), source, partition, attempt)
}

// Table is a partition of a run's table of people or members, by the SHA-256 of its content, in hex.
func Table(run, name string, partition int, sum string) string {
	return fmt.Sprintf("%s%s/%04d-%.16s.parquet", Run(run), name, partition, sum)
}

// EntraCall is the progress of one call that reads Entra ID.
func EntraCall(run string, call int) string {
	return fmt.Sprintf("%sentra/calls/%04d.json", Run(run), call)
}

// Relay is the prefix of everything that the relay reads or writes for a run.
func Relay(run string) string { return Run(run) + "ad/" }

// Since is the earlier reading of Active Directory to which the relay adds changes.
func Since(run string) string { return Relay(run) + "since.json" }

// Input has the people or changes for the relay, by the name of the task.
func Input(run, task string) string { return Relay(run) + "input/" + task + ".json" }

// Probe is written by the relay's check, under a run that never exists.
func Probe() string { return Relay("relay-check") + "probe.json" }

// Mailboxes is the mailbox usage report as one attempt of a run read it.
func Mailboxes(run, attempt string) string {
	return Run(run) + "mailboxes/" + attempt + ".jsonl.gz"
}

// Usage is a usage report as one attempt of a run read it.
func Usage(run, report, attempt string) string {
	return Run(run) + "usage/" + report + "-" + attempt + ".bin"
}

// Known is the table of accounts of one partition that a run leaves for later ones.
func Known(run string, partition int) string {
	return fmt.Sprintf("%sknown/%04d.gz", Run(run), partition)
}

// ActivityGaps is the list of accounts without a date that runs left before the table of
// known accounts.
func ActivityGaps(run string, partition int) string {
	return fmt.Sprintf("%sdateless/%04d.jsonl.gz", Run(run), partition)
}

// History is the digest of earlier runs, as one attempt of a run built it.
func History(run, attempt string) string {
	return Run(run) + "history/" + attempt + ".jsonl.gz"
}

// Decisions are the rules' decisions about one partition.
func Decisions(run string, partition int) string {
	return fmt.Sprintf("%sdecisions/%04d.jsonl.gz", Run(run), partition)
}

// Plan is the plan of a run.
func Plan(run string) string { return Run(run) + "plan.json" }

// Changes is the plan of a run for a spreadsheet.
func Changes(run string) string { return Run(run) + "changes.csv" }

// Results is the prefix of the results of a run's batches.
func Results(run string) string { return Run(run) + "results/" }

// Result is what became of one batch.
func Result(run, batch string) string { return Results(run) + batch + ".json" }

// Noted is what history keeps about a run under one of its prefixes.
func Noted(prefix, run string) string { return prefix + run + ".json" }

// Stopped is the prefix of the people for whom a run may change nothing any more.
func Stopped(run string) string { return Withdrawn + run + "/" }

// Stop says that a run may change nothing of a person any more.
func Stop(run, user string) string { return Stopped(run) + user + ".json" }

// Person is the prefix of a person's objects in the ledger.
func Person(person string) string { return Ledger + person + "/" }

// License is the prefix of the ledger's objects about a person's license.
func License(person, license string) string { return Person(person) + license + "/" }

// Entry is one intent of the ledger. Objects about the intent have keys beside it.
func Entry(person, license string, seq int) string {
	return fmt.Sprintf("%s%06d.json", License(person, license), seq)
}

// Attempt returns a new unique name, for what one attempt of a repeatable step writes.
func Attempt() string { return strings.ToLower(rand.Text()[:10]) }
