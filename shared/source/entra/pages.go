package entra

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	abs "github.com/microsoft/kiota-abstractions-go"
)

// The limits of a list, many times the size of the largest real list. Without limits, the client would read a list
// with endless links forever. Some tenants return only 100 people per page. Even then, 50,000 pages have five million
// people.
const (
	mostPages = 50_000
	mostEmpty = 1_000 // the largest number of consecutive empty pages; Graph may return a page with few entries or none
)

// The function "pages" reads a collection, from the request "first" to the end. The argument "from" is the link of this
// request, or "". For each page, it calls "take" with the entries and with the link to the next page, or with "" on the
// last page. It fails if a link leads outside the base URL or back to an earlier page, and does not call "take" for the
// page with this link. It also fails if the list exceeds the limits.
func pages[T any](ctx context.Context, c *Client, k call, first *abs.RequestInformation, from string,
	decode func([]byte) ([]T, envelope, error), take func(page []T, next string) error,
) error {
	seen := map[string]bool{from: from != ""}
	empty := 0 // the number of consecutive empty pages
	for info, n := first, 1; ; n++ {
		if n > c.mostPages || empty > mostEmpty {
			return k.failed(fmt.Errorf("the list has not ended after %d pages, the last %d of them empty", n-1, empty))
		}
		body, err := c.send(ctx, k, info)
		if err != nil {
			return err
		}
		page, head, err := decode(body)
		if err != nil {
			return k.failed(fmt.Errorf("page %d: %w", n, err))
		}
		if seen[head.next] {
			return k.failed(fmt.Errorf("page %d: the link to the next page leads back; the list would never end", n))
		}
		if info, err = c.follow(head.next); err != nil {
			return k.failed(fmt.Errorf("page %d: %w", n, err))
		}
		if err := take(page, head.next); err != nil {
			return err
		}
		if head.next == "" {
			return nil
		}
		seen[head.next] = true
		if empty++; len(page) > 0 {
			empty = 0
		}
	}
}

// The method "follow" returns the request for a next link, or nil for an empty link. It does not change the link. The
// link must lie within the base URL, because the request has the token.
func (c *Client) follow(link string) (*abs.RequestInformation, error) {
	if link == "" {
		return nil, nil
	}
	u, err := url.Parse(link)
	if err != nil {
		return nil, fmt.Errorf("the link to the next page is no URL: %w", err)
	}
	if err := within(c.base, u); err != nil {
		return nil, fmt.Errorf("the link to the next page is not followed: %w", err)
	}
	return getting(*u), nil
}

// The method "get" returns a GET request. It uses no builder of the SDK, because such a builder would add much code to
// the program. The argument "path" starts after the version of Graph, and may have a query.
func (c *Client) get(path string) *abs.RequestInformation {
	u := *c.base
	path, u.RawQuery, _ = strings.Cut(path, "?")
	u.Path += path
	return getting(u)
}

func getting(u url.URL) *abs.RequestInformation {
	info := abs.NewRequestInformation()
	info.Method = abs.GET
	info.SetUri(u)
	info.Headers.Add("Accept", "application/json")
	return info
}

func all[T any](ctx context.Context, c *Client, k call, first *abs.RequestInformation) ([]T, error) {
	var list []T
	err := pages(ctx, c, k, first, "", decodeList[T], func(page []T, _ string) error {
		list = append(list, page...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
