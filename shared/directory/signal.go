package directory

import (
	"slices"
	"time"
)

// Signal is a kind of dated fact about people from one feed: the sign-ins of Entra ID, the logons of Active Directory,
// or the use of a workload in a usage report. If a feed fails, only the rules that read its signal become undecided.
type Signal uint8

// The signals. SignIns and Logons have the numbers of their directories, so a Source can be an index into Person.Stale.
// A signal of a usage report also needs a Column in shared/source/usage/report.go. A new signal gets the next number,
// and Signals grows by one.
const (
	SignIns       = Signal(Entra)
	Logons        = Signal(AD)
	ExchangeUse   = Signal(2)
	TeamsUse      = Signal(3)
	SharePointUse = Signal(4)
	OneDriveUse   = Signal(5)
	CopilotUse    = Signal(6)

	// Signals is the number of signals.
	Signals = 7
	// Sources is the number of directories. The signals of the directories come first.
	Sources = 2
)

var signals = [Signals]struct {
	name       string        // the name in plans
	date       string        // one date of the signal, as in a sentence
	noun, past string        // as in "no sign-in since" and "never signed in"
	stalled    time.Duration // how old the newest date may be
	lag        time.Duration // how late a date of a directory may appear
	horizon    time.Duration // how far back the signal reaches; 0 if it has no limit
	fields     string        // name of the field with the last use; with the suffix Assigned, the field with the day of assignment; empty if allFields names the fields
	assigned   bool          // whether the report of the signal has the days on which licenses were assigned
}{
	// The dates of Entra ID are up to a day late, and a weekend may pass without sign-ins. The lag allows for twice that.
	SignIns: {name: "entra", date: "sign-in", noun: "sign-in", past: "signed in", stalled: 4 * day, lag: 2 * day},
	// lastLogonTimestamp is up to 14 days late, and in a small company even the newest date of all people may be that
	// late.
	Logons: {name: "ad", date: "lastLogonTimestamp", noun: "logon", past: "logged on", stalled: 14 * day, lag: 14 * day},

	ExchangeUse:   {name: "m365.exchange", date: "Exchange activity", noun: "activity in Exchange", past: "used Exchange", fields: "m365.exchange", assigned: true, stalled: reportStalled, horizon: reportSpan},
	TeamsUse:      {name: "m365.teams", date: "Teams activity", noun: "activity in Teams", past: "used Teams", fields: "m365.teams", assigned: true, stalled: reportStalled, horizon: reportSpan},
	SharePointUse: {name: "m365.sharepoint", date: "SharePoint activity", noun: "activity in SharePoint", past: "used SharePoint", fields: "m365.sharepoint", assigned: true, stalled: reportStalled, horizon: reportSpan},
	OneDriveUse:   {name: "m365.onedrive", date: "OneDrive activity", noun: "activity in OneDrive", past: "used OneDrive", fields: "m365.onedrive", assigned: true, stalled: reportStalled, horizon: reportSpan},
	CopilotUse:    {name: "copilot", date: "Copilot activity", noun: "use of Copilot", past: "used Copilot", fields: "copilot.lastActivity", stalled: reportStalled, horizon: reportSpan},
}

const (
	day = 24 * time.Hour
	// reportStalled is how old a usage report may be. Microsoft documents 48 hours ("Microsoft 365 Reports in the admin
	// center"), but some reports are seven to nine days late (MicrosoftDocs/OfficeDocs-SkypeForBusiness#3529).
	reportStalled = 7 * day
	// reportSpan is the longest period of a usage report, D180 (Graph documentation, "reportRoot:
	// getOffice365ActiveUserDetail").
	reportSpan = 180 * day
)

// String returns the name of the signal in plans.
func (s Signal) String() string { return signals[s].name }

// Date returns the word for one date in a sentence, such as "sign-in".
func (s Signal) Date() string { return signals[s].date }

// Words returns two forms for sentences: a noun as in "no sign-in since", and a past tense as in "never signed in".
func (s Signal) Words() (noun, past string) { return signals[s].noun, signals[s].past }

// Stalled returns how old the newest date of all people may be before the feed counts as stalled. It allows for the lag
// of the dates and for days on which nobody works.
func (s Signal) Stalled() time.Duration { return signals[s].stalled }

// Lag returns how late a date of a directory may appear. A date that appears later shows that the directory gave old
// data before.
func (s Signal) Lag() time.Duration { return signals[s].lag }

// Horizon returns how far back the signal reaches, or 0 for no limit. What is older is unknown, and not "never".
func (s Signal) Horizon() time.Duration { return signals[s].horizon }

// Reported reports whether the signal comes from a usage report, which lists everybody and so cannot be read again for
// one person.
func (s Signal) Reported() bool { return s >= Sources }

// SignalNamed returns the signal with this name in plans.
func SignalNamed(name string) (Signal, bool) {
	for s := range Signal(Signals) {
		if signals[s].name == name {
			return s, true
		}
	}
	return 0, false
}

// Use is what a usage report says about one account and one signal.
type Use struct {
	Signal Signal
	// Last is the end of the day of the last activity. Its state is None if there was no activity in the span of the
	// report.
	Last Value
	// Assigned is the end of the day on which the license for the workload was assigned.
	Assigned Value
	// Through is the start of the last day that the report covers. Later activity may be missing.
	Through time.Time
	// Shown is the last day of activity in an earlier report, if this report shows an earlier day or no activity. As
	// the two reports contradict each other, Last is then Unknown.
	Shown time.Time
}

// The method "use" returns what the report of the signal says about the account, or nil if the report does not list it.
func (u *EntraUser) use(s Signal) *Use {
	i := slices.IndexFunc(u.Uses, func(use Use) bool { return use.Signal == s })
	if i < 0 {
		return nil
	}
	return &u.Uses[i]
}

// addReported adds the date of the last use of each signal from a report and, if the report has it, the date of
// assignment.
func addReported(m map[string]*Field) {
	for s := range Signal(Signals) {
		if name := signals[s].fields; name != "" {
			m[name] = &Field{Name: name, Source: Entra, Kind: Date, Meaning: Activity, report: s, use: (*EntraUser).lastUse}
			if signals[s].assigned {
				m[name+"Assigned"] = &Field{Name: name + "Assigned", Source: Entra, Kind: Date, report: s, use: (*EntraUser).assigned}
			}
		}
	}
}

// lastUse returns the last activity. If the report has none, an account that was created in the span of the report was
// never active (None). Any other account may have been active before the span (NoneSince).
func (u *EntraUser) lastUse(of *Use) Value {
	v := of.Last
	v.Through = of.Through
	if v.State != None {
		return v
	}
	v.Time = of.Through.Add(-of.Signal.Horizon())
	if u.Created.IsZero() || u.Created.Before(v.Time) {
		v.State = NoneSince
	}
	return v
}

func (u *EntraUser) assigned(of *Use) Value {
	v := of.Assigned
	v.Through = of.Through
	return v
}

func (f *Field) reported(p *Person) Value {
	if p.EntraState != Present || p.Stale[f.report] != "" || p.Entra.Agent() {
		return Value{}
	}
	of := p.Entra.use(f.report)
	if of == nil {
		return Value{}
	}
	return f.use(p.Entra, of)
}

// Signal returns the signal of the field. If the field is no date of a signal, "dated" is false, and the signal is that
// of the directory.
func (f *Field) Signal() (s Signal, dated bool) {
	if f.report != 0 {
		return f.report, true
	}
	return Signal(f.Source), f.Meaning == Activity
}

// usedBy returns a copy of the uses. In the copy, the time "at" replaces each earlier last use, and each last use with
// the state None. An unknown last use stays unknown.
func usedBy(uses []Use, at time.Time) []Use {
	uses = slices.Clone(uses)
	for i := range uses {
		if last := &uses[i].Last; last.State == None || last.State == Known && last.Time.Before(at) {
			*last = Value{State: Known, Time: at}
		}
	}
	return uses
}
