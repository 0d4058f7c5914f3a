// Command idleseat takes back paid software seats that nobody uses. Package command has what it can do.
package main

import (
	"os"

	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/shared/clock"
)

// version is set by the build.
var version = ""

func main() { os.Exit(command.Main(version, clock.Real)) }
