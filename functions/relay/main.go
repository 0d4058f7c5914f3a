// Command relay runs on premises. It receives messages from two queues, reads Active Directory or writes group members,
// and reports the outcome to the state machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/sethvargo/go-envconfig"

	"github.com/idleseat/idleseat"
	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/relay/worker"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/store"
)

func main() {
	check := flag.Bool("check", false, "prove that directory, store, queues and rights are as needed, and end")
	var groups []string
	flag.Func("group", "with --check: a group, by its DN, whose members the relay must be able to change; may be given several times", func(dn string) error {
		groups = append(groups, dn)
		return nil
	})
	tell := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *tell {
		fmt.Println(idleseat.Version())
		return
	}
	log := slog.New(slog.NewJSONHandler(plain.JSON(os.Stderr), nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := connect(ctx, log)
	switch {
	case err != nil:
		fmt.Fprintf(plain.Text(os.Stderr), "relay: %v\n", err)
		os.Exit(1)
	case *check:
		if !r.Check(ctx, plain.Text(os.Stdout), groups) {
			os.Exit(1)
		}
	default:
		log.Info("relay starts", "version", idleseat.Version())
		r.Run(ctx)
		log.Info("relay ends")
	}
}

type settings struct {
	Relay worker.Config
	AD    activedirectory.Config
}

// The function "connect" builds the relay. It makes no network calls.
func connect(ctx context.Context, log *slog.Logger) (*worker.Relay, error) {
	var s settings
	if err := envconfig.Process(ctx, &s); err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	if err := errors.Join(s.Relay.Validate(), s.AD.Validate()); err != nil {
		return nil, err
	}
	ad, err := activedirectory.NewForest(s.AD, clock.Real.Now)
	if err != nil {
		return nil, err
	}
	objects, err := store.Open(ctx, s.Relay.Store)
	if err != nil {
		return nil, err
	}
	cloud, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the AWS settings: %w", err)
	}
	return worker.New(s.Relay, cloud, objects, ad, clock.Real, log)
}
