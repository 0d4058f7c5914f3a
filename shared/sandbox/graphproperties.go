package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// userProperties are the properties of a user, in the order of an answer. The properties in ownProperties have code of
// their own. The others are plain strings and dates from directory.EntraProperties.
var userProperties = append(ownProperties, plainBeside(ownProperties)...)

func plainBeside(own []property[entraUser]) (more []property[entraUser]) {
	parts := map[string][]property[entraUser]{} // properties of the parts, by the name before the slash in Property.Source
	for i := range directory.EntraProperties {
		p := &directory.EntraProperties[i]
		name, part, hasParts := strings.Cut(p.Source, "/")
		known := slices.ContainsFunc(own, func(o property[entraUser]) bool { return o.name == name })
		if name == "" || known || strings.HasPrefix(name, "@") || p.Kind == directory.Bool {
			continue
		}
		if !hasParts {
			more = append(more, plainProperty(name, p))
			continue
		}
		if parts[name] == nil {
			more = append(more, property[entraUser]{name, func(b []byte, u *entraUser) []byte { return appendObject(b, u, parts[name], "") }})
		}
		parts[name] = append(parts[name], plainProperty(part, p))
	}
	return more
}

// plainProperty returns a property that is a string or a date. The argument "name" is its name in Graph.
func plainProperty(name string, p *directory.Property[directory.EntraUser]) property[entraUser] {
	if p.Kind == directory.Date {
		return property[entraUser]{name, func(b []byte, u *entraUser) []byte { return appendTime(b, *p.At(&u.EntraUser).(*time.Time)) }}
	}
	return text(name, func(u *entraUser) string { return *p.At(&u.EntraUser).(*string) })
}

var ownProperties = []property[entraUser]{
	text("id", func(u *entraUser) string { return u.ID }),
	constant[entraUser]("deletedDateTime", "null"),
	boolean("accountEnabled", func(u *entraUser) bool { return u.Enabled == directory.Yes }),
	{"assignedLicenses", appendAssignedLicenses},
	constant[entraUser]("businessPhones", "[]"),
	text("companyName", func(u *entraUser) string { return u.CompanyName }),
	text("country", func(u *entraUser) string { return u.Country }),
	{"createdDateTime", func(b []byte, u *entraUser) []byte { return appendTime(b, u.Created) }},
	text("department", func(u *entraUser) string { return u.Department }),
	text("displayName", func(u *entraUser) string { return u.DisplayName }),
	text("employeeId", func(u *entraUser) string { return u.EmployeeID }),
	text("employeeType", func(u *entraUser) string { return u.EmployeeType }),
	text("externalUserState", func(u *entraUser) string { return map[bool]string{true: "Accepted"}[u.UserType == guestType] }),
	text("givenName", func(u *entraUser) string { return u.given }),
	text("identityParentId", func(u *entraUser) string { return u.IdentityParentID }),
	text("jobTitle", func(u *entraUser) string { return u.JobTitle }),
	{"licenseAssignmentStates", appendAssignmentStates},
	text("mail", func(u *entraUser) string { return u.Mail }),
	constant[entraUser]("mobilePhone", "null"),
	text("officeLocation", func(u *entraUser) string { return u.OfficeLocation }),
	text("onPremisesDistinguishedName", func(u *entraUser) string { return u.dn }),
	text("onPremisesDomainName", func(u *entraUser) string { return onlyLinked(u, dnsDomain) }),
	{"onPremisesExtensionAttributes", appendExtension},
	text("onPremisesImmutableId", func(u *entraUser) string { return u.ImmutableID }),
	text("onPremisesSamAccountName", func(u *entraUser) string { return u.SAMAccount }),
	text("onPremisesSecurityIdentifier", func(u *entraUser) string { return u.SID }),
	{"onPremisesSyncEnabled", func(b []byte, u *entraUser) []byte {
		if u.once {
			return appendBool(b, u.Synced)
		}
		return appendSynced(b, false)
	}},
	text("onPremisesUserPrincipalName", func(u *entraUser) string { return onlyLinked(u, u.UserPrincipalName) }),
	text("preferredLanguage", func(u *entraUser) string { return u.PreferredLanguage }),
	{"signInActivity", appendSignInActivity},
	text("surname", func(u *entraUser) string { return u.surname }),
	text("usageLocation", func(u *entraUser) string { return u.UsageLocation }),
	text("userPrincipalName", func(u *entraUser) string { return u.UserPrincipalName }),
	text("userType", func(u *entraUser) string { return u.UserType }),
}

// userDefaults are the properties of a user in an answer without $select.
var userDefaults = []string{"id", "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
	"preferredLanguage", "surname", "userPrincipalName"}

const dnsDomain = "corp.example.test"

func onlyLinked(u *entraUser, s string) string {
	if !u.linked {
		return ""
	}
	return s
}

// appendSynced appends true, or null in place of false. Graph shows null, for example, as onPremisesSyncEnabled of an
// account that was never synced.
func appendSynced(b []byte, synced bool) []byte {
	if synced {
		return append(b, "true"...)
	}
	return append(b, "null"...)
}

func appendAssignedLicenses(b []byte, u *entraUser) []byte {
	var active []assignment
	for _, sku := range heldSKUs(u.assignments) {
		n := slices.IndexFunc(u.assignments, func(a assignment) bool { return a.SKU == sku && a.Active() })
		active = append(active, u.assignments[n])
	}
	return appendList(b, active, func(b []byte, a assignment) []byte {
		return appendAssigned(b, a.SKU, a.DisabledPlans)
	})
}

func appendAssigned(b []byte, sku string, disabled []string) []byte {
	b = append(b, `{"disabledPlans":`...)
	b = appendList(b, disabled, appendText)
	b = append(b, `,"skuId":`...)
	return append(appendText(b, sku), '}')
}

func appendAssignmentStates(b []byte, u *entraUser) []byte {
	return appendList(b, u.assignments, func(b []byte, a assignment) []byte {
		b = append(b, `{"skuId":`...)
		b = appendText(b, a.SKU)
		b = append(b, `,"disabledPlans":`...)
		b = appendList(b, a.DisabledPlans, appendText)
		b = append(b, `,"assignedByGroup":`...)
		b = appendText(b, a.Group)
		b = append(b, `,"state":`...)
		b = appendText(b, a.State)
		b = append(b, `,"error":`...)
		b = appendText(b, a.Error)
		b = append(b, `,"lastUpdatedDateTime":`...)
		return append(appendTime(b, a.updated), '}')
	})
}

func appendExtension(b []byte, u *entraUser) []byte {
	b = append(b, '{')
	for i, value := range u.Extension {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `"extensionAttribute`...)
		b = strconv.AppendInt(b, int64(i+1), 10)
		b = appendText(append(b, `":`...), value)
	}
	return append(b, '}')
}

// appendSignInActivity appends the three dates of signInActivity. A user who never signed in does not have the
// property.
func appendSignInActivity(b []byte, u *entraUser) []byte {
	if u.LastActivity().IsZero() {
		return nil
	}
	at := func(name string, t time.Time) {
		b = append(b, '"')
		b = append(b, name...)
		b = appendTime(append(b, `DateTime":`...), t)
		b = append(b, `,"`...)
		b = append(b, name...)
		b = append(b, `RequestId":`...)
		if t.IsZero() {
			b = append(b, "null"...)
		} else {
			b = appendText(b, requestID(uint64(t.Unix())))
		}
	}
	b = append(b, '{')
	at("lastSignIn", u.LastInteractive)
	b = append(b, ',')
	at("lastNonInteractiveSignIn", u.LastNonInteractive)
	b = append(b, ',')
	at("lastSuccessfulSignIn", u.LastSuccessful)
	return append(b, '}')
}

var groupProperties = []property[group]{
	text("id", func(g *group) string { return g.id }),
	constant[group]("deletedDateTime", "null"),
	{"assignedLicenses", func(b []byte, g *group) []byte {
		return appendList(b, g.grants, func(b []byte, sku string) []byte { return appendAssigned(b, sku, nil) })
	}},
	constant[group]("createdDateTime", `"2021-03-01T08:00:00Z"`),
	text("description", func(g *group) string { return g.description }),
	text("displayName", func(g *group) string { return g.name }),
	{"groupTypes", func(b []byte, g *group) []byte {
		if g.dynamic {
			return append(b, `["DynamicMembership"]`...)
		}
		return append(b, "[]"...)
	}},
	constant[group]("isManagementRestricted", "false"),
	{"isAssignableToRole", func(b []byte, g *group) []byte { return appendSynced(b, g.roleAssignable) }},
	text("mail", func(g *group) string { return onlyMail(g, "all.sales@"+upnDomain) }),
	boolean("mailEnabled", func(g *group) bool { return g.mailEnabled }),
	text("mailNickname", func(g *group) string { return g.id[24:] }),
	text("membershipRule", func(g *group) string { return g.rule }),
	{"membershipRuleProcessingState", func(b []byte, g *group) []byte {
		if g.dynamic {
			return append(b, `"On"`...)
		}
		return append(b, "null"...)
	}},
	text("onPremisesSecurityIdentifier", func(g *group) string {
		if !g.synced() {
			return ""
		}
		return sidText(g.rid)
	}),
	{"onPremisesSyncEnabled", func(b []byte, g *group) []byte { return appendSynced(b, g.synced()) }},
	boolean("securityEnabled", func(*group) bool { return true }),
	{"visibility", func(b []byte, g *group) []byte {
		if g.hidden {
			return append(b, `"HiddenMembership"`...)
		}
		return append(b, "null"...)
	}},
}

func onlyMail(g *group, s string) string {
	if !g.mailEnabled {
		return ""
	}
	return s
}

// groupDefaults are the properties of a group in an answer without $select.
var groupDefaults = propertyNames(groupProperties)

func propertyNames[T any](properties []property[T]) (names []string) {
	for _, p := range properties {
		names = append(names, p.name)
	}
	return names
}

func selectFrom[T any](properties []property[T], names []string) (selected []property[T]) {
	for _, p := range properties {
		if slices.Contains(names, p.name) {
			selected = append(selected, p)
		}
	}
	return selected
}
