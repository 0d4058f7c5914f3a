package entra

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// The values of Config.Auth.
const (
	AuthDefault = "default" // azidentity's chain: environment, workload identity, managed identity, Azure CLI
	AuthAWS     = "aws"     // an AWS identity is exchanged for a token, without a secret
	// AuthCertificate uses a certificate whose key is in AWS Secrets Manager.
	AuthCertificate = "certificate"
)

// Config has the address of Graph and the way to sign in.
type Config struct {
	GraphURL string `env:"IDLESEAT_GRAPH_URL, default=https://graph.microsoft.com/v1.0"`
	Auth     string `env:"IDLESEAT_ENTRA_AUTH, default=default"`
	TenantID string `env:"AZURE_TENANT_ID"`
	ClientID string `env:"AZURE_CLIENT_ID"`
	// Certificate is the ARN of the secret that has the certificate and its key as PEM.
	Certificate string `env:"IDLESEAT_ENTRA_CERTIFICATE"`
}

// Validate returns all faults of the configuration, joined.
func (c Config) Validate() error {
	var faults []error
	if _, err := parseTarget(c.GraphURL); err != nil {
		faults = append(faults, err)
	}
	switch c.Auth {
	case AuthDefault:
	case AuthAWS:
		faults = append(faults, c.required("AZURE_TENANT_ID", c.TenantID), c.required("AZURE_CLIENT_ID", c.ClientID))
	case AuthCertificate:
		faults = append(faults, c.required("AZURE_TENANT_ID", c.TenantID), c.required("AZURE_CLIENT_ID", c.ClientID),
			c.required("IDLESEAT_ENTRA_CERTIFICATE", c.Certificate))
	default:
		faults = append(faults, fmt.Errorf("IDLESEAT_ENTRA_AUTH is %q; it may be %q (a secret, a certificate file or the Azure CLI), %q or %q", c.Auth, AuthDefault, AuthAWS, AuthCertificate))
	}
	return errors.Join(faults...)
}

func (c Config) required(name, value string) error {
	if value == "" {
		return fmt.Errorf("%s is not set; IDLESEAT_ENTRA_AUTH=%s needs it", name, c.Auth)
	}
	return nil
}

// The type "target" is the Graph that a Config names. The field "login" is nil for a loopback address, which gets no
// token.
type target struct {
	base  *url.URL
	login *cloud.Configuration
}

// The map "logins" has the only hosts that may receive a token, and the authority that issues it.
var logins = map[string]cloud.Configuration{
	"graph.microsoft.com":             cloud.AzurePublic,
	"graph.microsoft.us":              cloud.AzureGovernment,
	"dod-graph.microsoft.us":          cloud.AzureGovernment,
	"graph.microsoft.de":              {ActiveDirectoryAuthorityHost: "https://login.microsoftonline.de/"},
	"microsoftgraph.chinacloudapi.cn": cloud.AzureChina,
}

func parseTarget(raw string) (target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, fmt.Errorf("IDLESEAT_GRAPH_URL is not a URL: %w", err)
	}
	u.Host, u.Path = strings.ToLower(u.Host), strings.TrimRight(u.Path, "/")
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return target{}, errors.New("IDLESEAT_GRAPH_URL may hold a scheme, a host and a path only")
	}
	if u.Scheme == "http" && isLoopback(u.Hostname()) {
		return target{base: u}, nil
	}
	if login, known := logins[u.Host]; known && u.Scheme == "https" {
		return target{base: u, login: &login}, nil
	}
	return target{}, fmt.Errorf("IDLESEAT_GRAPH_URL is %q; write https://graph.microsoft.com/v1.0, or the address of Graph in a national cloud, "+
		"such as https://graph.microsoft.us/v1.0, or http and a loopback address", raw)
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
