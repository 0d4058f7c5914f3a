package entra

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"
)

// FuzzNextLink: the client requests a next link only if the link is within the base URL. It does not change the link.
func FuzzNextLink(f *testing.F) {
	for _, link := range []string{
		"https://graph.microsoft.com/v1.0/users?$skiptoken=abc", "https://graph.microsoft.com/v1.0/../beta/users", "https://a@graph.microsoft.com/v1.0/users",
		"//graph.microsoft.com/v1.0/users", "https://graph.microsoft.com.evil.example/v1.0", "HTTPS://GRAPH.MICROSOFT.COM/v1.0/users", "https://graph.microsoft.com:443/v1.0/users", "",
	} {
		f.Add(link)
	}
	base, err := url.Parse("https://graph.microsoft.com/v1.0")
	if err != nil {
		f.Fatal(err)
	}
	c := &Client{base: base}
	f.Fuzz(func(t *testing.T, link string) {
		info, err := c.follow(link)
		if err != nil || info == nil {
			return
		}
		u, err := info.GetUri()
		if err != nil {
			return // the client does not follow the link
		}
		if u.Scheme != "https" || !strings.EqualFold(u.Host, "graph.microsoft.com") || u.User != nil || !strings.HasPrefix(u.EscapedPath(), "/v1.0") {
			t.Errorf("%q leads to %s", link, u)
		}
		request := &http.Request{Method: http.MethodGet, URL: u}
		if err := (gate{base: base}).admit(request); err != nil {
			t.Errorf("%q is followed, and the gate refuses it: %v", link, err)
		}
	})
}

// FuzzLists decodes any text as each kind of list, as each kind of object, and as an error.
func FuzzLists(f *testing.F) {
	for _, text := range []string{
		`{"value":[{"@odata.type":"#microsoft.graph.user","id":"` + userA + `","onPremisesSecurityIdentifier":null}]}`,
		`{"value":[{"skuId":"` + skuE3 + `","skuPartNumber":"SPE_E3","prepaidUnits":null,"servicePlans":[{"servicePlanId":"` + plan + `"}]}]}`,
		`{"@odata.nextLink":"https://graph.microsoft.com/v1.0/groups?$skiptoken=x","value":[{"id":"` + groupA + `","displayName":"A","groupTypes":["DynamicMembership"]}]}`,
		`{"error":{"code":"Request_ResourceNotFound","message":"no\nline"}}`, `{"value":null}`, `{"value":[[]]}`, `[]`, `<html>`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		members, _, err := decodeMembers(body)
		for _, m := range members {
			if err == nil && m.ID == "" {
				t.Error("a member without an id")
			}
		}
		_, _, _ = decodeList[wireGroup](body)
		_, _, _ = decodeList[wireOrganization](body)
		rows, _, _ := decodeList[wireSKU](body)
		for i := range rows {
			for _, sku := range addSKU(nil, &rows[i]) {
				if sku.ID == "" {
					t.Error("a product without an id")
				}
			}
		}
		_, _ = decodeOne[wirePerson](body)
		_, _ = decodeOne[wireLicensing](body)
		failed := newGraphError(&http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}}, body)
		if strings.ContainsFunc(failed.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("an error that is not for one line: %q", failed.Error())
		}
	})
}
