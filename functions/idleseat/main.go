// Command idleseat takes back the paid software seats nobody uses. What it can do is
// in package command.
package main

import (
	"os"

	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/shared/clock"
)

// version is set by the build.
var version = ""

func main() { os.Exit(command.Main(version, clock.Real)) }
