package entra

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// TestMailIsSentOnce: a mail is sent again only if Graph says that it did not accept the mail. Every other failure is
// uncertain.
func TestMailIsSentOnce(t *testing.T) {
	t.Parallel()
	throttled := failure(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
	throttled.header = map[string]string{"Retry-After": "7"}
	accepted := answer{status: 202}
	for name, tt := range map[string]struct {
		play      []answer
		asked     int
		fails     string // a part of the message; empty if the call succeeds
		uncertain bool
	}{
		"accepted":             {[]answer{accepted}, 1, "", false},
		"throttled":            {[]answer{throttled, accepted}, 2, "", false},
		"throttled for long":   {[]answer{throttled, throttled, throttled, throttled, throttled, throttled}, 6, "gave up", false},
		"forbidden":            {[]answer{failure(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")}, 1, "Access is denied", false},
		"no mailbox":           {[]answer{failure(404, "ErrorInvalidUser", "The requested user is invalid.")}, 1, "is invalid", false},
		"bad gateway":          {[]answer{failure(502, "UnknownError", "")}, 1, "502", true},
		"unavailable":          {[]answer{failure(503, "ServiceUnavailable", "")}, 1, "503", true},
		"gateway timeout":      {[]answer{failure(504, "UnknownError", "")}, 1, "504", true},
		"no answer":            {[]answer{{hangUp: true}}, 1, "network", true},
		"request timeout":      {[]answer{failure(408, "RequestTimeout", "")}, 1, "408", true},
		"throttled, then lost": {[]answer{throttled, {hangUp: true}}, 2, "network", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play...)
			err := f.SendMail(t.Context(), "licenses@contoso.example", directory.Mail{Person: userA, To: "anna@x.example", Copy: "bo@x.example", Subject: "s", Body: "b"})
			if (err != nil) != (tt.fails != "") || err != nil && !strings.Contains(err.Error(), tt.fails) || errors.Is(err, directory.ErrUncertain) != tt.uncertain {
				t.Errorf("error %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "x.example") {
				t.Errorf("the error names an address: %v", err)
			}
			if len(f.asked) != tt.asked || f.asked[0] != "POST /v1.0/users/licenses@contoso.example/sendMail" {
				t.Errorf("asked %q", f.asked)
			}
			want := `{"Message":{"@odata.type":"#microsoft.graph.message","body":{"content":"b","contentType":"text"},"ccRecipients":[{"emailAddress":{"address":"bo@x.example"}}],"subject":"s","toRecipients":[{"emailAddress":{"address":"anna@x.example"}}]},"SaveToSentItems":true}`
			if d := cmp.Diff(want, f.bodies[0]); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestMailNeedsAPermit: if the evidence becomes too old while a mail waits for Graph, SendMail does not send the mail,
// and the failure is not uncertain.
func TestMailNeedsAPermit(t *testing.T) {
	t.Parallel()
	old := errors.New("too old")
	tries := 0
	f := newFake(t, failure(429, "ApplicationThrottled", ""))
	ctx := directory.WithPermit(context.Background(), func() error {
		if tries++; tries > 1 {
			return old
		}
		return nil
	})
	if err := f.SendMail(ctx, "licenses@contoso.example", directory.Mail{Person: userA}); !errors.Is(err, old) || errors.Is(err, directory.ErrUncertain) || len(f.asked) != 1 {
		t.Errorf("error %v after %q", err, f.asked)
	}
}

func TestManagerMail(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		play  answer
		want  string
		fails bool
	}{
		"a manager":  {answer{body: `{"accountEnabled":true,"mail":"m@x.example","userType":"Member"}`}, "m@x.example", false},
		"none":       {notFound, "", false},
		"blocked":    {answer{body: `{"accountEnabled":false,"mail":"m@x.example","userType":"Member"}`}, "", false},
		"unknown":    {answer{body: `{"mail":"m@x.example","userType":"Member"}`}, "", false},
		"a guest":    {answer{body: `{"accountEnabled":true,"mail":"m@x.example","userType":"Guest"}`}, "", false},
		"no address": {answer{body: `{"accountEnabled":true,"mail":null,"userType":"Member"}`}, "", false},
		"forbidden":  {forbidden, "", true},
		"damaged":    {answer{body: `{"mail":`}, "", true},
	} {
		f := newFake(t, tt.play)
		got, err := f.ManagerMail(t.Context(), userA)
		if got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if d := cmp.Diff([]string{"GET /v1.0/users/" + userA + "/manager"}, f.asked); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestManager: if the application may not see the manager, Graph returns only the manager's id (docs: "Limited
// information returned for inaccessible member objects"). Manager then returns no name and no address, and no error.
func TestManager(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		play  answer
		want  [2]string
		fails bool
	}{
		"a manager":        {answer{body: `{"displayName":"Mia Malm","accountEnabled":true,"mail":"m@x.example","userType":"Member"}`}, [2]string{"Mia Malm", "m@x.example"}, false},
		"a blocked one":    {answer{body: `{"displayName":"Mia Malm","accountEnabled":false,"mail":null,"userType":"Member"}`}, [2]string{"Mia Malm", ""}, false},
		"one not to see":   {answer{body: `{"@odata.type":"#microsoft.graph.user","displayName":null,"accountEnabled":null,"mail":null,"userType":null}`}, [2]string{}, false},
		"none, or no user": {notFound, [2]string{}, false},
		"forbidden":        {forbidden, [2]string{}, true},
		"damaged":          {answer{body: `{"mail":`}, [2]string{}, true},
	} {
		f := newFake(t, tt.play)
		var got [2]string
		var err error
		got[0], got[1], err = f.Manager(t.Context(), userA)
		if got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	f := newFake(t)
	if _, _, err := f.Manager(t.Context(), "../groups"); err == nil || len(f.asked) > 0 {
		t.Errorf("no id: %v, asked %q", err, f.asked)
	}
}
