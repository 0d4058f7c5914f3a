package draft

import "github.com/idleseat/idleseat/shared/plain"

// The method "golden" returns the text of the golden people. All names in the text are invented.
func (c *choice) golden(file string) []byte {
	l := &lines{}
	l.add("# Golden people: made-up people, and what the rules of the policy must say about them. Run")
	l.add("# idleseat policy test %s", plain.Word(file))
	l.add("# after each edit of the policy. An edit that changes an outcome on purpose changes it here, too.")
	if c.product != nil {
		c.goldenProduct(l)
	}
	if c.citrix != nil {
		c.goldenCitrix(l)
	}
	return []byte(l.String())
}

// The type "goldenCase" is one case. The fields "entra" and "ad" are accounts, written as in the file of golden
// people.
type goldenCase struct{ name, entra, ad, license, outcome string }

func (g goldenCase) write(l *lines, rule string) {
	l.add("")
	l.add("- name: %s", scalar(rule+": "+g.name))
	l.add("  now: 2026-11-23")
	l.add("  person:")
	for _, field := range [][2]string{{"entra", g.entra}, {"ad", g.ad}, {"licenses", g.license}} {
		if field[1] != "" {
			l.add("    %s: %s", field[0], field[1])
		}
	}
	l.add("  expect: {%s: %s}", rule, g.outcome)
}

func (c *choice) goldenProduct(l *lines) {
	rule, name := c.product.ruleName(), c.product.name
	held := "[" + name + "]"
	account := func(more string) string {
		if c.role != "" {
			more = "employeeType: " + scalar(c.role) + ", " + more
		}
		return "{" + more + "}"
	}
	cases := []goldenCase{
		{"a sign-in 59 days ago keeps the license", account("created: 2020-01-01, lastSuccessfulSignIn: 2026-09-25"), "", held, "keep"},
		{"a sign-in 61 days ago loses it", account("created: 2020-01-01, lastSuccessfulSignIn: 2026-09-23"), "", held, "reclaim"},
		{"any of the three sign-in dates counts", account("created: 2020-01-01, lastSuccessfulSignIn: 2025-01-01, lastNonInteractiveSignIn: 2026-11-20"), "", held, "keep"},
		{"an old account without any sign-in loses it", account("created: 2020-01-01"), "", held, "reclaim"},
		{"a new account without any sign-in keeps it", account("created: 2026-11-18"), "", held, "keep"},
		{"who got the license 5 days ago keeps it", account("created: 2020-01-01, lastSuccessfulSignIn: 2025-01-01"), "", "[{name: " + name + ", since: 2026-11-18}]", "keep"},
		{"a disabled account is not asked", account("accountEnabled: false, created: 2020-01-01"), "", held, "keep"},
		{"a guest is exempt", account("userType: Guest, created: 2020-01-01"), "", held, "exempt"},
		{"nothing is known while Entra ID was not read", "notRead", "", "", "undecided"},
	}
	if c.role != "" {
		cases = append(cases,
			goldenCase{"without an employeeType nobody is asked", "{created: 2020-01-01}", "", held, "keep"},
			goldenCase{"another employeeType is not asked", "{employeeType: Another type than most people have, created: 2020-01-01}", "", held, "keep"})
	}
	for _, g := range cases {
		g.write(l, rule)
	}
}

func (c *choice) goldenCitrix(l *lines) {
	const entra, held = "{created: 2020-01-01}", "[citrix]"
	for _, g := range []goldenCase{
		{"a logon 89 days ago keeps it", entra, "{created: 2020-01-01, lastLogonTimestamp: 2026-08-26}", held, "keep"},
		{"a logon 91 days ago loses it", entra, "{created: 2020-01-01, lastLogonTimestamp: 2026-08-24}", held, "reclaim"},
		{"an account of 50 days without any logon keeps it", "{created: 2026-10-04}", "{created: 2026-10-04}", held, "keep"},
		{"an old account without any logon loses it", entra, "{created: 2020-01-01}", held, "reclaim"},
		{"a logon that was not read is not a missing logon", "{created: 2020-01-01, synced: true}", "notRead", held, "undecided"},
	} {
		g.write(l, c.citrix.ruleName())
	}
}
