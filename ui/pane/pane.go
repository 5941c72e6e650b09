// Package pane is the contract between the board and its panes: what a pane gets, what it may ask for,
// and how answers find their way back.
//
// A pane is a Bubble Tea component with its surroundings made explicit. It never does I/O and starts no
// goroutine: it returns intents as commands, and the App carries them out through the Backend. It draws
// into a clipped region, so nothing it draws can touch a cell outside it.
package pane

import (
	"context"
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// ID names a pane: "pipelines".
type ID string

// Whose narrows the board to whose things are shown.
type Whose uint8

// The choices, in the order of the key that switches them. Team is the default.
const (
	Team Whose = iota
	Mine
	All
)

// Env is what surrounds a pane. It is comparable: a pane whose Env, state and region are as before is
// not drawn again.
type Env struct {
	Snap    *store.Snapshot
	Known   *insight.Memo // what panes derive in common; nil: each derives its own
	Now     time.Time     // truncated to the second when the pane wants seconds, else to the minute
	Theme   *theme.Theme
	Zone    *time.Location
	Focused bool
	Follow  string // the service that every pane narrows to; "" for none
	Whose   Whose
	// Watched is the service that the board is about: Follow, else that of what is selected, else that of
	// what was selected last; "" for none. It is set for a Watcher alone.
	Watched string
	Keys    *keymap.Map // what the keys are called; nil: nobody can say
	Hidden  bool        // on a tab that is not shown: it gets messages and is not drawn
	Compact bool        // the narrow layout: details give way to names
}

// Pane is one part of the board, or one full-screen detail.
//
// Update and Draw are called from the program's loop alone. Draw is pure: the same pane and Env give the
// same cells.
type Pane interface {
	ID() ID
	// Heading is what its frame says: the title, and a summary at the right ("1 running · 1 failed").
	Heading(Env) Heading
	Init() tea.Cmd
	Update(Env, tea.Msg) (Pane, tea.Cmd)
	Draw(Env, screen.Region)
	// Keys are the bindings that work here now, most useful first; disabled ones say why.
	Keys(Env) []keymap.Binding
	// Selected is the object under the cursor; ok is false when there is none.
	Selected(Env) (s Selection, ok bool)
	// Seconds reports whether something visible needs a clock that shows seconds.
	Seconds(Env) bool
	// Typing reports that a text field of the pane has the keyboard: it gets tea.KeyMsg instead of Action.
	Typing() bool
}

// Watcher is a pane that shows what another pane's cursor is on. It gets Changed also when Env.Watched has
// changed, and may return a Watch, without its Service, to say how fine its charts are.
type Watcher interface{ Watches() }

// Heading is what a pane's frame says.
type Heading struct {
	Title   clean.Text
	Summary []Part // at the right
	Short   []Part // the same where room lacks: "1● 1✗"; empty: Summary is cut
	Tab     []Part // on a tab, after the title: "1✗ 1◔"; empty when all is well
	Stale   bool   // the age in the summary is a warning
}

// Part is a piece of text with a meaning.
type Part = component.Part

// Selection is the object under a pane's cursor. Actions take it by its identity.
type Selection struct {
	Ref     sources.Ref
	Service string
	Name    clean.Text // how people name it
	URL     string
	Runbook string // of the object itself; "" means its service's
}

// Action is a key that was pressed, as the keymap understands it.
type Action struct {
	keymap.Action
	Count int // a movement's repetitions, when its keys arrived together; at least 1
}

// Click is a mouse press or wheel inside the pane's region; X and Y are relative to it.
type Click struct {
	X, Y  int
	Wheel int // lines, negative is up; 0 is a press
}

// The intents: what a pane returns, wrapped in a command, and the App carries out.
type (
	// Open shows the detail of an object, above the board.
	Open struct{ Ref sources.Ref }
	// Close goes one step back.
	Close struct{}
	// Follow narrows every pane to a service; "" stops that.
	Follow struct{ Service string }
	// Refresh nudges the feeds behind the pane; no keys means all.
	Refresh struct{ Feeds []store.FeedKey }
	// Browse opens an address in the user's browser, or shows it where there is none.
	Browse struct{ URL string }
	// Copy puts text on the clipboard.
	Copy struct{ What, Text clean.Text }
	// Save writes a file into the user's directory and says where.
	Save struct {
		Name string
		From io.Reader
	}
	// Toast says something for a few seconds.
	Toast struct {
		Token theme.Token
		Text  clean.Text
	}
	// Load asks the backend; the answer comes back as Reply to the pane that asked.
	Load struct {
		From ID
		Gen  int // grows with each question: an answer to an older one is dropped by the pane
		Ask  Ask
	}
)

// Reply answers a Load. The App hands it to the pane with the ID that asked.
type Reply struct {
	To     ID
	Gen    int
	Ask    Ask
	Answer Answer
	Err    error
}

// Ask is a question to a source, on demand.
type Ask struct {
	Jobs       sources.Ref // a run: its jobs
	EveryTry   bool        // with Jobs: of every attempt
	Log        sources.Ref // a job: the end of its log
	Query      sources.LogQuery
	Comparison sources.Ref // an environment: what lies between Base and Head
	Base, Head string
	Incident   sources.Ref // its log, notes and alerts
	Metric     sources.Ref // a series, over Span before Until, in steps of about Step
	Until      time.Time
	Span, Step time.Duration
}

// Answer is what a source said.
type Answer struct {
	Jobs       []sources.Job
	Log        sources.Log
	Comparison sources.Comparison
	Incident   sources.IncidentDetail
	Series     []sources.Series // those of the metric's query, Metric's own first; none: it is not known any more
}

// Watch says what the board looks at most: what its metrics are read more often and finer for.
type Watch struct {
	Service string        // "" for none
	Span    time.Duration // the window that its charts show
	Step    time.Duration // what one column of a chart stands for; 0: unknown
}

// Event is something that happened outside the snapshot: a config that could not be taken, a file that
// was written.
type Event struct {
	Token theme.Token
	Text  clean.Text
	At    time.Time
}

// Backend is the world, as the board sees it. The local engine implements it.
type Backend interface {
	// Snapshots has capacity 1 and holds the latest snapshot: older ones that nobody took are gone.
	Snapshots() <-chan *store.Snapshot
	Events() <-chan Event
	// Refresh reads feeds now; no keys means all. It never blocks.
	Refresh(feeds ...store.FeedKey)
	// Attend tells whether anybody is at the keyboard: unattended boards ask less often. It never blocks.
	Attend(present bool)
	// Watch tells what the board looks at. It never blocks; the latest counts.
	Watch(Watch)
	// Load asks a source, on demand. It blocks.
	Load(context.Context, Ask) (Answer, error)
	// Browse opens an address. Where there is no browser it returns an error that says so, and the board
	// shows and copies the address instead.
	Browse(ctx context.Context, url string) error
	// Save writes a new file and returns its path.
	Save(name string, from io.Reader) (path string, err error)
}
