package command

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
)

// The function "browse" opens an address in the browser of the desktop. It does not wait for the browser.
func browse(ctx context.Context, address string) error {
	opener := []string{"xdg-open", address}
	switch runtime.GOOS {
	case "darwin":
		opener = []string{"open", address}
	case "windows":
		opener = []string{"rundll32", "url.dll,FileProtocolHandler", address}
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), opener[0], opener[1:]...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("open the browser: %w", err)
	}
	go func() { _ = cmd.Wait() }() // the browser may stay open for longer than the command
	return nil
}
