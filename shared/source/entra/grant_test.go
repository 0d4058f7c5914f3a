package entra

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGrantOfAToken(t *testing.T) {
	t.Parallel()
	token := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".signature"
	}
	for name, tt := range map[string]struct {
		token string
		want  Grant
		fails bool
	}{
		"an application": {
			token: token(`{"tid":"t","appid":"a","roles":["User.Read.All","Group.Read.All"],"exp":1}`),
			want:  Grant{Tenant: "t", Application: "a", Roles: []string{"User.Read.All", "Group.Read.All"}},
		},
		"a person":                       {token: token(`{"tid":"t","azp":"b","scp":"User.Read  Group.Read.All"}`), want: Grant{Tenant: "t", Application: "b", Scopes: []string{"User.Read", "Group.Read.All"}}},
		"an application without a right": {token: token(`{"tid":"t","appid":"a"}`), want: Grant{Tenant: "t", Application: "a"}},
		"hostile text":                   {token: token(`{"tid":"t\u001b[2J","roles":["\u202eevil"]}`), want: Grant{Tenant: "t\ufffd[2J", Roles: []string{"\ufffdevil"}}},
		"an opaque token":                {token: "secret-token", fails: true},
		"no base64":                      {token: "e30.@@@@secret.x", fails: true},
		"no JSON":                        {token: "e30." + base64.RawURLEncoding.EncodeToString([]byte("secret")) + ".x", fails: true},
		"roles of another type":          {token: token(`{"roles":"secret"}`), fails: true},
		"empty":                          {fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := grantOf(tt.token)
			if (err != nil) != tt.fails {
				t.Fatalf("error %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the token: %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGrantHas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		grant      Grant
		permission string
		want       bool
	}{
		{Grant{Roles: []string{"User.Read.All"}}, "User.Read.All", true},
		{Grant{Roles: []string{"Directory.Read.All"}}, "Group.Read.All", true},
		{Grant{Scopes: []string{"Group.ReadWrite.All"}}, "GroupMember.ReadWrite.All", true},
		{Grant{Roles: []string{"Directory.Read.All"}}, "AuditLog.Read.All", false},
		{Grant{Roles: []string{"user.read.all"}}, "User.Read.All", false},
		{Grant{}, "User.Read.All", false},
	} {
		if got := tt.grant.Has(tt.permission); got != tt.want {
			t.Errorf("%v has %s: %v", tt.grant, tt.permission, got)
		}
	}
}
