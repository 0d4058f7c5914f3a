// Package browser controls a real browser in tests of pages. It needs Chromium.
package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser is a running Chromium.
type Browser struct{ ctx context.Context }

// Start starts Chromium for a test. It skips the test if IDLESEAT_TEST_BROWSER is not set, because a browser takes
// minutes of processor time. If Chromium is missing and cannot be installed, it skips the test, or fails it if
// REQUIRE_BROWSER is set.
func Start(t testing.TB) *Browser {
	t.Helper()
	if os.Getenv("IDLESEAT_TEST_BROWSER") == "" {
		t.Skip("SKIPPED: IDLESEAT_TEST_BROWSER is not set (make test-browser sets it)")
	}
	path, err := chromium()
	if err != nil {
		if os.Getenv("REQUIRE_BROWSER") != "" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED: no page was opened: %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(func() { end(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &Browser{ctx}
}

// Tab is a tab of the browser. It records the errors and the requests of its page; see Quiet.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	faults   []string // messages and errors on the console, uncaught exceptions, and dialogs of scripts
	requests []string
}

// View has the window size and the browser settings for a page.
type View struct {
	Width, Height int64
	Dark          bool
	NoScript      bool
	Lang          string // the language that the browser requests; empty: English
}

// Wide, Tablet and Narrow are the window sizes of a desktop, a tablet and a telephone.
var (
	Wide   = View{Width: 1440, Height: 1000}
	Tablet = View{Width: 900, Height: 1100}
	Narrow = View{Width: 380, Height: 800}
)

// Open opens an address in a new tab and waits until the page is loaded. The test has two minutes for all that it does
// in the tab.
func (b *Browser) Open(t testing.TB, address string, v View) *Tab {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(func() { cancel(); end() })
	tab := &Tab{t: t, ctx: ctx}
	tab.Do()
	if err := chromedp.Listen(ctx, tab.hear); err != nil {
		t.Fatal(err)
	}
	scheme, lang := "light", v.Lang
	if v.Dark {
		scheme = "dark"
	}
	if lang == "" {
		lang = "en-US"
	}
	Call(tab, log.Enable, cdp.Empty{})
	Call(tab, network.Enable, network.EnableParams{})
	Call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: v.Width, Height: v.Height, DeviceScaleFactor: 1})
	Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"}, // without this setting, pages scroll smoothly, and a click misses an element that still moves
	}})
	Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.NoScript})
	Call(tab, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "idleseat-test", AcceptLanguage: lang})
	tab.Do(chromedp.Navigate(address))
	return tab
}

// Call runs a command of the DevTools protocol in the tab.
func Call[P, R any](tab *Tab, command cdp.Command[P, R], params P) R {
	tab.t.Helper()
	answer, err := chromedp.Call(tab.ctx, command, params)
	if err != nil {
		tab.t.Fatalf("%s: %v", command.Method, err)
	}
	return answer
}

// The method "hear" records each error, console message, dialog and request of the page. It ignores requests for data
// URLs, which do not leave the browser.
func (tab *Tab) hear(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tab.faults = append(tab.faults, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		tab.faults = append(tab.faults, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		tab.faults = append(tab.faults, fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *page.EventJavascriptDialogOpening:
		tab.faults = append(tab.faults, "dialog: "+e.Message)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			tab.requests = append(tab.requests, e.Request.URL)
		}
	}
}

// Quiet fails the test if the page reported an error, wrote to the console, or requested an address that is not among
// the given ones. It also fails if the page made no request, because the test then saw no page.
func (tab *Tab) Quiet(addresses ...string) {
	tab.t.Helper()
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, fault := range tab.faults {
		tab.t.Errorf("the page logged %s", fault)
	}
	for _, request := range tab.requests {
		known := false
		for _, a := range addresses {
			known = known || request == a
		}
		if !known {
			tab.t.Errorf("the page asked for %s", request)
		}
	}
	if len(tab.requests) == 0 {
		tab.t.Error("no request was seen, so the test looks at nothing")
	}
}

// Do runs actions in sequence.
func (tab *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	if err := chromedp.Do(tab.ctx, actions...); err != nil {
		tab.t.Fatal(err)
	}
}

// Eval returns the value of a JavaScript expression. If the value is a promise, Eval waits for its result.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	value, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

// Wait waits until a JavaScript condition is true. It fails the test after half a minute.
func (tab *Tab) Wait(condition string) {
	tab.t.Helper()
	if _, err := chromedp.Run(tab.ctx, chromedp.Poll[chromedp.Void](condition)); err != nil {
		tab.t.Fatalf("%s never holds: %v", condition, err)
	}
}

// Click clicks the first element that matches a CSS selector.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Press presses keys in sequence. A key may be a constant such as kb.Tab.
func (tab *Tab) Press(keys ...string) {
	tab.t.Helper()
	for _, key := range keys {
		tab.Do(chromedp.KeyEvent(key))
	}
}

// Shot stores a picture of the whole page as NAME.png in the folder IDLESEAT_SHOTS, for a review by a person. If the
// variable is not set, it does nothing.
func (tab *Tab) Shot(name string) {
	tab.t.Helper()
	folder := os.Getenv("IDLESEAT_SHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		tab.t.Fatal(err)
	}
	tab.write(filepath.Join(folder, name+".png"), picture)
}

// Paper returns the page as a PDF on A4 paper. If IDLESEAT_SHOTS is set, it also stores the PDF there.
func (tab *Tab) Paper(name string) []byte {
	tab.t.Helper()
	paper, err := chromedp.Run(tab.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err != nil {
		tab.t.Fatal(err)
	}
	if folder := os.Getenv("IDLESEAT_SHOTS"); folder != "" {
		tab.write(filepath.Join(folder, name+".pdf"), paper)
	}
	return paper
}

func (tab *Tab) write(path string, content []byte) {
	tab.t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}
