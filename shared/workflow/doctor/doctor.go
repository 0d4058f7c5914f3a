// Package doctor examines whether everything that idleseat needs is there: sign-in, permissions, signals, what the
// policy names, controllers, rights, clocks, the store and a deployment in AWS. It says of each what was found, what
// that means, and the command that mends it. Package doctor only reads, except for two probes in the store. An answer
// that did not come is unknown, and never ok.
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
	NotTried State = "not tried" // because of another check, or because nothing needs it; Means says why
	Warning  State = "warning"   // plans can be made, but something is missing from them or cannot be applied
	Unknown  State = "unknown"   // asked, and no answer came
	Failed   State = "failed"
)

var order = map[State]int{OK: 0, NotTried: 1, Warning: 2, Unknown: 3, Failed: 4}

// Finding is what a check says about one thing.
type Finding struct {
	Check string `json:"check"`
	About string `json:"about,omitempty"` // the group, product or controller; empty if there is only one thing
	State State  `json:"state"`
	Means string `json:"means"`
	Mend  *Mend  `json:"mend,omitempty"`
}

// Mend says how a finding is mended. The commands are empty where no command can do it.
type Mend struct {
	Do         string `json:"do"`
	Bash       string `json:"bash,omitempty"`
	PowerShell string `json:"powershell,omitempty"`
}

// Entra is what doctor needs of Microsoft Entra ID.
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

// AD is what doctor needs of Active Directory.
type AD interface {
	Controllers(ctx context.Context) ([]activedirectory.Reached, error)
	ListFull(ctx context.Context, rests []string, each func(directory.ADUser) error) (*directory.Watermark, error)
	ReadPerson(ctx context.Context, sid string) (directory.ADUser, error)
	FindPerson(ctx context.Context, name string) (directory.ADUser, error)
	FindGroup(ctx context.Context, name string) (directory.Group, error)
	ListMembers(ctx context.Context, groupDN string, direct bool, each func(sid string) error) error
	CanWrite(ctx context.Context, groupDN string) (bool, error)
}

// Patient is what is examined. Where an error is set, the thing beside it could not be set up, and the error says why.
type Patient struct {
	Clock    clock.Clock
	Variable func(name string) (value string, set bool) // of the environment

	PolicyFile string // empty if none was named
	Policy     *policy.Policy
	PolicyErr  error

	Entra    Entra
	EntraErr error

	AD    AD // nil without an error: Active Directory is not set up
	ADErr error
	Bind  string // the account that binds to Active Directory

	Location string // of the store
	Store    store.Store
	StoreErr error

	Channel    *webhook.Client // nil without an error: no channel is set up
	ChannelErr error

	Stack  string // name of the deployment; empty: none is examined
	AWS    *AWS
	AWSErr error
}

// Worst returns the worst state of the findings.
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
	atOnce    = 6           // how many checks run at the same time
	checkTime = time.Minute // timeout of a check; Graph is asked again for 7 s if it denies the premium license
)
