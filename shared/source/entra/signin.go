package entra

import (
	"regexp"
	"strings"
)

// SignInError means that azidentity tried every way to sign in, and got no token. Error returns Entra's answer, or the
// variables to set. Detail returns the answer of each way.
type SignInError struct{ cause error }

// The variable "refusal" matches Entra's answer to a refused sign-in, without the ids for Microsoft's support.
var refusal = regexp.MustCompile(`AADSTS\d+: [^\r\n"\\]*?(?:\.|$| Trace ID)`)

// Error implements error.
func (e *SignInError) Error() string {
	if text := refusal.FindString(e.cause.Error()); text != "" {
		return "Entra ID refuses the sign-in: " + strings.TrimSuffix(text, " Trace ID")
	}
	return "not signed in to Microsoft Graph; set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET to those of the app registration"
}

// Unwrap returns the error of azidentity.
func (e *SignInError) Unwrap() error { return e.cause }

// Detail returns the answer of each way to sign in, on lines of their own.
func (e *SignInError) Detail() string {
	var lines []string
	for line := range strings.Lines(e.cause.Error()) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && strings.Trim(line, "-") != "" {
			lines = append(lines, "  "+line)
		}
	}
	return strings.Join(lines, "\n")
}
