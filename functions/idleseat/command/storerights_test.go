package command

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestStoreThatCannotBeTrusted: commands refuse a folder in which all users may write, and an S3 server that ignores
// If-None-Match. The error says how to fix the store.
func TestStoreThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		s := newShell(t, sandbox.Options{Users: 100, Seed: 6})
		p := s.plan(exitDone)
		for path, command := range map[string][]string{"store": {"plan"}, "store/ledger": {"apply", p.Run, "--yes"}, "store/runs": {"restore", "--run", p.Run, "--yes"}} {
			if err := os.MkdirAll(s.path(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(s.path(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if a := s.want(exitFailed, command...); !strings.Contains(a.err, "everybody on this machine may write into the folder "+s.path(path)) || !strings.Contains(a.err, "chmod -R go-w") {
				t.Errorf("%q: %s", command, a.err)
			}
			if err := os.Chmod(s.path(path), 0o750); err != nil {
				t.Fatal(err)
			}
		}
		s.unwritten()
		s.plan(exitDone)
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		s := newShell(t, sandbox.Options{Users: 100, Seed: 6})
		objects := s3mem.New()
		if err := objects.CreateBucket("forgetful"); err != nil {
			t.Fatal(err)
		}
		pass := gofakes3.New(objects).Server()
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-None-Match") // the server then behaves as if it did not implement the header
			pass.ServeHTTP(w, r)
		}))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.Start()
		t.Cleanup(server.Close)
		for name, value := range map[string]string{
			"AWS_ENDPOINT_URL_S3": server.URL, "AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
			"AWS_EC2_METADATA_DISABLED": "true", "IDLESEAT_STORE": "s3://forgetful",
		} {
			s.setenv(name, value)
		}
		if a := s.want(exitFailed, "plan"); !strings.Contains(a.err, "the store writes over what must be written once") || !strings.Contains(a.err, "If-None-Match") {
			t.Errorf("plan: %s", a.err)
		}
		s.unwritten()
	})
}
