package directory

import (
	"slices"
	"time"
)

// Signal is one kind of dated fact about people that arrives by one feed: the sign-ins
// of Entra ID, the logons of Active Directory, the use of one workload by a usage
// report. Health, coverage and doubt belong to a signal. A feed that is dead makes
// undecided only the rules that name the signal.
type Signal uint8

// The signals. Those of the directories have the number of their Source.
const (
	SignIns       = Signal(Entra)
	Logons        = Signal(AD)
	ExchangeUse   = Signal(2)
	TeamsUse      = Signal(3)
	SharePointUse = Signal(4)
	OneDriveUse   = Signal(5)
	CopilotUse    = Signal(6)

	// Signals is how many there are.
	Signals = 7
	// Sources is how many directories there are. Their signals come first.
	Sources = 2
)

// signals is what is known of each signal.
var signals = [Signals]struct {
	name       string        // in plans
	date       string        // what a sentence calls one date of it
	noun, past string        // "no sign-in since", "never signed in"
	stalled    time.Duration // see Stalled
	horizon    time.Duration // see Horizon
	fields     string        // what the names of its fields begin with; empty: written out in allFields
}{
	// Entra's dates are up to a day late, and a weekend passes without sign-ins.
	SignIns: {name: "entra", date: "sign-in", noun: "sign-in", past: "signed in", stalled: 4 * day},
	// lastLogonTimestamp is up to 14 days late, and in a small company the newest of
	// them may be, too.
	Logons: {name: "ad", date: "lastLogonTimestamp", noun: "logon", past: "logged on", stalled: 14 * day},

	ExchangeUse:   {"m365.exchange", "Exchange activity", "activity in Exchange", "used Exchange", reportStalled, reportSpan, "m365.exchange"},
	TeamsUse:      {"m365.teams", "Teams activity", "activity in Teams", "used Teams", reportStalled, reportSpan, "m365.teams"},
	SharePointUse: {"m365.sharepoint", "SharePoint activity", "activity in SharePoint", "used SharePoint", reportStalled, reportSpan, "m365.sharepoint"},
	OneDriveUse:   {"m365.onedrive", "OneDrive activity", "activity in OneDrive", "used OneDrive", reportStalled, reportSpan, "m365.onedrive"},
	CopilotUse:    {"copilot", "Copilot activity", "use of Copilot", "used Copilot", reportStalled, reportSpan, "copilot.lastActivity"},
}

const (
	day = 24 * time.Hour
	// reportStalled: usage reports come within 48 hours by Microsoft's documentation
	// ("Microsoft 365 Reports in the admin center"), and seven to nine days late at times
	// (MicrosoftDocs/OfficeDocs-SkypeForBusiness#3529).
	reportStalled = 7 * day
	// reportSpan is that of period='D180', the longest one (Graph documentation,
	// "reportRoot: getOffice365ActiveUserDetail").
	reportSpan = 180 * day
)

// String is the signal's name in plans.
func (s Signal) String() string { return signals[s].name }

// Date is what a sentence calls a date of the signal.
func (s Signal) Date() string { return signals[s].date }

// Words are for "no sign-in since" and "never signed in".
func (s Signal) Words() (noun, past string) { return signals[s].noun, signals[s].past }

// Stalled is how old the newest date of anybody may be before the feed counts as
// stalled: how late dates come, and the days on which nobody works.
func (s Signal) Stalled() time.Duration { return signals[s].stalled }

// Horizon is how far back the signal reaches. What lies before it is unknown, and not
// "never". It is zero for a signal that has no horizon.
func (s Signal) Horizon() time.Duration { return signals[s].horizon }

// Reported tells whether the signal comes by a usage report. A report is of everybody:
// it cannot be read again for one person.
func (s Signal) Reported() bool { return s >= Sources }

// SignalNamed finds a signal by its name in plans.
func SignalNamed(name string) (Signal, bool) {
	for s := range Signal(Signals) {
		if signals[s].name == name {
			return s, true
		}
	}
	return 0, false
}

// Use is what a usage report tells of one account and one signal.
type Use struct {
	Signal Signal
	// Last is the end of the day of the last activity. Known, or None: the report proves
	// that there was none in all its span.
	Last Value
	// Assigned is the end of the day on which the license of the workload was assigned.
	Assigned Value
	// Through is the day up to which the report tells anything, at its start. What came
	// later is not in it.
	Through time.Time
	// Shown is the newest day that an earlier report showed, where this one shows an earlier
	// day or none. Last is then unknown. Zero: no day is lost.
	Shown time.Time
}

// use is what a report tells of the account; nil: the account is not in it.
func (u *EntraUser) use(s Signal) *Use {
	i := slices.IndexFunc(u.Uses, func(use Use) bool { return use.Signal == s })
	if i < 0 {
		return nil
	}
	return &u.Uses[i]
}

// addReported adds the two fields of each signal that comes by a report.
func addReported(m map[string]*Field) {
	for s := range Signal(Signals) {
		if name := signals[s].fields; name != "" {
			m[name] = &Field{Name: name, Source: Entra, Kind: Date, Meaning: Activity, report: s, use: (*EntraUser).lastUse}
			if s != CopilotUse { // its report does not tell
				m[name+"Assigned"] = &Field{Name: name + "Assigned", Source: Entra, Kind: Date, report: s, use: (*EntraUser).assigned}
			}
		}
	}
}

// lastUse is the last activity. Where the report proves that there was none in its span,
// the account may have been active before; one that is younger cannot.
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

// reported is the value of a field that comes by a report.
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

// Signal is the signal whose dates the field gives; false for a field that gives none.
func (f *Field) Signal() (s Signal, dated bool) {
	if f.report != 0 {
		return f.report, true
	}
	return Signal(f.Source), f.Meaning == Activity
}

// usedBy are the uses as if the account had last been used at an instant, where it was
// not used later. What is not known stays so.
func usedBy(uses []Use, at time.Time) []Use {
	uses = slices.Clone(uses)
	for i := range uses {
		if last := &uses[i].Last; last.State == None || last.State == Known && last.Time.Before(at) {
			*last = Value{State: Known, Time: at}
		}
	}
	return uses
}
