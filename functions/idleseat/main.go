// Command idleseat takes back paid software seats that nobody uses. Package command has what it can do.
package main

import (
	"os"

	"github.com/idleseat/idleseat"
	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/shared/clock"
)

func main() { os.Exit(command.Main(idleseat.Version(), clock.Real)) }
