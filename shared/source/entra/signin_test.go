package entra

import (
	"context"
	"errors"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
)

// The type "tokenless" is a credential that never returns a token.
type tokenless struct{ error }

func (r tokenless) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, r.error
}

// TestSignInError: an error of the credential chain says in one line how to sign in. Detail has the rest.
func TestSignInError(t *testing.T) {
	t.Parallel()
	tried := errors.New("DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:\n\tEnvironmentCredential: missing environment variable AZURE_TENANT_ID\n\t--------\n")
	// The answer of Entra ID for a wrong secret, in the form that azidentity returns.
	wrong := errors.New("EnvironmentCredential authentication failed. \nPOST https://login.microsoftonline.com/x/oauth2/v2.0/token\n----\n{\n  \"error\": \"invalid_client\",\n  \"error_description\": \"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the value. Trace ID: 1\",\n}")
	for name, tc := range map[string]struct {
		cause        error
		chain        bool
		want, detail string
	}{
		"nobody": {tried, true, "no token for Microsoft Graph: not signed in to Microsoft Graph; set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET to those of the app registration",
			"  DefaultAzureCredential: failed to acquire a token.\n  Attempted credentials:\n  EnvironmentCredential: missing environment variable AZURE_TENANT_ID"},
		"refused":       {wrong, true, "no token for Microsoft Graph: Entra ID refuses the sign-in: AADSTS7000215: Invalid client secret provided.", "  EnvironmentCredential authentication failed.\n  POST https://login.microsoftonline.com/x/oauth2/v2.0/token\n  {\n  \"error\": \"invalid_client\",\n  \"error_description\": \"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the value. Trace ID: 1\",\n  }"},
		"not the chain": {tried, false, "no token for Microsoft Graph: " + tried.Error(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := (&signer{credential: tokenless{tc.cause}, chain: tc.chain}).ready(t.Context())
			if d := cmp.Diff(tc.want, err.Error()); d != "" || !errors.Is(err, errToken) || !errors.Is(err, tc.cause) {
				t.Errorf("(-want +got):\n%s", d)
			}
			var signIn *SignInError
			if errors.As(err, &signIn) != tc.chain {
				t.Fatalf("%T", err)
			}
			if tc.chain {
				if d := cmp.Diff(tc.detail, signIn.Detail()); d != "" {
					t.Errorf("detail (-want +got):\n%s", d)
				}
			}
		})
	}
}
