package policy

import (
	"strings"
	"testing"
)

func noticesIn(section string) string {
	return `tenant: 11111111-2222-3333-4444-555555555555
licenses: {e3: {sku: SPE_E3, title: Microsoft 365 E3}}
` + section + `
rules: [{name: a, license: e3, when: AzureAdSistaLogon.hasNoValue(), then: {remove: true, notice: 14}}]
`
}

func TestNotices(t *testing.T) {
	t.Parallel()
	p, err := Load("p", []byte(noticesIn("notices: {from: licenses@contoso.example, manager: true, language: DE, texts: {de: {subject: 's', body: 'b'}}}")))
	if err != nil {
		t.Fatal(err)
	}
	if n := p.Notices; n.From != "licenses@contoso.example" || !n.Manager || n.Texts.Language != "de" || n.Texts.Own["de"].Body.Source != "b" {
		t.Errorf("%+v", n)
	}
	if l := p.LicenseNamed("e3"); l.Called() != "Microsoft 365 E3" || !strings.Contains(strings.Join(p.Fields(), " "), "entra.mail") {
		t.Errorf("called %q, reads %q", l.Called(), p.Fields())
	}
	if p, err = Load("p", []byte(noticesIn(""))); err != nil || p.Notices != nil || strings.Contains(strings.Join(p.Fields(), " "), "entra.mail") {
		t.Errorf("without the section: %+v, %v", p.Notices, err)
	}
}

func TestNoticeMistakes(t *testing.T) {
	t.Parallel()
	for section, want := range map[string]string{
		"notices: {manager: true}":                                                  `p:3:10: notices lacks the key "from"; write from: ADDRESS, the mailbox that sends`,
		"notices: {from: Licenses <licenses@x.example>}":                            `p:3:17: notices.from must be the address of a mailbox, like licenses@contoso.example, not "Licenses <licenses@x.example>"`,
		"notices: {from: a/b@x.example}":                                            `p:3:17: notices.from must be the address of a mailbox, like licenses@contoso.example, not "a/b@x.example"`,
		"notices: {from: a@x.example, manager: yes}":                                `p:3:39: write manager: true, or leave it out so that nobody gets a copy`,
		"notices: {from: a@x.example, managers: true}":                              `p:3:30: unknown key "managers" in notices; did you mean "manager"?`,
		"notices: {from: a@x.example, language: fi}":                                `p:3:40: there is no text in the language "fi"; idleseat has en, nb, sv, and texts may add others`,
		"notices: {from: 7}":                                                        `p:3:17: notices.from must be text, not a number; put 7 in quotes`,
		"notices: {from: a@x.example, language: 7}":                                 `p:3:40: notices.language must be text, not a number; put 7 in quotes`,
		"notices: {from: a@x.example, texts: {fi: {subject: 7, body: b}}}":          `p:3:52: notices.texts.fi.subject must be text, not a number; put 7 in quotes`,
		"notices: {from: a@x.example, texts: {Suomi: {subject: s, body: b}}}":       `p:3:38: "Suomi" is no language; write a tag like sv or pt-BR`,
		"notices: {from: a@x.example, texts: {fi: {subject: s}}}":                   `p:3:42: notices.texts.fi lacks the key "body"; write body: TEXT`,
		"notices: {from: a@x.example, texts: {fi: {subject: '{{.Nom}}', body: b}}}": `p:3:52: notices.texts.fi.subject: .Nom is no field of a notice; the fields are .Day, .Days, .LastUse, .License, .Name, .To`,
		`notices:
  from: a@x.example
  texts:
    fi:
      subject: s
      body: |
        Hei {{.Name}},

        {{.License}} {{if .To}}`: `p:11:1: notices.texts.fi.body: unexpected EOF`,
	} {
		_, err := Load("p", []byte(noticesIn(section)))
		if err == nil || err.Error() != want {
			t.Errorf("%s\n%v\nwant %s", section, err, want)
		}
	}
}
