package pane

import "example.com/signalbox/ui/screen"

// Strip is a small read-only box of the narrow layout, under the pane that has the focus: the followed
// service at a glance, or what waits for a person. It has no cursor and takes no keys.
type Strip struct {
	Heading Heading
	// Lines is how many lines it would like inside its frame, most important first; the board may give it
	// fewer. 0: it has nothing to say and is left out.
	Lines int
	// Draw draws inside the frame. It is pure, as Pane.Draw is.
	Draw func(screen.Region)
}

// Strips makes the strips for the service under the cursor (or the followed one; "" for none), most
// important last to be left out.
type Strips func(e Env, service string) []Strip

// Wrong is what is wrong right now, worst first, one line each, for screens too small for a board. No
// lines: nothing is wrong.
type Wrong func(Env) [][]Part

// Idle reports that a pane has nothing to show and will not soon (no source for it is configured), so
// that the board gives its room to the others.
type Idle func(Env, ID) bool
