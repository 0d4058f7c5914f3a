package usage

import (
	"strconv"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
)

func BenchmarkTell(b *testing.B) {
	const people = 1_000_000
	names := make([]string, people)
	active, copilot := &Table{Through: now, signals: []directory.Signal{directory.ExchangeUse, directory.TeamsUse, directory.SharePointUse, directory.OneDriveUse}}, &Table{Through: now, signals: []directory.Signal{directory.CopilotUse}}
	for i := range names {
		names[i] = "person" + strconv.Itoa(i) + "@contoso.example"
		r := row{key: keyOf(names[i])}
		for n := range r.cells {
			r.cells[n] = firstDay + cell(i%9000)
		}
		active.rows, copilot.rows = append(active.rows, r), append(copilot.rows, r)
	}
	active.sort()
	copilot.sort()
	b.ResetTimer()
	for range b.N {
		for i := range names {
			u := directory.EntraUser{UserPrincipalName: names[i]}
			Tables{active, copilot}.Tell(&u)
		}
	}
}
