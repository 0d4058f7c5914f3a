package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// The constant "downloads" is the path of the file with the mailbox usage report. As in reality, the path is outside
// Graph and rejects a token.
const downloads = "/downloads/MailboxUsageDetail.csv"

func (g *graph) mailboxUsage(q *query) (answer, error) {
	return answer{status: http.StatusFound, location: "http://" + q.r.Host + downloads}, nil
}

// SetMailbox replaces the sizes and the kind of a person's mailbox in the mailbox usage report. The row keeps the name
// of the person. By default, the mailbox holds 2 GB and belongs to a user, or is shared for the kind SharedMailbox.
func (c *Company) SetMailbox(i int, m directory.Mailbox) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mailboxes[i] = &m
}

// ConcealNames makes reports show hashes instead of names, as a setting of the Microsoft 365 admin center does.
func (c *Company) ConcealNames() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.concealed = true
}

// mailboxColumns are the columns of getMailboxUsageDetail (reportRoot, Graph 1.0), except the last column Report
// Period. The file starts with a byte order mark.
const mailboxColumns = "\ufeffReport Refresh Date,User Principal Name,Display Name,Is Deleted,Deleted Date,Created Date,Last Activity Date,Item Count," +
	"Storage Used (Byte),Issue Warning Quota (Byte),Prohibit Send Quota (Byte),Prohibit Send/Receive Quota (Byte)," +
	"Deleted Item Count,Deleted Item Size (Byte),Deleted Item Quota (Byte),Has Archive,"

func (c *Company) download(w http.ResponseWriter, r *http.Request, file func(w io.Writer, path string)) {
	if r.Header.Get("Authorization") != "" {
		http.Error(w, "a pre-authenticated address takes no token", http.StatusBadRequest)
		return
	}
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	w.Header().Set("Content-Type", "application/octet-stream")
	file(w, r.URL.Path)
}

// mailboxReport lists everybody who holds a product with a mailbox.
func (c *Company) mailboxReport(w io.Writer, _ string) {
	fmt.Fprint(w, mailboxColumns, map[bool]string{true: "Recipient Type,"}[c.typed], "Report Period\n")
	now := c.now()
	for i := range c.Size() {
		t := c.profile(i)
		if !c.inEntra(i, t) || !hasMailbox(heldSKUs(c.assignments(i, t))) {
			continue
		}
		box := directory.Mailbox{Bytes: 2 * directory.GB, Recoverable: 30 * directory.GB, Kind: "User"}
		if t.kind == SharedMailbox {
			box.Kind = "Shared"
		}
		if set := c.mailboxes[i]; set != nil {
			box = *set
		}
		name := c.entraUser(i, t).UserPrincipalName
		if c.concealed {
			name = strings.ToUpper(strings.ReplaceAll(c.userID(i), "-", ""))
		}
		fmt.Fprintf(w, "%s,\"%s\",\"\",False,,%s,,10,%d,%d,%d,%d,3,4096,%d,%s,%s7\n", now.Format("2006-01-02"), strings.ReplaceAll(name, `"`, `""`),
			now.AddDate(-1, 0, 0).Format("2006-01-02"), box.Bytes, 98*directory.GB, 99*directory.GB, 100*directory.GB, box.Recoverable,
			map[bool]string{true: "True", false: "False"}[box.Archive], map[bool]string{true: box.Kind + ","}[c.typed])
	}
}
