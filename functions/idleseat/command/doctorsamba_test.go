package command

import (
	"encoding/pem"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/samba"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/workflow/doctor"
)

// sambaPatient is a real Samba domain. The command doctor examines the domain with an account that is no administrator.
type sambaPatient struct {
	*shell
	domain *samba.Domain
	reader string   // the SID of the account that idleseat uses
	person string   // DN of a person
	people []string // SIDs of the people who have logged on at some time
}

// The account that idleseat uses. Its CN, its account name and its user principal name all differ.
const (
	readerName, readerUPN = `CORP\svc-idleseat`, "reader@corp.example.test"
	readerPassword        = "R3ads!only-here"
)

// These are GUIDs of attributes in the schema.
const memberGUID, lastLogonGUID, lastLogonTimestampGUID = "bf9679c0-0de6-11d0-a285-00aa003049e2", "bf967997-0de6-11d0-a285-00aa003049e2", "c0e20a04-0e5a-4ff3-9482-5efeaecd7060"

var (
	readerDN = samba.DN("Reader of licenses", "CN=Users,"+samba.Base)
	seatsDN  = samba.DN("Citrix Users", samba.GroupsOU)
	otherDN  = samba.DN("Citrix People", samba.GroupsOU)
)

func (p *sambaPatient) console(script string) {
	p.t.Helper()
	if _, err := p.domain.Console(p.t.Context(), 0, script); err != nil {
		p.t.Fatal(err)
	}
}

// The method "deny" revokes the right of idleseat's account to read an attribute of the object "dn". The argument
// "flags" has the flags of the access control entry. With the flag CI, the entry counts for all objects below, too.
func (p *sambaPatient) deny(dn, flags, attribute string) {
	p.t.Helper()
	p.console(`samba-tool dsacl set --objectdn='` + dn + `' --sddl='(OD;` + flags + `;RP;` + attribute + `;;` + p.reader + `)'`)
}

// The method "follow" runs the advice in a finding and returns its output. Variables of idleseat that the advice
// exports stay set.
func (p *sambaPatient) follow(f doctor.Finding) string {
	p.t.Helper()
	p.write("typed", readerPassword+"\n")
	p.write("editor", "#!/bin/sh\nexec sed -i 's/"+seatsDN+"/"+otherDN+"/' \"$1\"\n")
	if err := os.Chmod(p.path("editor"), 0o700); err != nil {
		p.t.Fatal(err)
	}
	env := append(slices.Clone(p.env), "EDITOR="+p.path("editor"), "ADVICE=set -e\n"+f.Mend.Bash+"\nenv -0 >exported", "FOLDER="+p.dir)
	out, err := p.domain.Console(p.t.Context(), 0, `cd "$FOLDER" && exec bash -c "$ADVICE" <typed`, env...)
	if err != nil {
		p.t.Fatalf("the advice fails: %v\n%s", err, f.Mend.Bash)
	}
	exported, err := os.ReadFile(p.path("exported"))
	if err != nil {
		p.t.Fatal(err)
	}
	for v := range strings.SplitSeq(string(exported), "\x00") {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "IDLESEAT_AD_") {
			p.setenv(name, value)
		}
	}
	return out
}

type sambaIll struct {
	name  string
	bind  string // the name with which idleseat binds; if empty, readerName
	spoil func(p *sambaPatient)
	title string // the title of the finding
	state doctor.State
	means string
	bash  string                                  // a part of the advice for bash
	also  func(p *sambaPatient, f doctor.Finding) // does the part of the advice that is a sentence for people; called before the commands for bash run
	says  string                                  // a part of the output of the advice
}

func sambaIlls() []sambaIll {
	const stamp, group, lost = "attributes: lastLogonTimestamp", "groups of Active Directory: ", "ldaps://dc2.corp.example.test"
	return []sambaIll{
		{name: "members that may not be changed", spoil: func(*sambaPatient) {}, title: group + seatsDN, state: doctor.Warning, means: "may not change them", bash: seatsDN},
		{name: "lastLogon is denied in the domain", spoil: func(p *sambaPatient) { p.deny(samba.Base, "CI", lastLogonGUID) }, title: "last logon", state: doctor.Failed, means: "may not read lastLogon", bash: "=" + samba.Base},
		{name: "an attribute of one person is denied", bind: readerUPN, spoil: func(p *sambaPatient) { p.deny(p.person, "", lastLogonTimestampGUID) },
			title: stamp, state: doctor.Failed, means: "of 1 of", bash: "(A;;GR;;;$SID)"},
		{name: "an attribute of everybody is denied", bind: readerDN, spoil: func(p *sambaPatient) { p.deny(samba.Base, "CI", lastLogonTimestampGUID) },
			title: stamp, state: doctor.Failed, means: "may not read lastLogonTimestamp", bash: "(A;CI;GR;;;$SID)"},
		{name: "an attribute is denied in one unit", bind: readerDN, spoil: func(p *sambaPatient) { p.deny(samba.PeopleOU, "CI", lastLogonTimestampGUID) },
			title: stamp, state: doctor.Failed, means: "may not read lastLogonTimestamp", bash: "=" + samba.PeopleOU},
		{name: "hidden members", bind: readerUPN, spoil: func(p *sambaPatient) { p.deny(seatsDN, "", memberGUID) }, title: group + seatsDN, state: doctor.Failed, means: "may not read member", bash: seatsDN},
		{name: "lastLogonTimestamp is not kept", spoil: func(p *sambaPatient) {
			p.console(`printf 'dn: ` + samba.Base + `\nchangetype: modify\nreplace: msDS-LogonTimeSyncInterval\nmsDS-LogonTimeSyncInterval: 0\n' | ldbmodify -H /var/lib/samba/private/sam.ldb`)
		}, title: "last logon", state: doctor.Failed, means: "msDS-LogonTimeSyncInterval", bash: "ldbmodify"},
		{name: "dates that have stalled", spoil: func(p *sambaPatient) {
			p.setenv("IDLESEAT_AD_BASE", samba.PeopleOU) // this unit does not contain idleseat's account, which has just logged on and would have the newest date
			p.logonsAt(time.Now().Add(-100 * day))
		}, title: "logon dates", state: doctor.Failed, means: "stalled", bash: "samba-tool drs showrepl", says: "[ALL GOOD]",
			also: func(p *sambaPatient, _ doctor.Finding) { p.logonsAt(time.Now().Add(-day)) }},
		{name: "a renamed group", spoil: func(p *sambaPatient) {
			p.console("ldbrename -H /var/lib/samba/private/sam.ldb '" + seatsDN + "' '" + otherDN + "'")
		},
			title: group + seatsDN, state: doctor.Failed, means: "No group has this", bash: "samba-tool group list", says: otherDN},
		{name: "a base that is not there", spoil: func(p *sambaPatient) { p.setenv("IDLESEAT_AD_BASE", "OU=Oslo,"+samba.Base) },
			title: "people of Active Directory", state: doctor.Failed, means: "check IDLESEAT_AD_BASE", bash: "samba-tool ou list", says: samba.PeopleOU},
		{name: "a base without people", spoil: func(p *sambaPatient) { p.setenv("IDLESEAT_AD_BASE", samba.GroupsOU) },
			title: "people of Active Directory", state: doctor.Failed, means: "sees nobody", bash: "samba-tool ou list", says: samba.PeopleOU},
		{name: "a wrong password", spoil: func(p *sambaPatient) { p.write("ad-password", "wrong") }, title: "controllers", state: doctor.Failed, means: "wrong password", bash: "read -rs"},
		{name: "a password file that is not there", spoil: func(p *sambaPatient) { p.setenv("IDLESEAT_AD_PASSWORD_FILE", "none") },
			title: "controllers", state: doctor.Failed, means: "IDLESEAT_AD_PASSWORD_FILE", bash: "read -rs"},
		{name: "a wrong CA, where certutil exports the right one", spoil: func(p *sambaPatient) { p.wrongCA() },
			title: "controllers", state: doctor.Failed, means: "not signed by", bash: "corp-ca.cer", also: func(p *sambaPatient, _ doctor.Finding) {
				text, err := os.ReadFile(p.domain.CAFile)
				if err != nil {
					p.t.Fatal(err)
				}
				ca, _ := pem.Decode(text)
				p.write("corp-ca.cer", string(ca.Bytes))
			}},
		{name: "a wrong CA, where Samba has the right one", spoil: func(p *sambaPatient) { p.wrongCA() },
			title: "controllers", state: doctor.Failed, means: "not signed by", bash: "corp-ca.cer", also: func(p *sambaPatient, _ doctor.Finding) {
				p.console("cp /var/lib/samba/private/tls/ca.pem '" + p.path("corp-ca.cer") + "'")
			}},
		{name: "the name of the domain in place of a controller's", spoil: func(p *sambaPatient) { p.setenv("IDLESEAT_AD_URLS", "ldaps://corp.example.test") },
			title: "controllers", state: doctor.Failed, means: "its certificate is for", bash: "export IDLESEAT_AD_URLS=ldaps://dc1.corp.example.test"},
		{name: "an expired certificate", spoil: func(p *sambaPatient) { p.renew(time.Now().Add(-time.Hour)) }, title: "controllers", state: doctor.Failed, means: "renew it on the controller", bash: "openssl s_client",
			also: func(p *sambaPatient, f doctor.Finding) {
				if out := p.follow(f); !strings.Contains(out, "notAfter="+time.Now().Add(-time.Hour).UTC().Format("Jan _2")) {
					p.t.Errorf("the expired certificate is not shown: %s", out)
				}
				p.renew(time.Time{})
			}, says: "subject=CN = dc1.corp.example.test"},
		{name: "a controller that is stopped", spoil: func(p *sambaPatient) { p.domain.Stop(1) }, title: "controllers: " + lost, state: doctor.Failed, means: "connection refused", bash: "</dev/tcp/dc2.corp.example.test/636",
			also: func(p *sambaPatient, f doctor.Finding) {
				if out := p.follow(f); strings.Contains(out, "it answers") {
					p.t.Errorf("a stopped controller answers: %s", out)
				}
				if err := p.domain.Restart(p.t.Context(), 1); err != nil {
					p.t.Fatal(err)
				}
			}, says: "it answers"},
		{name: "a controller that is gone for good", spoil: func(p *sambaPatient) { p.domain.Stop(1) }, title: "last logon", state: doctor.Failed, means: "connection refused", bash: "</dev/tcp/dc2.corp.example.test/636",
			also: func(p *sambaPatient, f doctor.Finding) {
				p.console(regexp.MustCompile(`samba-tool domain demote \S+`).FindString(f.Mend.Do))
			}},
	}
}

func (p *sambaPatient) logonsAt(date time.Time) {
	p.t.Helper()
	const unixEpoch = 11644473600 // seconds from 1601 to 1970
	var ldif strings.Builder
	for _, sid := range p.people {
		fmt.Fprintf(&ldif, "dn: <SID=%s>\nchangetype: modify\nreplace: lastLogonTimestamp\nlastLogonTimestamp: %d\n\n", sid, (date.Unix()+unixEpoch)*1e7)
	}
	p.write("stamps.ldif", ldif.String())
	p.console("ldbmodify -H /var/lib/samba/private/sam.ldb '" + p.path("stamps.ldif") + "'")
}

func (p *sambaPatient) renew(ends time.Time) {
	p.t.Helper()
	if err := p.domain.Renew(p.t.Context(), 0, ends); err != nil {
		p.t.Fatal(err)
	}
}

func (p *sambaPatient) wrongCA() {
	p.t.Helper()
	p.console(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Other -keyout /dev/null -out '` + p.path("other.pem") + `' 2>/dev/null`)
	p.setenv("IDLESEAT_AD_CA", "other.pem")
}

// TestDoctorOnSamba breaks a real Samba domain, or the connection to it, in one way after another. The command doctor
// finds each fault. After the test has followed the printed advice, every check that is tried is ok.
func TestDoctorOnSamba(t *testing.T) {
	s := newShell(t, sandbox.Options{Users: grown, Seed: 5})
	d, synced := onPremises(t, s, samba.Options{Replicating: true, People: []samba.Person{{Password: readerPassword, ADUser: directory.ADUser{
		DN: readerDN, SAMAccount: "svc-idleseat", UserPrincipalName: readerUPN, Enabled: directory.Yes, Created: time.Now().Add(-200 * day)}}}}, nil)
	p := &sambaPatient{shell: s, domain: d, reader: synced["svc-idleseat"].SID}
	for _, u := range synced {
		if u.SAMAccount != "svc-idleseat" && !u.LastLogonTimestamp.IsZero() && strings.HasSuffix(u.DN, ","+samba.PeopleOU) {
			if p.people = append(p.people, u.SID); !strings.Contains(u.DN, "'") {
				p.person = u.DN
			}
		}
	}
	s.write("ad-password", readerPassword)
	s.setenv("IDLESEAT_AD_PASSWORD_FILE", "ad-password")
	for _, ill := range sambaIlls() {
		passed := t.Run(ill.name, func(t *testing.T) {
			defer func(before *testing.T) { s.t = before }(s.t)
			s.t = t
			p.setenv("IDLESEAT_AD_BIND", readerName)
			if ill.bind != "" {
				p.setenv("IDLESEAT_AD_BIND", ill.bind)
			}
			p.heals(ill)
		})
		if !passed {
			return // the domain is still broken, so later cases would fail
		}
	}
}

func (p *sambaPatient) heals(ill sambaIll) {
	t := p.t
	t.Helper()
	ill.spoil(p)
	found, a := examine(p.shell)
	f := titled(t, found, ill.title)
	if f.State != ill.state || !strings.Contains(f.Means, ill.means) || f.Mend == nil || !strings.Contains(f.Mend.Bash, ill.bash) {
		t.Fatalf("%+v, mend %+v; want %s, %q and %q", f, f.Mend, ill.state, ill.means, ill.bash)
	}
	if failed := a.status == exitFailed; failed != (ill.state == doctor.Failed) {
		t.Errorf("status %d: %s", a.status, a.err)
	}
	if ill.also != nil {
		ill.also(p, f)
	}
	if out := p.follow(f); !strings.Contains(out, ill.says) {
		t.Errorf("the advice says %s, want %q\n%s", out, ill.says, f.Mend.Bash)
	}
	found, a = examine(p.shell)
	for name, f := range found {
		if f.State != doctor.OK && f.State != doctor.NotTried {
			t.Errorf("after the advice, %s: %+v, mend %+v", name, f, f.Mend)
		}
	}
	if a.status != exitDone {
		t.Errorf("after the advice, status %d: %s", a.status, a.err)
	}
}
