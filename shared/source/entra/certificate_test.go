package entra

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

func secretPEM(t *testing.T, key any) []byte {
	t.Helper()
	public := func() any {
		if k, ok := key.(*rsa.PrivateKey); ok {
			return &k.PublicKey
		}
		return &key.(*ecdsa.PrivateKey).PublicKey
	}()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	denied := errors.New("AccessDenied")
	for name, tt := range map[string]struct {
		secret []byte
		err    error
		want   string // a part of the error; empty if the credential is created
	}{
		"good":        {secret: secretPEM(t, rsaKey)},
		"no secret":   {err: denied, want: "IDLESEAT_ENTRA_CERTIFICATE: AccessDenied"},
		"not PEM":     {secret: []byte("s3cret"), want: "is no PEM"},
		"another key": {secret: secretPEM(t, ecKey), want: "must be an RSA key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reads := 0
			c := &certificateCredential{config: Config{TenantID: "11111111-2222-3333-4444-555555555555", ClientID: "22222222-2222-3333-4444-555555555555", Certificate: "arn"},
				read: func(_ context.Context, secret string) ([]byte, error) {
					if reads++; secret != "arn" {
						t.Errorf("read %q", secret)
					}
					return tt.secret, tt.err
				}}
			_, err := c.credential(t.Context())
			if tt.want == "" {
				if _, again := c.credential(t.Context()); err != nil || again != nil || reads != 1 {
					t.Errorf("%v, %v, read %d times", err, again, reads)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if _, err := c.GetToken(t.Context(), policy.TokenRequestOptions{}); err == nil {
				t.Error("a token without a certificate")
			}
		})
	}
}

// The type "signsIn" is a credential that fails with err, or returns a token if err is nil.
type signsIn struct{ err error }

func (s signsIn) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token"}, s.err
}

// TestRotatedCertificate: after a failed sign-in, the secret is read again, because the certificate may have been
// rotated. While the sign-in succeeds, it is not read again.
func TestRotatedCertificate(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	expired := errors.New("AADSTS700027: the certificate has expired")
	for name, tc := range map[string]struct {
		err   error
		reads int
	}{"it expired": {expired, 1}, "it is good": {nil, 0}} {
		reads := 0
		c := &certificateCredential{
			config: Config{TenantID: "11111111-2222-3333-4444-555555555555", ClientID: "22222222-2222-3333-4444-555555555555", Certificate: "arn"},
			with:   signsIn{tc.err},
			read:   func(context.Context, string) ([]byte, error) { reads++; return secretPEM(t, key), nil },
		}
		if _, err := c.GetToken(t.Context(), policy.TokenRequestOptions{}); !errors.Is(err, tc.err) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.credential(t.Context()); err != nil || reads != tc.reads {
			t.Errorf("%s: %v, the secret was read %d times, want %d", name, err, reads, tc.reads)
		}
	}
}
