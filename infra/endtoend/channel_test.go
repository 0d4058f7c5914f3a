package endtoend

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/channel"
	"github.com/idleseat/idleseat/shared/store"
)

const webhookARN = "arn:aws:secretsmanager:" + region + ":" + account + ":secret:idleseat-webhook"

// The type "secrets" simulates GetSecretValue (API reference of AWS Secrets Manager). It records the role and the
// secret of each request.
type secrets struct {
	value string
	mu    sync.Mutex
	asked []string // role and secret
}

func (s *secrets) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var in struct{ SecretId string }
	if err != nil || json.Unmarshal(body, &in) != nil || req.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, caller(req)+" "+in.SecretId)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]string{"ARN": in.SecretId, "SecretString": s.value}) // an error means that the client disconnected
}

// TestChannelOfADeployment: each execution sends one message to the channel of Teams, without the name of a person. If
// the channel refuses the message, the execution still succeeds, and the notice to the operators (SNS) reports the
// refusal. Only the function gate reads the address of the webhook, and no output has the address.
func TestChannelOfADeployment(t *testing.T) {
	t.Parallel()
	c := channel.Start()
	t.Cleanup(c.Close)
	vault := &secrets{value: c.Teams()}
	server := httptest.NewServer(vault)
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, c.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	small := company
	small.Users = 60
	r := newRig(t, options{company: small, mode: "review", env: []string{"IDLESEAT_WEBHOOK_SECRET=" + webhookARN, "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + server.URL, "SSL_CERT_FILE=" + ca}})
	seen := ""
	ends := func(input, want string, refused bool) {
		t.Helper()
		before := len(c.Shown())
		out, failure := r.run(input)
		shown, notice := c.Shown()[before:], r.notices[len(r.notices)-1]
		subject, _, _ := strings.Cut(notice, "\n")
		if (failure != nil) != refused || len(shown) != 1 || !strings.Contains(shown[0], `"text":"`+subject+`"`) || !strings.Contains(subject, want) || out["untold"] != nil || strings.Contains(notice, "Webhook") {
			t.Errorf("%s: %v, shown %q, notice %s", input, failure, shown, notice)
		}
		text, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		seen += string(text) + notice + strings.Join(shown, "")
	}
	ends(nightly, "waiting for approval", false)
	ends(`{"user":"nobody.at.all@contoso.example"}`, "refused, nothing was begun", true)
	c.Fail(func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusNotFound)
		return true
	})
	out, failure := r.run(nightly)
	notice := r.notices[len(r.notices)-1]
	const why = "Microsoft Teams did not take the message: it answers 404"
	if untold, _ := out["untold"].(string); failure != nil || !strings.HasPrefix(untold, why) || !strings.Contains(notice, "\nWebhook    "+why) || !strings.Contains(notice, "waiting for approval") {
		t.Errorf("%v, %v, %s", failure, out["untold"], notice)
	}
	if want := slices.Repeat([]string{"gate " + webhookARN}, 3); !slices.Equal(want, vault.asked) {
		t.Errorf("asked for secrets: %q", vault.asked)
	}
	for _, f := range r.functions {
		seen += f.Logs()
	}
	for key, err := range r.store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		object, err := store.GetBytes(t.Context(), r.store, key, store.MaxJSON)
		if err != nil {
			t.Fatal(err)
		}
		seen += key + string(object)
	}
	if strings.Contains(seen+notice, channel.Signature) {
		t.Error("the address of the webhook is in an output, a notice, a message, a log or an object")
	}
	for i := range r.box.Company.Size() {
		for _, message := range c.Shown() {
			if p := r.box.Company.Person(i); p.Entra != nil && strings.Contains(message, p.Entra.UserPrincipalName) {
				t.Errorf("%s is named: %s", p.Entra.UserPrincipalName, message)
			}
		}
	}
}
