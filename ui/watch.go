package ui

import "example.com/signalbox/ui/pane"

// look finds out which service the board is about: the followed one, else that of what is selected. What
// has no service leaves it as it was. It reports whether it is another than before.
func (a *App) look() bool {
	w := a.watch
	switch sel, ok := a.selected(); {
	case a.follow != "":
		w.Service = a.follow
	case ok && sel.Service != "":
		w.Service = sel.Service
	}
	if w.Service == a.watch.Service {
		return false
	}
	a.watchFor(w)
	return true
}

// watchFor tells the Backend what the board looks at, once.
func (a *App) watchFor(w pane.Watch) {
	if w == a.watch {
		return
	}
	a.watch = w
	a.opts.Backend.Watch(w)
}
