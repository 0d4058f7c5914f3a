package entra

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// certificateCredential signs in with a certificate. One secret of AWS Secrets Manager has the certificate and its key.
// The secret is read when a token is first needed, and again after a failed sign-in.
type certificateCredential struct {
	config  Config
	options azcore.ClientOptions
	read    func(ctx context.Context, secret string) ([]byte, error)

	mu   sync.Mutex
	with azcore.TokenCredential // nil until the secret is read
}

// GetToken implements azcore.TokenCredential. After an error, the next call reads the secret again, because it may
// have a new certificate.
func (c *certificateCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	with, err := c.credential(ctx)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	token, err := with.GetToken(ctx, o)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.with == with {
			c.with = nil
		}
	}
	return token, err
}

func (c *certificateCredential) credential(ctx context.Context) (azcore.TokenCredential, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.with != nil {
		return c.with, nil
	}
	pem, err := c.read(ctx, c.config.Certificate)
	if err != nil {
		return nil, fmt.Errorf("read the certificate named in IDLESEAT_ENTRA_CERTIFICATE: %w", err)
	}
	chain, key, err := azidentity.ParseCertificates(pem, nil)
	if err != nil { // the error may quote the secret, so it is not returned
		return nil, errors.New("the secret named in IDLESEAT_ENTRA_CERTIFICATE is no PEM with a certificate and its key")
	}
	with, err := azidentity.NewClientCertificateCredential(c.config.TenantID, c.config.ClientID, chain, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: c.options})
	if err != nil {
		return nil, fmt.Errorf("sign in with the certificate named in IDLESEAT_ENTRA_CERTIFICATE: %w", err)
	}
	c.with = with
	return with, nil
}
