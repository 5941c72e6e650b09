package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources/simulator"
)

// DemoOptions say which moment of which world to show.
type DemoOptions struct {
	Seed  int64
	Speed float64       // 0: the world stands still
	After time.Duration // so long after the story's opening
	Log   *slog.Logger
}

// Demo is a simulated world in this process, and the config by which the real drivers read it.
type Demo struct {
	sim    *simulator.Simulator
	dir    string // holds the token, as a config may not, and what is recorded of what was done
	config *config.Config
}

// StartDemo makes a world and serves it on loopback until Close.
func StartDemo(ctx context.Context, o DemoOptions) (*Demo, error) {
	sim, err := simulator.Start(ctx, simulator.Options{Seed: o.Seed, Speed: o.Speed, Log: o.Log})
	if err != nil {
		return nil, fmt.Errorf("start the demo: %w", err)
	}
	d := &Demo{sim: sim}
	if err := d.configure(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the demo: %w", err), d.Close())
	}
	if o.After > 0 {
		sim.Advance(o.After)
	}
	return d, nil
}

func (d *Demo) configure() (err error) {
	if d.dir, err = os.MkdirTemp("", "signalbox-demo-*"); err != nil {
		return fmt.Errorf("make a folder for its token: %w", err)
	}
	token := filepath.Join(d.dir, "token")
	if err = os.WriteFile(token, []byte(d.sim.Token()), 0o600); err != nil {
		return fmt.Errorf("write its token: %w", err)
	}
	if d.config, err = config.Parse("(demo)", d.sim.Config("file:"+token), LoadOptions()); err != nil {
		return err
	}
	d.config.Files = nil // there is none that could change
	return nil
}

// Config is the config of a board for the world.
func (d *Demo) Config() *config.Config { return d.config }

// Records is the directory in which a board for the world keeps its journal and its locks: it is gone with
// the world.
func (d *Demo) Records() string { return filepath.Join(d.dir, "records") }

// Now is the world's clock.
func (d *Demo) Now() time.Time { return d.sim.Now() }

// Close ends the world.
func (d *Demo) Close() error {
	err := d.sim.Close()
	if d.dir != "" {
		err = errors.Join(err, os.RemoveAll(d.dir))
	}
	return err
}

// Opening is the moment of the world at which a demo begins.
func Opening() time.Time { return simulator.Opening() }
