package cli

import (
	"runtime"
	"runtime/debug"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

const (
	// atRest is how long nobody has been at the keys when a board makes do with one processor.
	atRest = 3 * time.Second
	// garbage is how much of it a board may gather once it rests, in percent of what it keeps: what it read to
	// begin with took the memory already, and each collection wakes all that the runtime has.
	garbage = 200
)

// processors lets a board have one processor while it only waits and watches, and the others from the first key
// on, so that a key never waits for what is being read. More than one of them wake each other for whatever little
// there is to do: that was most of an idle board's wake-ups.
type processors struct {
	all  int             // of them
	set  func(n int) int // runtime.GOMAXPROCS
	now  func() time.Time
	rest func()    // called when the board rests for the first time; nil: nothing is
	last time.Time // somebody was at the keys, or the board began
	one  bool
}

func newProcessors(set func(n int) int, now func() time.Time) *processors {
	return &processors{all: set(0), set: set, now: now, last: now()}
}

// sparing are the processors of this process, but for what its environment decides itself.
func sparing(lookup func(string) (string, bool)) *processors {
	p := newProcessors(runtime.GOMAXPROCS, time.Now)
	if _, told := lookup("GOMAXPROCS"); told {
		p.all = 1 // as they are, they stay
	}
	if _, told := lookup("GOGC"); !told {
		p.rest = func() { debug.SetGCPercent(garbage) }
	}
	return p
}

// filter is for tea.WithFilter: it sees every message before the board does, and lets all of them pass.
func (p *processors) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg.(type) {
	case tea.KeyMsg, tea.MouseMsg, tea.WindowSizeMsg:
		p.last = p.now()
		p.restore()
	default:
		if p.now().Sub(p.last) >= atRest {
			p.spare()
		}
	}
	return msg
}

// spare makes do with one.
func (p *processors) spare() {
	if p.rest != nil {
		p.rest()
		p.rest = nil
	}
	if !p.one && p.all > 1 {
		p.one = true
		p.set(1)
	}
}

// restore gives all of them back.
func (p *processors) restore() {
	if p.one {
		p.one = false
		p.set(p.all)
	}
}
