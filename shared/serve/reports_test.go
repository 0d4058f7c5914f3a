package serve

import (
	"fmt"
	"testing"
	"time"
)

// TestReportsAreKeptForAMinute: a report page is kept for a minute, because later runs change its content. If
// keptReports pages are kept, a new page replaces the oldest.
func TestReportsAreKeptForAMinute(t *testing.T) {
	t.Parallel()
	var c reports
	began := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for i := range keptReports + 1 {
		c.put(madeReport{key: fmt.Sprint(i), html: []byte{byte(i)}, at: began})
	}
	for i := range keptReports + 1 {
		for after, kept := range map[time.Duration]bool{0: true, keptFor - 1: true, keptFor: false} {
			html, _ := c.get(fmt.Sprint(i), began.Add(after))
			if want := kept && i > 0; (html != nil) != want || want && html[0] != byte(i) {
				t.Errorf("page %d after %s: %v", i, after, html)
			}
		}
	}
}
