package endtoend

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestMotoOnePerson: on moto, a change of one person gives the same directories and ledger as the command line and as
// the project's simulation of Step Functions. No other person changes.
func TestMotoOnePerson(t *testing.T) {
	t.Parallel()
	m := newMotoRig(t, "review")
	before, who := m.holdings(), m.idle(sandbox.CitrixGroup)
	input := fmt.Sprintf(`{"user":%q,"apply":true}`, who)
	out, failure := m.run(input)
	if failure != nil {
		t.Fatal(failure)
	}
	results, _ := out["results"].(map[string]any)
	if len(results) != 1 || results["done"] == nil || results["done"] != out["changes"] {
		t.Fatalf("the run ended with %v", out)
	}
	own := newRig(t, options{company: townsfolk, mode: "review", patient: true})
	same, failure := own.run(input)
	if failure != nil {
		t.Fatal(failure)
	}
	for _, key := range []string{"verdict", "changes", "results", "monthlySaving"} {
		if diff := cmp.Diff(same[key], out[key]); diff != "" {
			t.Errorf("%s (-own engine +moto):\n%s", key, diff)
		}
	}
	m.sameAs(own)
	m.sameAsCommands(townsfolk, func(idleseat func(args ...string) []byte) {
		applyAll(t, idleseat, runOf(t, idleseat("reevaluate", who, "--apply")))
	})
	for i, held := range m.holdings() {
		if is := m.box.Company.Person(i).Entra; !cmp.Equal(before[i], held) != (is != nil && is.UserPrincipalName == who) {
			t.Errorf("person %d held %v before and %v after", i, before[i], held)
		}
	}
}

// TestMotoRelayKilled kills two relays. The first dies while it stores its reading. The second dies after a write to
// Active Directory, before it reports the result. The final result is the same as without a kill.
func TestMotoRelayKilled(t *testing.T) {
	t.Parallel()
	m := newMotoRigWithoutRelay(t, "review")
	all, deaths := len(m.inCitrix()), atomic.Int32{}
	m.relayThatDies(storesReading, func() {
		deaths.Add(1)
		m.relayThatDies(func(req *http.Request) bool { return reports(req) && len(m.inCitrix()) < all }, func() {
			deaths.Add(1)
			m.relay()
		})
	})
	out, failure := m.run(nightly)
	if failure != nil {
		t.Fatal(failure)
	}
	if deaths.Load() != 1 {
		t.Errorf("%d relays died while everybody was read", deaths.Load())
	}
	own, planned := ownNight(t, out)
	approved := approve(t, m.run, out)
	if diff := cmp.Diff(approve(t, own.run, planned)["results"], approved["results"]); diff != "" {
		t.Errorf("results (-undisturbed +killed):\n%s", diff)
	}
	if deaths.Load() != 2 {
		t.Errorf("%d relays died until everything was written", deaths.Load())
	}
	m.sameAs(own)
	m.sameAsCommand(townsfolk)
}

func storesReading(req *http.Request) bool {
	return req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/ad/")
}

func reports(req *http.Request) bool {
	return strings.HasSuffix(req.Header.Get("X-Amz-Target"), ".SendTaskSuccess")
}

// relayThatDies starts a relay, and kills it at the first request for which "at" returns true. This request does not
// reach moto. After the kill, "next" is called.
func (m *motoRig) relayThatDies(at func(req *http.Request) bool, next func()) {
	m.Helper()
	cmd, once := exec.Command(filepath.Join(built, "relay")), sync.Once{}
	forward := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(m.address) }}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !at(req) {
			forward.ServeHTTP(w, req)
			return
		}
		once.Do(func() {
			_ = cmd.Process.Kill() // an error means that the process has already ended
			next()
		})
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	m.Cleanup(proxy.Close)
	cmd.Env = append(m.relayEnv(), "AWS_ENDPOINT_URL="+proxy.URL, "AWS_ENDPOINT_URL_S3="+proxy.URL)
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}
