package samba

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// GroupChange is one added or removed member of a group. The controller has accepted the change.
type GroupChange struct {
	Added  bool // false: the member was removed
	Member string
	Group  string // Group and Member are DNs
}

// GroupChanges returns the changes of group members in the audit log of the first controller, in order.
func (d *Domain) GroupChanges() ([]GroupChange, error) {
	log, err := os.ReadFile(filepath.Join(d.controllers[0].dir, "log"))
	if err != nil {
		return nil, fmt.Errorf("read the audit log of %s: %w", d.controllers[0].address, err)
	}
	var all []GroupChange
	for line := range strings.Lines(string(log)) {
		_, text, found := strings.Cut(line, `{"timestamp"`)
		if !found || !strings.HasSuffix(line, "\n") { // the controller has not written the whole line yet
			continue
		}
		var entry struct {
			GroupChange struct{ Status, Action, User, Group string }
		}
		if err := json.Unmarshal([]byte(`{"timestamp"`+text), &entry); err != nil {
			return nil, fmt.Errorf("read the audit log of %s: %w", d.controllers[0].address, err)
		}
		c := entry.GroupChange
		if c.Status != "Success" || c.Action != "Added" && c.Action != "Removed" {
			continue
		}
		all = append(all, GroupChange{Added: c.Action == "Added", Member: c.User, Group: c.Group})
	}
	return all, nil
}
