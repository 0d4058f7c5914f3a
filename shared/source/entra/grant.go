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

// Grant is what the token of a client says about itself (Microsoft Learn, "Access token claims reference"). Nobody has
// checked the token's signature, so a Grant explains and proves nothing: Graph alone decides.
type Grant struct {
	// Tokenless is set for a loopback address, to which no token is sent. The other members are then empty.
	Tokenless bool
	// Tenant and Application are the ids of the tenant and of the application (tid; appid or azp).
	Tenant, Application string
	// Roles are the application permissions, and Scopes those of a signed-in person. A token has either, and a token of
	// an application without permissions has neither.
	Roles, Scopes []string
}

// errOpaque is the error for a token whose claims cannot be read. Microsoft may encrypt tokens for its own services.
var errOpaque = errors.New("the token shows no claims")

// Grant signs in and returns what the token says. It sends nothing to Graph. If nobody is signed in, the error is a
// *SignInError.
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

// grantOf reads the claims of a JSON Web Token (RFC 7519). Its errors never contain the token.
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

// covers are the permissions that include another one (Microsoft Graph permissions reference).
var covers = map[string][]string{
	"User.Read.All":         {"User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	"Group.Read.All":        {"Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	"Organization.Read.All": {"Organization.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"},
	writeMembers:            {"Group.ReadWrite.All", "Directory.ReadWrite.All"},
	writeLicenses:           {"User.ReadWrite.All", "Directory.ReadWrite.All"},
}

// Has reports whether the token names a permission, or one that includes it.
func (g Grant) Has(permission string) bool {
	return slices.ContainsFunc(slices.Concat(g.Roles, g.Scopes), func(has string) bool {
		return has == permission || slices.Contains(covers[permission], has)
	})
}
