package uitest

import (
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/layout"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Env is what surrounds a focused pane at the story's moment, on a dark terminal of true colours.
func Env(s *store.Snapshot) pane.Env {
	return pane.Env{Snap: s, Now: Now(), Zone: time.UTC, Focused: true, Keys: keymap.Default(),
		Theme: theme.New(theme.Options{Depth: theme.TrueColor, Palette: theme.Dark})}
}

// Plain is e on a terminal without colours that knows ASCII alone.
func Plain(e pane.Env) pane.Env {
	e.Theme = theme.New(theme.Options{Depth: theme.None, ASCII: true})
	return e
}

// Driver drives one pane as the board does: it hands over messages and collects the intents that come back.
type Driver struct {
	Pane    pane.Pane
	Env     pane.Env
	Intents []tea.Msg
	w, h    int
}

// Drive starts p in a region of w by h cells.
func Drive(p pane.Pane, e pane.Env, w, h int) *Driver {
	d := &Driver{Pane: p, Env: e, w: w, h: h}
	d.run(p.Init())
	d.Send(pane.Changed{})
	d.Resize(w, h)
	return d
}

// Send hands msg to the pane and runs what it returns.
func (d *Driver) Send(msg tea.Msg) {
	var cmd tea.Cmd
	d.Pane, cmd = d.Pane.Update(d.Env, msg)
	d.run(cmd)
}

func (d *Driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch m := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range m {
			d.run(c)
		}
	default:
		d.Intents = append(d.Intents, m)
	}
}

// Resize gives the pane another region.
func (d *Driver) Resize(w, h int) {
	d.w, d.h = w, h
	d.Send(pane.Sized{W: w, H: h})
}

// Show gives the pane another snapshot.
func (d *Driver) Show(s *store.Snapshot) {
	d.Env.Snap = s
	d.Send(pane.Changed{})
}

// Press carries out actions one by one.
func (d *Driver) Press(actions ...keymap.Action) {
	for _, a := range actions {
		d.Send(pane.Action{Action: a, Count: 1})
	}
}

// Type types into the pane's text field; \n is Enter, \x1b Esc, \b Backspace.
func (d *Driver) Type(s string) {
	for _, r := range s {
		k := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}
		switch r {
		case '\n':
			k = tea.KeyMsg{Type: tea.KeyEnter}
		case '\x1b':
			k = tea.KeyMsg{Type: tea.KeyEsc}
		case '\b':
			k = tea.KeyMsg{Type: tea.KeyBackspace}
		case ' ':
			k = tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{r}}
		}
		d.Send(k)
	}
}

// Last is the last intent of type M, if there was one.
func Last[M tea.Msg](d *Driver) (m M, ok bool) {
	for i := len(d.Intents) - 1; i >= 0; i-- {
		if m, ok := d.Intents[i].(M); ok {
			return m, true
		}
	}
	return m, false
}

// Asked is the question of the last Load that asks matches; it fails softly with ok false.
func Asked(d *Driver, matches func(pane.Ask) bool) (load pane.Load, ok bool) {
	for i := len(d.Intents) - 1; i >= 0; i-- {
		if l, is := d.Intents[i].(pane.Load); is && matches(l.Ask) {
			return l, true
		}
	}
	return pane.Load{}, false
}

// Answer answers a Load.
func (d *Driver) Answer(l pane.Load, a pane.Answer, err error) {
	d.Send(pane.Reply{To: l.From, Gen: l.Gen, Ask: l.Ask, Answer: a, Err: err})
}

// Grid draws the pane without its frame.
func (d *Driver) Grid() *screen.Grid {
	g := screen.NewGrid(d.w, d.h)
	d.Pane.Draw(d.Env, g.Region())
	return g
}

// Framed draws the pane with its frame around it, as the board does; number is the key that focuses it.
func (d *Driver) Framed(number int) *screen.Grid {
	h := d.Pane.Heading(d.Env)
	g := screen.NewGrid(d.w+2, d.h+2)
	f := component.Frame{Number: number, Title: h.Title, Summary: h.Summary, Short: h.Short, Focused: d.Env.Focused}
	d.Pane.Draw(d.Env, f.Draw(g.Region(), d.Env.Theme))
	return g
}

// Text is what the pane draws, as text.
func (d *Driver) Text() string { return d.Grid().String() }

// Says reports whether the pane draws s somewhere in one line.
func (d *Driver) Says(s string) bool { return strings.Contains(d.Text(), s) }

// Size is a screen's size that goldens are drawn at.
type Size struct{ W, H int }

// Sizes are the screens that every pane has goldens for.
func Sizes() []Size { return []Size{{80, 24}, {120, 40}, {200, 50}} }

func (s Size) String() string { return strconv.Itoa(s.W) + "x" + strconv.Itoa(s.H) }

// Inside is the size of what is inside the frame of pane i of four on a screen of size s, when it is
// focused; compact says whether the layout is the narrow one.
func (s Size) Inside(i int, idle ...bool) (w, h int, compact bool) {
	plan := layout.Board(s.W, s.H, 4, layout.Options{Focus: i, Idle: idle})
	r := plan.Panes[i].Inset()
	return r.W, r.H, plan.Mode == layout.Narrow
}

// Whole is the size of what is inside the frame of a detail.
func (s Size) Whole() (w, h int) {
	r := layout.Board(s.W, s.H, 4, layout.Options{Zoom: true}).Panes[0].Inset()
	return r.W, r.H
}
