package story

import (
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/story/reason"
)

func causes(x *Answer) []reason.Part {
	switch {
	case x.State == Refused, x.State == Return && x.Refused != "":
		return reason.Parts(x.Refused)
	case x.State == Undecided:
		return reason.Parts(x.Reason)
	}
	return nil
}

func (x *Answer) resolve() {
	x.Codes, x.Remedies = nil, nil
	for _, p := range causes(x) {
		if p.Code != "" && !slices.Contains(x.Codes, p.Code) {
			x.Codes = append(x.Codes, p.Code)
		}
		if p.Remedy != "" && !slices.Contains(x.Remedies, p.Remedy) {
			x.Remedies = append(x.Remedies, p.Remedy)
		}
	}
}

func do(x *Answer, past *License) (list []string) {
	for _, key := range x.Remedies {
		list = append(list, reason.Do(reason.English, key))
	}
	if how := hint(x.Reason); x.State == Undecided && how != "" {
		list = append(list, how)
	}
	if x.State == Pending {
		list = append(list, "Nothing, if idleseat runs every night: the next run finishes it.")
	}
	if past != nil {
		list = append(list, past.do(false)...)
	}
	switch {
	case x.State == Damaged:
		list = append(list, reason.Do(reason.English, "ledger"))
	case x.State == Idle && x.FirstReading:
		list = append(list, reason.Do(reason.English, "firstReading"))
	case x.State == Exempt:
		list = append(list, Exempted(x.Reason))
	}
	return list
}

// Exempted returns the action that an operator can take for an exemption. The argument "why" is the reason of the
// verdict.
func Exempted(why string) string {
	why = strings.TrimPrefix(why, "exempt: ")
	switch kind := kindOf(why); {
	case kind == directory.KindGuest:
		return "Nothing. If rules should apply to guests, add guest under kinds in the policy."
	case kind == directory.KindAgent:
		return reason.Do(reason.English, "agent")
	case kind == directory.KindUnknown:
		return "Nothing. Look at the account by hand; a newer version of idleseat may know its kind."
	case kind != "":
		return "Nothing. Nobody signs in to such an account, so a rule about dates would call it unused while it is in use. If it needs no license, remove the license by hand."
	case strings.HasPrefix(why, "on leave until "):
		return "Nothing. If the leave lasts longer, change its end in the policy (exempt.leave)."
	case strings.HasPrefix(why, "member of "):
		return "Nothing. If the exemption no longer holds, take the person out of the group."
	}
	return "Nothing. If the exemption no longer holds, correct it in the policy."
}
