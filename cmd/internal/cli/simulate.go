package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/signalbox/sources/simulator"
)

// simulation are the flags of the command simulate.
type simulation struct {
	listen    string
	configOut string
	seed      int64
	speed     float64
	at        string
	log       *slog.Logger

	config, token []byte // as they were written
}

// configMark is the first line of a config that simulate wrote, by which it knows that it may write it
// anew.
const configMark = "# Written by `signalbox simulate`; it is written anew with each start.\n"

// worldMark begins the line of such a config that says where its world is served.
const worldMark = "# Its world: "

// tokenMark is what the simulator's tokens begin with.
const tokenMark = "sim_"

func (c *commands) simulate() *cobra.Command {
	s := simulation{listen: "127.0.0.1:0", speed: 1}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve the demo's world alone, on loopback, for tests and training",
		Long: `Serve the demo's world alone, on loopback, until interrupted. It speaks the providers' own formats
and wants a random token.

With --config-out FILE it writes the config of a board for it, and beside it the token as FILE.token, both
for their owner alone: signalbox --config FILE shows the world. The story starts now, so that a board's
ages are right at --speed 1. At another speed, with --at, and where the clock is put forward, add --demo:
then signalbox --demo --config FILE, and each of its commands, goes by the world's own clock. How often it asks
stays a matter of real time, so that its data look old soon where the world goes very fast.

Whoever trains or tests steers the world under /-/ of its address, with the token as
"Authorization: Bearer …" and JSON as bodies:

` + simulator.Controls(),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.globals.demo {
				return usagef("simulate serves the world that --demo shows: leave out --demo")
			}
			if !(s.speed > 0 && s.speed <= simulator.MaxSpeed) { // NaN is neither
				return usagef("--speed %g is not above 0 and up to %d: type for example --speed 10", s.speed, simulator.MaxSpeed)
			}
			s.log = c.log
			opening := time.Now()
			if s.at != "" {
				var err error
				if opening, err = time.Parse(time.RFC3339, s.at); err != nil {
					return usagef("--at %s is no time: type for example --at %s", s.at, simulator.Opening().Format(time.RFC3339))
				}
			}
			return s.serve(cmd, opening.Truncate(time.Second))
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.listen, "listen", s.listen, "the loopback address to serve on; port 0 takes a free one")
	f.StringVar(&s.configOut, "config-out", "", "write the config of a board for this world to a file")
	f.Int64Var(&s.seed, "seed", 0, "the world's seed: the same seed tells the same story")
	f.StringVar(&s.at, "at", "", "the time in the world at which the story opens, where that is not now")
	f.Float64Var(&s.speed, "speed", s.speed, "how many times faster than real time the world goes")
	return cmd
}

func (s *simulation) serve(cmd *cobra.Command, opening time.Time) (err error) {
	ctx := cmd.Context()
	if err := s.writable(); err != nil {
		return err
	}
	sim, err := simulator.Start(ctx, simulator.Options{
		Seed: s.seed, Speed: s.speed, Start: opening, Listen: s.listen, Log: s.log,
	})
	if err != nil {
		return usagef("%w: type --listen 127.0.0.1:0 for a free loopback port", err)
	}
	defer func() { err = errors.Join(err, sim.Close()) }()

	if s.configOut == "" {
		err = say(cmd.OutOrStdout(), "serving on %s\ntoken %s\nfor a board's config: signalbox simulate --config-out FILE\n", sim.URL(), sim.Token())
	} else {
		if err = s.writeConfig(sim); err != nil {
			return err
		}
		err = say(cmd.OutOrStdout(), "serving on %s\nshow it with: signalbox --config %s\n", sim.URL(), s.configOut)
	}
	if err != nil {
		return err
	}
	<-ctx.Done()
	if s.configOut != "" {
		return errors.Join(removeOurs(s.configOut, s.config), removeOurs(s.tokenFile(), s.token))
	}
	return nil
}

func (s *simulation) tokenFile() string { return s.configOut + ".token" }

// writable refuses to write over files that are somebody's.
func (s *simulation) writable() error {
	if s.configOut == "" {
		return nil
	}
	for _, file := range []struct{ path, mark string }{{s.configOut, configMark}, {s.tokenFile(), tokenMark}} {
		old, err := readRegular(file.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return usagef("--config-out %s: %w: name a file that you may write", s.configOut, err)
		case !bytes.HasPrefix(old, []byte(file.mark)):
			return usagef("--config-out %s: %s is there already and not from simulate: name another file", s.configOut, file.path)
		}
	}
	return nil
}

// readRegular reads a file and follows no link to another; what is no file is refused.
func readRegular(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("look at what is there: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read what is there: %w", err)
	}
	return data, nil
}

// removeOurs removes what this process wrote, unless somebody has changed it since.
func removeOurs(path string, wrote []byte) error {
	now, err := readRegular(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(now, wrote) {
		return nil
	}
	if err = errors.Join(err, os.Remove(path)); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return nil
}

func (s *simulation) writeConfig(sim *simulator.Simulator) error {
	token, err := filepath.Abs(s.tokenFile())
	if err != nil {
		return fmt.Errorf("find %s: %w", s.tokenFile(), err)
	}
	s.token = []byte(sim.Token() + "\n")
	s.config = append([]byte(configMark+worldMark+sim.URL()+"\n"), sim.Config("file:"+token)...)
	// The token first: a config that is there names one that is there.
	if err = writePrivate(token, s.token); err == nil {
		err = writePrivate(s.configOut, s.config)
	}
	if err != nil {
		return usagef("--config-out: %w: name a file in a folder that you may write", err)
	}
	return nil
}

// writePrivate puts a file that its owner alone may read in place of what was there, at once and whole.
func writePrivate(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+strings.TrimPrefix(filepath.Base(path), ".")+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data) // CreateTemp's mode is 0600
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// attend follows the clock of the world whose config simulate has written to --config.
func (c *commands) attend(ctx context.Context) (*simulator.Follower, error) {
	path := c.globals.config
	data, _ := readRegular(path) // what is not there is not ours
	rest, ours := bytes.CutPrefix(data, []byte(configMark))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	address, found := bytes.CutPrefix(line, []byte(worldMark))
	if !ours || !found {
		return nil, usagef("--demo brings its own config: leave out --config %s", path)
	}
	token, err := readRegular(path + ".token")
	if err != nil {
		return nil, usagef("--config %s: %w: the token of its world belongs beside it", path, err)
	}
	world, err := simulator.Follow(ctx, string(address), strings.TrimSpace(string(token)))
	if err != nil {
		return nil, usagef("%w: start that world anew with signalbox simulate --config-out %s", err, path)
	}
	return world, nil
}
