package evaluate_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// twoRules has the two rules of the simulated company in SQL, with the exemption of guests. FOLDER stands for the
// folder of the table of people. Each ? stands for the planning time.
const twoRules = `
SELECT entra_id, ad_sid, idle_e3, idle_citrix FROM (
  SELECT entra_id, ad_sid,
    entra_licenses LIKE '%05e9a617-0261-4cee-bb44-138d3ef5d965%' AND entra_account_enabled AND upper(entra_employee_type) = 'EMPLOYEE'
      AND coalesce(greatest(entra_last_interactive_sign_in, entra_last_non_interactive_sign_in, entra_last_successful_sign_in) < ?::TIMESTAMPTZ - INTERVAL 60 DAY, true) AS idle_e3,
    ad_groups LIKE '%"ad/direct:cn=citrix users%'
      AND CASE WHEN ad_last_logon_timestamp IS NOT NULL THEN ad_last_logon_timestamp < ?::TIMESTAMPTZ - INTERVAL 90 DAY
               ELSE greatest(entra_created, ad_created) <= ?::TIMESTAMPTZ - INTERVAL 90 DAY END AS idle_citrix
  FROM read_parquet('FOLDER/*.parquet')
  WHERE coalesce(upper(entra_user_type), '') <> 'GUEST')
WHERE idle_e3 OR idle_citrix`

// askDuckDB runs the query from standard input five times on one thread. It prints the number of rows and, for each
// run, the seconds of wall-clock and processor time.
const askDuckDB = `
const {DuckDBInstance} = require('@duckdb/node-api');
(async () => {
  const connection = await (await DuckDBInstance.create(':memory:', {threads: '1'})).connect();
  const question = require('fs').readFileSync(0, 'utf8');
  const out = {rows: 0, clock: [], cpu: []};
  for (let i = 0; i < 5; i++) {
    const begun = process.hrtime.bigint(), used = process.cpuUsage();
    const result = await connection.run('CREATE OR REPLACE TABLE answer AS ' + question);
    const cpu = process.cpuUsage(used);
    out.clock.push(Number(process.hrtime.bigint() - begun) / 1e9);
    out.cpu.push((cpu.user + cpu.system) / 1e6);
  }
  out.rows = Number((await connection.runAndReadAll('SELECT count(*) FROM answer')).getRows()[0][0]);
  console.log(JSON.stringify(out));
})().catch(e => { console.error(e); process.exit(1); });`

// besideDuckDB compares idleseat's times for one night with those of DuckDB. The arguments "clock" and "cpu" are
// idleseat's median wall-clock time and processor time, in seconds. DuckDB needs node with @duckdb/node-api. Without
// it, the log says only how to install it.
func besideDuckDB(b *testing.B, folder string, asOf time.Time, clock, cpu float64) {
	b.Helper()
	if exec.CommandContext(b.Context(), "node", "-e", "require('@duckdb/node-api')").Run() != nil {
		b.Log("DuckDB is not installed: npm install --no-save @duckdb/node-api, or name its folder in NODE_PATH")
		return
	}
	question := strings.ReplaceAll(strings.ReplaceAll(twoRules, "FOLDER", folder), "?", "'"+asOf.UTC().Format(time.RFC3339Nano)+"'")
	cmd := exec.CommandContext(b.Context(), "node", "-e", askDuckDB)
	cmd.Stdin = strings.NewReader(question)
	answer, err := cmd.Output()
	var out struct {
		Rows       int
		Clock, CPU []float64
	}
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	if err != nil || out.Rows == 0 {
		b.Fatalf("DuckDB answers %s: %v", answer, err)
	}
	b.Logf("one night takes %.2f s, %.2f s of processing; DuckDB finds %d people in %.2f s, %.2f s of processing", clock, cpu, out.Rows, median(out.Clock), median(out.CPU))
	b.ReportMetric(clock/median(out.Clock), "x-duckdb")
	b.ReportMetric(cpu/median(out.CPU), "x-duckdb-cpu")
}

func processed(b *testing.B) float64 {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}
