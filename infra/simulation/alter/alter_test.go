package alter

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAlterations(t *testing.T) {
	t.Parallel()
	others := func(path string) []string { return map[string][]string{".n": {"1", "5"}}[path] }
	for name, tc := range map[string]struct {
		text string
		want map[string]string
	}{
		"a number and a flag": {`{"n":1,"ok":true}`, map[string]string{
			".n another's": `{"n":5,"ok":true}`, ".n zero": `{"n":0,"ok":true}`, ".n negative": `{"n":-1,"ok":true}`, ".n one more": `{"n":2,"ok":true}`,
			".n a thousand times": `{"n":1000,"ok":true}`, ".n null": `{"n":null,"ok":true}`, ".n dropped": `{"ok":true}`,
			".ok the opposite": `{"n":1,"ok":false}`, ".ok null": `{"n":1,"ok":null}`, ".ok dropped": `{"n":1}`,
		}},
		"a list": {`{"l":["a","b"]}`, map[string]string{
			".l emptied": `{"l":[]}`, ".l lengthened": `{"l":["a","b","a"]}`, ".l shortened": `{"l":["a"]}`, ".l null": `{"l":null}`, ".l dropped": `{}`,
			".l[] null": `{"l":["a",null]}`, ".l[] empty": `{"l":["a",""]}`, ".l[] a letter more": `{"l":["a","bx"]}`, ".l[] another last letter": `{"l":["a","1"]}`,
		}},
		"an instant": {`["2026-01-31T00:00:00Z"]`, map[string]string{
			"[] null": `[null]`, "[] empty": `[""]`, "[] a letter more": `["2026-01-31T00:00:00Zx"]`, "[] another last letter": `["2026-01-31T00:00:001"]`,
			"[] a month later": `["2026-03-02T00:00:00Z"]`, "[] a year earlier": `["2025-01-31T00:00:00Z"]`,
		}},
		"an object in an object": {`{"o":{}}`, map[string]string{".o null": `{"o":null}`, ".o dropped": `{}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := Alterations([]byte(tc.text), others)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, a := range all { // if a list has several elements, the map contains only the alterations of the last element
				got[a.Path+" "+a.How] = string(a.Text())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, broken := range []string{"", "{", `{"a":}`, "[1,"} {
		if _, err := Values([]byte(broken)); err == nil {
			t.Errorf("%q: read", broken)
		}
	}
}
