package story

import "testing"

func TestReworded(t *testing.T) {
	t.Parallel()
	s := &Story{Profile: []Value{{}, {}}, twins: " (a@x and b@x)"}
	s.Profile[0].Attribute, s.Profile[0].Field = "created", "newest(entra.created, ad.created)"
	s.Profile[1].Attribute, s.Profile[1].Field = "hired", "entra.employeeHireDate"
	for reason, want := range map[string]string{
		"LastlogonTimestamp, x and created are not known: synced from Active Directory, but no account with its SID was found there (out of scope or deleted)":                    "the account is synced from Active Directory, but idleseat found no account with its SID there",
		"created is not known: synced from Active Directory, but no account was found there":                                                                                      "the account is synced from Active Directory, but idleseat found no account there",
		`site has no value, and the condition does not say what holds then; add && site != "" to leave such people alone, or || site == "" to mean them, too; hired was not read`: "site has no value, and the rule does not say what holds then; hired was not read",
		"x may not be read: the account of idleseat has no right to see y of this person; grant it to read the attribute; z was not read":                                         "idleseat cannot read x: its account lacks the right to read y of this person; z was not read",
		"created has no value": "the account has no creation date",
		"hired has no value":   "hired has no value",
		"x is not known: two Entra accounts carry the same SID":              "x is not known: two Entra accounts carry the same SID (a@x and b@x)",
		"x cannot be trusted: dates went back":                               "x cannot be trusted: dates went back",
		"copilotUse cannot be trusted: its usage report was not read":        "copilotUse is not known, because its usage report was not read",
		"the group entra:G is dynamic: its rule decides who is in it":        "Entra ID fills the group entra:G by a membership rule",
		"held through the group \"A B\", which is not entra:C of the policy": "it comes from the group \"A B\", and the policy names the group entra:C",
	} {
		if got := s.reworded(reason); got != want {
			t.Errorf("%q:\n got %q\nwant %q", reason, got, want)
		}
	}
	if got := decided("no use of Copilot since 2026-08-11 (1 day); first reading"); got != "no use of Copilot for 1 day when the run decided (last: 2026-08-11); first reading" {
		t.Errorf("decided: %q", got)
	}
}
