// Command idleseat takes back paid software licenses that nobody uses. Run "idleseat --help" for its commands.
package main

import (
	"os"

	"github.com/idleseat/idleseat"
	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/shared/clock"
)

func main() { os.Exit(command.Main(idleseat.Version(), clock.Real)) }
