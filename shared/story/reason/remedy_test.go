package reason_test

import (
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/story/reason"
)

// The variable "stored" maps a reason, as a run stores it, to the key of the expected remedy. The key is "" if there is
// no remedy.
var stored = map[string]string{
	"undecided: damaged ledger: the object ledger/a/b/000001.json is no intent as it was written; bring back its earlier version":                                                                                                                                         "ledger",
	"undecided: run r0 took the license on 2026-11-01, and these data may be from before that":                                                                                                                                                                            "fresh",
	"AzureAdSistaLogon is not known: Microsoft does not say whether an agent's tokens count as sign-ins":                                                                                                                                                                  "agent",
	"LastlogonTimestamp may not be read: the account of idleseat has no right to see lastLogonTimestamp of this person; grant it to read the attribute":                                                                                                                   "rights",
	"systemRole is not known: the domain controllers give different values of employeeType of this person; plan again when they have replicated the change":                                                                                                               "replication",
	"created is not known: synced from Active Directory, but no account with its SID was found there (out of scope or deleted)":                                                                                                                                           "outOfScope",
	"created is not known: synced from Active Directory, but no account was found there":                                                                                                                                                                                  "outOfScope",
	"systemRole is not known: two Active Directory accounts carry the same SID":                                                                                                                                                                                           "join",
	"systemRole is not known: its accounts in Entra ID and Active Directory contradicted each other on 2026-11-01, and Active Directory was not read in full this time":                                                                                                   "contradicted",
	"systemRole is not known: onPremisesImmutableId does not agree with the Active Directory account of the same SID; if Entra Connect takes another attribute":                                                                                                           "anchor",
	"AzureAdSistaLogon came late: on 2026-11-22 an older date appeared that an earlier reading should have shown, and newer ones may follow; it is decided again by the next run on another night, if no further one appears; if that is right, plan with --accept-feeds": "late",
	"AzureAdSistaLogon is not known: what an earlier run knew of it cannot be read any more, so nobody can tell whether a date is missing or went back":                                                                                                                   "memory",
	"AzureAdSistaLogon is not known: what run r0 knew of it cannot be read any more, so nobody can tell whether a date is missing or went back":                                                                                                                           "memory",
	"Active Directory could not be read: ldaps://dc1: no answer in time; make the controller answer":                                                                                                                                                                      "source",
	"AzureAdSistaLogon cannot be trusted: a date of the account lies in the future":                                                                                                                                                                                       "future",
	"AzureAdSistaLogon got lost: no date has come since 2026-11-01, and the newest known one is 2026-10-01; it is undecided until a date comes that is not earlier":                                                                                                       "dates",
	"the hire date got lost: far fewer accounts have a hire date than in an earlier run; let idleseat read employeeHireDate again":                                                                                                                                        "hired",
	"AzureAdSistaLogon went back: since 2026-11-01 it is 2026-09-01, and the newest known one is 2026-10-01":                                                                                                                                                              "dates",
	"AzureAdSistaLogon cannot be trusted: the newest sign-in date of anybody is 2026-11-20T02:00:00Z, 9 days before the planning instant: the feed has stalled":                                                                                                           "feed",
	"copilotUse is none since 2026-06-01, and whether there is an earlier one is not known, since the usage report reaches back no further; a rule that means such people, too":                                                                                           "horizon",
	"copilotUse is not known after 2026-11-27, the day up to which the usage report tells anything; plan again when a newer one is there":                                                                                                                                 "reportDay",
	"copilotUse is not known: the usage report does not have the person by the name a@x; it has only license holders":                                                                                                                                                     "report",
	"copilotUse is not known: the usage report has the person and does not say when they were active":                                                                                                                                                                     "report",
	"exemption is not known: group entra:LIC-Exempt could not be read":                                                                                                                                                                                                    "group",
	"exemption is not known: far fewer accounts are exempt by exempt.when or by their kind than in an earlier run; bring back the attribute that is lost":                                                                                                                 "exemptions",
	"license citrix is not known: group ad:CN=Citrix could not be read; is it there, and may the account of idleseat read its members?":                                                                                                                                   "group",
	"license citrix has been held for an unknown time: lastUpdatedDateTime of its assignment was not read":                                                                                                                                                                "heldSince",
	"the SID of the group ad:CN=x was not read, so that nobody knows which group of Entra ID is synced from it; update the relay":                                                                                                                                         "sidOfGroup",
	"LastlogonTimestamp is not known: no account in Active Directory":                                                                                                                                                                                                     "account",
	"LastlogonTimestamp was not read": "source",
	"created is not known: Active Directory was not read, and newest(entra.created, ad.created) asks it; if it is not set up, write created: entra.created under attributes": "mapping",
	"LastlogonTimestamp and created were not read":                                                                                                                         "source",
	"LastlogonTimestamp cannot be trusted: no domain controller answered":                                                                                                  "controller",
	"teams cannot be trusted: its usage report was not read":                                                                                                               "reportUnread",
	"the hire date is not known: Entra was not read":                                                                                                                       "source",
	"the kind of the account is not known: Entra was not read":                                                                                                             "source",
	`systemRole has no value, and the condition does not say what holds then; add && systemRole != "" to leave such people alone`:                                          "empty",
	"created and hired have no value":                                                                                                                                      "undated",
	"created cannot be computed with: overflow":                                                                                                                            "compute",
	"pending: run r0 began to change this license on 2026-11-01; `idleseat apply r0` finishes it":                                                                          "pending",
	"cooling down: restored on 2026-11-01, and not taken again before the person was idle for the rule's whole span from then on":                                          "cooling",
	"superseded: the rule m365-idle-60 comes first in the policy and is undecided about m365-e3":                                                                           "superseded",
	"announced on 2026-11-20; done from 2026-12-04T02:00:00Z on if the person is still idle":                                                                               "announced",
	"announced on 2026-11-20; done when the usage reports reach 2026-12-04, if the person is still idle":                                                                   "announced",
	"announced on 2026-11-20; announced again from 2026-12-04T02:00:00Z on if the person is still idle":                                                                    "announcedAgain",
	"first reading: no run of an earlier day saw the account; the schedule takes the license after a second reading on another day, an operator may plan and apply it now": "firstReading",
	"failed in the last run, and 3 nights in a row could not make it: Graph answered 403; tried again from 2026-12-03 on":                                                  "setback",
	"not restored: the rule has no onReturn: restore; `idleseat restore a@x` does it":                                                                                      "notBack",
	"no free seat of exchange-online is left for it, beside the 2 that are kept free; buy some, or free some first":                                                        "seats",
	"the size of the mailbox is not known: the mailbox usage report conceals names; show them in the settings of the Microsoft 365 admin center, under reports":            "mailboxSize",
	"it is a mailbox of the kind shared, whose license is there for another reason than signing in":                                                                        "mailboxKind",
	plan.MayBeShared: "mailboxShared",
	"the mailbox holds 61.2 GB, and exchange-online allows 50 GB":                                               "mailbox",
	"the mailbox is on hold, and would be without a license":                                                    "mailboxHold",
	"the product EXCHANGESTANDARD has no service plan TEAMS1, which the policy says that exchange-online needs": "plans",
	"the person has no usage location, without which Graph assigns no license; set usageLocation first":         "usageLocation",
	"held directly and through a group at once":                                                                 "severalWays",
	"held through 3 groups at once":                                                                             "severalWays",
	"the group entra:LIC-M365-E3 grants 2 products at once":                                                     "grants",
	"the group entra:LIC-M365-E3 does not grant SPE_E3":                                                         "notGranted",
	"the group entra:LIC-M365-E3 is synced from Active Directory and can only be changed there":                 "synced",
	"no group of Entra ID that gives SPE_E3 is synced from ad:CN=x":                                             "synced",
	"held through a group, but the policy names no group for m365-e3":                                           "otherGroup",
	"held through the group \"LIC-OLD\", which is not entra:LIC-M365-E3 of the policy":                          "otherGroup",
	"the group entra:LIC-M365-E3 is dynamic: its rule decides who is in it":                                     "dynamicGroup",
	"the group entra:LIC-M365-E3 is role-assignable: changing it needs a right idleseat must not have":          "lockedGroup",
	"the group ad:CN=Citrix does not list the account itself":                                                   "nested",
	"holds exchange-online already, with service plans switched off: what would be left cannot be told":         "twin",
	"Entra does not say by which way the license is assigned":                                                   "fresh",
	"no longer held": "fresh",
	"cannot be announced by mail: the account has no mail address":                                                                                                 "untold",
	"perhaps announced: nobody knows whether the mail of 2026-11-20 was sent; announced again from 2026-12-04T02:00:00Z on if the person is still idle":            "perhapsTold",
	"left out by the operator, who chose other changes from the plan of run r0":                                                                                    "leftOut",
	"the plan of run r0 lists another change of this license":                                                                                                      "fresh",
	"the account in Active Directory, where the group is written, is not known":                                                                                    "source",
	"undecided: damaged ledger: the object a/b is about another person, license or number than its name; bring back its earlier version":                           "ledger",
	"pending: run r0 is changing citrix of the person, which has to end first":                                                                                     "pending",
	"pending: run r0 is changing old, a license that the policy no longer names; `idleseat apply r0` finishes it":                                                  "pending",
	"cooling down: given in place of m365-e3 on 2026-11-01, and not taken again before the person was idle for the rule's whole span from then on":                 "cooling",
	"held through the group \"Mail\", which is mail-enabled and can only be changed in Exchange":                                                                   "lockedGroup",
	"held through the group \"Admins\", which is role-assignable: changing it needs a right idleseat must not have":                                                "lockedGroup",
	"held through the group \"A\", which is in a restricted management administrative unit: only administrators of that unit may change it":                        "lockedGroup",
	"held through the group \"A\", which is dynamic: its rule decides who is in it":                                                                                "dynamicGroup",
	"held through the group \"A\", which is synced from Active Directory and can only be changed there":                                                            "synced",
	"held through the group \"A\", which grants 3 products at once":                                                                                                "grants",
	"held through the group 1234, but the policy names no group for m365-e3":                                                                                       "otherGroup",
	"the group entra:A gives exchange-online without the service plan EXCHANGE_S_STANDARD":                                                                         "plans",
	"the group entra:A gives exchange-online with service plans switched off: what would be left cannot be told":                                                   "plans",
	"LastlogonTimestamp is not known: member of ad:CN=Citrix or not, two Entra accounts carry the same SID":                                                        "join",
	"license citrix is not known: the account of idleseat has no right to see primaryGroupID of this person, which may be ad:CN=x; grant it to read the attribute": "rights",
	"the size of the mailbox is not known: the mailbox usage report could not be read: Graph answered 403":                                                         "mailboxReport",
	"teams cannot be trusted: Graph answered 503":                                                                                                                  "feed",
	"license e3 is not known: lastUpdatedDateTime was not read of every way in which the license is held, or the license is one of Active Directory":               "heldSince",
	"x is not known: nobody has ever written such a doubt":                                                                                                         "",
	"systemRole is not known: another account claimed the same SID or onPremisesImmutableId in an earlier reading, and one of the accounts was not read this time; if it is gone for good, plan with --accept-feeds, or wait for 30 days": "contradicted",
	"account has been enabled for an unknown time: accountEnabled was not read":                                                                       "source",
	"the group entra:LIC hides its members from this application, so that no read shows whether a change is made":                                     "hiddenGroup",
	"the mailbox would be left without a license, and Exchange Online deletes its content for good 30 days later; change to a product with a mailbox": "mailboxLost",
	"whether exo gives a mailbox is not known, since Graph did not tell its service plans; plan again":                                                "skus",
	"the group entra:G grants a product of Microsoft 365 besides: name it as sku of citrix":                                                           "unnamedProduct",
	"whether the group ad:CN=x lists the account is not known":                                                                                        "nestedUnknown",
	"the group is the account's primary group, which is not kept as a list of members; give the account another primary group first":                  "primaryGroup",
	"nobody has ever written such a reason":                                                                                                           "",
	// Runs before 2026-12 have "given back" in place of "restored".
	"cooling down: given back on 2026-11-01, and not taken again before the person was idle for the rule's whole span from then on": "cooling",
	"not given back: the policy no longer has the rule m365 that took it; `idleseat restore a@x` does it":                           "notBack",
	"not given back: the rule now changes to another license than the run that took it":                                             "notBack",
	"not given back: the rule's condition \"for\" does not hold for the person, or is not known to":                                 "notBack",
	"not given back: the rule has no onReturn: restore; `idleseat restore a@x` does it":                                             "notBack",
}

func TestRemedy(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for text, want := range stored {
		_, got := reason.Of(text)
		used[got] = true
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if (got == "") != (reason.Do(reason.English, got) == "") {
			t.Errorf("%q: the words of %q are %q", text, got, reason.Do(reason.English, got))
		}
	}
	for _, key := range reason.Remedies() {
		if !used[key] {
			t.Errorf("no reason of this test has the remedy %q", key)
		}
	}
}
