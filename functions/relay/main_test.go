package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/relay/worker"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

const bucket = "idleseat-test"

// The variable "built" is the path of the relay that the tests run. The variable "taps" has the tap of each test, which
// counts the requests of its relays. All tests share one S3 server, which finds the tap by the prefix of the store.
var (
	built string
	taps  sync.Map
)

// The variable "linked" makes the test binary depend on the relay's code, which TestMain compiles separately. Without
// it, "go test" would return a cached result after a change of the relay.
var linked = main

func TestMain(m *testing.M) {
	if linked == nil {
		return
	}
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "relay-test-")
		if err != nil {
			log.Print(err)
			return 1
		}
		defer os.RemoveAll(folder)
		built = filepath.Join(folder, "relay")
		if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", built, ".").CombinedOutput(); err != nil {
			log.Printf("build the relay: %v\n%s", err, out)
			return 1
		}
		defer serveS3().Close()
		return m.Run()
	}())
}

// serveS3 serves one bucket for all tests, and makes the SDK use this server.
func serveS3() *httptest.Server {
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		panic(err) // a new server has no bucket, so the creation of this bucket cannot fail
	}
	objects := gofakes3.New(backend).Server()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		prefix, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"+bucket+"/"), "/")
		watched, _ := taps.LoadOrStore(prefix, new(tap))
		tap := watched.(*tap)
		if tap.asked != nil {
			tap.asked(r)
		}
		tap.around(func() { objects.ServeHTTP(w, r) })
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the log would only list the broken connections of killed relays
	server.Start()
	for _, v := range []string{"AWS_ENDPOINT_URL_S3=" + server.URL, "AWS_REGION=eu-north-1", "AWS_ACCESS_KEY_ID=simulated", "AWS_SECRET_ACCESS_KEY=simulated"} {
		name, value, _ := strings.Cut(v, "=")
		if err := os.Setenv(name, value); err != nil {
			panic(err) // the names and values are valid
		}
	}
	return server
}

func TestCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	wrong := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(wrong, []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		env  []string
		want []string
		fail bool
	}{
		{name: "groups", args: []string{"--group", sandbox.CitrixGroup, "--group", noGroup}, fail: true, want: []string{
			`ok    group "` + sandbox.CitrixGroup + `": the account may change its members`, `FAIL  group "` + noGroup + `": `, "no such group",
		}},
		{name: "everything", want: []string{
			"ok    Active Directory: bound; read a person, and the last logon from every controller",
			"ok    store: wrote and read back runs/relay-check/ad/probe.json",
			"ok    task answers: may send heartbeats and answers",
			"ok    queue ad-read: visibility timeout 1m0s, 0 waiting; may receive, hide and delete messages",
			"ok    queue ad-write: visibility timeout 1m0s, 0 waiting; may receive, hide and delete messages",
		}},
		{name: "wrong password", env: []string{"IDLESEAT_AD_PASSWORD_FILE=" + wrong}, fail: true, want: []string{"FAIL  Active Directory: ", "wrong password", "ok    store"}},
		{name: "no such queue", env: []string{"IDLESEAT_RELAY_READ_QUEUE=" + r.readQueue + "x"}, fail: true, want: []string{"FAIL  queue ad-read: ", "does not exist", "ok    queue ad-write"}},
		{name: "no dead-letter queue", env: []string{"IDLESEAT_RELAY_READ_QUEUE=" + r.aws.NewQueue("bare", minute, 0)}, fail: true, want: []string{"FAIL  queue ad-read: it has no dead-letter queue"}},
		{name: "no such bucket", env: []string{"IDLESEAT_STORE=s3://nobody-made-this"}, fail: true, want: []string{"FAIL  store: ", "NoSuchBucket"}},
		{name: "no settings", env: []string{"IDLESEAT_STORE=", "IDLESEAT_RELAY_READ_QUEUE=", "IDLESEAT_RELAY_WRITE_QUEUE=", "IDLESEAT_AD_URLS=", "IDLESEAT_AD_BIND="}, fail: true,
			want: []string{"IDLESEAT_STORE is empty", "IDLESEAT_RELAY_READ_QUEUE and IDLESEAT_RELAY_WRITE_QUEUE are both empty", "IDLESEAT_AD_BIND is empty", "IDLESEAT_AD_BIND is empty"}},
		{name: "one queue for both", env: []string{"IDLESEAT_RELAY_WRITE_QUEUE=" + r.readQueue}, fail: true, want: []string{"are the same queue"}},
		{name: "no region", env: []string{"AWS_REGION="}, fail: true, want: []string{"set AWS_REGION"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(built, append([]string{"--check"}, tt.args...)...)
			// Two checks at the same time would interfere with each other in one store.
			own := "IDLESEAT_STORE=s3://" + bucket + "/check-" + strings.ReplaceAll(tt.name, " ", "-")
			cmd.Env = append(append(slices.Clone(r.env), own), tt.env...)
			out, err := cmd.CombinedOutput()
			if (err != nil) != tt.fail || err != nil && cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("ended with %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("%q is not said in\n%s", want, out)
				}
			}
		})
	}
}

// TestCheckShowsPlainly: unprintable characters from a controller or from the command line never reach the output of
// the check.
func TestCheckShowsPlainly(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	r.box.Meddle(func(x *sandbox.Exchange) { x.Refuse(53, "no \u202e\x1b[2J\u009b31m\u200b at all") })
	for _, args := range [][]string{{"--check"}, {"--check", "--group", "CN=\u202e\u200b,DC=x"}} {
		out, err := exec.Command(built, args...).CombinedOutput()
		if err == nil {
			t.Error("no error without settings")
		}
		cmd := exec.Command(built, args...)
		cmd.Env = r.env
		more, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(more), "at all") {
			t.Errorf("%v: the controller's words are not in\n%s", err, more)
		}
		for _, text := range []string{string(out), string(more)} {
			if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("raw in %q", text)
			}
		}
	}
}

// TestVersion compares the version that the relay prints with the file VERSION. It ignores the revision after a "+",
// which only builds from a repository have.
func TestVersion(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(built, "--version").Output()
	got, _, _ := strings.Cut(strings.TrimSpace(string(out)), "+")
	if err != nil || got != strings.TrimSpace(string(want)) {
		t.Errorf("%q, %v; want %s", out, err, want)
	}
}

// TestCredentialProcess: the relay signs its calls with the credentials that a credential_process prints. That process
// reads the key from the folder that systemd names in CREDENTIALS_DIRECTORY.
func TestCredentialProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	folder := t.TempDir()
	files := map[string]string{
		"key":    `{"Version":1,"AccessKeyId":"FROMPROCESS","SecretAccessKey":"s","SessionToken":"t","Expiration":"2100-01-01T00:00:00Z"}`,
		"config": "[profile idleseat-relay]\ncredential_process = cat $CREDENTIALS_DIRECTORY/key\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.aws.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if !strings.Contains(req.Header.Get("Authorization"), "Credential=FROMPROCESS/") {
				t.Errorf("%s is signed with %q", awsfake.Call(req), req.Header.Get("Authorization"))
			}
			next.ServeHTTP(w, req)
		})
	})
	cmd := exec.Command(built, "--check")
	cmd.Env = append(slices.Clone(r.env), "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_PROFILE=idleseat-relay",
		"AWS_CONFIG_FILE="+filepath.Join(folder, "config"), "CREDENTIALS_DIRECTORY="+folder)
	if out, err := cmd.CombinedOutput(); err != nil || r.aws.Count("SendTaskHeartbeat") != 1 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestExampleEnvironment: the example environment and the systemd unit together name each IDLESEAT_ variable that the
// relay reads, and no other.
func TestExampleEnvironment(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../infra/relay/relay.env.example")
	if err != nil {
		t.Fatal(err)
	}
	unit, err := os.ReadFile("../../infra/relay/idleseat-relay.service")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, found := range regexp.MustCompile(`(?m)^(?:#|Environment=)?(IDLESEAT_\w+)=`).FindAllStringSubmatch(string(example)+string(unit), -1) {
		got = append(got, found[1])
	}
	for _, part := range []reflect.Type{reflect.TypeFor[worker.Config](), reflect.TypeFor[activedirectory.Config]()} {
		for field := range part.Fields() {
			want = append(want, field.Tag.Get("env"))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables (-known to the relay +named):\n%s", diff)
	}
}
