package cli

import "testing"

// What asks the terminal for a notification passes a multiplexer whole: no end inside of what is around it.
func TestPassthrough(t *testing.T) {
	t.Parallel()
	const seq = "\x1b]9;signalbox: P1 checkout\x1b\\"
	for mux, want := range map[string]string{
		"tmux":   "\x1bPtmux;\x1b\x1b]9;signalbox: P1 checkout\x1b\x1b\\\x1b\\",
		"screen": "\x1bP\x1b]9;signalbox: P1 checkout\a\x1b\\",
	} {
		if got := (terminal{mux: mux}).passthrough()(seq); got != want {
			t.Errorf("in %s %q, want %q", mux, got, want)
		}
	}
	if (terminal{}).passthrough() != nil {
		t.Error("where nothing stands between something is wrapped")
	}
}
