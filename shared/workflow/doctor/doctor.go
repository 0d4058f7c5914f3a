// Package doctor examines the parts that idleseat needs, such as sign-in, permissions, signals, controllers, the store
// and a deployment in AWS. A Finding tells the state of a part, and a Mend tells how to repair it.
//
// The package only reads, except for two probes in the store. If no answer comes, the state is unknown and never ok.
package doctor

import (
	"context"
	"io"
	"time"

	"github.com/idleseat/idleseat/shared/card/webhook"
	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/store"
)

// State is the result of a check.
type State string

// The states, from the best to the worst.
const (
	OK       State = "ok"
	NotTried State = "not tried" // another check failed, or nothing needs this check; Means gives the reason
	Warning  State = "warning"   // plans can be made, but they lack something or cannot be applied
	Unknown  State = "unknown"   // no answer came
	Failed   State = "failed"
)

var order = map[State]int{OK: 0, NotTried: 1, Warning: 2, Unknown: 3, Failed: 4}

// Finding is a result of a check. A check of several things has a finding about each of them.
type Finding struct {
	Check string `json:"check"`
	About string `json:"about,omitempty"` // the group, product or controller; empty if the check is about one thing
	State State  `json:"state"`
	Means string `json:"means"`
	Mend  *Mend  `json:"mend,omitempty"`
}

// Mend tells how to repair the fault of a finding. Bash and PowerShell are empty if no command can repair it.
type Mend struct {
	Do         string `json:"do"`
	Bash       string `json:"bash,omitempty"`
	PowerShell string `json:"powershell,omitempty"`
}

// Entra is the part of Microsoft Entra ID that doctor needs.
type Entra interface {
	Grant(ctx context.Context) (entra.Grant, error)
	Tenant(ctx context.Context) (id string, skus []directory.SKU, err error)
	ListPeople(ctx context.Context, cursor string, page func(people []directory.EntraUser, next string) error) error
	FindGroup(ctx context.Context, nameOrID string) (directory.Group, error)
	FindID(ctx context.Context, upnOrID string) (string, error)
	ListMembers(ctx context.Context, group directory.Group, cursor string, page func(members []directory.Member, next string) error) error
	Mailboxes(ctx context.Context, each func(directory.Mailbox) error) error
	Report(ctx context.Context, name string, paths []string, read func(io.Reader) error) error
}

// AD is the part of Active Directory that doctor needs.
type AD interface {
	Controllers(ctx context.Context) ([]activedirectory.Reached, error)
	ListFull(ctx context.Context, rests []string, each func(directory.ADUser) error) (*directory.Watermark, error)
	ReadPerson(ctx context.Context, sid string) (directory.ADUser, error)
	FindPerson(ctx context.Context, name string) (directory.ADUser, error)
	FindGroup(ctx context.Context, name string) (directory.Group, error)
	ListMembers(ctx context.Context, groupDN string, direct bool, each func(sid string) error) error
	CanWrite(ctx context.Context, groupDN string) (bool, error)
}

// Patient describes the parts that doctor examines. An error field has the reason why the field above it could not be
// set up.
type Patient struct {
	Clock    clock.Clock
	Variable func(name string) (value string, set bool) // environment variable

	PolicyFile string // empty if the operator named none
	Policy     *policy.Policy
	PolicyErr  error

	Entra    Entra
	EntraErr error

	AD    AD // if AD and ADErr are nil, Active Directory is not set up
	ADErr error
	Bind  string // the account that binds to Active Directory

	Location string      // path or s3://bucket/prefix of the store
	Store    store.Store // if Store and StoreErr are nil, no store is examined
	StoreErr error

	Channel    *webhook.Client // if Channel and ChannelErr are nil, no channel is set up
	ChannelErr error

	Stack  string // name of the deployment; empty: no deployment is examined
	AWS    *AWS
	AWSErr error
}

// Away reports whether idleseat runs in a deployment and not on this machine: the operator names a deployment and no
// policy file.
func (p *Patient) Away() bool { return p.Stack != "" && p.PolicyFile == "" }

// Worst returns the worst state of the findings, or OK without findings.
func Worst(findings []Finding) State {
	worst := OK
	for _, f := range findings {
		if order[f.State] > order[worst] {
			worst = f.State
		}
	}
	return worst
}

const (
	atOnce    = 6           // number of checks that run at the same time
	checkTime = time.Minute // timeout of a check; the client repeats a request for 7 s if Graph denies the premium license
)
