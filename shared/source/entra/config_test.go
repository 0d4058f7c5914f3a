package entra

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/sethvargo/go-envconfig"

	"github.com/idleseat/idleseat/shared/clock"
)

func TestConfigFromEnvironment(t *testing.T) {
	t.Parallel()
	var got Config
	err := envconfig.ProcessWith(t.Context(), &envconfig.Config{
		Target: &got, Lookuper: envconfig.MapLookuper(map[string]string{"AZURE_TENANT_ID": userA}),
	})
	want := Config{GraphURL: "https://graph.microsoft.com/v1.0", Auth: AuthDefault, TenantID: userA}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestConfigTargets(t *testing.T) {
	t.Parallel()
	const none = ""
	tests := map[string]struct{ login string }{
		"https://graph.microsoft.com/v1.0":             {"https://login.microsoftonline.com/"},
		"https://Graph.Microsoft.com/v1.0/":            {"https://login.microsoftonline.com/"},
		"https://graph.microsoft.us/v1.0":              {"https://login.microsoftonline.us/"},
		"https://dod-graph.microsoft.us/v1.0":          {"https://login.microsoftonline.us/"},
		"https://graph.microsoft.de/v1.0":              {"https://login.microsoftonline.de/"},
		"https://microsoftgraph.chinacloudapi.cn/v1.0": {"https://login.chinacloudapi.cn/"},
		"http://127.0.0.1:8080/v1.0":                   {none},
		"http://127.99.0.1":                            {none},
		"http://[::1]:80":                              {none},
		"http://localhost:1/v1.0":                      {none},
	}
	for raw, tt := range tests {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			cfg := Config{GraphURL: raw, Auth: AuthAWS, TenantID: userA, ClientID: userB}
			if err := cfg.Validate(); err != nil {
				t.Fatal(err)
			}
			if _, err := New(cfg, clock.Real); err != nil {
				t.Fatal(err)
			}
			target, err := parseTarget(raw)
			if err != nil {
				t.Fatal(err)
			}
			sign, err := cfg.signer(target)
			if err != nil {
				t.Fatal(err)
			}
			if tt.login == none {
				if target.login != nil || sign.credential != nil {
					t.Error("a loopback address would get a token")
				}
				return
			}
			if got := target.login.ActiveDirectoryAuthorityHost; got != tt.login {
				t.Errorf("login %s, want %s", got, tt.login)
			}
			if want := "https://" + target.base.Host + "/.default"; sign.scope != want {
				t.Errorf("scope %s, want %s", sign.scope, want)
			}
		})
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "graph.microsoft.com", "http://graph.microsoft.com/v1.0", "https://evil.example/v1.0",
		"https://graph.microsoft.com.evil.example/v1.0", "https://graph.microsoft.com@evil.example/",
		"https://user:secret@graph.microsoft.com/v1.0", "https://graph.microsoft.com:8443/v1.0",
		"http://localhost.evil.example", "http://128.0.0.1", "http://10.0.0.1/v1.0", "https://127.0.0.1/v1.0",
		"https://graph.microsoft.com/v1.0?x=1", "https://graph.microsoft.com/v1.0#x", "ftp://localhost", "http:opaque", "%",
	} {
		if _, err := New(Config{GraphURL: raw, Auth: AuthDefault}, clock.Real); err == nil {
			t.Errorf("%q was accepted", raw)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows the password: %v", raw, err)
		}
	}
	err := Config{GraphURL: "https://evil.example", Auth: AuthAWS}.Validate()
	for _, want := range []string{"IDLESEAT_GRAPH_URL", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %s", err, want)
		}
	}
	err = Config{GraphURL: "http://localhost", Auth: "password"}.Validate()
	if err == nil || !strings.Contains(err.Error(), `"password"`) {
		t.Errorf("error %v", err)
	}
}

// The type "issuer" is both a fake STS and a fake credential. Its answers are preset.
type issuer struct {
	token string
	err   error
	asked *sts.GetWebIdentityTokenInput
}

func (i *issuer) GetWebIdentityToken(_ context.Context, in *sts.GetWebIdentityTokenInput, _ ...func(*sts.Options)) (*sts.GetWebIdentityTokenOutput, error) {
	i.asked = in
	return &sts.GetWebIdentityTokenOutput{WebIdentityToken: &i.token}, i.err
}

func (i *issuer) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: i.token}, i.err
}

func TestWebIdentity(t *testing.T) {
	t.Parallel()
	aws1 := &issuer{token: "jwt"}
	got, err := webIdentity(t.Context(), aws1)
	if got != "jwt" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if d := aws1.asked.DurationSeconds; d == nil || *d != tokenSeconds {
		t.Errorf("a token for %v seconds", d)
	}
	if diff := cmp.Diff([]string{"api://AzureADTokenExchange"}, aws1.asked.Audience); diff != "" {
		t.Error(diff)
	}
	if alg := aws.ToString(aws1.asked.SigningAlgorithm); alg != "RS256" {
		t.Errorf("algorithm %s", alg)
	}
	down := errors.New("sts is down")
	if _, err := webIdentity(t.Context(), &issuer{err: down}); !errors.Is(err, down) {
		t.Errorf("error %v", err)
	}
	if _, err := webIdentity(t.Context(), &issuer{}); err == nil {
		t.Error("an empty token was accepted")
	}
}

func TestSigner(t *testing.T) {
	t.Parallel()
	info := abs.NewRequestInformation()
	for _, token := range []string{"old", "new"} {
		sign := &signer{credential: &issuer{token: token}}
		if err := sign.AuthenticateRequest(t.Context(), info, nil); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"Bearer new"}, info.Headers.Get("Authorization")); diff != "" {
		t.Error(diff)
	}
}

func TestNoTokenIsNotRepeated(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	down := &url.Error{Op: "Post", URL: "https://login.example", Err: errors.New("wrong secret")}
	adapter, err := newAdapter(gate{base: f.base}, &signer{credential: &issuer{err: down}})
	if err != nil {
		t.Fatal(err)
	}
	f.adapter = adapter
	if err := read(f.Client); !errors.Is(err, errToken) || len(f.waits)+len(f.asked) > 0 {
		t.Errorf("error %v after waits %v", err, f.waits)
	}
}
