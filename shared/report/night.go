package report

import (
	"time"

	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// Night has the data of the pages of one run, without markup. All data comes from stored objects, which later runs may
// have changed.
type Night struct {
	Run         string       `json:"run"`
	Tenant      string       `json:"tenant"`
	AsOf        time.Time    `json:"asOf"`
	Made        time.Time    `json:"made"` // the time of the real clock, also in a simulation
	Expires     time.Time    `json:"expires"`
	Mode        policy.Mode  `json:"mode"`
	Verdict     plan.Verdict `json:"verdict"`
	HoldReasons []string     `json:"holdReasons"`
	Notes       []string     `json:"notes"`
	Overridable bool         `json:"overridable"`
	PlanHash    string       `json:"planHash"`
	Restores    string       `json:"restores,omitempty"` // the run that this run restores
	// Superseded is the run whose newer plan takes the place of this plan. Only `idleseat show` and `idleseat serve` set
	// it, because no later run writes the report again.
	Superseded string `json:"supersededBy,omitempty"`
	// Deployment is the deployment in AWS that made the run. It is empty for a run of a machine.
	Deployment string `json:"deployment,omitempty"`
	// OnePerson means that the run is about one person and not about everybody.
	OnePerson bool           `json:"onePerson,omitempty"`
	People    int            `json:"people"`
	Kinds     map[string]int `json:"kinds,omitempty"` // accounts that are not people, by kind
	Deferred  int            `json:"deferred"`
	Settled   *Settled       `json:"settled,omitempty"` // nil if no change has a result and no check stopped a batch
	Money     money.Sums     `json:"money"`
	Signals   []Signal       `json:"signals"`
	Rules     []Rule         `json:"rules"` // in the order of the policy

	Changes   List[Row]     `json:"changes"`   // the order of the plan: longest idle first
	Notices   List[Row]     `json:"notices"`   // changes that this run only announces
	Undecided List[Row]     `json:"undecided"` // sorted by rule, then by reason, then by name
	Refused   List[Row]     `json:"refused"`
	Returned  List[Row]     `json:"returned"` // people who get a license back because they are active again
	Pending   List[Row]     `json:"pending"`  // changes that earlier runs began and did not finish
	Turning   List[Turn]    `json:"turning"`  // people from whom a rule takes a license within 30 days if they stay away, by day
	Reasons   []ReasonCount `json:"reasons"`  // reasons of undecided and refused people, most frequent first
	Trend     []Point       `json:"trend"`    // the runs for everybody whose data is kept; oldest first, this run last
	Earlier   List[Past]    `json:"earlier"`  // licenses that earlier runs took, newest first
	// Backtest is the newest kept backtest that uses no night after this run, or nil.
	Backtest *Backtest `json:"backtest,omitempty"`
}

// List is a table. Total counts all rows, of which Rows may have only the first ones.
type List[T any] struct {
	Total int `json:"total"`
	Rows  []T `json:"rows"`
}

// Row is one license of one person.
type Row struct {
	User              string      `json:"user"` // object id in Entra ID, or SID
	UserPrincipalName string      `json:"userPrincipalName"`
	DisplayName       string      `json:"displayName,omitempty"`
	Department        string      `json:"department,omitempty"`
	Rule              string      `json:"rule"`
	License           string      `json:"license"`
	To                string      `json:"to,omitempty"`
	Via               plan.Via    `json:"via,omitempty"`
	Reason            string      `json:"reason"`
	Remedy            string      `json:"remedy,omitempty"` // the key of the remedy
	IdleSince         *time.Time  `json:"idleSince"`        // null if the person was never active, or the date is unknown
	Created           time.Time   `json:"created,omitzero"`
	Evidence          []string    `json:"evidence,omitempty"` // each text has the form "attribute = value"
	MonthlySaving     float64     `json:"monthlySaving"`
	SavesNothing      string      `json:"savesNothing,omitempty"` // why no money is saved now
	Status            runs.Status `json:"status,omitempty"`       // empty until a call has worked on the change
	Note              string      `json:"note,omitempty"`
}

// Signal is the health of one signal over all people, such as the dates of the last sign-ins in Entra ID.
type Signal struct {
	Name     string         `json:"name"`
	State    plan.FeedState `json:"state"`
	Reason   string         `json:"reason,omitempty"`
	Newest   time.Time      `json:"newest,omitzero"` // the newest date that any account has
	Dated    int            `json:"dated"`           // accounts with a date
	Accounts int            `json:"accounts"`        // accounts that were read
	Named    bool           `json:"named"`           // whether a rule depends on the signal
}

// Rule has a count for each stage of a rule, from the holders of the license to the changes.
type Rule struct {
	Name    string   `json:"name"`
	License string   `json:"license"`
	To      string   `json:"to,omitempty"`
	Words   []string `json:"words"` // the conditions "for" and "when" in the policy
	Holders int      `json:"holders"`
	Asked   int      `json:"asked"` // holders for whom the condition "for" is true
	Keep    int      `json:"keep"`
	Idle    int      `json:"idle"` // verdicts to reclaim
	Exempt  int      `json:"exempt"`
	// Undecided counts verdicts that are undecided because a value is missing.
	Undecided int `json:"undecided"`
	// UndecidedHolders counts the undecided verdicts on people who are known to hold the license. UndecidedAsked counts
	// those for which the condition "for" is known to be true.
	UndecidedHolders int `json:"undecidedHolders,omitempty"`
	UndecidedAsked   int `json:"undecidedAsked,omitempty"`
	Refused          int `json:"refused"`
	Deferred         int `json:"deferred"`
	Announced        int `json:"announced"`
	Changed          int `json:"changed"` // the number of planned changes; after a call has worked on the changes, the number of done changes
	// MonthlyPrice is the price of one seat for a month, or 0 if the policy has no price.
	MonthlyPrice float64 `json:"monthlyPrice"`
	Threshold    int     `json:"threshold"` // the number of days in the condition "when"; 0 if the condition has no number or several numbers
	// Idled[d] counts holders who were idle for d days. The last element counts all longer times.
	Idled []int `json:"idled"`
	Never int   `json:"never"` // holders without any date
	// NotKnown counts holders whose dates are unknown. Idled does not include these holders.
	NotKnown int `json:"notKnown"`
	// Turns counts holders from whom the rule reclaims within 7, 14 and 30 days if they stay away. The second count
	// includes the first, and the third includes the second.
	Turns [3]int `json:"turns"`
}

// Unread reports whether the holders were not read, as Unread of plan.Tally does.
func (r *Rule) Unread() bool {
	return (&plan.Tally{Holders: r.Holders, Undecided: r.Undecided, Exempt: r.Exempt}).Unread()
}

// Turn is a holder from whom a rule reclaims on a day if the person stays away.
type Turn struct {
	User              string    `json:"user"`
	UserPrincipalName string    `json:"userPrincipalName"`
	Rule              string    `json:"rule"`
	License           string    `json:"license"`
	On                time.Time `json:"on"`
}

// ReasonCount is a reason why nothing is changed, with the number of people.
type ReasonCount struct {
	Rule    string         `json:"rule"`
	Outcome policy.Outcome `json:"outcome"` // Undecided, or Reclaim if the change was refused
	Reason  string         `json:"reason"`
	Code    string         `json:"code,omitempty"` // the code from reason.Of; it stays the same when the words change
	Remedy  string         `json:"remedy,omitempty"`
	People  int            `json:"people"`
}

// Settled has the results of the changes of a run, as known at the time At.
type Settled struct {
	At       time.Time           `json:"at"`
	Statuses map[runs.Status]int `json:"statuses"`
	Refused  string              `json:"refused,omitempty"` // the safety check that stopped a batch
	// Begun means that the run may have begun a change before the check stopped it. It is set only if Refused is.
	Begun    bool   `json:"begun,omitempty"`
	Override string `json:"override,omitempty"`
}

// Point is one run in the trend.
type Point struct {
	Run       string       `json:"run"`
	AsOf      time.Time    `json:"asOf"`
	Verdict   plan.Verdict `json:"verdict"`
	Idle      int          `json:"idle"`
	Undecided int          `json:"undecided"`
	Done      int          `json:"done"`
	Restored  int          `json:"restored"`
}

// Past is a license that an earlier run took, and how the person got it back.
type Past struct {
	User              string    `json:"user"`
	UserPrincipalName string    `json:"userPrincipalName"`
	Rule              string    `json:"rule"`
	License           string    `json:"license"`
	To                string    `json:"to,omitempty"`
	Run               string    `json:"run"`               // the run that took the license; empty if unknown
	At                time.Time `json:"at,omitzero"`       // when the run took the license
	Returned          time.Time `json:"returned,omitzero"` // when the person got the license back
	How               string    `json:"how,omitempty"`     // ByOperator, ByRule or ByOtherHand; empty if the license did not come back
}
