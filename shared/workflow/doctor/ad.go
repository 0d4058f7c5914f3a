package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
)

// needsAD reports whether the policy reads dates or attributes of Active Directory, or names a group there.
func (e *exam) needsAD() bool {
	return e.Policy != nil && (slices.Contains(e.Policy.Signals(), directory.Logons) || len(e.Policy.Rests()) > 0 ||
		slices.ContainsFunc(e.Policy.GroupRefs(), func(g directory.GroupRef) bool { return g.Source == directory.AD }))
}

// checkControllers connects to every controller of the domain, because each controller has its own last logons.
func checkControllers(ctx context.Context, e *exam) (found []Finding, _ func()) {
	switch {
	case e.ADErr != nil:
		return one(Finding{State: Failed, Means: sentence("%v", e.ADErr), Mend: e.mendADSettings()})
	case e.AD == nil && e.needsAD():
		return one(Finding{State: Warning, Means: "The policy asks Active Directory, which is not set up here, so what it asks is unknown.", Mend: setAD()})
	case e.AD == nil:
		return one(Finding{State: NotTried, Means: "Not tried, because Active Directory is not set up here, and the policy does not ask it."})
	}
	list, err := e.AD.Controllers(ctx)
	for _, c := range list {
		if c.Err != nil {
			found = append(found, Finding{About: c.URL, State: Failed, Means: sentence("%v", c.Err), Mend: e.reach(c.URL, c.Err)})
			continue
		}
		found = append(found, Finding{About: c.URL, State: OK, Means: "It answers, its certificate is good, and the account may sign in."})
		clock := Finding{Check: "clock", About: c.URL, State: OK, Means: "Its clock and this machine's agree within 10 minutes."}
		if err := directory.CheckClock("the domain controller "+c.URL, c.Clock, e.Clock.Now()); err != nil {
			clock.State, clock.Means, clock.Mend = Failed, sentence("%v", err), setClock()
		}
		found = append(found, clock)
	}
	if err != nil {
		found = append(found, Finding{State: Failed, Means: sentence("The list of controllers may lack some: %v", err), Mend: e.reach(e.firstURL(), err)})
	}
	return found, nil
}

func (e *exam) firstURL() string {
	urls, _ := e.Variable("IDLESEAT_AD_URLS")
	first, _, _ := strings.Cut(urls, ",")
	return strings.TrimSpace(first)
}

// checkADPeople reads the first accounts and checks whether their logon dates are recent. It also finds the attributes
// that the account of idleseat may not read.
func checkADPeople(ctx context.Context, e *exam) ([]Finding, func()) {
	rests := []string{"lastLogonTimestamp"}
	if e.Policy != nil {
		rests = e.Policy.Rests()
	}
	var f directory.Freshness
	hidden, people, first := map[string][]string{}, map[string]int{}, directory.ADUser{} // hidden: DNs by attribute; people: number of people by unit
	_, err := e.AD.ListFull(ctx, rests, func(u directory.ADUser) error {
		if f.SampleAD(&u, e.now); f.Sampled == 1 {
			first = u
		}
		people[parent(u.DN)]++
		for _, a := range u.Unreadable {
			hidden[a] = append(hidden[a], u.DN)
		}
		if f.Sampled == evidence.Enough {
			return errSeen
		}
		return nil
	})
	partial, noDates := errors.AsType[*directory.PartialLogonError](err)
	switch {
	case err != nil && !noDates && !errors.Is(err, errSeen):
		return one(Finding{State: Failed, Means: sentence("%v", err), Mend: e.reach("", err)})
	case f.Sampled == 0:
		return one(Finding{State: Failed, Means: "The account is signed in, but sees nobody below IDLESEAT_AD_BASE.", Mend: e.seeSomebody()})
	}
	found := []Finding{{State: OK, Means: fmt.Sprintf("The account sees people; %d were read.", f.Sampled)}}
	switch {
	case noDates:
		found = append(found, Finding{Check: "logon dates", State: Failed, Means: sentence("%v", partial), Mend: e.clearInterval(first.DN)})
	case len(hidden["lastLogonTimestamp"]) > 0: // the dates may be recent, although idleseat cannot see them
	default:
		s := e.signal(directory.Logons, f, "the first accounts that Active Directory lists")
		s.Check = "logon dates"
		found = append(found, s)
	}
	for _, a := range slices.Sorted(maps.Keys(hidden)) {
		found = append(found, Finding{Check: "attributes", About: a, State: Failed, Mend: e.showHidden(hidden[a], people),
			Means: fmt.Sprintf("The account may not read %s of %d of %d people, who are undecided where a rule asks for it.", a, len(hidden[a]), f.Sampled)})
	}
	if len(hidden) == 0 {
		found = append(found, Finding{Check: "attributes", State: OK, Means: fmt.Sprintf("Each attribute that the policy needs can be read (%s).", strings.Join(rests, ", "))})
	}
	return found, func() {
		if e.first = first; len(hidden["lastLogonTimestamp"]) > 0 {
			e.hiddenDates = e.showHidden(hidden["lastLogonTimestamp"], people)
		}
	}
}

// checkLastLogon reads one person from every controller, as a run does before the run takes a license.
func checkLastLogon(ctx context.Context, e *exam) ([]Finding, func()) {
	_, err := e.AD.ReadPerson(ctx, e.first.SID)
	if err == nil {
		return one(Finding{State: OK, Means: "The last logon of a person was read from every controller."})
	}
	f := Finding{State: Failed, Means: sentence("Before a change, the last logon is unknown: %v", err), Mend: e.allowReading(e.domain(e.first.DN))}
	p, partial := errors.AsType[*directory.PartialLogonError](err)
	switch text := err.Error(); {
	case strings.Contains(text, "msDS-LogonTimeSyncInterval"):
		f.Mend = e.clearInterval(e.first.DN)
	case strings.Contains(text, "may not read"):
		if slices.Contains(e.first.Unreadable, "lastLogonTimestamp") {
			f.Mend = e.hiddenDates
		}
	case partial && len(p.Controllers) > 0:
		f.Mend = e.reach(p.Controllers[0], err)
	}
	return one(f)
}

// checkADGroups reads the groups of the policy and their members. It also reads whether idleseat's account may change
// the license groups.
func checkADGroups(ctx context.Context, e *exam) (found []Finding, _ func()) {
	for _, ref := range e.Policy.GroupRefs() {
		if ref.Source == directory.AD {
			found = append(found, e.adGroup(ctx, ref))
		}
	}
	if len(found) == 0 {
		return one(Finding{State: OK, Means: "The policy names no group of Active Directory."})
	}
	return found, nil
}

func (e *exam) adGroup(ctx context.Context, ref directory.GroupRef) Finding {
	f := Finding{About: ref.Name, State: Failed}
	if _, err := e.AD.FindGroup(ctx, ref.Name); errors.Is(err, directory.ErrNoGroup) {
		f.Means, f.Mend = "No group has this distinguished name.", e.edit("Correct the distinguished name; the first command lists groups, on a controller.")
		f.Mend.Bash = "samba-tool group list --full-dn\n" + f.Mend.Bash
		f.Mend.PowerShell = "Get-ADGroup -Filter * | Select-Object -ExpandProperty DistinguishedName\n" + f.Mend.PowerShell
		return f
	} else if err != nil {
		f.State, f.Means, f.Mend = Unknown, sentence("%v", err), e.reach("", err)
		return f
	}
	gives := len(givenBy(e.Policy, ref)) > 0
	err := e.AD.ListMembers(ctx, ref.Name, gives, func(string) error { return errSeen })
	switch {
	case err == nil && !gives:
		return e.empty(ref.Name)
	case errors.Is(err, directory.ErrNoGroup):
		f.Means, f.Mend = sentence("Who is in the group is unknown: %v", err), e.permit("Let the account read the group.", ref.Name, "GR", "(A;;GR;;;$SID)")
		return f
	case err != nil && !errors.Is(err, errSeen):
		f.State, f.Means, f.Mend = Unknown, sentence("%v", err), e.reach("", err)
		return f
	}
	f.State, f.Means = OK, "The group is there, and its members can be read."
	if !gives {
		return f
	}
	may, err := e.AD.CanWrite(ctx, ref.Name)
	switch {
	case err != nil:
		f.State, f.Means, f.Mend = Unknown, sentence("Whether its members can be changed is unknown: %v", err), e.reach("", err)
	case !may:
		f.State, f.Means = Warning, "Its members can be read, but the account may not change them, so no plan can be applied."
		f.Mend = e.permit("Give the account the right to write member.", ref.Name, "WP;member", "(OA;;WP;bf9679c0-0de6-11d0-a285-00aa003049e2;;$SID)")
	default:
		f.Means = "The group is there, and its members can be read and changed."
	}
	return f
}
