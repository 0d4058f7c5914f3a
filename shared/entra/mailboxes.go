package entra

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"

	"github.com/idleseat/idleseat/shared/directory"
)

// reportTimeout bounds the download of a report, which Graph has ready.
const reportTimeout = 10 * time.Minute

// columns of the mailbox usage report that are read. The optional ones are not in
// every tenant's.
const (
	columnName        = "User Principal Name"
	columnDeleted     = "Is Deleted"
	columnStorage     = "Storage Used (Byte)"
	columnArchive     = "Has Archive"
	columnRecoverable = "Deleted Item Quota (Byte)"
	columnKind        = "Recipient Type" // optional
)

// Mailboxes reads the mailbox usage report (reportRoot: getMailboxUsageDetail of
// Graph 1.0), which is up to two days old, and hands every mailbox to each. Names
// may be concealed: then they are hashes, without an @. Graph answers with the
// place of a CSV file that needs no token, and gets none.
func (c *Client) Mailboxes(ctx context.Context, each func(directory.Mailbox) error) error {
	k := call{what: "read the mailbox usage report", needs: "Reports.Read.All"}
	info := abs.NewRequestInformation()
	info.Method = abs.GET
	u := *c.base
	u.Path += "/reports/getMailboxUsageDetail(period='D7')"
	info.SetUri(u)
	body, err := c.send(ctx, k, info)
	if err == nil {
		return readMailboxes(strings.NewReader(string(body)), each) // given at once, as some clouds do
	}
	var graph *graphError
	if !errors.As(err, &graph) || graph.status != http.StatusFound {
		return err
	}
	if err := c.download(ctx, graph.location, func(r io.Reader) error { return readMailboxes(r, each) }); err != nil {
		return k.failed(err)
	}
	return nil
}

// download reads a file that Graph points to.
func (c *Client) download(ctx context.Context, location string, read func(io.Reader) error) error {
	u, err := url.Parse(location)
	if err != nil || u.User != nil || u.Scheme != "https" && c.base.Scheme == "https" || u.Host == "" {
		return errors.New("the place of the report that Graph names may not be asked")
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location, http.NoBody)
	if err != nil {
		return errors.New("the place of the report that Graph names is no address")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }() // nothing is written to it
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the download answered %s", response.Status)
	}
	return read(response.Body)
}

// readMailboxes reads the CSV file of the report.
func readMailboxes(r io.Reader, each func(directory.Mailbox) error) error {
	in := csv.NewReader(r)
	in.ReuseRecord, in.LazyQuotes, in.FieldsPerRecord = true, true, -1
	head, err := in.Read()
	if err != nil {
		return fmt.Errorf("the mailbox usage report has no header: %w", err)
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.TrimPrefix(name, "\ufeff")] = i
	}
	for _, needed := range []string{columnName, columnDeleted, columnStorage, columnArchive, columnRecoverable} {
		if _, there := at[needed]; !there {
			return fmt.Errorf("the mailbox usage report has no column %q", needed)
		}
	}
	width := len(head)
	for {
		row, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("the mailbox usage report: %w", err)
		case len(row) != width:
			return fmt.Errorf("the mailbox usage report has a row of %d columns below a header of %d", len(row), width)
		case strings.EqualFold(row[at[columnDeleted]], "true"):
			continue
		}
		box := directory.Mailbox{UserPrincipalName: strings.Clone(row[at[columnName]]), Archive: !strings.EqualFold(row[at[columnArchive]], "false")}
		if i, there := at[columnKind]; there {
			box.Kind = strings.Clone(row[i])
		}
		var sizeErr, quotaErr error
		box.Bytes, sizeErr = strconv.ParseInt(row[at[columnStorage]], 10, 64)
		box.Recoverable, quotaErr = strconv.ParseInt(row[at[columnRecoverable]], 10, 64)
		if err := errors.Join(sizeErr, quotaErr); err != nil {
			return fmt.Errorf("the mailbox usage report has a size that is no number: %w", err)
		}
		if err := each(box); err != nil {
			return err
		}
	}
}
