package decision

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// The method "can" reports whether a run can be decided from the columns of the table of people. In the first case it
// can. Each other case changes one thing about that run.
func TestWhenColumnsDecide(t *testing.T) {
	t.Parallel()
	citrix := directory.GroupRef{Source: directory.AD, Name: citrixDN}
	e3 := directory.GroupRef{Source: directory.Entra, Name: "LIC-E3"}
	baseline := func(partitions int) *plan.Baseline {
		return &plan.Baseline{Run: "r0", Partitions: partitions, Read: daysAgo(1)}
	}
	for name, tc := range map[string]struct {
		change func(*Run)
		want   bool
	}{
		"nothing in doubt":                   {func(*Run) {}, true},
		"no table of people":                 {func(r *Run) { r.Manifest.People = nil }, false},
		"a table without the derived values": {func(r *Run) { r.Manifest.Columns = r.Manifest.Columns[1:] }, false},
		"one person":                         {func(r *Run) { r.Begin.User = "ann" }, false},
		"accepted feeds":                     {func(r *Run) { r.Begin.AcceptFeeds = true }, false},
		"Entra ID is unhealthy":              {func(r *Run) { r.Feeds[directory.Entra].State = plan.Unhealthy }, false},
		"Entra ID is absent":                 {func(r *Run) { r.Feeds[directory.Entra].State = plan.Absent }, false},
		"Active Directory is unhealthy":      {func(r *Run) { r.Feeds[directory.AD].State = plan.Unhealthy }, false},
		"Active Directory is absent":         {func(r *Run) { r.Feeds[directory.AD].State = plan.Absent }, true},
		"a usage report is unhealthy":        {func(r *Run) { r.Feeds[directory.TeamsUse].State = plan.Unhealthy }, true},
		"an emptied group":                   {func(r *Run) { r.Begin.Earlier = &directory.Earlier{Members: map[string]int{citrix.Key(true): 9}} }, false},
		"a group that was made again": {func(r *Run) {
			r.Begin.Earlier = &directory.Earlier{Groups: map[string]directory.EarlierGroup{citrix.Key(false): {ID: "1"}}}
			r.Manifest.Readings[directory.AD].Groups = map[string]string{citrix.Key(false): "2"}
		}, false},
		"an emptied group, and one made again": {func(r *Run) {
			r.Begin.Earlier = &directory.Earlier{Members: map[string]int{citrix.Key(true): 9}, Groups: map[string]directory.EarlierGroup{citrix.Key(false): {ID: "1"}}}
			r.Manifest.Readings[directory.AD].Groups = map[string]string{citrix.Key(false): "2"}
		}, false},
		"an unreadable group of a license": {func(r *Run) { r.Manifest.Readings[directory.AD].Unreadable = []string{citrix.Key(true)} }, false},
		"another unreadable group":         {func(r *Run) { r.Manifest.Readings[directory.AD].Unreadable = []string{e3.Key(false)} }, true},
		"as many partitions as before":     {func(r *Run) { r.History.Baselines[directory.AD] = baseline(1) }, true},
		"other partitions in Entra ID":     {func(r *Run) { r.History.Baselines[directory.Entra] = baseline(2) }, false},
		"other partitions in AD":           {func(r *Run) { r.History.Baselines[directory.AD] = baseline(2) }, false},
		"a later reading with other partitions": {func(r *Run) {
			r.History.Baselines[directory.AD] = baseline(2)
			r.History.Baselines[directory.AD].Read = r.Begin.Read.Add(1)
		}, true},
		"hire dates are lost": {func(r *Run) {
			r.History.Baselines[directory.Entra].WithHired, r.Policy.Grace.NeverSignedIn = 20, 14
		}, false},
		"a reading without partitions": {func(r *Run) { r.History.Baselines[directory.AD] = baseline(0) }, true},
		"a reading without a run":      {func(r *Run) { r.History.Baselines[directory.AD] = &plan.Baseline{Partitions: 2} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := world{
				entra: []directory.EntraUser{accountOf("busy", 1)}, ad: []directory.ADUser{{SID: "S-busy", LastLogonTimestamp: daysAgo(1)}},
				feeds: [2]*plan.Baseline{baseline(1), nil}, policy: strings.Replace(text, "exempt:", "grace: {newHolder: 14}\nexempt:", 1),
			}.seal(t)
			r.Manifest.People = []snapshot.Part{{Key: "people"}}
			r.Manifest.Columns = []string{snapshot.Plain, snapshot.Anchors, snapshot.EntraKey, snapshot.ADKey, snapshot.NameKey, snapshot.Names}
			r.Feeds = [directory.Signals]plan.Feed{}
			for s := range r.Feeds {
				r.Feeds[s].State = plan.Healthy
			}
			tc.change(r)
			if got := (&Screen{run: r}).can(); got != tc.want {
				t.Errorf("columns can decide: %t", got)
			}
		})
	}
}
