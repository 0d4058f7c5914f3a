package plan

import "fmt"

// Arrow describes a change for display, such as "E3 → E1" or "E3 removed".
func Arrow(rule, license, to string) string {
	switch {
	case rule == RestoreRule && to == "":
		return license + " restored"
	case rule == RestoreRule:
		return to + " → " + license
	case to == "":
		return license + " removed"
	default:
		return license + " → " + to
	}
}

// Verdicts returns the numbers of verdicts as a sentence. Each rule gives one verdict about each holder.
func (c *Counts) Verdicts() string {
	return fmt.Sprintf("the rules gave %d verdicts: keep %d, reclaim %d, undecided %d, exempt %d", c.Keep+c.Reclaim+c.Undecided+c.Exempt, c.Keep, c.Reclaim, c.Undecided, c.Exempt)
}
