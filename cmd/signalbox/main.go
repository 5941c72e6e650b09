// A board need not look every second whether it may use more processors: it uses few.
//
//go:debug updatemaxprocs=0

// Signalbox shows a team's pipelines and deployments in one terminal screen.
package main

import (
	"os"
	"runtime"

	"example.com/signalbox/cmd/internal/cli"
	"example.com/signalbox/cmd/internal/watchdog"
	_ "example.com/signalbox/ui/theme/early" // before Bubble Tea asks the terminal anything
)

// processors are enough for a board: one for its keys, and one for what it reads. More only wake each other.
const processors = 2

func main() {
	if _, told := os.LookupEnv("GOMAXPROCS"); !told && runtime.GOMAXPROCS(0) > processors {
		runtime.GOMAXPROCS(processors)
	}
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
