package entra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/rows"
)

// oldReport is the largest age of a usable report. An older report has stalled, and no longer shows the current size
// of mailboxes.
const oldReport = 7 * 24 * time.Hour

// The columns of the mailbox usage report. Some tenants do not have the column "Recipient Type".
const (
	columnRefreshed   = "Report Refresh Date"
	columnName        = "User Principal Name"
	columnDeleted     = "Is Deleted"
	columnStorage     = "Storage Used (Byte)"
	columnArchive     = "Has Archive"
	columnRecoverable = "Deleted Item Quota (Byte)"
	columnKind        = "Recipient Type" // optional
)

// Mailboxes reads the mailbox usage report and calls "each" for every mailbox (reportRoot: getMailboxUsageDetail of
// Graph 1.0). The report is up to two days old. If the tenant conceals names, the names are hashes without an @.
func (c *Client) Mailboxes(ctx context.Context, each func(directory.Mailbox) error) error {
	return c.Report(ctx, "mailbox", []string{"/reports/getMailboxUsageDetail(period='D7')"}, func(r io.Reader) error {
		return readMailboxes(r, c.now(), each)
	})
}

func readMailboxes(r io.Reader, now time.Time, each func(directory.Mailbox) error) error {
	in := rows.New(r)
	head, err := in.Next()
	if err != nil {
		return fmt.Errorf("the mailbox usage report has no header: %w", err)
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.TrimPrefix(name, "\ufeff")] = i
	}
	for _, needed := range []string{columnRefreshed, columnName, columnDeleted, columnStorage, columnArchive, columnRecoverable} {
		if _, there := at[needed]; !there {
			return fmt.Errorf("the mailbox usage report has no column %q", needed)
		}
	}
	width := len(head)
	for {
		row, err := in.Next()
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
		box, err := mailboxOf(row, at, now)
		if err != nil {
			return fmt.Errorf("the mailbox usage report: %w", err)
		}
		if err := each(box); err != nil {
			return err
		}
	}
}

// mailboxOf parses a row of the report. An absent size is unknown, and not zero.
func mailboxOf(row []string, at map[string]int, now time.Time) (box directory.Mailbox, err error) {
	refreshed, err := time.Parse(time.DateOnly, row[at[columnRefreshed]])
	if err != nil {
		return box, fmt.Errorf("its date is none: %w", err)
	}
	if age := now.Sub(refreshed); age > oldReport {
		return box, fmt.Errorf("it is of %s, %d days old", refreshed.Format(time.DateOnly), int(age/(24*time.Hour)))
	}
	box = directory.Mailbox{UserPrincipalName: strings.Clone(row[at[columnName]]), Archive: !strings.EqualFold(row[at[columnArchive]], "false")}
	if i, there := at[columnKind]; there {
		box.Kind = strings.Clone(row[i])
	}
	for column, size := range map[string]*int64{columnStorage: &box.Bytes, columnRecoverable: &box.Recoverable} {
		switch text := row[at[column]]; {
		case text == "":
			box.Unknown = true
		default:
			if *size, err = strconv.ParseInt(text, 10, 64); err != nil {
				return box, fmt.Errorf("a size in it is no number: %w", err)
			}
		}
	}
	return box, nil
}
