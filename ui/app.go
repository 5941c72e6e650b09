// Package ui is the board: App routes keys and answers to dialogs and panes, keeps the focus, carries
// out what panes intend, and brings frames to the screen. What panes show is not its business.
//
// App draws at the end of each Update, into one grid that it keeps: a pane whose surroundings and state
// are as before keeps its cells. Bubble Tea's View is a constant.
package ui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/layout"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Screen is where frames go: a *screen.Output.
type Screen interface {
	// Flush shows g, which the caller may change afterwards. It returns at once.
	Flush(g *screen.Grid, cause screen.Cause)
	// WriteString passes a control sequence on. It blocks as the terminal does.
	WriteString(s string) (int, error)
}

// Options are the App's surroundings.
type Options struct {
	Backend pane.Backend
	Levers  pane.Levers // what acts; nil: the board only looks
	Screen  Screen
	Panes   []pane.Pane // in the order of their numbers; the App owns them from now on
	// Detail makes the pane that shows an object in full; nil: there are none.
	Detail func(sources.Ref) (pane.Pane, error)
	Strips pane.Strips // nil: the narrow layout has none
	Wrong  pane.Wrong  // nil: screens too small for a board say so
	Idle   pane.Idle   // nil: every pane has something to show

	Settings
	// Changes brings new Settings while the board runs; nil: they stay.
	Changes <-chan Settings

	// Clipboard makes the control sequence that copies text; nil: OSC 52 as terminals themselves take it.
	Clipboard func(text string) string
	// Remote says that the terminal is not on this machine: what is copied is shown as well, as nobody
	// can tell whether the copy arrived.
	Remote bool
	// Notify is what NotifyAuto means on this terminal: TerminalNotify knows. "" is NotifyOff.
	Notify string
	// Wrap makes a control sequence for the terminal pass the multiplexer before it, which would keep what it
	// does not know; nil: nothing stands before the terminal.
	Wrap func(sequence string) string

	Clock func() time.Time
	// Beat is told a moment from which on the board wakes once a second, however little it shows: what else wakes
	// the process may then do so as well. It is told again where that moment changes. nil: nobody wants to know.
	Beat     func(time.Time)
	Snapshot *store.Snapshot // what to show before the first one arrives; nil: nothing is known
	Whose    pane.Whose
	Follow   string
	Setup    *Setup // shown instead of the panes when there is nothing to show
}

// Settings are what a changed config may change while the board runs.
type Settings struct {
	Keys  *keymap.Map    // nil: the default
	Theme *theme.Theme   // nil: the default
	Zone  *time.Location // nil: UTC
	Mouse bool

	Attention Attention
}

// Setup is the page of a board that nothing has been configured for.
type Setup struct {
	Title clean.Text
	Lines [][]pane.Part
}

// App is the program's model. Its methods belong to Bubble Tea's loop.
type App struct {
	ctx  context.Context // kept, as Bubble Tea's interface has no place for it
	opts Options
	set  Settings

	snap   *store.Snapshot
	whose  pane.Whose
	follow string
	watch  pane.Watch // what the Backend was told

	board   []*slot
	details []*slot // the last one is seen
	serial  int
	focus   int
	moved   bool // somebody has been at the keys: the focus is theirs
	zoom    bool
	dialogs []dialog.Dialog // the last one has the keyboard
	toasts  component.Toasts
	failure error // the last that a command met, for its dialog

	width, height int
	sized         bool
	suspended     bool
	canvas        canvas

	second    time.Time // the board wakes at this moment of every second; zero: it has not begun
	due       time.Time // when the outstanding timer fires; zero: there is none
	lastInput time.Time
	present   bool
	crowd     crowd
	levers    levers
	known     insight.Memo
	attention attention
}

var _ tea.Model = (*App)(nil)

// New makes a board. What its commands do ends with ctx.
func New(ctx context.Context, o Options) *App {
	a := &App{ctx: ctx, opts: o, whose: o.Whose, follow: o.Follow, present: true}
	a.snap = o.Snapshot
	if a.snap == nil {
		a.snap = &store.Snapshot{Catalog: &store.Catalog{}}
	}
	a.settings(o.Settings)
	a.lastInput = o.Clock()
	for _, p := range o.Panes {
		a.board = append(a.board, a.newSlot(p))
	}
	a.canvas.grid = screen.NewGrid(0, 0)
	return a
}

func (a *App) settings(s Settings) {
	if s.Keys == nil {
		s.Keys = keymap.Default()
	}
	if s.Theme == nil {
		s.Theme = theme.New(theme.Options{Depth: theme.ANSI256})
	}
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	a.set = s
	a.canvas.stale = true
}

// The messages of the App's own commands.
type (
	snapshotMsg struct{ snap *store.Snapshot }
	eventMsg    struct{ event pane.Event }
	settingsMsg struct{ settings Settings }
	tickMsg     struct{ due time.Time }
	// fromPane is what a pane's command returned, an intent or a message to itself.
	fromPane struct {
		serial int
		msg    tea.Msg
	}
	browsedMsg struct {
		url string
		err error
	}
	savedMsg struct {
		path string
		err  error
	}
	commandMsg struct{ action keymap.Action } // chosen from the palette
	whoseMsg   struct{ whose pane.Whose }
	focusMsg   struct{ pane int }
)

// Init implements tea.Model.
func (a *App) Init() tea.Cmd {
	a.opts.Backend.Attend(true)
	a.beat()
	cmds := []tea.Cmd{
		a.waitSnapshot(0),
		waitEvent(a.ctx, a.opts.Backend.Events()),
		waitSettings(a.ctx, a.opts.Changes),
		a.mouseMode(),
		a.watchPages(),
		waitOperations(a.ctx, a.opts.Levers),
	}
	for _, s := range a.board {
		cmds = append(cmds, s.address(s.pane.Init()))
	}
	return tea.Batch(cmds...)
}

func (a *App) mouseMode() tea.Cmd {
	if a.set.Mouse {
		return tea.EnableMouseCellMotion
	}
	return nil
}

// View implements tea.Model. Frames do not go through Bubble Tea's renderer.
func (a *App) View() string { return "" }

// Update implements tea.Model.
func (a *App) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd, changed := a.handle(msg)
	if !changed {
		return a, cmd
	}
	a.levers.auto = itself(msg)
	return a, tea.Batch(cmd, a.settle(causeOf(msg)))
}

// causeOf is how soon the frame after msg has to be seen.
func causeOf(msg tea.Msg) screen.Cause {
	switch msg.(type) {
	case snapshotMsg, eventMsg, tickMsg, operationsMsg:
		return screen.Data
	case tea.WindowSizeMsg:
		return screen.Resized
	}
	return screen.Key
}

// handle takes one message; changed is false where it cannot have changed what is to be seen.
func (a *App) handle(msg tea.Msg) (cmd tea.Cmd, changed bool) {
	switch m := msg.(type) {
	case tea.KeyMsg:
		return a.key(m), true
	case tea.MouseMsg:
		return a.mouse(tea.MouseEvent(m))
	case tea.WindowSizeMsg:
		return a.resize(m), true
	case tea.ResumeMsg:
		return a.resume(), true
	case snapshotMsg:
		return a.snapshot(m.snap), true
	case eventMsg:
		return a.event(m.event), true
	case settingsMsg:
		return a.reconfigure(m.settings), true
	case tickMsg:
		return nil, a.tick(m)
	case quietMsg:
		a.crowd.quiet(m)
		return nil, false
	case aloneMsg:
		return a.alone(m), true
	case fromPane:
		return a.fromPane(m)
	case browsedMsg:
		return a.browsed(m), true
	case savedMsg:
		return a.saved(m), true
	case calledMsg:
		return a.called(), false
	}
	return a.choice(msg)
}

// choice takes what dialogs answer.
func (a *App) choice(msg tea.Msg) (cmd tea.Cmd, changed bool) {
	switch m := msg.(type) {
	case dialog.Close:
		a.popDialog()
	case dialog.Choose:
		a.popDialog()
		cmd, _ = a.handle(m.Msg)
	case commandMsg:
		return a.ask(m.action), true
	case whoseMsg:
		a.narrow(m.whose)
	case focusMsg:
		a.focusOn(m.pane)
	case pane.Follow:
		a.setFollow(m.Service)
	case pane.Toast:
		a.say(m.Token, m.Text)
	case quitMsg:
		return tea.Quit, true
	default:
		if cmd, changed = a.leverAnswer(msg); changed {
			return cmd, true
		}
		return a.planMsg(msg)
	}
	return cmd, true
}

// Frame is the grid as it was drawn last, for tests and for drawing a single frame. It changes with the
// next Update.
func (a *App) Frame() *screen.Grid { return a.canvas.grid }

func (a *App) resize(m tea.WindowSizeMsg) tea.Cmd {
	a.width, a.height, a.sized = m.Width, m.Height, true
	a.canvas.grid.Resize(m.Width, m.Height)
	a.canvas.stale = true
	return nil
}

func (a *App) resume() tea.Cmd {
	a.suspended = false
	a.beat()
	a.canvas.stale = true
	a.attention.shown = "" // the title went with the screen
	a.uncover()
	return tea.Batch(a.mouseMode(), a.call())
}

func (a *App) snapshot(s *store.Snapshot) tea.Cmd {
	a.snap = s
	return tea.Batch(a.watchPages(), a.waitSnapshot(snapshotPause))
}

func (a *App) event(e pane.Event) tea.Cmd {
	a.toasts.Push(a.opts.Clock(), component.Part{Token: e.Token, Text: e.Text})
	return waitEvent(a.ctx, a.opts.Backend.Events())
}

func (a *App) reconfigure(s Settings) tea.Cmd {
	had := a.set.Mouse
	a.settings(s)
	next := tea.Batch(a.watchPages(), waitSettings(a.ctx, a.opts.Changes))
	switch {
	case had == s.Mouse:
		return next
	case s.Mouse:
		return tea.Batch(next, tea.EnableMouseCellMotion)
	}
	return tea.Batch(next, tea.DisableMouse)
}

// say answers a key, or what a key began.
func (a *App) say(tok theme.Token, text clean.Text) {
	a.toasts.Reply(a.opts.Clock(), component.Part{Token: tok, Text: text})
}

// mode is how the screen is arranged.
func (a *App) mode() layout.Mode { return a.canvas.plan.Mode }
