package wire

import (
	"context"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/panes"
	"example.com/signalbox/ui/theme"
)

// Look is what the terminal can show, as far as its user's environment says.
type Look struct {
	Depth   theme.Depth
	NoColor bool // the user asked for no colour on the command line: that beats the config
	Unicode bool
	Light   bool // the background is light
	Zone    *time.Location
	Remote  bool                     // the terminal is on another machine
	Notify  string                   // how the terminal is asked for a notification: ui.TerminalNotify's answer
	Copy    func(text string) string // the sequence that copies text; nil: as terminals take it
	Wrap    func(seq string) string  // ui.Options.Wrap
}

// Theme is what cfg asks for, on a terminal with look l.
func (l Look) Theme(cfg config.Theme) *theme.Theme {
	o := theme.Options{Depth: l.Depth, ASCII: !l.Unicode}
	switch cfg.Color {
	case "truecolor":
		o.Depth = theme.TrueColor
	case "256":
		o.Depth = theme.ANSI256
	case "16":
		o.Depth = theme.ANSI16
	case "none":
		o.Depth = theme.None
	}
	if l.NoColor {
		o.Depth = theme.None
	}
	switch cfg.Palette {
	case "light":
		o.Palette = theme.Light
	case "colorblind":
		o.Palette = theme.ColorBlind
		if l.Light {
			o.Palette = theme.ColorBlindLight
		}
	case "dark":
		o.Palette = theme.Dark
	default:
		if l.Light {
			o.Palette = theme.Light
		}
	}
	switch cfg.Glyphs {
	case "unicode":
		o.ASCII = false
	case "ascii":
		o.ASCII = true
	}
	return theme.New(o)
}

// settings are what a config says of the board's look and keys.
func (l Look) settings(cfg *config.Config) (ui.Settings, error) {
	keys, err := Keymap(cfg)
	if err != nil {
		return ui.Settings{}, err
	}
	return ui.Settings{Keys: keys, Theme: l.Theme(cfg.Theme), Zone: l.Zone, Mouse: bool(cfg.Mouse), Attention: attention(cfg.Attention)}, nil
}

func attention(a config.Attention) ui.Attention {
	return ui.Attention{Bell: bool(a.Bell), Title: bool(a.Title), Notify: a.Notify, All: a.For == "all"}
}

// App makes the board's screen. It takes over what changes in the config as long as ctx lasts.
func (b *Board) App(ctx context.Context, to ui.Screen, l Look) (*ui.App, error) {
	settings, err := l.settings(b.o.Config)
	if err != nil {
		return nil, err
	}
	return ui.New(ctx, ui.Options{
		Backend: b, Levers: b, Screen: b.first.on(to), Panes: panes.All(), Detail: panes.Detail, Strips: panes.Strips(), Wrong: panes.Wrong(), Idle: panes.Idle,
		Settings: settings, Changes: b.changes(ctx, l), Clock: b.now, Beat: b.engine.Beat, Snapshot: b.store.Snapshot(),
		Setup: b.o.Setup, Clipboard: l.Copy, Remote: l.Remote, Notify: l.Notify, Wrap: l.Wrap,
	}), nil
}

// Synchronized reports whether frames are sent as synchronized output, on a terminal that is known to take
// it or not.
func (b *Board) Synchronized(known bool) bool {
	switch b.o.Config.Theme.SyncOutput {
	case "on":
		return true
	case "off":
		return false
	default:
		return known
	}
}

// changes turns the configs that are taken while the board runs into its settings.
func (b *Board) changes(ctx context.Context, l Look) <-chan ui.Settings {
	out := make(chan ui.Settings)
	b.guard().Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case cfg := <-b.settings:
				s, err := l.settings(cfg)
				if err != nil {
					b.log.Error("the keys of a config that was taken", "err", err)
					continue
				}
				select {
				case out <- s:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	return out
}
