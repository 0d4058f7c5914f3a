package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/pages"
	"github.com/idleseat/idleseat/shared/store"
)

// The constant "ask" is a program for node, in which DuckDB executes the statement from standard input. It prints the
// rows as strings.
const ask = `const { DuckDBInstance } = require('@duckdb/node-api');
(async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await connection.runAndReadAll(require('fs').readFileSync(0, 'utf8'));
  console.log(JSON.stringify(reader.getRows().map(row => row.map(String))));
})().catch(e => { console.error(e); process.exit(1); });`

// TestDuckDBReadsTables: DuckDB answers the questions of docs/store.md from the tables of a run. It needs node with
// the package @duckdb/node-api.
func TestDuckDBReadsTables(t *testing.T) {
	t.Parallel()
	if err := exec.CommandContext(t.Context(), "node", "-e", "require('@duckdb/node-api')").Run(); err != nil {
		t.Skip("DuckDB is not installed: npm install --no-save @duckdb/node-api, or name its folder in NODE_PATH")
	}
	const run, e3 = "20261123T020000Z-1a2b3c4d", "05e9a617-0261-4cee-bb44-138d3ef5d965"
	folder := filepath.Join(t.TempDir(), "store")
	s, err := store.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	b := &Begin{Run: run, Partitions: 1, AsOf: time.Now()}
	m := Manifest{Run: run}
	entra, err := NewWriter(s, b, directory.Entra, "a", b.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	defer entra.Close()
	ad, err := NewWriter(s, b, directory.AD, "a", b.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	defer ad.Close()
	held := []directory.Assignment{{SKU: e3, State: "Active"}}
	user := func(id, sid, department string, idle int, paths []directory.Assignment) error {
		u := &directory.EntraUser{ID: id, SID: sid, Department: department, Enabled: directory.Yes, Assignments: paths}
		if idle >= 0 {
			u.LastSuccessful = b.AsOf.AddDate(0, 0, -idle)
		}
		return entra.AddEntra(u)
	}
	err = errors.Join(
		user("1", "S-1-5-21-1", "Sales", 61, held), user("2", "", "Sales", -1, held), user("3", "", "Support", 400, held),
		user("4", "", "Support", 5, held), user("5", "", "Sales", 400, nil),
		ad.AddAD(&directory.ADUser{SID: "S-1-5-21-1", Enabled: directory.Yes}), ad.AddAD(&directory.ADUser{SID: "S-1-5-21-6", Enabled: directory.Yes}),
		entra.AddMember("entra:pilots", "1", "S-1-5-21-1"), entra.AddMember("entra:pilots", "2", "2"), ad.AddMember("ad:citrix", "S-1-5-21-6", "S-1-5-21-6"))
	if err != nil {
		t.Fatal(err)
	}
	for source, w := range map[directory.Source]*Writer{directory.Entra: entra, directory.AD: ad} {
		reading, err := w.Finish(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m.Readings[source] = reading
	}
	if err := m.Weave(t.Context(), s, b.Partitions); err != nil {
		t.Fatal(err)
	}
	want := [][][]string{
		{{"Sales", "2"}, {"Support", "1"}},
		{{"ad:citrix", "1", "1"}, {"entra:pilots", "2", "1"}},
	}
	questions := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(pages.Read(t, "store.md"), -1)
	if len(questions) != len(want) {
		t.Fatalf("docs/store.md has %d questions, and this test knows %d answers", len(questions), len(want))
	}
	for i, q := range questions {
		node := exec.CommandContext(t.Context(), "node", "-e", ask)
		node.Stdin = strings.NewReader(strings.ReplaceAll(q[1], "runs/<run>", filepath.ToSlash(folder)+"/runs/"+run))
		var out, problem bytes.Buffer
		node.Stdout, node.Stderr = &out, &problem
		var got [][]string
		if err := errors.Join(node.Run(), json.Unmarshal(out.Bytes(), &got)); err != nil {
			t.Fatalf("%v\n%s%s", err, q[1], problem.String())
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("%s\nanswers (-want +got):\n%s", q[1], diff)
		}
	}
}
