package wire

import "example.com/signalbox/ui/pane"

// watch reads the metrics of what the board looks at more often, and as fine as its charts are.
func (b *Board) watch(w pane.Watch) { _ = w }
