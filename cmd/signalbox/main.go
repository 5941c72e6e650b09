// Signalbox shows a team's pipelines and deployments in one terminal screen.
package main

import (
	"os"

	"example.com/signalbox/cmd/internal/cli"
	_ "example.com/signalbox/ui/theme/early" // before Bubble Tea asks the terminal anything
)

func main() {
	os.Exit(cli.Main(cli.Process{
		Args:   os.Args[1:],
		In:     os.Stdin,
		Out:    os.Stdout,
		Err:    os.Stderr,
		Lookup: os.LookupEnv,
	}))
}
