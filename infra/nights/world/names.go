package world

import (
	"fmt"
	"strings"
)

// Administrators sometimes rename a license in the policy. They do so most often after a complaint, when the help desk
// has given somebody a license back. The product, the group and the rule stay the same. (docs/policy.md, "Two rules,
// other names", says what a new name must not change.)

// renameEvery is the smallest number of nights between two renames of a license.
const renameEvery = 30

// The type "named" has the names of licenses in the policy. The world sometimes changes them.
type named struct {
	name  map[string]string // the present name, by license
	of    map[string]string // the license, by each name that it has had
	since map[string]int    // the night in which the present name began, by license
}

// withNames returns the text of a policy with a placeholder in place of each name of E3 and Citrix.
func withNames(text string) string {
	for _, license := range []string{e3, citrix} {
		text = strings.NewReplacer("\n  "+license+":", "\n  {name "+license+"}:", "license: "+license+"\n", "license: {name "+license+"}\n").Replace(text)
	}
	return text
}

// The method "call" records that a license has a new name in the policy from the night "night" on.
func (n *named) call(license, name string, night int) {
	n.name[license], n.of[name], n.since[license] = name, license, night
}

// The method "own" returns the world's own name of a license for a present or former name in the policy. It returns an
// unknown name unchanged.
func (n *named) own(name string) string {
	if license, is := n.of[name]; is {
		return license
	}
	return name
}

// The method "renames" sometimes gives a license another name in the policy.
func (w *World) renames() {
	for _, license := range []string{e3, citrix} {
		chance := 0.003
		if w.complained(license) {
			chance = 0.2
		}
		if w.night < w.policy.since[license]+renameEvery || !w.happens("another name in the policy: "+license, -1, chance) {
			continue
		}
		name := fmt.Sprintf("%s-%d", license, w.night)
		if w.policy.name[license] != license && throw(w.options.Seed, "first name", w.night).chance(0.5) {
			name = license // the first name again
		}
		w.policy.call(license, name, w.night)
		w.policy.publish()
	}
}

// The method "complained" reports whether somebody has given back a license that the product took. Each call covers
// only the time since the last call.
func (w *World) complained(license string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	given := w.regiven[license]
	delete(w.regiven, license)
	return given
}
