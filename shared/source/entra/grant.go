package entra

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/idleseat/idleseat/shared/plain"
)

// Grant has the claims in the token of a client (Microsoft Learn, "Access token claims reference"). Nobody has checked
// the token's signature. So a Grant can explain why Graph refuses a request, but proves no permission.
type Grant struct {
	// Tokenless is set for a loopback address, which gets no token. The other members are then empty.
	Tokenless bool
	// Tenant and Application are the ids of the tenant and of the application (tid; appid or azp).
	Tenant, Application string
	// Roles are the application permissions. Scopes are the permissions of a signed-in person. The token of an
	// application without permissions has neither.
	Roles, Scopes []string
}

// errOpaque is the error for a token with unreadable claims. Microsoft may encrypt tokens for its own services.
var errOpaque = errors.New("the token shows no claims")

// Grant signs in and returns the claims of the token. It sends nothing to Graph. If no way to sign in gives a token,
// the error is a *SignInError.
func (c *Client) Grant(ctx context.Context) (Grant, error) {
	if c.sign.credential == nil {
		return Grant{Tokenless: true}, nil
	}
	if err := c.sign.ready(ctx); err != nil {
		return Grant{}, err
	}
	c.sign.mu.Lock()
	token := c.sign.token.Token
	c.sign.mu.Unlock()
	return grantOf(token)
}

// grantOf reads the claims of a JSON Web Token (RFC 7519). The errors never contain the token.
func grantOf(token string) (Grant, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Grant{}, errOpaque
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Grant{}, errOpaque
	}
	var claims struct {
		Tenant string   `json:"tid"`
		App    string   `json:"appid"`
		Party  string   `json:"azp"`
		Roles  []string `json:"roles"`
		Scopes string   `json:"scp"`
	}
	if json.Unmarshal(body, &claims, tolerant) != nil {
		return Grant{}, errOpaque
	}
	g := Grant{Tenant: plain.Line(claims.Tenant), Application: plain.Line(claims.App)}
	if g.Application == "" {
		g.Application = plain.Line(claims.Party)
	}
	for _, role := range claims.Roles {
		g.Roles = append(g.Roles, plain.Line(role))
	}
	for scope := range strings.FieldsSeq(claims.Scopes) {
		g.Scopes = append(g.Scopes, plain.Line(scope))
	}
	return g, nil
}

// The map "covers" has, for each permission, the permissions that include it (Microsoft Graph permissions reference).
var covers = map[string][]string{
	"User.Read.All":         {"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	"Group.Read.All":        {"Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	"Organization.Read.All": {"Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	writeMembers:            {"Group.ReadWrite.All", "Directory.ReadWrite.All"},
	writeLicenses:           {"User.ReadWrite.All", "Directory.ReadWrite.All"},
}

// Has reports whether the token has a permission, or a permission that includes it.
func (g Grant) Has(permission string) bool {
	return slices.ContainsFunc(slices.Concat(g.Roles, g.Scopes), func(has string) bool {
		return has == permission || slices.Contains(covers[permission], has)
	})
}
