package command

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/card/webhook"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/lease"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// channelConfig configures the channel of Teams or Slack that gets a message at the end of each night.
type channelConfig struct {
	File    string `env:"IDLESEAT_WEBHOOK_FILE"` // the file whose only line is the address of the webhook
	Reports string `env:"IDLESEAT_REPORTS_URL"`  // the https address at which a browser finds the folder of the store
}

func (c *channelConfig) client(a *Process) (*webhook.Client, error) {
	text, err := readSmall(c.File)
	if err != nil {
		return nil, fmt.Errorf("cannot read the file that IDLESEAT_WEBHOOK_FILE names: %w", err)
	}
	to, err := webhook.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("IDLESEAT_WEBHOOK_FILE: %s: %w", c.File, err)
	}
	return &webhook.Client{To: to, Clock: a.Clock, Transport: a.Web}, nil
}

// The method "link" returns the address of an object for a browser. If IDLESEAT_REPORTS_URL is set, the address is this
// URL followed by the key of the object. Otherwise, it is a page of the AWS console. The result is "" if the variable
// has a value that is no https URL, or if it is not set and the store is not in S3.
func (c *channelConfig) link(location, region, key string) string {
	if c.Reports == "" {
		return gate.Console(location, region, key)
	}
	if u, err := url.Parse(c.Reports); err != nil || u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return strings.TrimRight(c.Reports, "/") + "/" + key
}

// The constant "hastily" is the maximum time that a post may take after an interrupt, because an operator who presses
// Ctrl-C expects that the command ends soon.
const hastily = 5 * time.Second

// The method "post" posts how the night ended, if a channel is configured. The argument "err" is the error of the
// command. If the post fails, the method only prints the reason: the exit status of the night does not change.
func (n *night) post(err error) {
	src, _ := n.a.sources() // an error here is about another setting, and the night has already ended with this error
	if src.Channel.File == "" {
		return
	}
	ctx := context.WithoutCancel(n.a.Context)
	if n.a.interrupted() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, hastily)
		defer cancel()
	}
	client, failed := src.Channel.client(n.a)
	if failed == nil {
		_, message := gate.Card(n.state(ctx, err), n.place(&src.Channel))
		failed = client.Post(ctx, message)
	}
	if failed != nil {
		n.tell("the channel was not told how this run ended, which changes nothing else: %s", failed.Error())
	}
}

// The method "place" describes for the message where the night ran. The description names no folder, because a path may
// contain the name of a person.
func (n *night) place(c *channelConfig) *gate.Place {
	p := &gate.Place{Name: "idleseat", Hints: here{}}
	if strings.HasPrefix(n.Store, "s3://") {
		p.Store = n.Store
	}
	region, _ := n.a.Variable("AWS_REGION")
	p.Link = func(key string) string { return c.link(n.Store, region, key) }
	return p
}

// The method "state" describes the end of the night in the same form as the output of a state machine.
func (n *night) state(ctx context.Context, err error) *gate.StepOutput {
	out := new(gate.StepOutput)
	if n.plan == nil {
		out.Failure = &gate.Failure{Cause: n.nameless(err)}
		if refused(err) {
			out.Failure.Error = gate.RefusedError
		}
		out.Left(n.left, n.unlisted)
		return out
	}
	by := map[runs.Status]int{}
	for _, r := range n.earlier {
		for status, count := range r.by {
			by[status] += count
		}
	}
	out = gate.Ended(n.plan, n.results, by)
	if body, err := n.line.store.Get(ctx, layout.Report(n.plan.Run)); err == nil {
		_ = body.Close()
		out.Report = layout.Report(n.plan.Run)
	}
	switch {
	case errors.Is(n.failed, runs.ErrRefused):
		out.Refused = n.nameless(n.failed)
	case n.failed != nil || n.behind != nil:
		out.Failure = &gate.Failure{Cause: n.nameless(errors.Join(n.failed, n.behind))}
	}
	return out
}

// The function "refused" reports whether err means that the command began nothing: another night works in the store,
// the usage or the policy is wrong, or a safety check refused the command.
func refused(err error) bool {
	var faults policy.Faults
	return errors.Is(err, lease.ErrHeld) || errors.Is(err, runs.ErrRefused) || errors.Is(err, collect.ErrPolicy) || errors.As(err, new(usageError)) || errors.As(err, &faults)
}

// The method "nameless" returns the text of an error without names of people and without paths, which may contain a
// name.
func (n *night) nameless(err error) string {
	if errors.Is(err, lease.ErrHeld) {
		return lease.ErrHeld.Error() // the rest of the text has the name of the person who started the other run
	}
	paths := []string{n.Policy, n.Store}
	if whole, err := filepath.Abs(n.Policy); err == nil {
		paths = append(paths, whole, filepath.Dir(whole))
	}
	if home, err := os.UserHomeDir(); err == nil {
		paths = append(paths, home)
	}
	text := plain.Nameless(oneLine(err.Error()), plain.IsID)
	for _, path := range paths {
		if strings.ContainsAny(path, `/\`) {
			text = plain.Without(text, []string{path})
		}
	}
	return text
}

// The type "here" implements gate.Hints with commands for the machine on which the nights run. These commands do not
// name the store, because its path may contain the name of a person.
type here struct{}

func (here) Plan() string { return "idleseat plan" }

func (h here) Look(run, _ string) string { return h.Show(run) }

func (here) Show(run string) string { return "idleseat show " + run }

func (here) Doctor() string { return "idleseat doctor" }

// Asked returns no step. Such a step would show how the night was started, which the operator of this machine knows.
func (here) Asked() []card.Step { return nil }

func (here) Again(*gate.StepOutput) (text string, steps []card.Step) {
	return "Start it again; the new run continues what this one began.", []card.Step{{To: "To start it again", Command: "idleseat run"}}
}

func (here) Apply(run, planHash string, override bool) string {
	if override {
		return "idleseat apply " + run + " --override-limits " + planHash
	}
	return "idleseat apply " + run
}

func (here) Restore(run, user string) string {
	return strings.TrimSpace("idleseat restore --run " + run + " " + user)
}
