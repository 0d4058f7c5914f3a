package story

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/story/reason"
)

// The constant "told" is the maximum number of earlier changes that the function "before" writes into its line.
const told = 2

// The function "before" returns one line with the earlier changes of the license, newest first. It leaves out the
// change that the field Says already describes.
func before(x *Answer, past *License) string {
	if past == nil {
		return ""
	}
	entries := past.Entries
	var parts []string
	if past.HeldAgain {
		parts = append(parts, "somebody assigned it again outside idleseat")
	}
	switch x.State {
	case Taken, Pending, Announced, GivenBack:
		entries = entries[:max(0, len(entries)-1)]
	case Damaged:
		return ""
	}
	for i := range slices.Backward(entries) {
		if len(parts) == told {
			parts = append(parts, fmt.Sprintf("and %d earlier, told by `idleseat history`", i+1))
			break
		}
		parts = append(parts, entries[i].sentence())
	}
	return strings.Join(parts, "; ")
}

func approved(e *Entry) string {
	if e.ApprovedBy == "" {
		return ""
	}
	return ", approved by " + e.ApprovedBy
}

func (e *Entry) sentence() string {
	if e.Damaged != "" {
		return "unreadable: " + e.Damaged
	}
	did, to, note := "took it", "take it", ""
	switch {
	case e.RestoreOf != "":
		did, to = "restored it", "restore it"
	case e.To != "":
		did, to = "exchanged it for "+e.To, "exchange it for "+e.To
	}
	if e.Note != "" {
		note = " (" + e.Note + ")"
	}
	switch ledger.Outcome(e.Outcome) {
	case "":
		return fmt.Sprintf("run %s began to %s on %s and has not finished%s", e.Run, to, day(e.Began), approved(e))
	case ledger.Announced:
		return fmt.Sprintf("run %s announced on %s that a run would %s", e.Run, day(e.Ended), to)
	case ledger.Unsure:
		return fmt.Sprintf("run %s perhaps announced on %s that a run would %s%s", e.Run, day(e.Ended), to, note)
	case ledger.RolledBack:
		if e.Note != "" {
			note = ", because " + e.Note
		}
		return fmt.Sprintf("run %s began to %s on %s, which was rolled back%s", e.Run, to, day(e.Began), note)
	case ledger.Failed:
		return fmt.Sprintf("run %s failed to %s on %s%s", e.Run, to, day(e.Ended), note)
	case ledger.Restored:
		if e.RestoreOf == "" {
			return fmt.Sprintf("run %s began to %s on %s, and it was restored%s", e.Run, to, day(e.Began), note)
		}
	}
	return fmt.Sprintf("run %s %s on %s%s%s", e.Run, did, day(e.Ended), approved(e), note)
}

func (t *text) entries(past *License) {
	for i := range past.Entries {
		e := &past.Entries[i]
		t.labelled(map[bool]string{true: "history"}[i == 0], e.sentence())
		if e.Damaged == "" && e.RestoreOf == "" {
			t.labelled("", "  "+cmp.Or(decided(e.Reason), "no reason is on record")+"; rule "+e.Rule)
		}
	}
}

// The method "leftovers" writes the licenses in the ledger that the answers above did not cover: the policy has no rule
// about the license, or the person does not hold the license.
func (t *text) leftovers(d Detail) {
	for i := range t.story.Ledger {
		l := &t.story.Ledger[i]
		if slices.ContainsFunc(t.story.Answers, func(x Answer) bool { return x.License == l.License && (d.Values || x.State != NotHeld) }) {
			continue
		}
		t.line("%s: %s.", l.License, l.stands())
		t.entries(l)
		for _, what := range l.do(t.story.Run == "") {
			t.line("  %s", what)
		}
	}
}

func (l *License) stands() string {
	switch l.State {
	case history.Open:
		return fmt.Sprintf("run %s began to change it on %s and has not finished", l.Run, day(l.Since))
	case history.Taken:
		return fmt.Sprintf("taken on %s by run %s", day(l.Since), l.Run)
	case history.Restored:
		return "restored on " + day(l.Since)
	case history.Announced:
		return fmt.Sprintf("announced on %s by run %s", day(l.Since), l.Run)
	case history.Unsure:
		return fmt.Sprintf("perhaps announced on %s by run %s", day(l.Since), l.Run)
	case history.Unreadable:
		return "what was done to it cannot be read: " + reason.Words(reason.English, l.Damaged)
	}
	return "no change stands"
}

// The method "do" returns the actions that an operator can take for the license. The argument "gone" is true if no
// snapshot has the person.
func (l *License) do(gone bool) (list []string) {
	if l.Finish != "" {
		list = append(list, "to finish it now:  "+l.Finish)
	}
	switch {
	case l.Undo != "" && l.State == history.Open:
		list = append(list, "to cancel it and restore what was taken:  "+l.Undo)
	case l.Undo != "" && gone:
		list = append(list, "to restore it, if the account still exists:  "+l.Undo)
	case l.Undo != "":
		list = append(list, "to restore it now:  "+l.Undo)
	}
	return list
}
