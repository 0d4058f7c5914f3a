package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The type "company" implements the interface domain with a simulated company.
type company struct{ *sandbox.Sandbox }

func (c company) env(proxy string) []string {
	return append(c.Env(), "IDLESEAT_AD_URLS=ldaps://"+proxy)
}

func (c company) address() string { return strings.TrimPrefix(c.ADURL, "ldaps://") }

func (company) everyone() protocol.Message { return everyone }

func (c company) truth(*rig) seen {
	want := seen{People: map[string]directory.ADUser{}, Memberships: map[string][]string{}, Nested: map[string]bool{}, Unreadable: []string{everyone.Groups[2].Key()}}
	for i := range c.Company.Size() {
		p := c.Company.Person(i)
		if p.AD == nil {
			continue
		}
		want.People[p.AD.SID] = *p.AD
		want.Sampled++
		direct := slices.Contains(p.ADGroups, sandbox.CitrixGroup)
		if direct {
			want.Memberships[p.AD.SID] = append(want.Memberships[p.AD.SID], everyone.Groups[0].Key())
		}
		if slices.Contains(p.ADGroups, contractors) {
			want.Nested[p.AD.SID] = true
		}
		if direct || slices.Contains(p.ADGroups, contractors) {
			want.Memberships[p.AD.SID] = append(want.Memberships[p.AD.SID], everyone.Groups[1].Key())
		}
	}
	return want
}

func (c company) changes(*rig) (list protocol.Changes) {
	wanted := map[protocol.Action]int{protocol.Remove: 12, protocol.Add: 8}
	for i := range c.Company.Size() {
		p := c.Company.Person(i)
		if p.AD == nil {
			continue
		}
		action := protocol.Add
		if slices.Contains(p.ADGroups, sandbox.CitrixGroup) {
			action = protocol.Remove
		}
		if wanted[action]--; wanted[action] >= 0 {
			list.Changes = append(list.Changes, protocol.Change{ID: fmt.Sprintf("change-%d", i), SID: p.AD.SID, GUID: p.AD.GUID, Group: sandbox.CitrixGroup, Action: action})
		}
	}
	return list
}

func (c company) written(*rig) map[string]int {
	got := map[string]int{}
	for _, e := range c.Company.History() {
		switch e.What {
		case sandbox.MemberAdded:
			got[fmt.Sprint(e.Person, " ", protocol.Add)]++
		case sandbox.MemberRemoved:
			got[fmt.Sprint(e.Person, " ", protocol.Remove)]++
		}
	}
	return got
}
