package ui

import "strings"

// Attention says how the board calls for somebody who does not look at it. The zero Attention is silent.
type Attention struct {
	Bell  bool // the terminal's bell
	Title bool // the window's title names the worst page while there is one
	// Notify is how the terminal is asked for a notification on the desktop: one of the Notify constants;
	// "" is NotifyOff.
	Notify string
	All    bool // for everybody's pages, not for mine alone
}

// The ways to ask a terminal for a notification. NotifyAuto is what Options.Notify says.
const (
	NotifyAuto   = "auto"
	NotifyOSC9   = "osc9"
	NotifyOSC777 = "osc777"
	NotifyOff    = "off"
)

// TerminalNotify is how a terminal is asked for a notification, as far as the values of its TERM and
// TERM_PROGRAM tell: NotifyOff where it might show the request as text, or where a multiplexer (tmux,
// screen) stands between that passes it on only when it was told to.
func TerminalNotify(term, program string, multiplexed bool) string {
	if multiplexed || strings.HasPrefix(term, "tmux") || strings.HasPrefix(term, "screen") {
		return NotifyOff
	}
	switch program {
	case "iTerm.app", "WezTerm", "ghostty":
		return NotifyOSC9
	}
	switch {
	case strings.Contains(term, "kitty"), strings.Contains(term, "ghostty"), strings.HasPrefix(term, "wezterm"):
		return NotifyOSC9
	case strings.HasPrefix(term, "foot"), strings.HasPrefix(term, "rxvt-unicode"):
		return NotifyOSC777
	}
	return NotifyOff
}
