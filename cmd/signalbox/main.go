// Signalbox shows a team's pipelines and deployments in one terminal screen.
package main

import (
	"os"

	"example.com/signalbox/cmd/internal/cli"
	"example.com/signalbox/cmd/internal/watchdog"
	_ "example.com/signalbox/ui/theme/early" // before Bubble Tea asks the terminal anything
)

func main() {
	stop := watchdog.Start(os.Stdin, os.Stdout, os.Exit)
	code := cli.Main(cli.Process{
		Args:   os.Args[1:],
		In:     os.Stdin,
		Out:    os.Stdout,
		Err:    os.Stderr,
		Lookup: os.LookupEnv,
	})
	stop()
	os.Exit(code)
}
