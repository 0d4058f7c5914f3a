package browser_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/infra/browser"
	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/serve"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "office" is a simulated company with a store, and a server for the pages of the runs in the store.
type office struct {
	t      *testing.T
	store  *store.Memory
	policy string
	env    map[string]string
	at     string // address of the pages, without a slash at the end
	key    string
}

func newOffice(t *testing.T, people int) *office {
	t.Helper()
	company, err := sandbox.Start(sandbox.Options{Users: people, Seed: 16})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, store: &store.Memory{}, policy: filepath.Join(t.TempDir(), "policy.yaml"), env: map[string]string{"IDLESEAT_STORE": "memory"}}
	for _, v := range company.Env() {
		name, value, _ := strings.Cut(v, "=")
		o.env[name] = value
	}
	if err := os.WriteFile(o.policy, company.Policy(), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := serve.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	site := serve.New(serve.Settings{Store: o.store, Location: "memory", Clock: clock.Real, Next: func(command string) string { return "idleseat " + command }})
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- site.Serve(ctx, l) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = company.Close()
	})
	o.at, o.key = "http://"+l.Addr().String(), site.Keys.Key
	return o
}

func (o *office) run(args ...string) []byte {
	o.t.Helper()
	var out, errs bytes.Buffer
	process := command.Process{
		Context: o.t.Context(), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: clock.Real, Version: "under test",
		Variable:  func(name string) (string, bool) { v, set := o.env[name]; return v, set },
		OpenStore: func(context.Context, string) (store.Store, error) { return o.store, nil },
		ViewStore: func(context.Context, string) (store.Store, error) { return store.ReadOnly(o.store), nil },
		Browse:    func(context.Context, string) error { return errors.ErrUnsupported },
	}
	if status := process.Run(args); status != 0 {
		o.t.Fatalf("idleseat %q: status %d: %s", args, status, errs.String())
	}
	return out.Bytes()
}

// The method "plan" makes a run. It returns the name of the run, and the key of a person with a change in its plan.
func (o *office) plan() (run, user string) {
	o.t.Helper()
	var p struct {
		Run     string
		Changes []struct{ User string }
	}
	if err := json.Unmarshal(o.run("plan", "--policy", o.policy, "--format", "json"), &p); err != nil || len(p.Changes) == 0 {
		o.t.Fatalf("%d changes, %v", len(p.Changes), err)
	}
	return p.Run, p.Changes[0].User
}

// The method "enter" opens the list of runs with the key in the address. The server answers with a cookie, so later
// pages need no key.
func (o *office) enter(b *browser.Browser, v browser.View) *browser.Tab {
	o.t.Helper()
	return b.Open(o.t, o.at+"/?key="+url.QueryEscape(o.key), v)
}

func TestServedPages(t *testing.T) {
	b := browser.Start(t)
	for _, people := range []int{50, 5000} {
		o := newOffice(t, people)
		o.enter(b, browser.Wide).Accessible(t) // the store has no run yet
		run, user := o.plan()
		user = url.QueryEscape(user)
		for name, path := range map[string]string{
			"list": "/", "run": "/runs/" + run, "people": "/people?q=an", "person": "/person?user=" + user, "policy": "/policy", "what-if": "/what-if?days=30", "nobody": "/people?q=nobody-at-all",
		} {
			for look, view := range map[string]browser.View{"wide": browser.Wide, "narrow": browser.Narrow, "dark": {Width: 1440, Height: 1000, Dark: true, Lang: "sv-SE"}} {
				if people > 50 && look != "wide" {
					continue
				}
				t.Run(fmt.Sprintf("%s, %d people, %s", name, people, look), func(t *testing.T) {
					tab := b.Open(t, o.at+path, view)
					tab.Shot(fmt.Sprintf("serve-%s-%d-%s", name, people, look))
					if wide := browser.Eval[int64](tab, `document.documentElement.scrollWidth`); wide > view.Width {
						t.Errorf("the page is %d pixels wide in a window of %d", wide, view.Width)
					}
					if got, want := browser.Eval[string](tab, `document.documentElement.lang`), map[bool]string{true: "sv", false: "en"}[view.Lang != ""]; got != want {
						t.Errorf("the page is in %s, want %s", got, want)
					}
					tab.Accessible(t)
					tab.Quiet(o.at+path, o.at+"/state", o.at+"/runs/"+run+"/state")
				})
			}
		}
	}
}

// TestServedPagesAreLive: pages change without a reload. An open list of runs shows a new run, and the open page of a
// run shows its progress.
func TestServedPagesAreLive(t *testing.T) {
	b := browser.Start(t)
	o := newOffice(t, 100)
	list := o.enter(b, browser.Wide)
	run, _ := o.plan()
	says := func(tab *browser.Tab, want string) {
		t.Helper()
		for range 30 {
			if strings.Contains(browser.Eval[string](tab, `document.body ? document.body.innerText : ""`), want) {
				return
			}
			time.Sleep(time.Second) // a script updates the page only every few seconds
		}
		t.Errorf("the page never says %q", want)
	}
	says(list, run)
	page := b.Open(t, o.at+"/runs/"+run, browser.Wide)
	says(page, "Waits for approval")
	o.run("apply", run, "--yes", "--policy", o.policy)
	says(page, "Done")
}

func TestServedSearchByKeys(t *testing.T) {
	b := browser.Start(t)
	o := newOffice(t, 100)
	_, user := o.plan()
	o.enter(b, browser.Wide)
	tab := b.Open(t, o.at+"/people", browser.Wide)
	for range 12 {
		if browser.Eval[string](tab, `document.activeElement.id`) == "q" {
			break
		}
		tab.Press(kb.Tab)
	}
	tab.Press(strings.Split(user, "")...)
	tab.Press(kb.Enter)
	for range 20 {
		if at := browser.Eval[string](tab, `location.pathname + location.search`); at == "/person?user="+url.QueryEscape(user) {
			return
		}
		time.Sleep(200 * time.Millisecond) // the browser loads the result of the form
	}
	t.Errorf("the keys lead to %s", browser.Eval[string](tab, `location.href`))
}
