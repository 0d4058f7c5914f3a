package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFaultsOfLicenses(t *testing.T) {
	t.Parallel()
	const unknown = "neither seats nor mailboxes nor service plans are known; leave keepSeats, mailboxQuota and needs out, or name the sku"
	product, fromAD := []string{"when: AzureAdSistaLogon.hasNoValue()\n    then: {changeTo: exo}", "when: AzureAdSistaLogon.hasNoValue()\n    then: remove"}, []string{"license: e3", "license: citrix"}
	for name, tc := range map[string]struct {
		change []string // pairs of texts: the old one and the new one
		want   string
	}{
		"an Entra group, of which no mailboxes are known": {append(product, "exo: {sku: EXO}", "exo: {group: {entra: EXO}, mailboxQuota: 5}"),
			"p:7:8: license exo has no sku, so that membership of its group is the license, of which " + unknown},
		"an Entra group, of which no service plans are known": {append(product, "exo: {sku: EXO}", "exo: {group: {entra: EXO}, needs: [TEAMS1]}"),
			"p:7:8: license exo has no sku, so that membership of its group is the license, of which " + unknown},
		"groups a text": {[]string{"exo: {sku: EXO}", "exo: {sku: EXO, groups: EXO}"}, "p:7:27: groups of license exo must be a list, not text"},
		"two groups with a fault": {[]string{"exo: {sku: EXO}", "exo: {sku: EXO, groups: [{}, {entra: A}, {}]}"},
			"p:7:28: group of license exo must name one group: {entra: NAME} or {ad: \"DISTINGUISHED NAME\"}\np:7:44: group of license exo must name one group: {entra: NAME} or {ad: \"DISTINGUISHED NAME\"}"},
		"a group that is a number": {[]string{"{memberOf: {entra: Staff}}", "{memberOf: 7}"}, "p:4:21: memberOf must be a mapping of keys to values, not a number"},
		"from an Entra group to a product": {[]string{"e3: {sku: SPE_E3, group: {entra: E3}, monthlyPrice: 39}", "e3: {group: {entra: E3}}"},
			"p:18:22: one of e3 and exo has a sku, and membership of a group of Entra ID is the other, so one cannot be changed to the other in one move; write remove"},
		"from a group of AD to an Entra group": {append(fromAD, "exo: {sku: EXO}", "exo: {group: {entra: EXO}}"),
			"p:18:22: citrix and exo live in different directories, so one cannot be changed to the other in one move; write remove"},
		"from a group of AD to a license of nothing": {append(fromAD, "exo: {sku: EXO}", "exo: {}"),
			"p:7:8: license exo needs \"sku: PART_NUMBER\", or \"group: {ad: …}\" or \"group: {entra: …}\" when membership of the group is the license\np:18:22: citrix and exo live in different directories, so one cannot be changed to the other in one move; write remove"},
	} {
		for pair := range slices.Chunk(tc.change, 2) {
			if !strings.Contains(right, pair[0]) {
				t.Fatalf("the policy has no %q", pair[0])
			}
		}
		_, err := Load("p", []byte(strings.NewReplacer(tc.change...).Replace(right)))
		if d := cmp.Diff(tc.want, fmt.Sprint(err)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Two licenses may have the same group, which then gives both products. A license whose product comes from a group of
// Active Directory may have the keys keepSeats, mailboxQuota and needs.
func TestProductsOfGroups(t *testing.T) {
	t.Parallel()
	for _, exo := range []string{
		"{sku: EXO, group: {entra: E3}}",
		`{sku: EXO, group: {ad: "CN=EXO,DC=corp"}, keepSeats: 3, mailboxQuota: 50, needs: [TEAMS1]}`,
	} {
		p, err := Load("p", []byte(strings.Replace(right, "{sku: EXO}", exo, 1)))
		if err != nil || p.LicenseNamed("exo").holders != nil {
			t.Errorf("%s: %v", exo, err)
		}
	}
}
