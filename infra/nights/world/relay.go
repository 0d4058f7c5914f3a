package world

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/infra/nights/premises"
	"github.com/idleseat/idleseat/infra/nights/weather"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/workflow/apply"
	"github.com/idleseat/idleseat/shared/workflow/collect"
)

// hasRelays reports whether the seed gives relays to the company. Only a company that runs the product as functions has
// relays.
func (w *World) hasRelays() bool {
	return w.serverless && throw(w.options.Seed, "relays").chance(relayed)
}

// The method "install" adds relays to the company. The relays have their own weather: the same kinds of faults as the
// product's process, in the same nights, but at other operations.
func (w *World) install() (err error) {
	w.nearby = w.weathered(^w.options.Seed)
	w.box.Meddle(w.nearby.LDAP)
	var ad activedirectory.Config
	if err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: &ad, Lookuper: envconfig.MapLookuper(w.env())}); err != nil {
		return fmt.Errorf("read the settings of Active Directory: %w", err)
	}
	w.premises, err = premises.Open(premises.Options{
		Clock: &w.clock, AD: ad, Store: w.nearby.Store(&w.behind), Weather: w.nearby,
		Happens: func(kind premises.Kind, which int) bool {
			return w.night < w.options.Nights && w.happens(string(kind), which, premises.Chances[kind])
		},
		Dice:   func(purpose string, which int) *rand.Rand { return throw(w.options.Seed, "relay "+purpose, which).Rand },
		Domain: w.box.Company.ADClock, Waits: w.messageWaits, Log: w.relayLog(),
	})
	w.clock.short = w.premises.Tick
	return err
}

// The method "weathered" returns a new source of faults for a process. The faults that Options.Without lists do not
// happen.
func (w *World) weathered(seed uint64) *weather.Weather {
	of := weather.New(seed, &w.clock)
	for number := range w.options.Without {
		var n uint64
		if _, err := fmt.Sscanf(number, "fault %d", &n); err == nil {
			of.Without(n)
		}
	}
	return of
}

// The method "messageWaits" sometimes makes people of the last plan log on while a message to the relays waits.
func (w *World) messageWaits(which int) {
	for _, i := range w.changing {
		if w.night < w.options.Nights && w.happens("logs on while a message waits", which*w.options.People+i, 0.4) {
			w.logOn(i)
		}
	}
	w.show()
}

// The method "logOnBeforeWrite" sometimes makes people of the last plan log on after the relays have read the evidence for
// their change. The relay must notice this before its write.
func (w *World) logOnBeforeWrite(round int) {
	for _, i := range w.changing {
		if w.night < w.options.Nights && w.happens("logs on after the evidence", round*w.options.People+i, 0.15) {
			w.logOn(i)
		}
	}
	w.show()
	w.clock.pass(judge.Slack + time.Second)
}

// The method "blind" reports whether the product does not read Active Directory.
func (w *World) blind() bool { return w.serverless && w.premises == nil }

// relayLog returns the log of the relays. Its lines are part of the log of the world.
func (w *World) relayLog() *slog.Logger {
	if w.options.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	untimed := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	return slog.New(slog.NewTextHandler(lines(w.logf), &slog.HandlerOptions{ReplaceAttr: untimed}))
}

// The type "lines" is an io.Writer that passes each line to a function such as World.logf.
type lines func(format string, args ...any)

func (l lines) Write(line []byte) (int, error) {
	l("  %s", strings.TrimSpace(string(line)))
	return len(line), nil
}

// readAD asks the relays to read Active Directory for a run, as the state machine does. Without relays, the answer is
// that there are none.
func (f *functions) readAD(run string, b *collect.StepOutput) protocol.Ending {
	if f.w.premises == nil {
		return protocol.Ending{Absent: true}
	}
	return f.w.premises.Ask(protocol.Message{
		Kind: protocol.ReadEveryone, Run: run, AsOf: b.AsOf, Partitions: b.Parts, Rests: b.Rests, Groups: b.Groups, Since: b.Since,
	})
}

// The method "evidence" asks the relays to read the people of a batch again before the changes, if the step "prepare"
// has set b.Ask.
func (f *functions) evidence(b *apply.BatchState) protocol.Ending {
	if !b.Ask {
		return protocol.Ending{Absent: true}
	}
	return f.w.premises.Ask(protocol.Message{
		Kind: protocol.ReadCandidates, Run: b.Run, Batch: b.Batch, Input: b.Input, Groups: b.Groups, Sample: b.Sample,
	})
}

// The method "write" asks the relays to make the changes of a batch. Sometimes people of the last plan log on between the
// reading of the evidence and the write.
func (f *functions) write(b *apply.BatchState) protocol.Ending {
	f.w.logOnBeforeWrite(b.Round)
	return f.w.premises.Ask(protocol.Message{Kind: protocol.WriteMembers, Run: b.Run, Batch: b.Batch, Input: b.Input})
}
