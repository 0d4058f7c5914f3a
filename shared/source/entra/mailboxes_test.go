package entra

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

const mailboxHead = "\ufeffReport Refresh Date,User Principal Name,Display Name,Is Deleted,Deleted Date,Created Date,Last Activity Date,Item Count," +
	"Storage Used (Byte),Issue Warning Quota (Byte),Prohibit Send Quota (Byte),Prohibit Send/Receive Quota (Byte)," +
	"Deleted Item Count,Deleted Item Size (Byte),Deleted Item Quota (Byte),Has Archive,Report Period\n"

func mailboxRow(name, deleted, storage, quota, archive string) string {
	return fmt.Sprintf("2026-11-22,%s,Somebody,%s,,2020-01-01,2026-11-20,10,%s,1,2,3,4,5,%s,%s,7\n", name, deleted, storage, quota, archive)
}

func withKind(line, kind string) string {
	i := strings.LastIndex(line, ",")
	return line[:i] + "," + kind + line[i:]
}

func TestMailboxes(t *testing.T) {
	t.Parallel()
	gb := fmt.Sprint(30 * directory.GB)
	tests := map[string]struct {
		csv    string
		status int
		want   []directory.Mailbox
		err    string
	}{
		"some": {mailboxHead + mailboxRow("a@x.example", "False", "500", gb, "False") + mailboxRow("gone@x.example", "True", "7", gb, "False") +
			mailboxRow(`"o'b,x@x.example"`, "False", "12000000000", "107374182400", "True"), 0, []directory.Mailbox{
			{UserPrincipalName: "a@x.example", Bytes: 500, Recoverable: 30 * directory.GB},
			{UserPrincipalName: "o'b,x@x.example", Bytes: 12_000_000_000, Archive: true, Recoverable: 100 * directory.GB},
		}, ""},
		"nobody":           {mailboxHead, 0, nil, ""},
		"archive not told": {mailboxHead + mailboxRow("a@x.example", "False", "1", gb, ""), 0, []directory.Mailbox{{UserPrincipalName: "a@x.example", Bytes: 1, Archive: true, Recoverable: 30 * directory.GB}}, ""},
		"empty":            {"", 0, nil, "no header"},
		"not a report":     {"<html>\n", 0, nil, `no column "Report Refresh Date"`},
		"a column missing": {strings.Replace(mailboxHead, "Has Archive,", "", 1), 0, nil, `no column "Has Archive"`},
		"size not told": {mailboxHead + mailboxRow("a@x.example", "False", "1", "", "False") + mailboxRow("b@x.example", "False", "", gb, "False"), 0, []directory.Mailbox{
			{UserPrincipalName: "a@x.example", Bytes: 1, Unknown: true}, {UserPrincipalName: "b@x.example", Recoverable: 30 * directory.GB, Unknown: true},
		}, ""},
		"kinds": {withKind(mailboxHead, "Recipient Type") + withKind(mailboxRow("a@x.example", "False", "1", gb, "False"), "Shared"), 0, []directory.Mailbox{
			{UserPrincipalName: "a@x.example", Bytes: 1, Recoverable: 30 * directory.GB, Kind: "Shared"},
		}, ""},
		"size no number":         {mailboxHead + mailboxRow("a@x.example", "False", "much", gb, "False"), 0, nil, "a size in it is no number"},
		"stalled":                {mailboxHead + strings.Replace(mailboxRow("a@x.example", "False", "1", gb, "False"), "2026-11-22", "2026-11-02", 1), 0, nil, "it is of 2026-11-02, 21 days old"},
		"no date":                {mailboxHead + strings.Replace(mailboxRow("a@x.example", "False", "1", gb, "False"), "2026-11-22", "", 1), 0, nil, "its date is none"},
		"half a row":             {mailboxHead + "2026-11-22,a@x.ex", 0, nil, "a row of 2 columns below a header of 17"},
		"the address is too old": {"", http.StatusForbidden, nil, "the download answered 403"},
		"one more redirect":      {"", http.StatusFound, nil, "the download answered 302"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var token bool
			files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				token = r.Header.Get("Authorization") != ""
				if tc.status != 0 {
					w.WriteHeader(tc.status)
				}
				fmt.Fprint(w, tc.csv)
			}))
			t.Cleanup(files.Close)
			f := newFake(t, answer{status: http.StatusFound, header: map[string]string{"Location": files.URL + "/report.csv"}})
			var got []directory.Mailbox
			err := f.Mailboxes(t.Context(), func(m directory.Mailbox) error { got = append(got, m); return nil })
			if (tc.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("error %v, want %q", err, tc.err)
			}
			if d := cmp.Diff(tc.want, got); d != "" && tc.err == "" {
				t.Errorf("mailboxes (-want +got):\n%s", d)
			}
			if f.asked[0] != "GET /v1.0/reports/getMailboxUsageDetail(period='D7')" || token {
				t.Errorf("asked %q, token handed on: %t", f.asked, token)
			}
		})
	}
}

func TestMailboxesRefused(t *testing.T) {
	t.Parallel()
	f := newFake(t, forbidden)
	if err := f.Mailboxes(t.Context(), nil); !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "Reports.Read.All") {
		t.Errorf("error %v", err)
	}
	for _, place := range []string{"", "http://user@127.0.0.1/x", "::", "/here"} {
		f := newFake(t, answer{status: http.StatusFound, header: map[string]string{"Location": place}})
		if err := f.Mailboxes(t.Context(), nil); err == nil {
			t.Errorf("%q was asked", place)
		}
	}
}

// TestMailboxStops: an error of the callback ends the reading.
func TestMailboxStops(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	err := readMailboxes(strings.NewReader(mailboxHead+mailboxRow("a@x.example", "False", "5", "5", "False")), today, func(directory.Mailbox) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

func FuzzMailboxes(f *testing.F) {
	f.Add(mailboxHead + mailboxRow("a@x.example", "False", "5", "5", "False"))
	f.Add("User Principal Name\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		_ = readMailboxes(strings.NewReader(text), today, func(m directory.Mailbox) error { _ = m.OnHold(); return nil })
	})
}
