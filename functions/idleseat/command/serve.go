package command

import (
	"fmt"

	"github.com/idleseat/idleseat/shared/serve"
)

type serveCmd struct {
	storeFlag
	Listen string `help:"The address to listen on, of this machine only; port 0 means a free port." default:"127.0.0.1:8420" placeholder:"HOST:PORT"`
	Open   bool   `help:"Also open the pages in the browser."`
}

// Run serves the pages of a store until the operator ends the command.
func (c *serveCmd) Run(a *Process) error {
	s, err := c.view(a)
	if err != nil {
		return err
	}
	l, err := serve.Listen(a.Context, c.Listen)
	if err != nil {
		return usageError{err}
	}
	site := serve.New(serve.Settings{
		Store: s, Location: c.Store, Clock: a.Clock, Elsewhere: c.elsewhere(a), Next: func(command string) string { return c.next(a, command) },
	})
	out := &printer{w: a.Stdout}
	out.printf("The runs of %s are at\n  %s\nThe address has a key: give it to nobody. Ctrl-C ends the pages.\n", c.Store, serve.Address(l, site.Keys.Key))
	if err := out.err; err != nil {
		_ = l.Close()
		return fmt.Errorf("print the address: %w", err)
	}
	if c.Open {
		if err := a.Browse(a.Context, serve.Address(l, site.Keys.Once())); err != nil {
			fmt.Fprintf(a.Stderr, "no browser was opened: %s\n", oneLine(err.Error()))
		}
	}
	return site.Serve(a.Context, l)
}
