package policy

import (
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

type (
	entraUser = directory.EntraUser
	adUser    = directory.ADUser
)

// entraSetters and adSetters write the fields of an account by the names a
// policy knows them by, without their source. "synced" is short for
// onPremisesSyncEnabled; "enabledSince" is the first reading that saw the account
// enabled after it was not.
var (
	entraSetters = allEntraSetters()
	adSetters    = allADSetters()
)

func allEntraSetters() map[string]setter[entraUser] {
	m := map[string]setter[entraUser]{
		"lastActivity": func(r *reader, n *yaml.Node, u *entraUser) { r.instant(n, &u.LastSuccessful) },
	}
	for name, field := range map[string]func(*entraUser) *string{
		"id":                func(u *entraUser) *string { return &u.ID },
		"userPrincipalName": func(u *entraUser) *string { return &u.UserPrincipalName },
		"displayName":       func(u *entraUser) *string { return &u.DisplayName },
		"mail":              func(u *entraUser) *string { return &u.Mail },
		"userType":          func(u *entraUser) *string { return &u.UserType },
		"department":        func(u *entraUser) *string { return &u.Department },
		"employeeType":      func(u *entraUser) *string { return &u.EmployeeType },
		"employeeId":        func(u *entraUser) *string { return &u.EmployeeID },
		"jobTitle":          func(u *entraUser) *string { return &u.JobTitle },
		"companyName":       func(u *entraUser) *string { return &u.CompanyName },
		"officeLocation":    func(u *entraUser) *string { return &u.OfficeLocation },
		"country":           func(u *entraUser) *string { return &u.Country },
		"usageLocation":     func(u *entraUser) *string { return &u.UsageLocation },
		"identityParentId":  func(u *entraUser) *string { return &u.IdentityParentID },
	} {
		m[name] = func(r *reader, n *yaml.Node, u *entraUser) { r.word(n, field(u)) }
	}
	for name, field := range map[string]func(*entraUser) *time.Time{
		"created":                  func(u *entraUser) *time.Time { return &u.Created },
		"lastInteractiveSignIn":    func(u *entraUser) *time.Time { return &u.LastInteractive },
		"lastNonInteractiveSignIn": func(u *entraUser) *time.Time { return &u.LastNonInteractive },
		"lastSuccessfulSignIn":     func(u *entraUser) *time.Time { return &u.LastSuccessful },
	} {
		m[name] = func(r *reader, n *yaml.Node, u *entraUser) { r.instant(n, field(u)) }
	}
	m["enabledSince"] = func(r *reader, n *yaml.Node, u *entraUser) { r.instant(n, &u.Past.EnabledSince) }
	m["accountEnabled"] = func(r *reader, n *yaml.Node, u *entraUser) { r.enabled(n, &u.Enabled) }
	m["onPremisesSyncEnabled"] = func(r *reader, n *yaml.Node, u *entraUser) { u.Synced = r.flag(n, "synced") }
	m["synced"] = m["onPremisesSyncEnabled"]
	addExtensions(m, func(u *entraUser) *directory.ExtensionAttributes { return &u.Extension })
	return m
}

func allADSetters() map[string]setter[adUser] {
	m := map[string]setter[adUser]{
		"accountEnabled":     func(r *reader, n *yaml.Node, u *adUser) { r.enabled(n, &u.Enabled) },
		"created":            func(r *reader, n *yaml.Node, u *adUser) { r.instant(n, &u.Created) },
		"enabledSince":       func(r *reader, n *yaml.Node, u *adUser) { r.instant(n, &u.Past.EnabledSince) },
		"lastLogonTimestamp": func(r *reader, n *yaml.Node, u *adUser) { r.instant(n, &u.LastLogonTimestamp) },
	}
	for name, field := range map[string]func(*adUser) *string{
		"sAMAccountName":             func(u *adUser) *string { return &u.SAMAccount },
		"userPrincipalName":          func(u *adUser) *string { return &u.UserPrincipalName },
		"distinguishedName":          func(u *adUser) *string { return &u.DN },
		"displayName":                func(u *adUser) *string { return &u.DisplayName },
		"mail":                       func(u *adUser) *string { return &u.Mail },
		"department":                 func(u *adUser) *string { return &u.Department },
		"employeeType":               func(u *adUser) *string { return &u.EmployeeType },
		"employeeID":                 func(u *adUser) *string { return &u.EmployeeID },
		"title":                      func(u *adUser) *string { return &u.Title },
		"company":                    func(u *adUser) *string { return &u.Company },
		"physicalDeliveryOfficeName": func(u *adUser) *string { return &u.Office },
		"co":                         func(u *adUser) *string { return &u.Country },
		"msExchRecipientTypeDetails": func(u *adUser) *string { return &u.RecipientType },
	} {
		m[name] = func(r *reader, n *yaml.Node, u *adUser) { r.word(n, field(u)) }
	}
	addExtensions(m, func(u *adUser) *directory.ExtensionAttributes { return &u.Extension })
	return m
}

func addExtensions[T any](m map[string]setter[T], of func(*T) *directory.ExtensionAttributes) {
	for i := range len(directory.ExtensionAttributes{}) {
		m["extensionAttribute"+strconv.Itoa(i+1)] = func(r *reader, n *yaml.Node, account *T) { r.word(n, &of(account)[i]) }
	}
}
