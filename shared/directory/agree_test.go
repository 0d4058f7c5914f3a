package directory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAgree(t *testing.T) {
	t.Parallel()
	const dn = "CN=Anna,OU=Old,DC=corp"
	day := time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		here, there, want ADUser
		field             string // the field to look at
		value             Value
		disputed          bool
	}{
		"the same":                 {ADUser{Title: "clerk"}, ADUser{Title: "clerk"}, ADUser{Title: "clerk"}, "ad.title", text("clerk"), false},
		"another text":             {ADUser{Title: "clerk"}, ADUser{Title: "leave"}, ADUser{Title: "clerk", Unreadable: []string{"title"}}, "ad.title", Value{}, true},
		"a text where none was":    {ADUser{}, ADUser{Title: "leave"}, ADUser{Title: "leave", Unreadable: []string{"title"}}, "ad.title", Value{}, true},
		"no text where one was":    {ADUser{Title: "clerk"}, ADUser{}, ADUser{Title: "clerk", Unreadable: []string{"title"}}, "ad.title", Value{}, true},
		"enabled again":            {ADUser{Enabled: No}, ADUser{Enabled: Yes}, ADUser{Enabled: No, Unreadable: []string{"userAccountControl"}}, "ad.accountEnabled", Value{}, true},
		"extended":                 {ADUser{}, ADUser{Expires: day}, ADUser{Expires: day, Unreadable: []string{"accountExpires"}}, "ad.expires", Value{}, true},
		"an extension attribute":   {ADUser{}, ADUser{Extension: ExtensionAttributes{1: "x"}}, ADUser{Extension: ExtensionAttributes{1: "x"}, Unreadable: []string{"extensionAttribute2"}}, "ad.extensionAttribute2", Value{}, true},
		"moved":                    {ADUser{DN: dn}, ADUser{DN: "CN=Anna,OU=New"}, ADUser{DN: dn, Unreadable: []string{"distinguishedName"}}, "ad.distinguishedName", Value{}, true},
		"a logon is no dispute":    {ADUser{LastLogonTimestamp: day}, ADUser{}, ADUser{LastLogonTimestamp: day}, "ad.lastLogonTimestamp", date(day), false},
		"a date in the future":     {ADUser{LastLogonTimestamp: day}, ADUser{DatesInDoubt: true}, ADUser{LastLogonTimestamp: day, DatesInDoubt: true}, "ad.lastLogonTimestamp", Value{}, false},
		"the second shows it":      {ADUser{Unreadable: []string{"title", "mail"}}, ADUser{Title: "clerk", Unreadable: []string{"mail"}}, ADUser{Title: "clerk", Unreadable: []string{"mail"}}, "ad.title", text("clerk"), false},
		"the second does not":      {ADUser{Title: "clerk"}, ADUser{Unreadable: []string{"title"}}, ADUser{Title: "clerk"}, "ad.title", text("clerk"), false},
		"nobody shows it":          {ADUser{Unreadable: []string{"title"}}, ADUser{Unreadable: []string{"title"}}, ADUser{Unreadable: []string{"title"}}, "ad.title", Value{}, false},
		"in dispute by now":        {ADUser{Title: "clerk", Unreadable: []string{"title"}}, ADUser{Title: "clerk"}, ADUser{Title: "clerk", Unreadable: []string{"title"}}, "ad.title", Value{}, true},
		"another attribute counts": {ADUser{Title: "clerk", Mail: "a"}, ADUser{Title: "clerk", Mail: "b"}, ADUser{Title: "clerk", Mail: "a", Unreadable: []string{"mail"}}, "ad.title", text("clerk"), false},
	} {
		tc.here.Agree(&tc.there)
		if d := cmp.Diff(tc.want.Unreadable, tc.here.Unreadable); d != "" {
			t.Errorf("%s: unreadable (-want +got):\n%s", name, d)
		}
		tc.want.Unreadable = tc.here.Unreadable
		if d := cmp.Diff(tc.want, tc.here, cmp.AllowUnexported(Past{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		f, _ := FieldNamed(tc.field)
		p := &Person{AD: &tc.here, ADState: Present}
		if _, disputed := f.Hidden(p); f.Of(p) != tc.value || disputed != tc.disputed {
			t.Errorf("%s: %+v, disputed %t", name, f.Of(p), disputed)
		}
	}
}
