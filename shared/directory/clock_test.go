package directory

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCheckClock(t *testing.T) {
	t.Parallel()
	ours := time.Date(2026, 11, 28, 18, 0, 0, 0, time.UTC)
	for apart, fails := range map[time.Duration]bool{
		0: false, 10 * time.Minute: false, -10 * time.Minute: false, 10*time.Minute + time.Second: true, -11 * time.Minute: true, 400 * 24 * time.Hour: true,
	} {
		err := CheckClock("Microsoft Graph", ours.Add(apart), ours)
		if (err != nil) != fails || fails && !errors.Is(err, ErrClock) {
			t.Errorf("%s apart: %v", apart, err)
		}
		if fails && (!strings.Contains(err.Error(), "Microsoft Graph says that it is "+ours.Add(apart).Format(time.RFC3339)) || !strings.Contains(err.Error(), "this machine says 2026-11-28T18:00:00Z")) {
			t.Errorf("the message lacks a time: %v", err)
		}
	}
}
