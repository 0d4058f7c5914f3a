package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
)

// The function "chromium" returns the path of Chromium. As root on Debian, it installs Chromium if it is missing.
var chromium = sync.OnceValues(func() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return "", errors.New("chromium is not installed, and only root on Debian can install it here")
	}
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "chromium"}} {
		install := exec.Command("apt-get", args...)
		install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("install chromium: %w: %.500s", err, out)
		}
	}
	return exec.LookPath("chromium")
})
