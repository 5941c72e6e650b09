package cli

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// atRest is how long nobody has been at the keys when a board makes do with one processor.
const atRest = 3 * time.Second

// processors lets a board have one processor while it only waits and watches, and the others from the first key
// on, so that a key never waits for what is being read. More than one of them wake each other for whatever little
// there is to do: that was most of an idle board's wake-ups.
type processors struct {
	all  int             // of them
	set  func(n int) int // runtime.GOMAXPROCS
	now  func() time.Time
	last time.Time // somebody was at the keys, or the board began
	one  bool
}

func newProcessors(set func(n int) int, now func() time.Time) *processors {
	return &processors{all: set(0), set: set, now: now, last: now()}
}

// filter is for tea.WithFilter: it sees every message before the board does, and lets all of them pass.
func (p *processors) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg.(type) {
	case tea.KeyMsg, tea.MouseMsg, tea.WindowSizeMsg:
		p.last = p.now()
		p.restore()
	default:
		if !p.one && p.all > 1 && p.now().Sub(p.last) >= atRest {
			p.one = true
			p.set(1)
		}
	}
	return msg
}

// restore gives all of them back.
func (p *processors) restore() {
	if p.one {
		p.one = false
		p.set(p.all)
	}
}
