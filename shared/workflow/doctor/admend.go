package doctor

import (
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/plain"
)

// setAD returns how to set up Active Directory.
func setAD() *Mend {
	return &Mend{
		Do: "Say how to reach a controller and as which account, with the names of your domain.",
		Bash: "export IDLESEAT_AD_URLS=ldaps://dc1.corp.example IDLESEAT_AD_BIND='CORP\\idleseat' IDLESEAT_AD_BASE=DC=corp,DC=example\n" +
			"export IDLESEAT_AD_PASSWORD_FILE=ad-password IDLESEAT_AD_CA=corp-ca.pem",
		PowerShell: "$env:IDLESEAT_AD_URLS = 'ldaps://dc1.corp.example'; $env:IDLESEAT_AD_BIND = 'CORP\\idleseat'; $env:IDLESEAT_AD_BASE = 'DC=corp,DC=example'\n" +
			"$env:IDLESEAT_AD_PASSWORD_FILE = 'ad-password'; $env:IDLESEAT_AD_CA = 'corp-ca.pem'",
	}
}

// nameCA returns how to trust the domain's certificates.
func nameCA() *Mend {
	return &Mend{
		Do:         "Export the certificate of the domain's CA on the CA's server with certutil -ca.cert corp-ca.cer, bring it here, and name it.",
		Bash:       "openssl x509 -inform der -in corp-ca.cer -out corp-ca.pem\nexport IDLESEAT_AD_CA=corp-ca.pem",
		PowerShell: "certutil -encode corp-ca.cer corp-ca.pem\n$env:IDLESEAT_AD_CA = 'corp-ca.pem'",
	}
}

// writePassword returns how to keep the password of the account in a file that nobody else reads.
func writePassword() *Mend {
	return &Mend{
		Do:         "Write the right password into the file, or correct IDLESEAT_AD_BIND.",
		Bash:       "(umask 077; read -rs secret && printf '%s' \"$secret\" > ad-password)\nexport IDLESEAT_AD_PASSWORD_FILE=ad-password",
		PowerShell: "Set-Content -NoNewline -Path ad-password -Value (Read-Host 'Password')\n$env:IDLESEAT_AD_PASSWORD_FILE = 'ad-password'",
	}
}

// mendADSettings returns the Mend for settings of Active Directory that cannot be used.
func (e *exam) mendADSettings() *Mend {
	switch text := e.ADErr.Error(); {
	case strings.Contains(text, "IDLESEAT_AD_PASSWORD_FILE"):
		return writePassword()
	case strings.Contains(text, "IDLESEAT_AD_CA"):
		return nameCA()
	}
	return setAD()
}

// reach returns the Mend for an error of a controller. The address is empty if it is unknown.
func (e *exam) reach(address string, err error) *Mend {
	var unknown x509.UnknownAuthorityError
	var result *ldap.Error
	switch {
	case errors.As(err, &unknown):
		return nameCA()
	case errors.As(err, &result) && result.ResultCode == ldap.LDAPResultInvalidCredentials:
		return writePassword()
	}
	u, parsed := url.Parse(address)
	if parsed != nil || u.Hostname() == "" {
		return e.again()
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"ldap": "389"}[u.Scheme]
	}
	if port == "" {
		port = "636"
	}
	if net.ParseIP(host) == nil && strings.ContainsAny(host, " '\"$`") {
		return e.again()
	}
	return &Mend{
		Do:         "Make its name known and open its port to this machine; remove it from the directory if it is gone for good. The command tries the port.",
		Bash:       "nc -vz " + word(host) + " " + port,
		PowerShell: "Test-NetConnection " + literal(host) + " -Port " + port,
	}
}

// account returns the account of idleseat as dsacls names it, as an expandable text of PowerShell, and as samba-tool
// names it.
func (e *exam) account() (powershell, samba string) {
	escaped := strings.NewReplacer("`", "``", "$", "`$", `"`, "`\"", "“", "`“", "”", "`”", "„", "`„").Replace(plain.Line(e.Bind))
	if dn, err := ldap.ParseDN(e.Bind); err == nil && strings.Contains(e.Bind, "=") && len(dn.RDNs) > 0 {
		return `$((Get-ADDomain).NetBIOSName)\$((Get-ADUser ` + literal(e.Bind) + `).SamAccountName)`, dn.RDNs[0].Attributes[0].Value
	}
	if _, name, found := strings.Cut(e.Bind, `\`); found {
		return escaped, name
	}
	name, _, _ := strings.Cut(e.Bind, "@")
	return escaped, name
}

// onGroup returns how to give the account a right on one group, as dsacls and as SDDL (MS-DTYP 2.5.1) name it.
func (e *exam) onGroup(do, dn, right, sddl string) *Mend {
	powershell, samba := e.account()
	return &Mend{
		Do: do + " As an administrator, on a controller.",
		Bash: `SID="$(samba-tool user show ` + word(samba) + ` --attributes=objectSid | sed -n 's/^objectSid: //p')"` + "\n" +
			"samba-tool dsacl set --objectdn=" + word(dn) + ` --sddl="` + sddl + `"`,
		PowerShell: "dsacls " + literal(dn) + ` /G "` + powershell + ":" + right + `"`,
	}
}

// allowReading returns how to let the account read people and groups of the domain of a person.
func (e *exam) allowReading(dn string) *Mend {
	domain := e.domain(dn)
	powershell, _ := e.account()
	m := e.onGroup("Let the account read users and groups; repeat it for each organizational unit that inherits nothing, and for AdminSDHolder.", domain, "GR", "(A;CI;GR;;;$SID)")
	m.PowerShell = "dsacls " + literal(domain) + ` /I:S /G "` + powershell + `:GR;;user" "` + powershell + `:GR;;group"`
	return m
}

// domain returns the DN of the domain of an object, or of the configured base if dn is empty.
func (e *exam) domain(dn string) string {
	if base, _ := e.Variable("IDLESEAT_AD_BASE"); dn == "" {
		dn = base
	}
	if i := strings.Index(strings.ToUpper(dn), "DC="); i >= 0 {
		return dn[i:]
	}
	return "DC=corp,DC=example"
}

// clearInterval returns how to make a domain keep lastLogonTimestamp.
func (e *exam) clearInterval(dn string) *Mend {
	domain := e.domain(dn)
	return &Mend{
		Do:         "Clear msDS-LogonTimeSyncInterval of the domain, and wait until people have logged on again.",
		Bash:       `printf 'dn: %s\nchangetype: modify\ndelete: msDS-LogonTimeSyncInterval\n' ` + word(domain) + " | ldbmodify -H /var/lib/samba/private/sam.ldb",
		PowerShell: "Set-ADObject " + literal(domain) + " -Clear msDS-LogonTimeSyncInterval",
	}
}
