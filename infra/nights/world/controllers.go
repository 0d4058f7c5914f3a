package world

import (
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
)

// controllersShare is the share of companies with several domain controllers. Their random numbers are their own, so
// the other companies live as they did with one controller each.
const controllersShare = 1.0 / 3

// mostControllers is the largest number of domain controllers that a company ever has.
const mostControllers = 3

// The type "controllers" has what the world knows about the domain controllers of a company with several.
type controllers struct {
	dcs    []int        // numbers of the controllers that are not demoted; nil: the company has one controller
	away   map[int]away // controllers that the product cannot reach, by number
	broken map[[2]int]int
	named  bool    // whether the product's settings name all controllers, and not only the first
	logons []logOn // logons that the product cannot know yet
}

// The type "away" is an outage of one controller.
type away struct {
	until int  // the night in which it ends
	off   bool // whether the controller is switched off; otherwise people reach it
	cut   bool // whether other controllers do not reach it either
}

// The type "logOn" is a logon at a controller.
type logOn struct {
	judge.Event
	at int
}

// The method "chooseControllers" returns how many controllers the company has at first.
func (w *World) chooseControllers() int {
	if w.serverless && !w.hasRelays() || !throw(w.options.Seed, "controllers").chance(controllersShare) {
		return 1
	}
	w.dcs, w.away, w.broken = []int{0, 1}, map[int]away{}, map[[2]int]int{}
	w.named = throw(w.options.Seed, "controllers are named").chance(0.75)
	return len(w.dcs)
}

// adURLs returns the addresses of domain controllers in the product's settings.
func (w *World) adURLs() string {
	if !w.named {
		return w.box.ADURL
	}
	return strings.Join(w.box.ADURLs(), ",")
}

// The method "reaches" reports whether the product can reach a controller now.
func (w *World) reaches(controller int) bool {
	_, out := w.away[controller]
	return !out && w.knows(controller)
}

// The method "knows" reports whether the product's settings name a controller. A relay has the settings of its start.
func (w *World) knows(controller int) bool {
	return controller == 0 || w.named && (!w.serverless || controller == 1)
}

// The method "running" returns the controllers that are switched on.
func (w *World) running() []int {
	return slices.DeleteFunc(slices.Clone(w.dcs), func(k int) bool { return w.away[k].off })
}

// The method "nearest" returns the controller at which a person logs on now.
func (w *World) nearest(i int) int {
	all := w.running()
	return all[throw(w.options.Seed, "nearest controller", w.night, i).IntN(len(all))]
}

// The method "replication" begins and ends the outages of the day, and chooses where administrators work today.
func (w *World) replication() {
	if w.dcs == nil {
		return
	}
	w.endOutages(w.night)
	w.renewControllers()
	for _, k := range w.dcs {
		w.outage(k)
	}
	c := w.box.Company
	for _, from := range w.dcs {
		for _, to := range w.dcs {
			if from == to {
				continue
			}
			pair, d := from*mostPairs+to, throw(w.options.Seed, "delay of replication", w.night, from, to)
			delays := []time.Duration{15 * time.Second, 15 * time.Minute, time.Hour, 3 * time.Hour}
			c.Delay(from, to, delays[d.IntN(len(delays))])
			if _, is := w.broken[[2]int{from, to}]; !is && w.happens("replication between two controllers stops", pair, 0.02) {
				w.broken[[2]int{from, to}] = w.night + 1 + d.IntN(3)
			}
			c.Replicate(from, to, w.flows(from, to))
		}
	}
	all := w.running()
	c.WriteAt(all[throw(w.options.Seed, "where administrators work", w.night).IntN(len(all))])
}

// mostPairs is larger than the number of each controller, so that a pair of controllers has one number.
const mostPairs = 100

func (w *World) flows(from, to int) bool {
	_, broken := w.broken[[2]int{from, to}]
	return !broken && !w.away[from].cut && !w.away[to].cut
}

// The method "outage" sometimes begins an outage of a controller. At most one controller is out at a time.
func (w *World) outage(k int) {
	nights := 1 + throw(w.options.Seed, "nights of an outage", w.night, k).IntN(3)
	switch {
	case len(w.away) > 0:
	case len(w.dcs) > 1 && w.happens("a controller is switched off", k, 0.02):
		w.away[k] = away{w.night + 1, true, true}
	case w.happens("a controller is out of reach", k, 0.03):
		w.away[k] = away{w.night + nights, false, false}
	case len(w.dcs) > 1 && w.happens("a controller is cut off", k, w.cutOften()):
		w.away[k] = away{w.night + nights, false, true}
	default:
		return
	}
	w.box.Reach(k, w.reachable(k))
}

// cutOften returns how often a controller is cut off per night. Most licenses are taken in the first nights, so this
// outage is then most instructive.
func (w *World) cutOften() float64 {
	if w.night < 5 {
		return 0.2
	}
	return 0.02
}

// The method "logOnCutOff" sometimes logs an idle person on at a controller that is cut off. No other controller has a
// date of this logon until the outage ends.
func (w *World) logOnCutOff(i int) {
	for _, k := range w.dcs {
		if out := w.away[k]; out.cut && !out.off && w.people[i].daily < 0.1 && w.box.Company.Truth(i).Enabled && w.happens("an idle person logs on at a controller that is cut off", i, 0.4) {
			w.logOnHere(i, k)
		}
	}
}

// The method "reachable" reports whether a controller answers at its address.
func (w *World) reachable(k int) bool {
	_, out := w.away[k]
	return !out && slices.Contains(w.dcs, k)
}

// The method "endOutages" ends the outages that last until a night.
func (w *World) endOutages(night int) {
	for _, k := range w.dcs {
		if out, is := w.away[k]; is && out.until <= night {
			delete(w.away, k)
			w.box.Reach(k, true)
		}
	}
	for pair, until := range w.broken {
		if until <= night {
			delete(w.broken, pair)
		}
	}
}

// backupEvery is the number of nights between two backups of each controller.
const backupEvery = 12

// renewControllers sometimes restores, demotes or adds a controller. The first one is never demoted, because it may be
// the only one in the product's settings.
func (w *World) renewControllers() {
	c, last := w.box.Company, w.dcs[len(w.dcs)-1]
	for _, k := range w.dcs {
		if w.night%backupEvery == 0 {
			c.BackUp(k)
		} else if len(w.away) == 0 && w.happens("a controller is restored from a backup", k, 0.008) {
			w.losing(func() { c.RestoreController(k, w.other(k)) })
		}
	}
	switch {
	case len(w.away) > 0:
	case len(w.dcs) > 1 && w.happens("a controller is demoted", last, 0.006):
		w.losing(func() {
			w.box.Demote(last)
			w.dcs = w.dcs[:len(w.dcs)-1]
		})
		for pair := range w.broken {
			if slices.Contains(pair[:], last) {
				delete(w.broken, pair)
			}
		}
	case len(w.dcs) < mostControllers && w.happens("a controller is added", len(w.dcs), 0.012):
		k, err := w.box.AddController(w.dcs[0])
		if err != nil {
			panic(err) // the test machine has no free port
		}
		w.dcs = append(w.dcs, k)
		w.observeAll()
	}
}

// The method "other" returns another controller than k.
func (w *World) other(k int) int {
	return w.dcs[(slices.Index(w.dcs, k)+1)%len(w.dcs)]
}

// The method "losing" calls the function "do", which changes a controller. It tells the judge about the logons that no
// controller shows any longer.
func (w *World) losing(do func()) {
	c, before := w.box.Company, make([]time.Time, len(w.people))
	for i := range w.people {
		before[i] = c.LastShown(i)
	}
	do()
	for i := range w.people {
		h, last := &w.people[i], c.LastShown(i)
		if h.id == "" || !before[i].After(last) {
			continue
		}
		w.story.Counts["a logon is lost with its controller"]++
		w.logons = slices.DeleteFunc(w.logons, func(l logOn) bool { return l.Person == h.id && l.At.After(last) })
		w.hear(judge.Event{What: judge.Erased, At: last, Person: h.id, License: citrix})
	}
	w.observeAll()
}

// The method "unproven" reports whether the product cannot know that a person never logged on: a controller that its
// settings do not name never answers (docs/operations.md, "When a controller does not answer").
func (w *World) unproven(i int) bool {
	unknown := slices.ContainsFunc(w.dcs, func(k int) bool { return !w.knows(k) })
	return unknown && w.box.Company.LastShown(i).IsZero()
}

// The method "logOnNearby" logs a person on at a controller. The judge hears of the logon when the product can know it.
func (w *World) logOnNearby(i int) { w.logOnHere(i, w.nearest(i)) }

func (w *World) logOnHere(i, k int) {
	if w.box.Company.Truth(i).SID == "" {
		return
	}
	w.box.Company.LogOnAt(i, k)
	if k > 0 {
		w.story.Counts["logs on at another controller than the first"]++
	}
	e := judge.Event{At: w.clock.Now().Truncate(time.Second), Person: w.people[i].id, License: citrix}
	w.logons = append(w.logons, logOn{e, k})
}

// showLogons passes the logons on that the product can know by now: it reaches the controller, or the logon is older
// than judge.Lag.
func (w *World) showLogons() {
	now := w.clock.Now()
	w.logons = slices.DeleteFunc(w.logons, func(l logOn) bool {
		e, late := l.Event, l.At.Add(judge.Lag)
		switch {
		case w.reaches(l.at):
			e.Shown = now
		case !late.After(now):
			e.Shown = late
			w.story.Counts["a logon at a controller out of reach"]++
		default:
			return false
		}
		w.used(e)
		return true
	})
}

// The method "reunite" ends all outages.
func (w *World) reunite() {
	if w.dcs == nil {
		return
	}
	w.endOutages(w.night + mostPairs)
	for _, from := range w.dcs {
		for _, to := range w.dcs {
			if from != to {
				w.box.Company.Delay(from, to, 0)
				w.box.Company.Replicate(from, to, true)
			}
		}
	}
	w.box.Company.WriteAt(0)
}
