package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/source/usage"
)

func checkSignIn(ctx context.Context, e *exam) ([]Finding, func()) {
	if e.EntraErr != nil {
		return one(Finding{State: Failed, Means: sentence("%v", e.EntraErr), Mend: e.mendSettings()})
	}
	g, err := e.Entra.Grant(ctx)
	var nobody *entra.SignInError
	switch {
	case errors.As(err, &nobody) && e.Away():
		return one(Finding{State: NotTried, Means: sentence("Not tried, because nobody is signed in to Entra ID on this machine. The functions of %s sign in as their own applications", e.Stack),
			Mend: same("Sign in, to examine Entra ID with your own account.", "az login")})
	case errors.As(err, &nobody):
		return one(Finding{State: Failed, Means: strings.TrimSpace(sentence("%v", nobody) + e.missing()), Mend: e.setSignIn()})
	case err != nil:
		return one(Finding{State: Failed, Means: sentence("%v", err), Mend: e.setSignIn()})
	case g.Tokenless:
		return one(Finding{State: OK, Means: "Graph is on this machine and needs no sign-in."})
	}
	means := sentence("Application %s is signed in to tenant %s", g.Application, g.Tenant)
	if e.Stack != "" {
		means += " " + sentence("All checks of Entra ID are about it. The functions of %s sign in as their own applications, whose rights nobody asked here; what their sources lack is in the plans (idleseat show latest)", e.Stack)
	}
	return []Finding{{State: OK, Means: means}}, func() { e.grant = g }
}

func (e *exam) mendSettings() *Mend {
	for name, usual := range map[string]string{"IDLESEAT_GRAPH_URL": "https://graph.microsoft.com/v1.0", "IDLESEAT_ENTRA_AUTH": entra.AuthDefault} {
		if strings.HasPrefix(e.EntraErr.Error(), name+" is ") {
			return setTo("Set the variable to its usual value.", name, usual)
		}
	}
	return e.setSignIn()
}

var ours = []string{"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"}

func (e *exam) missing() string {
	unset := slices.DeleteFunc(slices.Clone(ours), func(name string) bool {
		value, _ := e.Variable(name)
		return value != ""
	})
	if len(unset) == 0 {
		return ""
	}
	return " Not set: " + strings.Join(unset, ", ") + "."
}

// setSignIn returns the Mend that tells how to sign in as the application of docs/operations.md.
func (e *exam) setSignIn() *Mend {
	m := &Mend{Do: "Sign in with az login. That alone is enough on a laptop; elsewhere set the variables of the app registration, here of the one named idleseat reads."}
	tenant := "$(az account show --query tenantId --output tsv)"
	if e.Policy != nil {
		tenant = e.Policy.Tenant
	}
	const app, secret = "$(az ad app list --display-name 'idleseat reads' --query '[0].appId' --output tsv)", " --append --query password --output tsv)"
	m.Bash = `export AZURE_TENANT_ID="` + tenant + `"` + "\n" + `export AZURE_CLIENT_ID="` + app + `"` + "\n" +
		`export AZURE_CLIENT_SECRET="$(az ad app credential reset --id "$AZURE_CLIENT_ID"` + secret + `"`
	m.PowerShell = `$env:AZURE_TENANT_ID = "` + tenant + `"` + "\n" + `$env:AZURE_CLIENT_ID = "` + app + `"` + "\n" +
		`$env:AZURE_CLIENT_SECRET = "$(az ad app credential reset --id $env:AZURE_CLIENT_ID` + secret + `"`
	return m
}

// The constant "never" is a permission that idleseat must not have.
const never = "User.ReadWrite.All"

// The function "needed" returns the permissions of the table in docs/operations.md: "read" for a complete plan, and
// "write" to apply it.
func needed(p *policy.Policy) (read, write []string) {
	read = []string{"User.Read.All", "AuditLog.Read.All", "Group.Read.All", "Organization.Read.All"}
	if p == nil {
		return read, nil
	}
	if len(usage.Of(p.Signals())) > 0 || slices.ContainsFunc(p.Rules, (*policy.Rule).GuardsMailbox) {
		read = append(read, "Reports.Read.All")
	}
	if slices.ContainsFunc(p.GroupRefs(), func(g directory.GroupRef) bool { return g.Source == directory.Entra }) {
		write = append(write, "GroupMember.ReadWrite.All")
	}
	if len(p.SKUs()) > 0 {
		write = append(write, "LicenseAssignment.ReadWrite.All")
	}
	return read, write
}

// checkPermissions compares the permissions in the token with the permissions that idleseat needs. Graph may refuse a
// request in spite of the token, so other checks send requests.
func checkPermissions(_ context.Context, e *exam) ([]Finding, func()) {
	g := e.grant
	if g.Application == "" && g.Tenant == "" {
		return one(Finding{State: NotTried, Means: "Not tried, because Graph on this machine uses no token."})
	}
	read, write := needed(e.Policy)
	lacks := func(names []string) []string {
		return slices.DeleteFunc(names, g.Has)
	}
	var found []Finding
	if missing := lacks(read); len(missing) > 0 {
		state := Failed
		if len(g.Scopes) > 0 { // a signed-in person's rights also depend on the person's roles
			state = Warning
		}
		found = append(found, Finding{About: "reading", State: state, Means: sentence("The token lacks %s, which plans need", strings.Join(missing, ", ")),
			Mend: grantRole("Grant them and the consent of an administrator.", g.Application, missing...)})
	} else {
		found = append(found, Finding{About: "reading", State: OK, Means: "The token has each permission that plans need."})
	}
	if missing := lacks(write); len(missing) > 0 {
		found = append(found, Finding{About: "writing", State: Warning,
			Means: sentence("The token lacks %s: plans are made, but cannot be applied with it", strings.Join(missing, ", ")),
			Mend:  grantRole("Grant them when you want to apply plans here. A right on the license groups alone can stand for GroupMember.ReadWrite.All.", g.Application, missing...)})
	} else if len(write) > 0 {
		found = append(found, Finding{About: "writing", State: OK, Means: "The token has each permission that changes need."})
	}
	if slices.Contains(g.Roles, never) {
		found = append(found, Finding{About: never, State: Warning, Means: "With " + never + " a single wrong request deletes a user, and idleseat does not need it.", Mend: e.takeAway(g.Application, never)})
	}
	return found, nil
}

func (e *exam) takeAway(application, permission string) *Mend {
	role := ` --api ` + graphAPI + ` --api-permissions "$(az ad sp show --id ` + graphAPI + ` --query "appRoles[?value=='` + permission + `'].id" --output tsv)"`
	return &Mend{
		Do:         "Take the permission away, and give the consent anew.",
		Bash:       "az ad app permission delete --id " + word(application) + role + "\naz ad app permission admin-consent --id " + word(application),
		PowerShell: "az ad app permission delete --id " + literal(application) + role + "\naz ad app permission admin-consent --id " + literal(application),
	}
}

// checkGraph reads the tenant. The answer of Graph also shows Graph's time, so checkGraph checks the clock too.
func checkGraph(ctx context.Context, e *exam) ([]Finding, func()) {
	const theClock = "clock"
	id, skus, err := e.Entra.Tenant(ctx)
	switch {
	case errors.Is(err, directory.ErrClock):
		return []Finding{
			{Check: theClock, About: "Microsoft Graph", State: Failed, Means: sentence("%v", err), Mend: setClock()},
			{State: Failed, Means: "Graph answers, but nothing may be decided by a wrong clock.", Mend: setClock()},
		}, nil
	case err != nil:
		return one(Finding{State: Failed, Means: sentence("%v", err), Mend: e.afterRefusal(err, "Organization.Read.All")})
	}
	found := []Finding{{State: OK, Means: sentence("Graph answers for tenant %s, which has %s", id, plain.Many(len(skus), "product"))}}
	if e.Policy != nil && id != e.Policy.Tenant {
		found[0] = Finding{State: Failed, Means: sentence("The policy is for tenant %s, but Graph answers for %s", e.Policy.Tenant, id),
			Mend: setTo("Sign in to the tenant of the policy, or correct the tenant in the policy.", "AZURE_TENANT_ID", e.Policy.Tenant)}
	}
	found = append(found, Finding{Check: theClock, About: "Microsoft Graph", State: OK, Means: "The clocks of Graph and of this machine agree within 10 minutes."})
	return found, func() { e.skus = skus }
}

// afterRefusal returns the Mend for a request that Graph answered with the error err. The argument "permissions" has
// the permissions that this request needs.
func (e *exam) afterRefusal(err error, permissions ...string) *Mend {
	switch {
	case errors.Is(err, entra.ErrNotPremium):
		return read("Buy Microsoft Entra ID P1 or P2, or a product that has it; this shows the products of the tenant.", "/subscribedSkus", "value[].skuPartNumber")
	case errors.Is(err, entra.ErrForbidden):
		return grantRole("Grant the permission and the consent of an administrator; a new token has it after some minutes.", e.grant.Application, permissions...)
	}
	return e.again()
}

func setClock() *Mend {
	return &Mend{Do: "Set the clock of the machine that is wrong, here or there.", Bash: "sudo timedatectl set-ntp true", PowerShell: "Start-Service w32time; w32tm /resync /force"}
}

// checkSignInDates checks whether the first accounts that Graph lists have recent sign-in dates. It is as strict as the
// first run in a tenant.
func checkSignInDates(ctx context.Context, e *exam) ([]Finding, func()) {
	var f directory.Freshness
	err := evidence.SampleEntra(ctx, e.Entra, func(u *directory.EntraUser) { f.SampleEntra(u, e.now) })
	const premium, reading = "premium license", "people of Entra ID"
	switch {
	case errors.Is(err, entra.ErrNotPremium):
		return one(Finding{About: premium, State: Failed, Means: sentence("%v", err), Mend: e.afterRefusal(err)})
	case err != nil:
		return one(Finding{About: reading, State: Failed, Means: sentence("%v", err), Mend: e.afterRefusal(err, "User.Read.All", "AuditLog.Read.All")})
	}
	found := Finding{About: premium, State: OK, Means: "Graph shows sign-in dates, so the tenant has the license for them."}
	return []Finding{found, e.signal(directory.SignIns, f, "the first accounts that Graph lists")}, nil
}

// withoutDates returns the Mend for missing or old dates. If the reason mentions --accept-feeds, an operator can accept
// such dates, and the Mend names the command for that.
func (e *exam) withoutDates(s directory.Signal, reason string) *Mend {
	switch {
	case strings.Contains(reason, "--accept-feeds"):
		return e.command("Find out why the dates are missing. Only if they are right, accept them once.", "plan --accept-feeds", "")
	case s == directory.Logons:
		return &Mend{Do: "Find out why the controllers have no newer dates; the command shows whether they replicate. As an administrator, on a controller.",
			Bash: "samba-tool drs showrepl --summary", PowerShell: "repadmin /replsummary"}
	}
	return same("See whether Graph has sign-in dates: the command asks for those of five accounts. Without any, look for the premium license and for the permission AuditLog.Read.All.",
		`az rest --method get --url "https://graph.microsoft.com/v1.0/users" --url-parameters '$top=5' '$select=userPrincipalName,signInActivity' --query "value[].[userPrincipalName,signInActivity.lastSignInDateTime]" --output tsv`)
}

// The method "signal" returns the finding about the dates of one signal, such as the sign-ins. The parameter "of" says
// which accounts were counted.
func (e *exam) signal(s directory.Signal, f directory.Freshness, of string) Finding {
	feed := plan.Health(s, plan.FeedFacts{Freshness: f, First: true}, e.now)
	found := Finding{About: s.String(), State: OK}
	if feed.State != plan.Healthy {
		found.State, found.Means = Failed, sentence("Of %s: %s", of, feed.Reason)
		found.Mend = e.withoutDates(s, feed.Reason)
		return found
	}
	found.Means = fmt.Sprintf("%d of %d (%s) have a %s date, and the newest is %s old.", f.WithActivity, f.Sampled, of, s.Date(), age(e.now.Sub(f.Newest)))
	return found
}
