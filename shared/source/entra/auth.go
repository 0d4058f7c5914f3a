package entra

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	abs "github.com/microsoft/kiota-abstractions-go"

	"github.com/idleseat/idleseat/shared/secret"
)

var errToken = errors.New("no token for Microsoft Graph")

// The type "signer" adds a token to each request. Without a credential it adds nothing. The type "gate" decides where
// a request may go.
type signer struct {
	credential azcore.TokenCredential
	scope      string
	chain      bool // whether the credential tries several ways to sign in, each of which may fail

	mu    sync.Mutex
	token azcore.AccessToken
}

const tokenMargin = 5 * time.Minute

// The method "ready" gets a new token if the current token is about to expire. It waits as long as Entra requests,
// which may be longer than the timeout of a single try.
func (s *signer) ready(ctx context.Context) error {
	if s.credential == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Until(s.token.ExpiresOn) > tokenMargin {
		return nil
	}
	token, err := s.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{s.scope}})
	if err != nil {
		if s.chain {
			err = &SignInError{err}
		}
		return fmt.Errorf("%w: %w", errToken, err)
	}
	s.token = token
	return nil
}

// AuthenticateRequest implements kiota's authentication provider. It does not request tokens with continuous access
// evaluation, because the revocation of such a token arrives as a challenge, and the SDK's parser of challenges can
// panic.
func (s *signer) AuthenticateRequest(ctx context.Context, info *abs.RequestInformation, _ map[string]any) error {
	if err := s.ready(ctx); err != nil || s.credential == nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	info.Headers.Remove("Authorization") // the token of an earlier try
	info.Headers.Add("Authorization", "Bearer "+s.token.Token)
	return nil
}

// The method "hide" removes the token from an answer that repeats it. A proxy that echoes the request can send such an
// answer, and errors and notes quote answers.
func (s *signer) hide(err error) {
	var graph *graphError
	if s.credential == nil || !errors.As(err, &graph) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range []*string{&graph.code, &graph.message, &graph.requestID, &graph.retryAfter, &graph.location} {
		*text = strings.ReplaceAll(*text, s.token.Token, "(the token)")
	}
}

func (c Config) signer(t target) (*signer, error) {
	if t.login == nil {
		return &signer{}, nil
	}
	// azcore fails at once if Entra requests a longer wait than MaxRetryDelay.
	credential, err := c.credential(azcore.ClientOptions{Cloud: *t.login, Retry: policy.RetryOptions{MaxRetryDelay: maxWait}})
	if err != nil {
		return nil, fmt.Errorf("sign in to Microsoft Entra: %w", err)
	}
	return &signer{credential: credential, scope: "https://" + t.base.Host + "/.default", chain: c.Auth == AuthDefault}, nil
}

func (c Config) credential(options azcore.ClientOptions) (azcore.TokenCredential, error) {
	switch c.Auth {
	case AuthAWS:
		return azidentity.NewClientAssertionCredential(c.TenantID, c.ClientID, assertAWS,
			&azidentity.ClientAssertionCredentialOptions{ClientOptions: options})
	case AuthCertificate:
		return &certificateCredential{config: c, options: options, read: secret.Read}, nil
	}
	return azidentity.NewDefaultAzureCredential(
		&azidentity.DefaultAzureCredentialOptions{ClientOptions: options, TenantID: c.TenantID})
}

// assertAWS returns a token that proves to Entra the AWS role of this process.
func assertAWS(ctx context.Context) (string, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", fmt.Errorf("load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return "", errors.New("AWS_REGION is not set; web identity tokens come from a regional STS endpoint only")
	}
	return webIdentity(ctx, sts.NewFromConfig(cfg))
}

// tokenSeconds is how long AWS's token is valid, the shortest time that STS allows. The policy of the role does not
// allow a longer time.
const tokenSeconds = 60

type tokenIssuer interface {
	GetWebIdentityToken(context.Context, *sts.GetWebIdentityTokenInput, ...func(*sts.Options)) (*sts.GetWebIdentityTokenOutput, error)
}

// webIdentity requests a token from STS in the form that Entra's federated credential accepts.
func webIdentity(ctx context.Context, issuer tokenIssuer) (string, error) {
	out, err := issuer.GetWebIdentityToken(ctx, &sts.GetWebIdentityTokenInput{
		Audience:         []string{"api://AzureADTokenExchange"},
		SigningAlgorithm: aws.String("RS256"), // Entra does not accept ES384
		DurationSeconds:  aws.Int32(tokenSeconds),
	})
	if err != nil {
		return "", fmt.Errorf("get a web identity token from AWS STS: %w", err)
	}
	if token := aws.ToString(out.WebIdentityToken); token != "" {
		return token, nil
	}
	return "", errors.New("get a web identity token from AWS STS: the answer holds none")
}
