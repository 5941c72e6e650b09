package ui

import (
	"context"
	"errors"
	"slices"
	"strings"

	osc52 "github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// fromPane carries out what a pane intends; anything else is the pane's message to itself. What a pane
// that is gone still had to say is dropped.
func (a *App) fromPane(m fromPane) (cmd tea.Cmd, changed bool) {
	s := a.find(m.serial)
	if s == nil {
		return nil, false
	}
	switch in := m.msg.(type) {
	case pane.Open:
		return a.open(in.Ref), true
	case pane.Close:
		a.close(s)
	case pane.Follow:
		a.setFollow(in.Service)
	case pane.Refresh:
		a.refresh(in.Feeds...)
	case pane.Browse:
		return a.browse(in.URL), true
	case pane.Copy:
		return a.copy(in.What, in.Text), true
	case pane.Save:
		return a.save(in), true
	case pane.Toast:
		a.say(in.Token, in.Text)
	case pane.Act:
		return a.asked(in.Request), true
	case pane.Load:
		return a.load(s, in), false
	case pane.Watch:
		in.Service = a.watch.Service
		a.watchFor(in)
		return nil, false
	case dialog.Close, dialog.Choose:
	default:
		return a.tell(s, in), true
	}
	return nil, true
}

// open shows the detail of an object above what is seen now.
func (a *App) open(ref sources.Ref) tea.Cmd {
	if a.opts.Detail == nil || ref.IsZero() {
		return nil
	}
	p, err := a.opts.Detail(ref)
	if err != nil {
		a.fail("open", err)
		return nil
	}
	if n := len(a.details); n > 0 && a.details[n-1].pane.ID() == p.ID() {
		return nil
	}
	s := a.newSlot(p)
	a.details = append(a.details, s)
	a.canvas.stale = true
	return s.address(p.Init())
}

// close takes a detail away, and all above it. A pane of the board that closes has nothing of its own
// to leave: the board takes back what narrows it, one thing at a time.
func (a *App) close(s *slot) {
	for i, d := range a.details {
		if d != s {
			continue
		}
		for _, gone := range a.details[i:] {
			gone.cancel()
		}
		a.details = a.details[:i]
		a.canvas.stale = true
		return
	}
	switch {
	case a.toasts.Dismiss(a.opts.Clock()):
	case a.dismissStrip():
	case a.zoom:
		a.zoom = false
	case a.follow != "":
		a.setFollow("")
	}
}

func (a *App) refresh(feeds ...store.FeedKey) {
	a.opts.Backend.Refresh(feeds...)
	var names []string
	for _, f := range feeds {
		if !slices.Contains(names, f.Source) {
			names = append(names, f.Source)
		}
	}
	if len(names) == 0 {
		names = []string{"every source"}
	}
	a.say(theme.Info, clean.Linef("asking %s%s", strings.Join(names, ", "), a.set.Theme.Glyph(theme.GlyphEllipsis)))
}

// load asks the backend. The answer goes to the pane that asked; its question ends with it.
func (a *App) load(s *slot, in pane.Load) tea.Cmd {
	backend, ctx, serial := a.opts.Backend, s.ctx, s.serial
	return func() tea.Msg {
		answer, err := backend.Load(ctx, in.Ask)
		return fromPane{serial, pane.Reply{To: in.From, Gen: in.Gen, Ask: in.Ask, Answer: answer, Err: err}}
	}
}

// onSelection does the actions that take the object under the cursor to somewhere else.
func (a *App) onSelection(action keymap.Action) (cmd tea.Cmd, done bool) {
	switch action {
	case keymap.OpenBrowser, keymap.CopyID, keymap.CopyURL, keymap.Runbook:
	default:
		return nil, false
	}
	s, ok := a.selected()
	if why := a.cannot(action, s, ok); !why.IsZero() {
		a.say(theme.Warn, why)
		return nil, true
	}
	switch action {
	case keymap.Runbook:
		return a.browse(a.runbook(s)), true
	case keymap.CopyID:
		return a.copy(clean.Const("id"), clean.Linef("%s:%s", s.Ref.Source, s.Ref.ID)), true
	case keymap.CopyURL:
		return a.copy(clean.Const("url"), clean.Line(s.URL)), true
	default:
		return a.browse(s.URL), true
	}
}

// cannot is why an action on the selection cannot be done; zero when it can.
func (a *App) cannot(action keymap.Action, s pane.Selection, selected bool) clean.Text {
	switch {
	case !selected:
		return clean.Const("nothing is selected")
	case action == keymap.Runbook && s.Service == "" && s.Runbook == "":
		return clean.Linef("%s belongs to no service", s.Name)
	case action == keymap.Runbook && a.runbook(s) == "":
		return clean.Linef("%s has no runbook in the config", s.Service)
	case action == keymap.CopyID && s.Ref.IsZero():
		return clean.Linef("%s has no id", s.Name)
	case (action == keymap.CopyURL || action == keymap.OpenBrowser) && s.URL == "":
		return clean.Linef("%s has no page", s.Name)
	}
	return clean.Text{}
}

// runbook is the address of the selection's runbook, else of its service's; "" when there is none.
func (a *App) runbook(s pane.Selection) string {
	if s.Runbook != "" {
		return s.Runbook
	}
	if svc := a.snap.Catalog.Service(s.Service); svc != nil {
		return svc.Runbook
	}
	return ""
}

func (a *App) browse(url string) tea.Cmd {
	backend, ctx := a.opts.Backend, a.ctx
	return func() tea.Msg { return browsedMsg{url, backend.Browse(ctx, url)} }
}

// browsed says what became of an address. Where there is no browser it is copied and shown.
func (a *App) browsed(m browsedMsg) tea.Cmd {
	url := clean.Line(m.url)
	if m.err == nil {
		a.say(theme.OK, clean.Linef("opened %s", url))
		return nil
	}
	a.failure = m.err
	a.say(theme.Info, clean.Linef("%s: copied %s", sources.Message(m.err), url))
	return a.clipboard(url)
}

func (a *App) copy(what, text clean.Text) tea.Cmd {
	if a.opts.Remote {
		a.say(theme.OK, clean.Linef("copied the %s: %s", what, text))
	} else {
		a.say(theme.OK, clean.Linef("copied the %s", what))
	}
	return a.clipboard(text)
}

// clipboard asks the terminal to take text, which holds nothing that a terminal would obey.
func (a *App) clipboard(text clean.Text) tea.Cmd {
	out, sequence := a.opts.Screen, a.opts.Clipboard
	if sequence == nil {
		sequence = func(s string) string { return osc52.New(s).String() }
	}
	return func() tea.Msg {
		if _, err := out.WriteString(sequence(text.String())); err != nil {
			return pane.Toast{Token: theme.Warn, Text: clean.Linef("not copied: %v", err)}
		}
		return nil
	}
}

func (a *App) save(in pane.Save) tea.Cmd {
	backend := a.opts.Backend
	return func() tea.Msg {
		path, err := backend.Save(in.Name, in.From)
		return savedMsg{path, err}
	}
}

func (a *App) saved(m savedMsg) tea.Cmd {
	if m.err != nil {
		a.fail("save", m.err)
		return nil
	}
	a.say(theme.OK, clean.Linef("saved %s", m.path))
	return nil
}

// fail shows an error that somebody is waiting to hear of.
func (a *App) fail(doing string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	a.failure = err
	a.push(dialog.NewError(clean.Linef("Could not %s", doing), err))
	a.toasts.Note(a.opts.Clock(), pane.Part{Token: theme.Crit, Text: clean.Linef("could not %s: %s", doing, sources.Message(err))})
}

func (a *App) showFailure() {
	if a.failure == nil {
		a.say(theme.Muted, clean.Const("nothing has failed"))
		return
	}
	a.push(dialog.NewError(clean.Const("Last error"), a.failure))
}
