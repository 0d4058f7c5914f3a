// Package idleseat has the version of this source tree. The hash of a plan covers the version.
package idleseat

import (
	_ "embed"
	"runtime/debug"
	"strings"
)

// The variable "number" is the content of the file VERSION.
//
//go:embed VERSION
var number string

// Version returns the version, such as "0.1.0". If the build has the revision of its sources, its first twelve digits
// follow, as in "0.1.0+1a2b3c4d5e6f", and ".dirty" if files differ from the revision. A build from a copy without .git,
// such as a build by SAM, has no revision.
func Version() string {
	version, revision, dirty := strings.TrimSpace(number), "", ""
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return version
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = "+" + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = ".dirty"
		}
	}
	if revision == "" {
		return version
	}
	return version + revision + dirty
}
