package policy

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/policy/notice"
)

// Notices says how people get notice of a change. Without it, a notice is only in the plan and in the ledger.
type Notices struct {
	From    string // the mailbox that sends the mails
	Manager bool   // whether the person's manager gets a copy
	Texts   notice.Texts
}

// MailAddress matches the address of a mailbox. It allows few characters, because the address is a part of a path and
// of a mail header. It does not check all of RFC 5321: it also matches a..b@contoso.example.
const MailAddress = `^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`

// LanguageTag matches a language as in preferredLanguage (BCP 47).
const LanguageTag = `^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`

var (
	mailAddress = regexp.MustCompile(MailAddress)
	languageTag = regexp.MustCompile(LanguageTag)
)

func (l *loader) notices(n *yaml.Node) {
	o := l.section(n, "notices", "notices")
	all := &Notices{Texts: notice.Texts{Own: map[string]notice.Text{}, Language: notice.Default}}
	if from := o.required("from", "from: ADDRESS, the mailbox that sends"); from != nil {
		var ok bool
		if all.From, ok = l.text(from, "notices.from"); ok && !mailAddress.MatchString(all.From) {
			l.fault(from, "notices.from must be the address of a mailbox, like licenses@contoso.example, not %s", shown(from))
		}
	}
	if copied := o.fields["manager"]; copied != nil {
		if all.Manager = copied.Value == "true"; !all.Manager {
			l.fault(copied, "write manager: true, or leave it out so that nobody gets a copy")
		}
	}
	if texts := o.fields["texts"]; texts != nil {
		for _, e := range l.entries(texts, "notices.texts") {
			l.noticeText(e, &all.Texts)
		}
	}
	if in := o.fields["language"]; in != nil {
		tag, ok := l.text(in, "notices.language")
		if all.Texts.Language = strings.ToLower(tag); ok && !all.Texts.Has(all.Texts.Language) {
			l.fault(in, "there is no text in the language %q; idleseat has %s, and texts may add others", tag, strings.Join(notice.BuiltIn(), ", "))
		}
	}
	l.policy.Notices = all
}

func (l *loader) noticeText(e entry, all *notice.Texts) {
	what := "notices.texts." + e.key.Value
	if !languageTag.MatchString(e.key.Value) {
		l.fault(e.key, "%.40q is no language; write a tag like sv or pt-BR", e.key.Value)
	}
	o := l.section(e.value, what, "notices.texts.NAME")
	all.Own[strings.ToLower(e.key.Value)] = notice.Text{
		Subject: l.template(o.required("subject", "subject: TEXT"), what+".subject"),
		Body:    l.template(o.required("body", "body: TEXT"), what+".body"),
	}
}

// The method "template" compiles a text of a notice. It reports a mistake in a literal block (|) at the line of the
// mistake, and a mistake in any other text at the begin of the text.
func (l *loader) template(n *yaml.Node, what string) *notice.Template {
	if n == nil {
		return nil
	}
	source, ok := l.text(n, what)
	if !ok {
		return nil
	}
	t, mistake := notice.Compile(source)
	if mistake == nil {
		return t
	}
	line, column := n.Line, n.Column
	if n.Style == yaml.LiteralStyle {
		line, column = n.Line+mistake.Line, 1
	}
	l.faultAt(line, column, what+": "+mistake.Text)
	return nil
}
