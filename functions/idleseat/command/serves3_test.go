package command

import (
	"bufio"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestLookingIntoABucket: commands that only read the store work with a bucket that refuses writes. The command serve
// ends when it gets a signal.
func TestLookingIntoABucket(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 6})
	objects := s3mem.New()
	if err := objects.CreateBucket("runs"); err != nil {
		t.Fatal(err)
	}
	var looking atomic.Bool
	pass := gofakes3.New(objects).Server()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if looking.Load() && r.Method != http.MethodGet && r.Method != http.MethodHead {
			t.Errorf("%s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": server.URL, "AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_EC2_METADATA_DISABLED": "true", "IDLESEAT_STORE": "s3://runs/team",
	} {
		s.setenv(name, value)
	}
	if a := s.want(exitDone, "runs"); !strings.Contains(string(a.out), "no runs in s3://runs/team yet") {
		t.Errorf("an empty bucket: %s", a.out)
	}
	p := s.plan(exitDone)
	looking.Store(true)
	for _, args := range [][]string{{"runs"}, {"show", latest}, {"explain", p.Changes[0].User}} {
		if a := s.want(exitDone, args...); !strings.Contains(string(a.out), p.Run) {
			t.Errorf("%q does not name the run: %s", args, a.out)
		}
	}
	cmd := exec.Command(os.Args[0], "serve", "--listen", "127.0.0.1:0")
	cmd.Env, cmd.Dir = s.env, s.dir
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "http://127.0.0.1:") {
			address = line
		}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Jar: jar}
	at, _, _ := strings.Cut(address, "?")
	for _, target := range []string{address, at + "runs/" + p.Run, at + "people?q=a", at + "person?user=" + p.Changes[0].User, at + "policy", at + "what-if?days=30"} {
		answer, err := client.Get(target)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), p.Run) && !strings.Contains(target, "people") {
			t.Errorf("%s: status %d, %v: %s", target, answer.StatusCode, err, shownText(string(text)))
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
}
