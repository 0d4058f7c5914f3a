package activedirectory

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
)

// TestSambaKerberosAndDNS binds with a keytab to controllers that are found only by DNS.
func TestSambaKerberosAndDNS(t *testing.T) {
	const secret, realm = "Pa55w.rd-of-idleseat", "CORP.EXAMPLE.TEST"
	domain := samba.Run(t, samba.Options{Replicating: true, People: []samba.Person{{
		ADUser: directory.ADUser{DN: samba.DN("idleseat", samba.PeopleOU), SAMAccount: "idleseat", Enabled: directory.Yes}, Password: secret,
	}}})
	t.Setenv("KRB5_CONFIG", domain.KRB5Config)
	with := func(password string) *Directory {
		keys := keytab.New()
		for version := range uint8(3) { // the keytab has several versions of the key, because Samba chooses the version
			if err := keys.AddEntry("idleseat", realm, password, time.Now(), version+1, etypeID.AES256_CTS_HMAC_SHA1_96); err != nil {
				t.Fatal(err)
			}
		}
		b, err := keys.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "keytab")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		d := open(t, Config{Bind: "idleseat@" + realm, Keytab: file, CAFile: domain.CAFile})
		d.dialer.Resolver = samba.Resolver(domain.NameServer)
		return d
	}
	d := with(secret)
	u, err := d.FindPerson(t.Context(), "idleseat")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadPerson(t.Context(), u.SID); err != nil {
		t.Error(err)
	}
	if controllers, err := d.domainNow(t.Context()); err != nil || len(controllers.controllers) != 2 {
		t.Errorf("%+v, %v; want two controllers", controllers, err)
	}
	_, err = with("wrong").FindPerson(t.Context(), "idleseat")
	checkError(t, err, "get a Kerberos ticket of idleseat@CORP.EXAMPLE.TEST for ldap/dc")
}
