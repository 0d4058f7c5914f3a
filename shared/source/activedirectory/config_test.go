package activedirectory

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sethvargo/go-envconfig"
)

func TestConfigFromEnvironment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		env  map[string]string
		want Config
		set  bool
	}{
		{name: "nothing"},
		{name: "set but empty", env: map[string]string{"IDLESEAT_AD_URLS": "", "IDLESEAT_AD_CA": ""}},
		{
			name: "everything", set: true,
			env: map[string]string{
				"IDLESEAT_AD_URLS": "ldaps://dc1.corp.test, ldaps://[::1]:1636", "IDLESEAT_AD_BASE": "DC=corp,DC=test",
				"IDLESEAT_AD_BIND": `CORP\reader`, "IDLESEAT_AD_PASSWORD_FILE": "/p", "IDLESEAT_AD_CA": "/ca", "IDLESEAT_AD_TIMEOUT": "5s",
				"IDLESEAT_AD_FILTER": "(mail=*)",
			},
			want: Config{
				URLs: []string{"ldaps://dc1.corp.test", "ldaps://[::1]:1636"}, Base: "DC=corp,DC=test", Filter: "(mail=*)",
				Bind: `CORP\reader`, PasswordFile: "/p", CAFile: "/ca", Timeout: 5 * time.Second,
			},
		},
	} {
		var got Config
		err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: &got, Lookuper: envconfig.MapLookuper(c.env)})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if got.Configured() != c.set {
			t.Errorf("%s: Configured() = %v", c.name, !c.set)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := Config{URLs: []string{"ldaps://dc1"}, Bind: "b", PasswordFile: "p"}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	forest := good
	forest.Base = "OU=a,DC=b;OU=a,DC=c;DC=emea,DC=b"
	if err := forest.Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		name  string
		spoil func(*Config)
		want  []string
	}{
		{"nothing", func(c *Config) { *c = Config{Base: "DC=a"} }, []string{"IDLESEAT_AD_BIND", "IDLESEAT_AD_PASSWORD_FILE"}},
		{"nowhere to look", func(c *Config) { c.URLs = nil }, []string{"IDLESEAT_AD_URLS is empty, and neither"}},
		{"two secrets", func(c *Config) { c.Keytab = "k" }, []string{"both set"}},
		{"keytab without realm", func(c *Config) { c.Keytab, c.PasswordFile = "k", "" }, []string{`IDLESEAT_AD_BIND "b" does not tell the realm`}},
		{"no LDAP", func(c *Config) { c.URLs = append(c.URLs, "http://dc2") }, []string{"address 2: http:// is refused"}},
		{"global catalog with StartTLS", func(c *Config) { c.URLs[0] = "ldap://dc1:3268" }, []string{"global catalog"}},
		{"filter", func(c *Config) { c.Filter = "(a=b" }, []string{`IDLESEAT_AD_FILTER "(a=b"`}},
		{"one of two bases", func(c *Config) { c.Base = "OU=a,DC=b; corp" }, []string{`IDLESEAT_AD_BASE "corp"`}},
		{"base twice", func(c *Config) { c.Base = "OU=a,DC=b;ou=A,dc=B" }, []string{"hold the same people"}},
		{"base in base", func(c *Config) { c.Base = "OU=a,OU=x,DC=b;OU=x,DC=b" }, []string{"hold the same people"}},
		{"base in no domain", func(c *Config) { c.Base = "OU=a,DC=b;OU=a" }, []string{`"OU=a" names no domain`}},
		{"no host", func(c *Config) { c.URLs[0] = "ldaps://" }, []string{"address 1: not of the form"}},
		{"no URL", func(c *Config) { c.URLs[0] = "dc1.corp.test" }, []string{`IDLESEAT_AD_URLS: "dc1.corp.test" has no ldaps:// before it; write ldaps://dc1.corp.test`}},
		{"password in URL", func(c *Config) { c.URLs[0] = "ldaps://u:s3cret@dc1:x" }, []string{"not of the form"}},
		{"query", func(c *Config) { c.URLs[0] = "ldaps://dc1/?sub" }, []string{"not of the form"}},
		{"global catalog", func(c *Config) { c.URLs[0] = "ldaps://dc1:3269" }, []string{"global catalog"}},
		{"base", func(c *Config) { c.Base = "corp.example" }, []string{`IDLESEAT_AD_BASE "corp.example"`}},
		{"timeout", func(c *Config) { c.Timeout = -1 }, []string{"IDLESEAT_AD_TIMEOUT"}},
	} {
		bad := good
		bad.URLs = append([]string{}, good.URLs...)
		c.spoil(&bad)
		err := bad.Validate()
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: %v; want an error with %q", c.name, err, want)
			}
		}
	}
}

func TestDNSDomain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Base: "OU=Oslo,DC=Corp,DC=example;OU=Bergen,DC=corp,DC=example"}, "corp.example"},
		{Config{Bind: "CN=a,DC=corp,DC=example"}, "corp.example"},
		{Config{Bind: "idleseat@CORP.example"}, "corp.example"},
		{Config{Bind: `CORP\idleseat`}, ""},
	} {
		if got := c.config.dnsDomain(); got != c.want {
			t.Errorf("dnsDomain of %+v = %q, want %q", c.config, got, c.want)
		}
	}
}

func TestNewReadsFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := write("good", "s3cret\r\n")
	for _, c := range []struct{ name, password, ca, want string }{
		{"good", good, "", ""},
		{"no password file", filepath.Join(dir, "none"), "", "none"},
		{"empty password", write("empty", "\n"), "", "empty"},
		{"two lines", write("lines", "s3cret\ns3cret\n"), "", "lines"},
		{"password is a folder", dir, "", dir},
		{"no CA file", good, filepath.Join(dir, "noca"), "noca"},
		{"CA is no PEM", good, write("nopem", "x"), "nopem holds no PEM certificate"},
	} {
		d, err := New(Config{URLs: []string{"ldaps://dc1"}, Bind: "b", PasswordFile: c.password, CAFile: c.ca}, time.Now)
		switch {
		case c.want == "" && (err != nil || d.password != "s3cret" || d.timeout != defaultTimeout):
			t.Errorf("%s: %+v, %v", c.name, d, err)
		case c.want != "" && (d != nil || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret")):
			t.Errorf("%s: %v; want an error with %q", c.name, err, c.want)
		}
	}
}
