package entra

import (
	"fmt"
	"strings"
)

// graphPage returns a page of n users in the form that Graph sends, with nulls, request ids and properties that were
// not requested.
func graphPage(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id,signInActivity)",` +
		`"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$select=id&$skiptoken=m~AQAnO2","value":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(graphUser(i))
	}
	b.WriteString("]}")
	return []byte(b.String())
}

func graphUser(i int) string {
	licenses := `"assignedLicenses":[{"disabledPlans":["bea4c11e-220a-4e6d-8eb8-8ea15d019f90"],"skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965"},` +
		`{"disabledPlans":[],"skuId":"078d2b04-f1bd-4111-bbd4-b4b1b354cef4"}],` +
		`"licenseAssignmentStates":[{"skuId":"05e9a617-0261-4cee-bb44-138d3ef5d965","disabledPlans":["bea4c11e-220a-4e6d-8eb8-8ea15d019f90"],` +
		`"lastUpdatedDateTime":"2025-04-02T08:12:44Z","assignedByGroup":"e1f5a2b4-0000-4000-8000-0000000000aa","state":"Active","error":"None"},` +
		`{"skuId":"078d2b04-f1bd-4111-bbd4-b4b1b354cef4","disabledPlans":[],"lastUpdatedDateTime":"2025-04-02T08:12:44Z",` +
		`"assignedByGroup":null,"state":"Active","error":"None"}]`
	extension := `"onPremisesExtensionAttributes":{"extensionAttribute1":"cost-4711"`
	for a := 2; a <= 15; a++ {
		extension += fmt.Sprintf(`,"extensionAttribute%d":null`, a)
	}
	return fmt.Sprintf(`{"id":"%08d-aaaa-4bbb-8ccc-000000000000","userPrincipalName":"person.%d@contoso.example",`+
		`"displayName":"Person Number %d","mail":"person.%d@contoso.example","userType":"Member","department":"Research",`+
		`"employeeType":"Employee","employeeId":"E%06d","jobTitle":"Engineer","companyName":"Contoso","officeLocation":null,`+
		`"country":"Norway","usageLocation":"NO","accountEnabled":true,"createdDateTime":"2019-05-06T07:08:09Z",`+
		`"onPremisesSyncEnabled":true,"onPremisesSecurityIdentifier":"S-1-5-21-1004336348-1177238915-682003330-%d",`+
		`"onPremisesImmutableId":"qJ5nWQ0h90ePbXk0bZ3L%04d==","onPremisesSamAccountName":"p%d",`, i, i, i, i, i, i, i%10000, i) +
		extension + `},"signInActivity":{"lastSignInDateTime":"2026-09-12T16:24:34Z","lastSignInRequestId":"b01f1d59-1d0c-4a4c-9f5a-000000000000",` +
		`"lastNonInteractiveSignInDateTime":"2026-10-12T16:24:34Z","lastNonInteractiveSignInRequestId":"c01f1d59-1d0c-4a4c-9f5a-000000000000",` +
		`"lastSuccessfulSignInDateTime":"2026-10-12T16:24:34Z","lastSuccessfulSignInRequestId":"d01f1d59-1d0c-4a4c-9f5a-000000000000"},` +
		licenses + `}`
}
