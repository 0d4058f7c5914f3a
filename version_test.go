package idleseat

import (
	"regexp"
	"testing"
)

// TestVersion: the file VERSION has one version by semver.org and nothing else.
func TestVersion(t *testing.T) {
	t.Parallel()
	if !regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?\n$`).MatchString(number) {
		t.Errorf("VERSION is %q", number)
	}
	if !regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9a-f]{12}(\.dirty)?)?$`).MatchString(Version()) {
		t.Errorf("the version is %q", Version())
	}
}
