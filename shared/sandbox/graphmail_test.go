package sandbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sendMail = "/users/" + NoticeMailbox + "/sendMail"

func mailTo(address string) string {
	return `{"Message":{"subject":"s","body":{"contentType":"text","content":"b"},"toRecipients":[{"emailAddress":{"address":"` + address + `"}}]},"SaveToSentItems":true}`
}

// TestMailFaults: Graph stores a mail only if the answer is 202 or lost.
func TestMailFaults(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{})
	a.c.BreakMail(MailForbidden, MailThrottled, MailDown, MailLost, "")
	var got []int
	for range 6 {
		got = append(got, a.do("POST", sendMail, mailTo("anna@x.example")).status, len(a.c.Mails()))
	}
	if d := cmp.Diff([]int{403, 0, 429, 0, 504, 0, 504, 1, 202, 2, 202, 3}, got); d != "" {
		t.Errorf("status and mails after each request (-want +got):\n%s", d)
	}
	if d := cmp.Diff(Mail{At: fixedNow(), To: []string{"anna@x.example"}, Subject: "s", Body: "b"}, a.c.Mails()[0]); d != "" {
		t.Error(d)
	}
}
