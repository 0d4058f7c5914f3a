package samba

import (
	"fmt"
	"os"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
)

// LogOn logs an account on with Kerberos, as kinit does, at the controller of URLs[i] and at no other. The domain must
// have Options.Replicating.
func (d *Domain) LogOn(i int, account, password string) error {
	text, err := os.ReadFile(d.KRB5Config)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	kept := lines[:0]
	for _, line := range lines {
		if kdc, is := strings.CutPrefix(line, "  kdc = "); !is || kdc == d.controllers[i].address {
			kept = append(kept, line)
		}
	}
	conf, err := config.NewFromString(strings.Join(kept, "\n"))
	if err != nil {
		return err
	}
	c := client.NewWithPassword(account, strings.ToUpper(realm), password, conf, client.DisablePAFXFAST(true))
	defer c.Destroy()
	if err := c.Login(); err != nil {
		return fmt.Errorf("log %s on at %s: %w", account, d.controllers[i].host(), err)
	}
	return nil
}
