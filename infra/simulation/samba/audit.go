package samba

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// GroupChange is one change of a group's members that a controller accepted.
type GroupChange struct {
	Added  bool // false: removed
	Member string
	Group  string // DN, as Member is
}

// GroupChanges returns the changes that the first controller has accepted so far, in order, from its audit log.
func (d *Domain) GroupChanges() ([]GroupChange, error) {
	log, err := os.ReadFile(filepath.Join(d.controllers[0].dir, "log"))
	if err != nil {
		return nil, fmt.Errorf("read the audit log of %s: %w", d.controllers[0].address, err)
	}
	var all []GroupChange
	for line := range strings.Lines(string(log)) {
		_, text, found := strings.Cut(line, `{"timestamp"`)
		if !found || !strings.HasSuffix(line, "\n") { // the line is not complete yet
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
