package doctor

import (
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/plain"
)

func setAD() *Mend {
	return &Mend{
		Do: "Say how to reach a controller and as which account, with the names of your domain.",
		Bash: "export IDLESEAT_AD_URLS=ldaps://dc1.corp.example IDLESEAT_AD_BIND='CORP\\idleseat' IDLESEAT_AD_BASE=DC=corp,DC=example\n" +
			"export IDLESEAT_AD_PASSWORD_FILE=ad-password IDLESEAT_AD_CA=corp-ca.pem",
		PowerShell: "$env:IDLESEAT_AD_URLS = 'ldaps://dc1.corp.example'; $env:IDLESEAT_AD_BIND = 'CORP\\idleseat'; $env:IDLESEAT_AD_BASE = 'DC=corp,DC=example'\n" +
			"$env:IDLESEAT_AD_PASSWORD_FILE = 'ad-password'; $env:IDLESEAT_AD_CA = 'corp-ca.pem'",
	}
}

// nameCA returns the Mend that makes this machine trust the domain's certificates. Windows exports DER and Samba
// stores PEM, so the commands convert DER to PEM.
func nameCA() *Mend {
	return &Mend{
		Do: "Bring the certificate of the domain's CA here as corp-ca.cer, and name it. On the CA's server, certutil -ca.cert corp-ca.cer exports it; " +
			"Samba has it in the file that its setting tls cafile names, which is private/tls/ca.pem.",
		Bash:       "if grep -q BEGIN corp-ca.cer; then cp corp-ca.cer corp-ca.pem; else openssl x509 -inform der -in corp-ca.cer -out corp-ca.pem; fi\nexport IDLESEAT_AD_CA=corp-ca.pem",
		PowerShell: "if (Select-String -Quiet BEGIN corp-ca.cer) { Copy-Item corp-ca.cer corp-ca.pem } else { certutil -encode corp-ca.cer corp-ca.pem }\n$env:IDLESEAT_AD_CA = 'corp-ca.pem'",
	}
}

// writePassword returns the Mend that writes the password into a file that only the operator can read.
func writePassword() *Mend {
	return &Mend{
		Do:         "Write the right password into the file, or correct IDLESEAT_AD_BIND.",
		Bash:       "(umask 077; read -rs secret && printf '%s' \"$secret\" > ad-password)\nexport IDLESEAT_AD_PASSWORD_FILE=ad-password",
		PowerShell: "Set-Content -NoNewline -Path ad-password -Value (Read-Host 'Password')\n$env:IDLESEAT_AD_PASSWORD_FILE = 'ad-password'",
	}
}

func (e *exam) mendADSettings() *Mend {
	switch text := e.ADErr.Error(); {
	case strings.Contains(text, "IDLESEAT_AD_PASSWORD_FILE"):
		return writePassword()
	case strings.Contains(text, "IDLESEAT_AD_CA"):
		return nameCA()
	}
	return setAD()
}

// hostName matches a name that is one word in every shell.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// The method "reach" returns the Mend for an error of a controller. The parameter "address" is the URL of the
// controller, or "" if it is unknown.
func (e *exam) reach(address string, err error) *Mend {
	var unknown x509.UnknownAuthorityError
	var named x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return nameCA()
	case errors.As(err, &named) && named.Certificate != nil && len(named.Certificate.DNSNames) > 0:
		return setTo("Name the controllers as their certificates do.", "IDLESEAT_AD_URLS", "ldaps://"+named.Certificate.DNSNames[0])
	case ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials):
		return writePassword()
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return e.nameBase()
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
	if net.ParseIP(host) == nil && !hostName.MatchString(host) { // the inner shell would run code in the host name
		return e.again()
	}
	if errors.As(err, &invalid) {
		return &Mend{
			Do:         "Renew its certificate on the controller and start the controller again, or set this machine's clock. The command shows the certificate.",
			Bash:       "openssl s_client -connect " + net.JoinHostPort(host, port) + " </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer -dates",
			PowerShell: "certutil -store My  # on the controller",
		}
	}
	name, _, _ := strings.Cut(host, ".")
	return &Mend{
		Do: "Start it, make its name known, and open its port to this machine; the command tries the port. If it is gone for good, remove it from the directory, on another controller: " +
			"with samba-tool domain demote --remove-other-dead-server=" + plain.Line(name) + " in Samba, and by deleting its computer account in Windows.",
		Bash:       "bash -c " + word("</dev/tcp/"+host+"/"+port) + " && echo it answers",
		PowerShell: "Test-NetConnection " + literal(host) + " -Port " + port,
	}
}

// nameBase returns the Mend that sets IDLESEAT_AD_BASE to the DN of the unit or the domain that contains the people.
func (e *exam) nameBase() *Mend {
	m := setTo("Name the unit that has the people, or the domain; the first command lists the units, on a controller. If the unit is right, let the account list it.", "IDLESEAT_AD_BASE", e.domain(""))
	m.Bash = "samba-tool ou list --full-dn\n" + m.Bash
	m.PowerShell = "Get-ADOrganizationalUnit -Filter * | Select-Object -ExpandProperty DistinguishedName\n" + m.PowerShell
	return m
}

func (e *exam) seeSomebody() *Mend {
	if base, _ := e.Variable("IDLESEAT_AD_BASE"); base != "" && !strings.EqualFold(base, e.domain("")) {
		return e.nameBase()
	}
	return e.allowReading(e.domain(""))
}

const samDatabase = "/var/lib/samba/private/sam.ldb"

// The method "account" returns the name of idleseat's account as dsacls takes it. The text is for a PowerShell string
// in double quotation marks, because it may contain expressions that PowerShell expands.
func (e *exam) account() string {
	if e.bindsByDN() {
		return `$((Get-ADDomain).NetBIOSName)\$((Get-ADUser ` + literal(e.Bind) + `).SamAccountName)`
	}
	return strings.NewReplacer("`", "``", "$", "`$", `"`, "`\"", "“", "`“", "”", "`”", "„", "`„").Replace(plain.Line(e.Bind))
}

func (e *exam) bindsByDN() bool {
	dn, err := ldap.ParseDN(e.Bind)
	return err == nil && strings.Contains(e.Bind, "=") && len(dn.RDNs) > 0
}

// findSID returns the command that shows the SID of idleseat's account on a controller of Samba. samba-tool finds an
// account only by its sAMAccountName. That name may differ from the name in a DN or in a user principal name, for which
// the command uses ldbsearch.
func (e *exam) findSID() string {
	name, suffix, _ := strings.Cut(e.Bind, "@")
	switch {
	case e.bindsByDN():
		return "ldbsearch -H " + samDatabase + " -b " + word(e.Bind) + " -s base objectSid"
	case suffix != "":
		return "ldbsearch -H " + samDatabase + " " + word("(|(userPrincipalName="+ldap.EscapeFilter(e.Bind)+")(sAMAccountName="+ldap.EscapeFilter(name)+"))") + " objectSid"
	}
	if _, account, found := strings.Cut(e.Bind, `\`); found {
		name = account
	}
	return "samba-tool user show " + word(name) + " --attributes=objectSid"
}

// The constant "administrator" says who must run the commands, and where.
const administrator = " As an administrator, on a controller (ldbsearch and ldbmodify are in Samba's package ldb-tools)."

// The method "permit" returns the Mend that gives the account a right on one object. The parameter "right" has the form
// of dsacls, and "sddl" is the same right in SDDL (MS-DTYP 2.5.1). On Windows, a denial on the same object goes before
// the new right, so somebody must remove it. samba-tool puts the new right first.
func (e *exam) permit(do, dn, right, sddl string) *Mend {
	return &Mend{
		Do: do + " Remove a denial, if there is one: dsacls and samba-tool dsacl get show it." + administrator,
		Bash: `SID="$(` + e.findSID() + ` | sed -n 's/^objectSid: //p')"` + "\n" +
			"samba-tool dsacl set --objectdn=" + word(dn) + ` --sddl="` + sddl + `"`,
		PowerShell: "dsacls " + literal(dn) + ` /G "` + e.account() + ":" + right + `"`,
	}
}

// allowReading returns the Mend that lets the account read people and groups below a DN.
func (e *exam) allowReading(below string) *Mend {
	do := "Let the account read users and groups; repeat it for each organizational unit that inherits nothing, and for AdminSDHolder."
	m := e.permit(do, below, "GR", "(A;CI;GR;;;$SID)")
	m.PowerShell = "dsacls " + literal(below) + ` /I:S /G "` + e.account() + `:GR;;user" "` + e.account() + `:GR;;group"`
	return m
}

func (e *exam) allowOne(dn string) *Mend {
	return e.permit("Let the account read this account. If AdminSDHolder guards it, do the same for CN=AdminSDHolder,CN=System,"+e.domain(dn)+".", dn, "GR", "(A;;GR;;;$SID)")
}

// showHidden returns the Mend that lets the account read people with a hidden attribute. The parameter "hidden" has the
// DNs of these people, and "people" has the number of all people that were read, by the DN of their organizational
// unit.
//
// An access list of a unit or a person takes precedence over the list of the domain. The right therefore goes to the
// domain if the hidden people are in several units, to the unit if they are most of its people, and otherwise to one
// person.
func (e *exam) showHidden(hidden []string, people map[string]int) *Mend {
	below := map[string]int{}
	for _, dn := range hidden {
		below[parent(dn)]++
	}
	unit := parent(hidden[0])
	switch {
	case len(below) > 1 || unit == "":
		return e.allowReading(e.domain(hidden[0]))
	case 2*below[unit] > people[unit]:
		return e.allowReading(unit)
	}
	return e.allowOne(hidden[0])
}

// The function "parent" returns the DN of the object above an object, or "".
func parent(dn string) string {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return dn[i+1:]
		}
	}
	return ""
}

// The method "domain" returns the DN of the domain of an object. For an empty dn, it uses the first configured base.
// Without a domain, it returns an example.
func (e *exam) domain(dn string) string {
	if base, _ := e.Variable("IDLESEAT_AD_BASE"); dn == "" {
		dn, _, _ = strings.Cut(base, ";")
	}
	for above := dn; above != ""; above = parent(above) {
		if len(above) > 3 && strings.EqualFold(above[:3], "DC=") {
			return above
		}
	}
	return "DC=corp,DC=example"
}

func (e *exam) clearInterval(dn string) *Mend {
	domain := e.domain(dn)
	return &Mend{
		Do:         "Clear msDS-LogonTimeSyncInterval of the domain, and wait until people have logged on again." + administrator,
		Bash:       `printf 'dn: %s\nchangetype: modify\ndelete: msDS-LogonTimeSyncInterval\n' ` + word(domain) + " | ldbmodify -H " + samDatabase,
		PowerShell: "Set-ADObject " + literal(domain) + " -Clear msDS-LogonTimeSyncInterval",
	}
}
