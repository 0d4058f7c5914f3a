package weather

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Faults of a spell. A spell lasts for many nights, so it shows whether the product remembers the dates that it has
// read.
const (
	// In each night of the spell, Graph shows the same person only one of the three dates of signInActivity, or none
	// (msgraph-sdk-powershell#1898).
	GraphSpell Kind = "graph: sign-in dates lost for a spell"
	// A person of a spell is missing from the list of users for one night. The night is within the spell or after it.
	GraphSpellMissing Kind = "graph: missing for a night, beside a spell"
)

var graphSpells = []Kind{GraphSpell, GraphSpellMissing}

// One of spellEvery companies has a spell, which affects the share spellShare of its people. They are chosen in the first
// of the nights "chosen" that lists them. The dates get lost only "shown" nights after the begin, so that the product has
// read them. For "afterSpell" nights after the spell, its people may still be missing.
const (
	spellEvery = 3
	spellShare = 0.1
	chosen     = 3
	shown      = 5
	afterSpell = 20
)

// The method "spell" returns the first night of the company's spell, and the night after its last. Both are 0 if the
// company has no spell.
func (w *Weather) spell() (from, to int) {
	d := dice(hash(w.seed, 0, "spell", "", 0))
	roll := func() dice { return dice(d.next()) }
	if roll().below(spellEvery) > 0 {
		return 0, 0
	}
	from = 10 + roll().below(60)
	if roll().below(4) == 0 {
		return from, from + shown + 35 + roll().below(21)
	}
	return from, from + shown + 4 + roll().below(13)
}

// Spell returns the faults of the company's spell in a night. The caller adds them to the Plan of the night.
func (w *Weather) Spell(night int) (kinds []Kind) {
	from, to := w.spell()
	if from <= night && night < to {
		kinds = append(kinds, GraphSpell)
	}
	if from+shown <= night && night < to+afterSpell && to > 0 && dice(hash(w.seed, night, "spell: missing", "", 0)).below(8) == 0 {
		kinds = append(kinds, GraphSpellMissing)
	}
	return kinds
}

// HasSpell reports whether the company has a spell.
func (w *Weather) HasSpell() bool {
	_, to := w.spell()
	return to > 0
}

// The variable "signInDates" has the dates of signInActivity.
var signInDates = [...]string{"lastSignInDateTime", "lastNonInteractiveSignInDateTime", "lastSuccessfulSignInDateTime"}

// The method "enter" decides, in the first nights of a spell, whether the spell affects a user. A new user, and a user
// with fewer than two dates, stays unaffected. So the product has read a date that the spell then hides, and can know
// that the date was lost. A spell often keeps the oldest date, so that the user seems idle.
func (x *request) enter(entry json.RawMessage) {
	var user struct {
		ID      string                     `json:"id"`
		Created time.Time                  `json:"createdDateTime"`
		Dates   map[string]json.RawMessage `json:"signInActivity"`
	}
	if from, _ := x.w.spell(); !x.n.kinds[GraphSpell] || x.n.number >= from+chosen || json.Unmarshal(entry, &user) != nil {
		return
	}
	if _, decided := x.keeps(user.ID); decided {
		return
	}
	var dates []string
	for _, name := range signInDates {
		if date := string(user.Dates[name]); strings.HasPrefix(date, `"`) {
			dates = append(dates, date)
		}
	}
	kept, known := keepsAll, x.w.clock.Now().Sub(user.Created) > 3*24*time.Hour
	if known && len(dates) > 1 {
		oldest := slices.IndexFunc(signInDates[:], func(name string) bool { return string(user.Dates[name]) == slices.Min(dates) })
		if d, hit := x.w.befalls(x.n, GraphSpell, user.ID, spellShare); hit {
			kept = pick(d, oldest, oldest, d.below(len(signInDates)), len(signInDates))
		}
	}
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	x.w.kept[user.ID] = kept
}

// The constant "keepsAll" says that a spell does not affect a user. Other values are the index of the date that the
// spell keeps, or len(signInDates) if it keeps none.
const keepsAll = -1

// The method "keeps" returns which date the spell keeps of a user, and whether the method "enter" has decided this.
func (x *request) keeps(id string) (kept int, decided bool) {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	if kept, decided = x.w.kept[id]; !decided {
		kept = keepsAll
	}
	return kept, decided
}

// The method "spelled" returns the entry of a user without the dates that a spell hides.
func (x *request) spelled(entry json.RawMessage, id string) json.RawMessage {
	from, _ := x.w.spell()
	if !x.n.kinds[GraphSpell] || x.n.number < from+shown || !bytes.Contains(entry, []byte(`"signInActivity":{`)) {
		return entry
	}
	kept, _ := x.keeps(id)
	if kept == keepsAll {
		return entry
	}
	var fields, dates map[string]json.RawMessage
	if json.Unmarshal(entry, &fields) != nil || json.Unmarshal(fields["signInActivity"], &dates) != nil {
		return entry
	}
	for i, name := range signInDates {
		if i != kept {
			dates[name] = json.RawMessage("null")
		}
	}
	if fields["signInActivity"] = encode(dates); kept == len(signInDates) {
		delete(fields, "signInActivity")
	}
	return encode(fields)
}

// The method "spellMisses" reports whether a person of a spell is missing from the list of users tonight.
func (x *request) spellMisses(id string) bool {
	if kept, _ := x.keeps(id); !x.n.kinds[GraphSpellMissing] || kept == keepsAll {
		return false
	}
	_, hit := x.w.befalls(x.n, GraphSpellMissing, id, 1./4)
	return hit
}
