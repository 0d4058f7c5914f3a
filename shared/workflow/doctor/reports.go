package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/source/usage"
)

// showNames returns the Mend that makes reports show names (Microsoft Graph, "Update adminReportSettings").
func showNames() *Mend {
	return graphWrite("Show names in reports; the setting takes some minutes, and reports some days.", "ReportSettings.ReadWrite.All", "patch", "/admin/reportSettings",
		`{"displayConcealedNames":false}`, "@{displayConcealedNames=$false}")
}

func late() *Mend {
	return read("Wait until Microsoft brings the report up to date; this shows whether a service has trouble.", "/admin/serviceAnnouncement/healthOverviews", "value[].[service,status]")
}

func checkMailboxes(ctx context.Context, e *exam) ([]Finding, func()) {
	if !slices.ContainsFunc(e.Policy.Rules, (*policy.Rule).GuardsMailbox) {
		return one(Finding{State: NotTried, Means: "Not tried, because no license of the policy has a mailboxQuota."})
	}
	all, concealed := 0, 0
	err := e.Entra.Mailboxes(ctx, func(m directory.Mailbox) error {
		all++
		if !strings.Contains(m.UserPrincipalName, "@") {
			concealed++
		}
		return nil
	})
	switch {
	case errors.Is(err, entra.ErrForbidden):
		return one(Finding{State: Failed, Means: sentence("%v", err), Mend: e.afterRefusal(err, "Reports.Read.All")})
	case err != nil:
		return one(Finding{State: Failed, Means: sentence("The sizes of mailboxes are unknown, so changes that depend on them are refused: %v", err), Mend: late()})
	case all == 0:
		return one(Finding{State: Failed, Means: "The report lists no mailbox, so changes that depend on their size are refused.", Mend: late()})
	case 2*concealed > all:
		return one(Finding{State: Failed, Means: fmt.Sprintf("%d of %d mailboxes have a concealed name, so nobody knows whose they are.", concealed, all), Mend: showNames()})
	}
	return one(Finding{State: OK, Means: fmt.Sprintf("The report lists %d mailboxes with their names.", all-concealed)})
}

func checkUsage(ctx context.Context, e *exam) (found []Finding, _ func()) {
	signals := e.Policy.Signals()
	for _, r := range usage.Of(signals) {
		_, facts, err := usage.Read(ctx, e.Entra, r, e.now)
		if err != nil {
			f := Finding{About: r.Name, State: Failed, Means: sentence("%v", err), Mend: late()}
			switch {
			case errors.Is(err, usage.ErrConcealed):
				f.Mend = showNames()
			case errors.Is(err, entra.ErrForbidden):
				f.Mend = e.afterRefusal(err, "Reports.Read.All")
			}
			found = append(found, f)
			continue
		}
		for _, s := range signals {
			if f, has := facts[s.String()]; has {
				found = append(found, e.reported(s, f))
			}
		}
	}
	if len(found) == 0 {
		return one(Finding{State: NotTried, Means: "Not tried, because no rule reads a usage report."})
	}
	return found, nil
}

func (e *exam) reported(s directory.Signal, f usage.Facts) Finding {
	if f.Failed != "" {
		feed := plan.Health(s, plan.FeedFacts{Failed: f.Failed}, e.now)
		return Finding{About: s.String(), State: Failed, Means: sentence("%s", feed.Reason), Mend: late()}
	}
	return e.signal(s, f.Freshness, "the people of the report")
}

// checkDelicensing tells an administrator to look at the setting for mailboxes that lose their license, because Graph
// does not show it (Microsoft Learn, "Delicensing Resiliency in Exchange Online": Get-OrganizationConfig,
// DelayedDelicensingEnabled).
func checkDelicensing(_ context.Context, e *exam) ([]Finding, func()) {
	if !slices.ContainsFunc(e.Policy.Rules, func(r *policy.Rule) bool { return r.License.SKU != "" }) {
		return one(Finding{State: NotTried, Means: "Not tried, because no rule takes a product that can have a mailbox."})
	}
	const look = "Connect-ExchangeOnline; Get-OrganizationConfig | Format-List DelayedDelicensingEnabled"
	return one(Finding{State: NotTried, Means: "Not tried, because Graph does not show whether Exchange keeps a mailbox for 30 more days after its license (delicensing resiliency).",
		Mend: &Mend{Do: "Look in Exchange Online, and switch it on with Set-OrganizationConfig -DelayedDelicensingEnabled:$true.", Bash: "pwsh -Command " + word(look), PowerShell: look}})
}

// The function "age" returns a duration as text, in whole days or hours.
func age(d time.Duration) string {
	switch hours := int(d / time.Hour); {
	case hours >= 48:
		return fmt.Sprintf("%d days", hours/24)
	case hours == 1:
		return "an hour"
	case hours > 1:
		return fmt.Sprintf("%d hours", hours)
	}
	return "less than an hour"
}
