package ui

import (
	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

// atOnce does what nothing has to be asked for. Where something has to be, it asks.
func (a *App) atOnce(q action.Request) tea.Cmd {
	key := target{q.Verb, q.Target}
	if a.levers.quick[key] || a.underWay(q.Target) != nil {
		a.say(theme.Muted, clean.Const("it is being acknowledged already"))
		return nil
	}
	if a.levers.quick == nil {
		a.levers.quick = map[target]bool{}
	}
	a.levers.quick[key] = true
	a.say(theme.Info, clean.Linef("acknowledging%s", a.set.Theme.Glyph(theme.GlyphEllipsis)))
	ctx, from := a.ctx, a.opts.Levers
	return func() tea.Msg {
		p, err := from.Propose(ctx, q)
		return quickMsg{q, p, err}
	}
}

func (a *App) quick(m quickMsg) tea.Cmd {
	key := target{m.request.Verb, m.request.Target}
	if m.err == nil && m.plan.Demand == (action.Demand{}) && !m.plan.Changed {
		ctx, from := a.ctx, a.opts.Levers
		return func() tea.Msg {
			return quickDoneMsg{m.plan, from.Execute(ctx, m.plan, action.Approval{})}
		}
	}
	delete(a.levers.quick, key)
	switch {
	case m.err != nil:
		a.failure = m.err
		a.say(theme.Crit, clean.Linef("not acknowledged, nothing was sent: %s", kit.ErrText(m.err)))
	case len(a.dialogs) > 0 || a.typing():
		a.say(theme.Warn, clean.Linef("%s asks something first: press %s again", m.plan.Title, a.key1(keymap.Ack)))
	default:
		d := dialog.NewPlan(m.plan.Title, []action.Request{m.request}, a.opts.Clock)
		d.Proposed(d.Gen(), []action.Plan{m.plan}, []error{nil})
		a.push(d)
	}
	return nil
}

// sayOutcome says how an action ended that nobody looks at.
func (a *App) sayOutcome(title clean.Text, out *action.Outcome) {
	part := a.outcomePart(title, out)
	a.say(part.Token, part.Text)
}

// note remembers what the dialog shows.
func (a *App) note(title clean.Text, out *action.Outcome) {
	a.toasts.Note(a.opts.Clock(), a.outcomePart(title, out))
}

func (a *App) outcomePart(title clean.Text, out *action.Outcome) component.Part {
	tok, _, word := dialog.OutcomeLook(out.State)
	text := clean.Linef("%s: %s", title, word)
	switch {
	case title.IsZero():
		text = out.Text
	case !out.Text.IsZero():
		text = clean.Linef("%s: %s", text, out.Text)
	}
	if !out.Fix.IsZero() {
		text = clean.Linef("%s: %s", text, out.Fix)
	}
	if out.Receipt.Undo != nil {
		text = clean.Linef("%s  %s undoes it", text, a.key1(keymap.Undo))
	}
	return component.Part{Token: tok, Text: text}
}

// undo takes back what was done last, where something does.
func (a *App) undo() tea.Cmd {
	if why := a.barred(); why != "" {
		a.say(theme.Warn, clean.Line(why))
		return nil
	}
	call := a.lastUndo()
	if call == nil {
		a.say(theme.Muted, clean.Const("nothing that was done here lately can be taken back"))
		return nil
	}
	return a.takeBack(*call)
}

// lastUndo is what takes back the newest action that ended; nil for none.
func (a *App) lastUndo() *sources.Call {
	for i := len(a.levers.ops) - 1; i >= 0; i-- {
		if o := &a.levers.ops[i]; !o.Guard && o.Outcome != nil && o.Outcome.Receipt.Undo != nil {
			return o.Outcome.Receipt.Undo
		}
	}
	return nil
}

func (a *App) takeBack(c sources.Call) tea.Cmd {
	return a.plan(c.Verb, clean.Linef("Undo: %s", c.Verb), action.Request{
		Verb: c.Verb, Target: c.Target, Revision: c.Revision, Text: c.Text, For: c.For, To: c.To, Level: c.Level, Others: c.Others, Fields: c.Fields, Via: via,
	})
}
