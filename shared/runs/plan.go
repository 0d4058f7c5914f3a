// Package runs stores the plan of a run (plan.json, which `idleseat plan --format json` prints) and the results of its
// batches. It streams the lists of a plan, which may be larger than memory. It checks each object that it reads.
package runs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrNoPlan is returned for a run without a plan.
var ErrNoPlan = errors.New("the run has no plan")

// Each is the type of a function that goes through the decisions of a run. It calls its argument "each" once for every
// decision, and returns a summary of all decisions. The method Each of decision.Run has this type.
type Each func(ctx context.Context, each func(*plan.Decision) error) (decision.Summary, error)

// Listed is an entry in one of the lists of plan.json: "refused", "undecided" or "returned". The list "returned" has
// the licenses of people who are active again since a run took the license.
type Listed struct {
	User              string `json:"user"`
	UserPrincipalName string `json:"userPrincipalName"`
	Rule              string `json:"rule"`
	License           string `json:"license"`
	Reason            string `json:"reason"`
}

// PutPlan writes plan.json: first the members of p, and then the lists "refused", "undecided" and "returned", which the
// hash of the plan does not cover.
func PutPlan(ctx context.Context, s store.Store, p *plan.Plan, each Each) error {
	err := store.PutSpooled(ctx, s, layout.Plan(p.Run), func(w io.Writer) error {
		bound, err := store.Encode(layout.Plan(p.Run), p)
		if err != nil {
			return err
		}
		if _, err := w.Write(bound[:len(bound)-1]); err != nil { // without the closing brace of the object
			return err
		}
		refused := func(d *plan.Decision) (string, bool) {
			return d.Refused, d.RestoreOf == "" && d.Refused != ""
		}
		undecided := func(d *plan.Decision) (string, bool) { return d.Reason, d.Outcome == policy.Undecided }
		if err := list(ctx, w, "refused", each, refused); err != nil {
			return err
		}
		if err := list(ctx, w, "undecided", each, undecided); err != nil {
			return err
		}
		returned := func(d *plan.Decision) (string, bool) {
			if d.Refused != "" {
				return d.Reason + "; " + d.Refused, d.RestoreOf != ""
			}
			return d.Reason, d.RestoreOf != ""
		}
		if err := list(ctx, w, "returned", each, returned); err != nil {
			return err
		}
		_, err = io.WriteString(w, "}\n")
		return err
	})
	if err != nil {
		return fmt.Errorf("write the plan of run %s: %w", p.Run, err)
	}
	return nil
}

// The function "list" writes a member of plan.json: an array of the decisions for which the function "belongs" returns
// true. That function also returns the reason for the entry.
func list(ctx context.Context, w io.Writer, key string, each Each, belongs func(*plan.Decision) (reason string, ok bool)) error {
	if _, err := fmt.Fprintf(w, ",%q:[", key); err != nil {
		return err
	}
	separator := ""
	_, err := each(ctx, func(d *plan.Decision) error {
		reason, ok := belongs(d)
		if !ok {
			return nil
		}
		b, err := json.Marshal(Listed{d.User, d.UserPrincipalName, d.Rule, d.License, reason})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s%s", separator, b)
		separator = ","
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "]")
	return err
}

// GetPlan returns the plan of a run without its lists, and checks its hash. The error is ErrNoPlan if the run has no
// plan, and store.ErrDamaged if the object is damaged or was altered.
func GetPlan(ctx context.Context, s store.Store, run string) (*plan.Plan, error) {
	var p *plan.Plan
	var hash string
	err := store.Read(ctx, s, layout.Plan(run), func(body io.Reader) (err error) {
		p, hash, err = bound(layout.Plan(run), bufio.NewReader(body))
		if err != nil && !errors.Is(err, store.ErrDamaged) {
			return fmt.Errorf("%w %q: %w", store.ErrDamaged, layout.Plan(run), err)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadKey) {
		return nil, fmt.Errorf("run %q: %w", run, ErrNoPlan)
	}
	if err != nil {
		return nil, fmt.Errorf("read the plan of run %s: %w", run, err)
	}
	if p.Run != run || p.PlanHash != hash {
		return nil, fmt.Errorf("the plan of run %s was altered, its hash does not fit: %w %q", run, store.ErrDamaged, layout.Plan(run))
	}
	return p, nil
}

// EachListed calls "each" for every entry in the lists "refused", "undecided" and "returned" of a run's plan. An error
// of "each" ends the call, and EachListed returns it.
func EachListed(ctx context.Context, s store.Store, run string, each func(list string, entry *Listed) error) error {
	var stop error
	err := store.Read(ctx, s, layout.Plan(run), func(body io.Reader) error {
		err := eachListed(json.NewDecoder(bufio.NewReader(body)), func(list string, entry *Listed) error {
			stop = each(list, entry)
			return stop
		})
		if err != nil {
			return fmt.Errorf("%w %q: %w", store.ErrDamaged, layout.Plan(run), err)
		}
		return nil
	})
	if err != nil && stop == nil {
		return fmt.Errorf("read the plan of run %s: %w", run, err)
	}
	return stop
}

func eachListed(dec *json.Decoder, each func(list string, entry *Listed) error) error {
	if _, err := dec.Token(); err != nil { // the opening brace
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if name != "refused" && name != "undecided" && name != "returned" {
			var bound json.RawMessage
			if err := dec.Decode(&bound); err != nil {
				return err
			}
			continue
		}
		if _, err := dec.Token(); err != nil { // the opening bracket
			return err
		}
		for dec.More() {
			var entry Listed
			if err := dec.Decode(&entry); err != nil {
				return err
			}
			if err := each(name, &entry); err != nil {
				return err
			}
		}
		if _, err := dec.Token(); err != nil {
			return err
		}
	}
	_, err := dec.Token() // the closing brace, because More is also false where the object breaks off
	return err
}

// The function "bound" returns the plan in plan.json, which is all members before the list "refused". It also returns
// the hash of the text of these members.
func bound(key string, r io.Reader) (*plan.Plan, string, error) {
	var read bytes.Buffer
	dec := json.NewDecoder(io.TeeReader(r, &read))
	if _, err := dec.Token(); err != nil {
		return nil, "", err
	}
	text := []byte(nil) // the object without the lists
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, "", err
		}
		if name == "refused" {
			before, _ := bytes.CutSuffix(read.Bytes()[:dec.InputOffset()], []byte(`,"refused"`))
			text = append(before, '}')
			break
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, "", err
		}
	}
	if text == nil {
		text = read.Bytes()
	}
	var p plan.Plan
	if err := store.Decode(key, text, &p); err != nil {
		return nil, "", err
	}
	hash, err := plan.HashOf(text)
	return &p, hash, err
}
