package snapshot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/pages"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

func TestPageHasEveryColumn(t *testing.T) {
	var b strings.Builder
	b.WriteString("| column | type | field of policies | read |\n|---|---|---|---|\n")
	for _, c := range peopleOf(&directory.Accounts{}) {
		field, read := "", "always"
		for i := range personColumns {
			if p := &personColumns[i]; p.name == c.Name {
				field = strings.TrimSuffix("`"+p.field+"`", "``")
				switch {
				case p.always:
				case p.field != "":
					read = "where a policy names it"
				default:
					read = "to find those who need no row"
				}
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Name, map[table.Kind]string{table.Text: "UTF8", table.Instant: "TIMESTAMP", table.Flag: "BOOLEAN", table.Number: "BIGINT"}[c.Kind], field, read)
	}
	pages.Generated(t, "store.md", "columns", b.String())
}
