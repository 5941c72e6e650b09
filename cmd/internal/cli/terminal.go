package cli

import (
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal is what is known of the user's terminal without asking it anything: an answer that arrives
// late over a slow line would show up as typed text.
type terminal struct {
	in, out bool // are terminals
	w, h    int  // 0: not known
	name    string
	colors  int    // 0 (none), 16, 256 or 1<<24
	why     string // what colors was decided by
	unicode bool
	locale  string
	mux     string // "tmux", "screen" or ""
	sync    bool   // takes synchronized output
	ssh     bool
	light   bool   // has a light background
	program string // what TERM_PROGRAM says
}

func (c *commands) terminal() terminal {
	p := c.process
	t := terminal{
		in: isTerminal(p.In), out: isTerminal(p.Out),
		name: p.env("TERM"), program: p.env("TERM_PROGRAM"),
		ssh: p.env("SSH_CONNECTION") != "" || p.env("SSH_TTY") != "",
	}
	if t.out {
		if w, h, err := term.GetSize(int(p.Out.Fd())); err == nil {
			t.w, t.h = w, h
		}
	}
	switch {
	case p.env("TMUX") != "":
		t.mux = "tmux"
	case p.env("STY") != "" || strings.HasPrefix(t.name, "screen"):
		t.mux = "screen"
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := p.env(name); v != "" {
			t.locale = v
			break
		}
	}
	upper := strings.ToUpper(t.locale)
	t.unicode = !t.bare() && (strings.Contains(upper, "UTF-8") || strings.Contains(upper, "UTF8"))
	t.colors, t.why = t.depth(p, c.globals.noColor)
	t.light = lightBackground(p.env("COLORFGBG"))
	for _, name := range []string{"alacritty", "foot", "ghostty", "kitty", "wezterm", "contour"} {
		t.sync = t.sync || strings.Contains(t.name, name)
	}
	return t
}

// bare reports that TERM promises nothing. Over SSH that is mostly a lost variable and a terminal that can
// do more: the board is shown, without colours and in ASCII.
func (t terminal) bare() bool { return t.name == "" || t.name == "dumb" }

// depth is the number of colours, and what says so.
func (t terminal) depth(p Process, noColor bool) (int, string) {
	colorterm := p.env("COLORTERM")
	switch {
	case noColor:
		return 0, "--no-color"
	case p.env("NO_COLOR") != "":
		return 0, "NO_COLOR"
	case t.bare():
		return 0, "TERM"
	case colorterm == "truecolor" || colorterm == "24bit":
		return 1 << 24, "COLORTERM"
	case strings.HasSuffix(t.name, "-direct") || t.sync:
		return 1 << 24, "TERM"
	case strings.Contains(t.name, "256color"):
		return 256, "TERM"
	default:
		return 16, "TERM"
	}
}

// drawable says why the board cannot be shown here, as a mistake of the caller; nil when it can.
func (t terminal) drawable() error {
	switch {
	case !t.in:
		return usagef("standard input is no terminal: type `signalbox status` for the same facts without a screen")
	case !t.out:
		return usagef("standard output is no terminal: type `signalbox status`, or `signalbox frame --size 160x48` for a picture")
	default:
		return nil
	}
}

// erases reports whether erasing paints the background colour. GNU screen's does not, and of a terminal
// that is not known it is not taken for granted.
func (t terminal) erases() bool {
	for _, name := range []string{"xterm", "alacritty", "foot", "ghostty", "kitty", "wezterm", "contour", "konsole", "rxvt", "linux"} {
		if strings.HasPrefix(t.name, name) {
			return true
		}
	}
	return false
}

func isTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }
