package activedirectory

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestControllers: every listed controller is asked. One that does not answer has an error with the reason.
func TestControllers(t *testing.T) {
	t.Parallel()
	s, err := sandbox.Start(sandbox.Options{LostController: "dc2.invalid"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	f, err := NewForest(Config{URLs: []string{s.ADURL}, Base: s.Base, Bind: s.Bind, PasswordFile: s.PasswordFile, CAFile: s.CAFile}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s.Company.SetADClock(time.Hour)
	list, err := f.Controllers(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	here, lost := list[0], list[1]
	if here.Err != nil || here.URL != s.ADURL || directory.CheckClock("", here.Clock, time.Now().Add(time.Hour)) != nil {
		t.Errorf("%+v", here)
	}
	if lost.Err == nil || !strings.Contains(lost.Err.Error(), "dc2.invalid") || !lost.Clock.IsZero() {
		t.Errorf("%+v", lost)
	}
}

// TestControllersThatMayBeMissing: if the list of controllers is refused, Controllers returns the known controllers and
// an error.
func TestControllersThatMayBeMissing(t *testing.T) {
	t.Parallel()
	s, err := sandbox.Start(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.Meddle(func(x *sandbox.Exchange) {
		if x.Method == "SEARCH" && strings.Contains(x.Target, "CN=Sites") {
			x.Refuse(50, "insufficientAccessRights")
			return
		}
		x.Serve()
	})
	f, err := NewForest(Config{URLs: []string{s.ADURL}, Base: s.Base, Bind: s.Bind, PasswordFile: s.PasswordFile, CAFile: s.CAFile}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := f.Controllers(t.Context())
	if err == nil || len(list) != 1 || list[0].Err != nil {
		t.Errorf("%+v, %v", list, err)
	}
}
