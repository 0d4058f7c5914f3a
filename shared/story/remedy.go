package story

import (
	"fmt"
	"slices"
	"strings"
)

// remedy is what resolves the reasons that contain one of its phrases.
type remedy struct {
	key     string
	phrases []string
	do      string // as a sentence
}

// remedies are in order: a reason that contains phrases of several is resolved by each, and one that is more special
// comes first. Reasons are stored as text by every version, so they are found by their words.
var remedies = []remedy{
	{"ledger", []string{"damaged ledger"}, "Restore that file from an earlier version or a backup."},
	{"fresh", []string{"these data may be from before that", "lists another change of this license", "does not say by which way", "no longer held"}, "Plan again: newer data decide."},
	{"agent", []string{"whether an agent's tokens count"}, "Ask the owner of the agent whether it needs the license. If not, remove it by hand; idleseat cannot decide this from data."},
	{"rights", []string{"no right to see", "may not be read: "}, "Grant the account of idleseat the right to read the attribute."},
	{"outOfScope", []string{"was found there (out of scope or deleted)", "but no account was found there"}, "Check first whether it exists in Active Directory. If it does, extend the part that idleseat reads. Only if it was deleted there, remove the leftover in Entra ID."},
	{"join", []string{"carry the same SID", "carry its onPremisesImmutableId", "claim the same Active Directory account", "does not agree with the Active Directory account", "contradicted each other", "claimed the same SID",
		"has its onPremisesImmutableId", "have an onPremisesImmutableId"}, "Correct the accounts, so that one in each directory belongs to the person and both name each other."},
	{"memory", []string{"cannot be read any more, so nobody can tell"}, "Wait for the next run, which compares with this one."},
	{"future", []string{"lies in the future"}, "Report it to the directory team; the next correct sign-in clears it."},
	{"dates", []string{"got lost: ", "went back: "}, "Wait for a newer date; if these dates are right, plan with --accept-feeds."},
	{"reportUnread", []string{"its usage report was not read"}, "Find out why the usage report was not read, then plan again; the report of the run says what failed."},
	{"controller", []string{"no domain controller answered"}, "Make a domain controller reachable, then plan again."},
	{"feed", []string{"cannot be trusted: "}, "Find out why these data are missing or have stopped, then plan again."},
	{"horizon", []string{"reaches back no further"}, "Ask for fewer days than the report reaches back, and say in the rule what holds for people without a date."},
	{"untold", []string{"cannot be announced by mail: "}, "Give the account what the mail needs, or leave notice out of a rule for such accounts."},
	{"perhapsTold", []string{"perhaps announced: "}, "Nothing: the change is announced again; see why the mailbox did not answer."},
	{"reportDay", []string{"the day up to which the usage report tells"}, "Plan again when a newer report is there, or give the rule more days."},
	{"report", []string{"the usage report"}, "Plan again in three days; see that the reports of the tenant show names and that the person holds a license of the workload."},
	{"group", []string{"could not be read; is it there", " could not be read", "cannot be read: ", "was not found"}, "Let idleseat read the group, or correct its name in the policy."},
	{"heldSince", []string{"has been held for an unknown time", "lastUpdatedDateTime was not read"}, "Assign the license again, so that its date is known, or leave out grace.newHolder."},
	{"sidOfGroup", []string{"the SID of the group"}, "Update the relay, or plan again when Active Directory can be read."},
	{"account", []string{"no account in "}, "Nothing, if the person needs no account there; or let the rule ask only people who have one."},
	{"source", []string{"was not read", "were not read", "where the group is written, is not known"}, "Plan again when the directory can be read; `idleseat run` and the report say what failed."},
	{"empty", []string{"and the condition does not say what holds then"}, "Fill in the value in the directory, or say in the rule what holds without it."},
	{"undated", []string{"has no value", "have no value"}, "Say in the rule what holds without one."},
	{"compute", []string{"cannot be computed"}, "Correct the condition of the rule."},

	{"pending", []string{"pending: run "}, "Finish what the earlier run began."},
	{"cooling", []string{"cooling down: "}, "Nothing: it ends by itself."},
	{"superseded", []string{"superseded: "}, "Nothing: the rule that comes first decides about the license."},
	{"announced", []string{"announced on "}, "Nothing: the license is taken on the day that was announced, unless the person is active before."},
	{"firstReading", []string{"first reading"}, "Nothing; it becomes due when a reading on another day agrees. An operator may apply it today."},
	{"setback", []string{"tried again from "}, "Mend what the directory answered; `idleseat reevaluate` tries at once."},
	{"notBack", []string{"not given back: "}, "Give it back by hand with `idleseat restore`, if the person needs it."},
	{"leftOut", []string{"left out by the operator"}, "Nothing: the next plan lists it again, and the plan that was chosen from still has it."},
	{"seats", []string{"no free seat of "}, "Buy seats, or free some first."},
	{"mailboxSize", []string{"the size of the mailbox is not known"}, "Let idleseat read the mailbox usage report, with names shown."},
	{"mailboxKind", []string{"mailbox of the kind", "may be a shared, room or equipment mailbox"}, "Leave it: the license of this mailbox is there for another reason than signing in."},
	{"mailbox", []string{"the mailbox "}, "Archive or move the mailbox first, or choose a license that covers it."},
	{"twin", []string{" already, "}, "Remove the assignment of the other license that lacks parts, or leave both."},
	{"plans", []string{"service plan"}, "Choose a product that has the service plans, or leave them out of the policy."},
	{"usageLocation", []string{"no usage location"}, "Set the usage location of the account."},
	{"grants", []string{"grants ", "does not grant", "besides: name it"}, "Let the group give this one product, or name the product in the policy."},
	{"severalWays", []string{" at once"}, "Remove the direct assignment or group memberships until only one of them gives the license."},
	{"synced", []string{"is synced from", "is not synced from"}, "Name the group of Active Directory that the license comes from, and see that Entra Connect synchronizes it."},
	{"otherGroup", []string{"names no group for", "which is not ", "the change is made in Entra ID", "and none gives"}, "Name in the policy the group that gives the license, or give the license through the group that the policy names."},
	{"dynamicGroup", []string{"is dynamic"}, "Change the group's membership rule, or give the license through a group that idleseat may change."},
	{"hiddenGroup", []string{"hides its members from this application"}, "Grant the application Member.Read.Hidden, or give the license through a group that shows its members."},
	{"lockedGroup", []string{"can only be changed there", "restricted management", "role-assignable", "mail-enabled", "hides its members"}, "Give the license through a group that idleseat may change, or take it by hand."},
	{"nested", []string{"does not list the account itself", "lists the account is not known"}, "Take the person out of the group that lies in between, by hand."},
}

// Remedy returns the key of what resolves a reason for which nothing is changed, as the decisions and plans of runs
// have it. It returns "" for a reason of which nothing is known.
func Remedy(reason string) string {
	for _, r := range remedies {
		if r.resolves(reason) {
			return r.key
		}
	}
	return ""
}

// Remedies returns the keys of all remedies.
func Remedies() []string {
	keys := make([]string, len(remedies))
	for i, r := range remedies {
		keys[i] = r.key
	}
	return keys
}

// RemedyWords returns what the remedy with a key is, as an English sentence, or "" if there is none.
func RemedyWords(key string) string {
	i := slices.IndexFunc(remedies, func(r remedy) bool { return r.key == key })
	if i < 0 {
		return ""
	}
	return remedies[i].do
}

func (r *remedy) resolves(reason string) bool {
	return slices.ContainsFunc(r.phrases, func(phrase string) bool { return strings.Contains(reason, phrase) })
}

// remediesOf returns the keys of what resolves an undecided verdict or a refusal. An undecided verdict may have several
// reasons; each is resolved by the most special remedy.
func remediesOf(x *Answer) (keys []string) {
	if x.State == Refused || x.State == Return && x.Refused != "" {
		return slices.DeleteFunc([]string{Remedy(x.Refused)}, func(key string) bool { return key == "" })
	}
	if x.State != Undecided {
		return nil
	}
	for part := range strings.SplitSeq(x.Reason, "; ") {
		if key := Remedy(part); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// do lists what an operator can do about the license.
func do(x *Answer, past *License) (list []string) {
	for _, key := range x.Remedies {
		list = append(list, RemedyWords(key))
	}
	if how := hint(x.Reason); x.State == Undecided && how != "" {
		list = append(list, how)
	}
	if x.State == Pending {
		list = append(list, "Nothing, if idleseat runs every night: the next run finishes it.")
	}
	if past != nil {
		list = append(list, past.do()...)
	}
	switch {
	case x.State == Damaged:
		list = append(list, RemedyWords("ledger"))
	case x.State == Idle && x.FirstReading:
		list = append(list, RemedyWords("firstReading"))
	case x.State == Exempt && kindOf(x.Reason) != "":
		list = append(list, fmt.Sprintf("Nothing. If rules should apply to such accounts, add %s under kinds in the policy.", kindOf(x.Reason)))
	case x.State == Exempt && x.Turns.IsZero():
		list = append(list, "Nothing; correct the exemptions of the policy if this one no longer holds.")
	}
	return list
}
