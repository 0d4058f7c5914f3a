package gate

import (
	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

const replaced = " A newer plan, such as that of the next night, replaces it."

// The method "next" says what an operator must do next. The commands that end what is half-way come last.
func (l *letter) next() (text string, steps []card.Step) {
	text, steps = l.advice()
	return text, append(steps, l.finish()...)
}

func (l *letter) advice() (text string, steps []card.Step) {
	o, hints := l.out, l.at.Hints
	look := card.Step{To: "To look", Command: hints.Look(o.Run, layout.Changes(o.Run))}
	results := hints.Look(o.Run, layout.Result(o.Run, runs.Concluded))
	switch l.outcome {
	case Planned:
		return "Review the changes. If they are right, set mode review in the policy and plan again.", []card.Step{look, {To: "To plan again", Command: hints.Plan()}}
	case Waiting:
		return "Review the changes. If they are right, approve this plan." + replaced, []card.Step{look, {To: "To approve this plan", Command: hints.Apply(o.Run, o.PlanHash, false)}}
	case Held:
		return l.release(look)
	case Waits:
		text = "The directory does not show every change yet. The next scheduled run finishes what is pending."
		if o.Troubled > 0 {
			text = "Look at what the changes wait for, and mend it. The next scheduled run then finishes them."
		}
		return text, []card.Step{{To: "To see what each change waits for", Command: results}, {To: "To finish it now", Command: hints.Apply(o.Run, o.PlanHash, o.Verdict == plan.Hold)}}
	case Refused:
		text = "Nothing was begun, so nothing needs to be rolled back. Correct what the reason names, and ask again."
		if len(o.Unfinished) > 0 {
			text = "Nothing new was begun. Correct what the reason names, and ask again. What earlier runs have half-way waits until then."
		}
		return text, hints.Asked()
	case Failed:
		if text, steps = hints.Again(o); l.at.Execution != "" {
			text += " Do not redrive this execution: it would fail at the same point."
		}
		return text, steps
	case Nothing:
		if o.Begun > 0 {
			return l.unfinished()
		}
	}
	failed := o.Results[runs.Failed]+o.Resumed[runs.Failed] > 0
	why := card.Step{To: "To look", Command: results}
	switch {
	case o.Restores != "" && (failed || o.Unrestored > 0):
		again := card.Step{To: "To restore again", Command: hints.Restore(o.Restores, o.RestoresUser)}
		if o.RestoresUser == someUser {
			again.To += ", with the person in place of " + someUser
		}
		return "Look at why licenses were not restored, mend it, and restore again.", []card.Step{why, again}
	case failed:
		return "Look at why changes failed. The people still have what they had before.", []card.Step{why}
	case o.Results[runs.Refused] > 0 && o.Restores == "":
		text, steps = "Look at why changes were refused. The people still have what they had before.", []card.Step{why}
		if o.Results[runs.Done] > 0 {
			steps = append(steps, card.Step{To: "To restore what was taken", Command: hints.Restore(o.Run, "")})
		}
		return text, steps
	}
	if text = "Nothing needs to be done."; o.Stuck > 0 {
		text = l.stuck()
	}
	if o.Results[runs.Done] > 0 && o.Restores == "" {
		steps = []card.Step{look, {To: "To restore all of it", Command: hints.Restore(o.Run, "")}}
	}
	return text, steps
}

// The method "unfinished" returns the advice about changes that earlier runs began and this run did not finish.
func (l *letter) unfinished() (text string, steps []card.Step) {
	o, hints := l.out, l.at.Hints
	show := card.Step{To: "To look", Command: hints.Show(o.Run)}
	if o.Stuck == o.Begun {
		return l.stuck(), []card.Step{show}
	}
	text = "The next scheduled run finishes these changes. An approval of this plan finishes them now."
	if o.Stuck > 0 {
		text = "The next scheduled run finishes what can go on. An approval of this plan finishes it now. " + l.stuck()
	}
	return text, []card.Step{show, {To: "To finish them now", Command: hints.Apply(o.Run, o.PlanHash, false)}}
}

// The method "release" returns the advice about a plan on hold.
func (l *letter) release(look card.Step) (text string, steps []card.Step) {
	o, hints := l.out, l.at.Hints
	again := card.Step{To: "To plan again after a correction", Command: hints.Plan()}
	if o.Overridable && o.Mode != policy.Audit && o.Results == nil {
		return "Review the changes. If they are right, apply this plan despite the limit." + replaced + " If they are wrong, correct the policy or the source.",
			[]card.Step{look, {To: "To apply this plan despite the limit", Command: hints.Apply(o.Run, o.PlanHash, true)}, again}
	}
	steps = []card.Step{{To: "To look", Command: hints.Show(o.Run)}}
	if o.Unhealthy {
		steps = append(steps, card.Step{To: "To examine the sources, with your own sign-in", Command: hints.Doctor()})
	}
	if o.Results[runs.Done] > 0 && o.Restores == "" {
		steps = append(steps, card.Step{To: "To restore what was taken", Command: hints.Restore(o.Run, "")})
	}
	return "Correct what the reason names. The plan shows what else it found.", append(steps, again)
}
