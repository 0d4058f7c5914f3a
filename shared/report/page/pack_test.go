package page

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func unpack(p packed, i int) string {
	tail := func() string {
		if p.At[i] < 0 {
			return ""
		}
		return p.List[p.At[i]]
	}
	switch p.Form {
	case "texts":
		return p.Texts[i]
	case "names":
		return p.Texts[i] + tail()
	case "guids":
		if other, ok := p.Other[i]; ok {
			return other
		}
		b := p.Bytes[16*i : 16*i+16]
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	case "times":
		if p.At[i] < 0 {
			return ""
		}
		return time.Unix(p.Base+int64(p.At[i]), 0).UTC().Format(time.RFC3339)
	default:
		return tail()
	}
}

func TestPack(t *testing.T) {
	t.Parallel()
	many := func(format string) (texts []string) {
		for i := range 40 {
			texts = append(texts, fmt.Sprintf(format, i))
		}
		return texts
	}
	for name, c := range map[string]struct {
		texts []string
		form  string
	}{
		"nothing":       {[]string{}, "list"},
		"empty":         {[]string{"", ""}, "list"},
		"few":           {[]string{"a", "b", "", "a"}, "list"},
		"all different": {many("Anna %d"), "texts"},
		"names":         {append(many("anna%d@contoso.example"), "nobody", "a@b@contoso.example", ""), "names"},
		"many domains":  {many("anna@%d.example"), "texts"},
		"times":         {[]string{"2026-11-29T02:00:00Z", "", "1601-01-01T00:00:00Z"}, "times"},
		"a fraction":    {[]string{"2026-11-29T02:00:00.5Z"}, "list"},
		"another zone":  {[]string{"2026-11-29T02:00:00+01:00"}, "list"},
		"ids":           {many("00000000-0000-4000-8000-0000000000%02d"), "guids"},
		"upper case":    {[]string{"ABCDEF00-0000-4000-8000-000000000000"}, "list"},
		"a SID":         {append(many("00000000-0000-4000-8000-0000000000%02d"), "S-1-5-21-1", ""), "guids"},
	} {
		p := pack(c.texts)
		if p.Form != c.form {
			t.Errorf("%s: packed as %s, want %s", name, p.Form, c.form)
		}
		got := make([]string, len(c.texts))
		for i := range got {
			got[i] = unpack(p, i)
		}
		if d := cmp.Diff(c.texts, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
