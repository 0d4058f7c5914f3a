package sandbox

import "fmt"

// Policy returns the demo policy: two rules in mode review, limits that fit the company's size, and a leave of absence
// that has not ended.
func (s *Sandbox) Policy() []byte {
	c := s.Company
	return fmt.Appendf(nil, demoPolicy, TenantID, CitrixGroup, c.start.Add(120*day).Format("2006-01-02"),
		max(500, c.Size()/10), min(max(200, c.Size()/5), mostPerRun))
}

// mostPerRun is the largest perRun that a policy accepts.
const mostPerRun = 5000

const demoPolicy = `tenant: %s
mode: review
currency: USD
attributes:
  AzureAdSistaLogon: entra.lastActivity
  LastlogonTimestamp: ad.lastLogonTimestamp
  created: newest(entra.created, ad.created)
  systemRole: entra.employeeType
licenses:
  m365-e3:         {sku: SPE_E3,           group: {entra: LIC-M365-E3}, monthlyPrice: 39}
  exchange-online: {sku: EXCHANGESTANDARD, group: {entra: LIC-EXO-P1},  monthlyPrice: 4}
  citrix:          {group: {ad: %q}, model: user, monthlyPrice: 18}
grace: {neverSignedIn: 14, newHolder: 14, enabledAgain: 14}
exempt:
  users:  [breakglass@contoso.example]
  groups: [{entra: LIC-Exempt}]
  leave:  [{user: anna@contoso.example, until: %s, reason: parental leave}]
  when:   userType == "Guest"
limits:  {stopAbove: {percent: 10, count: %d}, perRun: %d}
rules:
  - name: m365-idle-60
    license: m365-e3
    for: accountEnabled && systemRole == "Employee"
    when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()
    then: {changeTo: exchange-online}
  - name: citrix-idle-90
    license: citrix
    when: |
      LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90))
                                    : created.value() <= now - days(90)
    then: remove
`
