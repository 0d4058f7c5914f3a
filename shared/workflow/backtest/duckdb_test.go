package backtest_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

// hitsByDuckDB is the question of the benchmark in SQL. It counts the hits of one rule at each threshold, and the
// people who came back within 30 days. A hit ends when a person is active again, so the query makes one record for
// each person and each date of use. A person without a date of use is idle if the account is older than $OLD days.
// Times are in microseconds since 1970.
const hitsByDuckDB = `
WITH seen AS (
  SELECT epoch_us(strptime(regexp_extract(filename, 'runs/([0-9]{8}T[0-9]{6})Z', 1), '%Y%m%dT%H%M%S')) AS night,
    coalesce(entra_key, ad_key) AS person, epoch_us($LAST) AS last, epoch_us(greatest(entra_created, ad_created)) AS created, $HOLDS AS holds
  FROM read_parquet('$FOLDER/runs/*/people/*.parquet', filename = true)),
spans AS (
  SELECT person, last, any_value(created) AS created, min(night) FILTER (WHERE holds) AS since, max(night) FILTER (WHERE holds) AS until
  FROM seen GROUP BY person, last),
followed AS (
  SELECT *, lead(last) OVER (PARTITION BY person ORDER BY last NULLS FIRST) AS came FROM spans),
hits AS (
  SELECT days, came, until, greatest(since, $FIRST + 86400000000 * CASE WHEN last IS NOT NULL
    THEN 1 + CAST(floor((last + days * 86400000000 - $FIRST) / 86400000000.0) AS BIGINT)
    ELSE CAST(ceil((created + $OLD * 86400000000 - $FIRST) / 86400000000.0) AS BIGINT) END) AS hit
  FROM followed, (SELECT unnest($DAYS) AS days) WHERE since IS NOT NULL)
SELECT days, count(*) AS hits, count(*) FILTER (WHERE came <= hit + 30 * 86400000000 AND hit + 30 * 86400000000 <= $END) AS returned
FROM hits WHERE hit <= until GROUP BY days ORDER BY days`

func inSQL(folder string, a *backtest.Answer, rule backtest.Rule) string {
	holds, last, old := `entra_licenses LIKE '%05e9a617-0261-4cee-bb44-138d3ef5d965%' AND entra_account_enabled AND upper(entra_employee_type) = 'EMPLOYEE'
      AND coalesce(upper(entra_user_type), '') <> 'GUEST'`, "greatest(entra_last_interactive_sign_in, entra_last_non_interactive_sign_in, entra_last_successful_sign_in)", "14"
	if rule.License == "citrix" {
		holds, last, old = `ad_groups LIKE '%"ad/direct:cn=citrix users%' AND coalesce(upper(entra_user_type), '') <> 'GUEST'`, "ad_last_logon_timestamp", "days"
	}
	var days []string
	for _, t := range rule.Thresholds {
		days = append(days, fmt.Sprint(t.Days))
	}
	return strings.NewReplacer("$FOLDER", folder, "$LAST", last, "$HOLDS", "("+holds+")", "$OLD", old,
		"$END", fmt.Sprint(a.To.UnixMicro()), "$FIRST", fmt.Sprint(firstNight.UnixMicro()), "$DAYS", "["+strings.Join(days, ", ")+"]").Replace(hitsByDuckDB)
}

// askDuckDB is a program for Node. It runs the queries of a JSON list from standard input. Its first argument is the
// number of threads. It prints the rows, the seconds of wall-clock and processor time, and the peak memory in MiB.
const askDuckDB = `
const {DuckDBInstance} = require('@duckdb/node-api');
(async () => {
  const connection = await (await DuckDBInstance.create(':memory:', {threads: process.argv[1]})).connect();
  await connection.run("SET TimeZone = 'UTC'");
  const questions = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const begun = process.hrtime.bigint(), used = process.cpuUsage(), rows = [];
  for (const question of questions) rows.push((await connection.runAndReadAll(question)).getRows().map(row => row.map(Number)));
  const cpu = process.cpuUsage(used);
  console.log(JSON.stringify({rows, clock: Number(process.hrtime.bigint() - begun) / 1e9, cpu: (cpu.user + cpu.system) / 1e6, peak: process.resourceUsage().maxRSS / 1024}));
})().catch(e => { console.error(e); process.exit(1); });`

// besideDuckDB compares the answers and the time of DuckDB on the same files. DuckDB needs node with @duckdb/node-api.
// Without them, besideDuckDB writes only to the log.
func besideDuckDB(b *testing.B, folder, text string, a *backtest.Answer, threads int, clock, cpu float64) {
	b.Helper()
	if exec.CommandContext(b.Context(), "node", "-e", "require('@duckdb/node-api')").Run() != nil {
		b.Log("DuckDB is not installed: npm install --no-save @duckdb/node-api, or name its folder in NODE_PATH")
		return
	}
	questions := []string{}
	for _, rule := range a.Rules {
		questions = append(questions, inSQL(folder, a, rule))
	}
	input, err := json.Marshal(questions)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), "node", "-e", askDuckDB, fmt.Sprint(threads))
	cmd.Stdin = strings.NewReader(string(input))
	answer, err := cmd.Output()
	var out struct {
		Rows             [][][]int
		Clock, CPU, Peak float64
	}
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	if err != nil {
		b.Fatalf("DuckDB answers %s: %v", answer, err)
	}
	b.Logf("the backtest takes %.1f s, %.1f s of processing; DuckDB takes %.1f s, %.1f s of processing, at most %.0f MB; %d threads",
		clock, cpu, out.Clock, out.CPU, out.Peak, threads)
	b.ReportMetric(clock/out.Clock, "x-duckdb")
	b.ReportMetric(cpu/out.CPU, "x-duckdb-cpu")
	for i, rule := range a.Rules {
		counted := map[int][2]int{} // by days; DuckDB has no row for days without a hit
		for _, row := range out.Rows[i] {
			counted[row[0]] = [2]int{row[1], row[2]}
		}
		for _, t := range rule.Thresholds {
			want := [2]int{t.Stock.Hits + t.Flow.Hits, t.Stock.Regret[1].Returned + t.Flow.Regret[1].Returned}
			if counted[t.Days] != want {
				b.Errorf("rule %s, %d days: hits and those who returned are %v; DuckDB says %v", rule.Name, t.Days, want, counted[t.Days])
			}
			delete(counted, t.Days)
		}
		if len(counted) > 0 {
			b.Errorf("rule %s: DuckDB has other days: %v", rule.Name, counted)
		}
	}
}
