package command

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/serve"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "browser" requests the pages of a store, like a browser that was opened with the key.
type browser struct {
	t       *testing.T
	pages   http.Handler
	cookies []*http.Cookie
}

func (s *shell) browse() *browser {
	s.t.Helper()
	view, err := store.OpenReadOnly(s.t.Context(), s.path("store"))
	if err != nil {
		s.t.Fatal(err)
	}
	site := serve.New(serve.Settings{
		Store: view, Location: s.path("store"), Elsewhere: s.path("store"), Clock: clockFrom(func(name string) (string, bool) {
			for i := len(s.env) - 1; i >= 0; i-- {
				if k, text, _ := strings.Cut(s.env[i], "="); k == name {
					return text, true
				}
			}
			return "", false
		}),
		Next: func(command string) string { return "idleseat " + command },
	})
	b := &browser{t: s.t, pages: site.Handler("8420")}
	b.cookies = b.get("/?key=" + url.QueryEscape(site.Keys.Key)).Result().Cookies()
	return b
}

func (b *browser) get(target string) *httptest.ResponseRecorder {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, target, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host = "127.0.0.1:8420"
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.pages.ServeHTTP(w, r)
	return w
}

func (b *browser) wants(status int, target string, words ...string) string {
	b.t.Helper()
	w := b.get(target)
	text := w.Body.String()
	if w.Code != status {
		b.t.Fatalf("%s: status %d, want %d\n%s", target, w.Code, status, shownText(text))
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			b.t.Errorf("%s does not say %q:\n%s", target, word, shownText(text))
		}
	}
	return text
}

var markup = regexp.MustCompile(`(?s)<style>.*?</style>|<script.*?</script>|<template.*?</template>|<[^>]*>`)

func shownText(html string) string {
	text := regexp.MustCompile(`\s*\n\s*`).ReplaceAllString(markup.ReplaceAllString(html, " "), "\n")
	return text[:min(len(text), 3000)]
}

// The method "tree" returns a checksum of the names, modes and times of the files in the store. It shows whether a page
// has changed the store.
func (s *shell) tree() string {
	s.t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(s.path("store"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(sum, path, info.Mode(), info.ModTime())
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func TestServeShowsRunsAndPeople(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 16})
	first := s.plan(exitDone)
	s.finish(first.Run)
	second := s.plan(exitDone)
	before := s.tree()
	b := s.browse()

	list := b.wants(http.StatusOK, "/", first.Run, second.Run, "Runs 1 to 2 of 2", `href="/runs/`+first.Run+`"`)
	if strings.Index(list, first.Run) < strings.Index(list, second.Run) {
		t.Error("the newest run is not the first")
	}
	taken := first.Changes[0]
	b.wants(http.StatusOK, "/runs/"+first.Run, "idleseat restore --run "+first.Run+" --store "+s.path("store"), taken.UserPrincipalName, "m365-idle-60", first.PlanHash, "/person?run="+first.Run, `href="/policy?run=`+first.Run+`"`)
	if w := b.get("/runs/latest"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/runs/"+second.Run {
		t.Errorf("the latest run: status %d, to %q", w.Code, w.Header().Get("Location"))
	}
	var now struct {
		Version string
		Live    bool
	}
	if err := json.Unmarshal([]byte(b.wants(http.StatusOK, "/runs/"+first.Run+"/state")), &now); err != nil || now.Live || now.Version == "" {
		t.Errorf("the state of a run that has ended: %+v, %v", now, err)
	}

	b.wants(http.StatusOK, "/person?user="+url.QueryEscape(taken.User), taken.UserPrincipalName, taken.License, first.Run, "idleseat restore", "Restore it with")
	if w := b.get("/people?q=" + url.QueryEscape(strings.ToUpper(taken.UserPrincipalName))); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/person?user="+url.QueryEscape(taken.User) {
		t.Errorf("a whole name: status %d, to %q", w.Code, w.Header().Get("Location"))
	}
	name, _, _ := strings.Cut(taken.UserPrincipalName, "@")
	b.wants(http.StatusOK, "/people?q="+url.QueryEscape(name[:len(name)-1]), taken.UserPrincipalName, "found")
	b.wants(http.StatusOK, "/people?q=nobody-has-this-name", "Nobody in the snapshot has such a name")
	b.wants(http.StatusOK, "/policy", "m365-idle-60", second.Run, "The policy as the run stored it")
	b.wants(http.StatusNotFound, "/person?user=nobody-has-this-name", "Not found")
	b.wants(http.StatusNotFound, "/runs/no-such-run", "Not found")
	b.wants(http.StatusNotFound, "/no/such/page", "Not found")
	if after := s.tree(); after != before {
		t.Error("looking changed the store")
	}
}

// TestServeWhatIf: the page about another number of days has the same numbers as a plan with that number of days.
func TestServeWhatIf(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 16})
	s.plan(exitDone)
	b := s.browse()
	b.wants(http.StatusOK, "/what-if", "m365-idle-60, 60 days", "citrix-idle-90, 90 days")
	text, err := os.ReadFile(s.path("policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, days := range []int{30, 60, 100} {
		other, err := policy.Varied("policy", text, policy.Variant{Rule: "m365-idle-60", From: 60, To: days})
		if err != nil {
			t.Fatal(err)
		}
		s.write("policy.yaml", string(other))
		planned := s.run("plan", "--run", latest, "--format", "json")
		var p printed
		if err := json.NewDecoder(bytes.NewReader(planned.out)).Decode(&p); err != nil {
			t.Fatalf("%v: %s %s", err, planned.out, planned.err)
		}
		want := fmt.Sprintf(`Matched with %d days</p><p class="number">%d</p>`, days, p.Rules[0].Reclaim)
		b.wants(http.StatusOK, "/what-if?rule="+url.QueryEscape("60 m365-idle-60")+"&days="+fmt.Sprint(days), want)
	}
	for _, target := range []string{"days=0", "days=-1", "days=3651", "days=x", "days=1e3", "rule=60+no-such-rule&days=30", "rule=61+m365-idle-60&days=30"} {
		b.wants(http.StatusBadRequest, "/what-if?"+target, "Please ask again")
	}
}

func addresses(user string, runs ...string) (all []string) {
	user = url.QueryEscape(user)
	all = []string{"/", "/state", "/people?q=a", "/people?q=" + user, "/person?user=" + user, "/policy", "/what-if", "/what-if?days=30", "/runs/latest"}
	for _, run := range runs {
		run := url.PathEscape(run)
		all = append(all, "/runs/"+run, "/runs/"+run+"/state", "/?before="+run, "/people?q=a&run="+run, "/person?user="+user+"&run="+run, "/policy?run="+run, "/what-if?days=30&run="+run)
	}
	return all
}

// TestServeDamagedStore damages or removes each object of one run, and each ledger object of one person. A page that
// cannot be made says so. The pages of another run stay complete.
func TestServeDamagedStore(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 16})
	first := s.plan(exitDone)
	s.finish(first.Run)
	second := s.plan(exitDone)
	user := first.Changes[0].User
	var objects []string
	err := filepath.WalkDir(s.path("store"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && (strings.Contains(path, second.Run) || strings.Contains(path, "ledger/"+user)) {
			objects = append(objects, path)
		}
		return err
	})
	if err != nil || len(objects) < 10 {
		t.Fatalf("%d objects, %v", len(objects), err)
	}
	for _, path := range objects {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		listed := strings.Contains(path, "/runs/") && (strings.HasSuffix(path, "plan.json") || strings.HasSuffix(path, "begin.json"))
		for damage, broken := range map[string][]byte{"gone": nil, "cut": whole[:min(100, len(whole)/2)], "edited": turned(whole)} {
			if damage == "cut" && !listed {
				continue // the edited object already tests what a cut object would test
			}
			if err := os.WriteFile(path, broken, 0o600); err != nil {
				t.Fatal(err)
			}
			if damage == "gone" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			b := s.browse()
			for _, target := range addresses(user, second.Run) {
				if w := b.get(target); w.Code >= 500 && !strings.Contains(w.Body.String(), "Damaged") && !strings.Contains(w.Body.String(), "It did not work") {
					t.Errorf("%s %s: %s: status %d\n%s", path, damage, target, w.Code, shownText(w.Body.String()))
				}
			}
			list := b.wants(http.StatusOK, "/", first.Run, "Runs 1 to 2 of 2")
			if listed && damage != "gone" && !strings.Contains(list, `class="pill bad"`) {
				t.Errorf("%s %s: the list does not show it:\n%s", path, damage, shownText(list))
			}
			if !strings.Contains(path, "/ledger/") {
				b.wants(http.StatusOK, "/runs/"+first.Run, first.PlanHash)
				b.wants(http.StatusOK, "/person?run="+first.Run+"&user="+url.QueryEscape(user), first.Changes[0].UserPrincipalName)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func turned(whole []byte) []byte {
	broken := bytes.Clone(whole)
	broken[len(broken)/10] ^= 0x20
	return broken
}

// TestServeWhileARunGoesOn: the pages show a run as soon as its first object exists. The test removes the objects of a
// finished run in reverse order, so that the run looks as if it were going on.
func TestServeWhileARunGoesOn(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 16})
	p := s.plan(exitDone)
	s.finish(p.Run)
	folder := filepath.Join(s.path("store"), "runs", p.Run)
	begun := time.Now()
	var versions []string
	for _, step := range []struct{ gone, says string }{
		{"", "Done"}, {"results", "Waits for approval"}, {"plan.json", "Deciding"}, {"manifest.json", "Reading the directories"},
	} {
		if step.gone != "" {
			if err := os.RemoveAll(filepath.Join(folder, step.gone)); err != nil {
				t.Fatal(err)
			}
		}
		b := s.browse()
		b.wants(http.StatusOK, "/runs/"+p.Run, step.says)
		b.wants(http.StatusOK, "/", p.Run)
		var now struct {
			Version string
			Live    bool
		}
		if err := json.Unmarshal([]byte(b.wants(http.StatusOK, "/runs/"+p.Run+"/state")), &now); err != nil {
			t.Fatal(err)
		}
		if now.Live != (step.gone != "") {
			t.Errorf("without %q: live is %v", step.gone, now.Live)
		}
		versions = append(versions, now.Version)
	}
	for i, v := range versions[1:] {
		if v == versions[i] {
			t.Errorf("the version of the page stays %s while the run goes on", v)
		}
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	b := s.browse()
	for _, target := range addresses(p.Changes[0].User, p.Run) {
		if w := b.get(target); w.Code == http.StatusInternalServerError {
			t.Errorf("%s: %s", target, shownText(w.Body.String()))
		}
	}
}

// TestServeHostileNames puts hostile names into the addresses of the pages. No page answers with an internal error,
// leads to another site, or shows such a name without escaping it.
func TestServeHostileNames(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 16})
	p := s.plan(exitDone)
	b := s.browse()
	for _, name := range []string{
		"..", ".", "../../etc/passwd", "a/b", `a\b`, "", " ", "\x00", "\xff\xfe", "lease", "relay-check", "%", "%2e%2e", strings.Repeat("x", 5000), "\u202egnp",
		"<script>alert(1)</script>", `"><img src=x>`, "'", "--store", "-1", "9999999999999999999999", p.Run + "/../" + p.Run, p.Run + "\n", "nul", "CON", "*", "?",
	} {
		for _, target := range addresses(name, name) {
			w := b.get(target)
			if w.Code != http.StatusOK && w.Code != http.StatusNotFound && w.Code != http.StatusSeeOther && w.Code != http.StatusBadRequest && w.Code != http.StatusMovedPermanently && w.Code != http.StatusTemporaryRedirect {
				t.Errorf("%.80q: status %d\n%s", target, w.Code, shownText(w.Body.String()))
			}
			if to := w.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
				t.Errorf("%.80q leads to %q", target, to)
			}
			for _, bad := range []string{"<script>alert", "<img src=x", "\u202e", "\x00"} {
				if strings.Contains(w.Body.String(), bad) {
					t.Errorf("%.80q: the page has %q as it is", target, bad)
				}
			}
		}
	}
}

func TestServeCommand(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 16})
	if a := s.want(exitUsage, "serve", "--listen", "127.0.0.1:0"); !strings.Contains(a.err, "make the first run") {
		t.Errorf("no store: %q", a.err)
	}
	p := s.plan(exitDone)
	if a := s.want(exitUsage, "serve", "--listen", "0.0.0.0:0"); !strings.Contains(a.err, "only this machine") {
		t.Errorf("all addresses: %q", a.err)
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	opened := make(chan string, 1)
	view, err := store.OpenReadOnly(t.Context(), s.path("store"))
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	a := Process{
		Context: ctx, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: clockFrom(os.LookupEnv), Variable: func(string) (string, bool) { return "", false },
		ViewStore: func(context.Context, string) (store.Store, error) { return view, nil },
		Browse: func(_ context.Context, address string) error {
			opened <- address
			return nil
		},
	}
	status := make(chan int, 1)
	go func() {
		status <- a.Run([]string{"serve", "--open", "--listen", "127.0.0.1:0", "--store", s.path("store")})
	}()
	address := <-opened
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Jar: jar}
	answer, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	_, err = page.ReadFrom(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(page.String(), p.Run) {
		t.Errorf("status %d, %v: %s", answer.StatusCode, err, shownText(page.String()))
	}
	end()
	if got := <-status; got != exitDone {
		t.Errorf("exit status %d: %s", got, errs.String())
	}
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "http://"+at.Host+"/?key=") || strings.Contains(out.String(), at.Query().Get("key")) {
		t.Errorf("the terminal shows %q, the browser got %q", out.String(), address)
	}
	if diff := cmp.Diff("", errs.String()); diff != "" {
		t.Errorf("stderr:\n%s", diff)
	}
}
