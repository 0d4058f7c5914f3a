package entra

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// Report calls "read" with the CSV file of a usage report. Most clouds redirect to the file, whose address is outside
// Graph and gets no token. Some clouds return the file itself. The argument "paths" has paths relative to the base
// URL, each with or without a query. If Graph does not have a path (status 400 or 404), Report tries the next. A path
// that starts with "/../" belongs to another version of Graph.
func (c *Client) Report(ctx context.Context, name string, paths []string, read func(io.Reader) error) (err error) {
	k := call{what: "read the " + name + " usage report", needs: "Reports.Read.All"}
	for _, path := range paths {
		err = c.report(ctx, k, path, read)
		var graph *graphError
		if !errors.As(err, &graph) || graph.status != http.StatusNotFound && graph.status != http.StatusBadRequest {
			return err
		}
	}
	return err
}

func (c *Client) report(ctx context.Context, k call, path string, read func(io.Reader) error) error {
	request := c.get(path)
	if other, beta := strings.CutPrefix(path, "/../"); beta {
		u := *c.base
		u.Path = u.Path[:strings.LastIndex(u.Path, "/")+1]
		at, query, _ := strings.Cut(other, "?")
		u.Path, u.RawQuery = u.Path+at, query
		request = getting(u)
	}
	request.Headers.Remove("Accept") // the header requests JSON, and reports are CSV
	request.Headers.Add("Accept", "*/*")
	body, err := c.send(ctx, k, request)
	if err == nil {
		return read(strings.NewReader(string(body)))
	}
	var graph *graphError
	if !errors.As(err, &graph) || graph.status != http.StatusFound {
		return err
	}
	if err := c.download(ctx, graph.location, read); err != nil {
		return k.failed(err)
	}
	return nil
}
