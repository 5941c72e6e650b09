package ui

import (
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/layout"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// doneStands is how long an operation that ended well stays in the strip. What ended otherwise stays until
// somebody takes it away.
const doneStands = 20 * time.Second

// quickTakes is how long an acknowledgement may take before the strip shows it.
const quickTakes = 2 * time.Second

// operationsMsg brings what is under way.
type operationsMsg struct{ ops []pane.Operation }

// quitMsg quits although something is under way.
type quitMsg struct{}

// operations takes what is under way, tells the dialogs that show it, and calls for somebody when a guard asks.
func (a *App) operations(ops []pane.Operation) tea.Cmd {
	a.levers.ops = ops
	for _, open := range a.dialogs {
		switch d := open.(type) {
		case *dialog.Plan:
			for i := range ops {
				d.Follow(&ops[i])
			}
		case *dialog.Operations:
			d.Set(ops)
		}
	}
	a.attention.asks = clean.Text{}
	for i := range ops {
		o := &ops[i]
		if o.Ask == nil {
			continue
		}
		a.attention.asks = clean.Linef("guard of %s failed, and asks", o.Service)
		if a.levers.rung[o.Plan] {
			continue
		}
		if a.levers.rung == nil {
			a.levers.rung = map[string]bool{}
		}
		a.levers.rung[o.Plan] = true
		a.attention.ask(a.attention.asks, &a.set)
	}
	return tea.Batch(a.watchPages(), waitOperations(a.ctx, a.opts.Levers))
}

// unended counts what has not ended; guards are those among it.
func (a *App) unended() (all, guards int) {
	for i := range a.levers.ops {
		if o := &a.levers.ops[i]; !o.Ended() {
			all++
			if o.Guard {
				guards++
			}
		}
	}
	return all + len(a.levers.quick), guards
}

// askQuit asks before something that is under way is left; ok is false when nothing is.
func (a *App) askQuit() (ok bool) {
	n, guards := a.unended()
	if n == 0 {
		return false
	}
	var lines []clean.Text
	for i := range a.levers.ops {
		if o := &a.levers.ops[i]; !o.Ended() {
			_, _, word, text := dialog.OperationLook(o)
			lines = append(lines, clean.Line(kit.Dots(a.set.Theme, dialog.OperationTitle(o).String(), word, text.String())))
		}
	}
	if guards > 0 {
		lines = append(lines, clean.Const("The guard ends with the program: nobody watches then."))
	}
	if n > guards {
		lines = append(lines, clean.Const("What was sent goes on at the provider; the next start looks what became of it."))
	}
	a.push(dialog.NewQuestion(clean.Const("Quit"), lines, clean.Const("Quit all the same?"), quitMsg{}))
	return true
}

// urgency is how much an operation is worth in the strip; 0 when it is not seen there any more.
func urgency(o *pane.Operation, now time.Time) int {
	switch {
	case o.Ask != nil:
		return 6
	case !o.Ended() && !o.Guard:
		if o.Verb == sources.Acknowledge && now.Sub(o.Since) < quickTakes {
			return 0
		}
		return 5
	case endedWell(o):
		if now.Sub(o.At) >= doneStands || !o.Guard && o.Outcome.Receipt.Undo == nil {
			return 0
		}
		return 2
	case o.Ended():
		return 4
	}
	return 3
}

func endedWell(o *pane.Operation) bool {
	if o.Guard {
		return o.Ended() && o.Report.Verdict.Outcome == guard.Pass
	}
	return o.Outcome != nil && o.Outcome.State == action.Done
}

// strip is the operation that the strip shows, and how many more there are; nil: none.
func (a *App) strip() (top *pane.Operation, more int) {
	now := a.opts.Clock()
	best, seen := 0, 0
	for i := range a.levers.ops {
		o := &a.levers.ops[i]
		u := urgency(o, now)
		if u > 0 {
			seen++
		}
		if u > 0 && u >= best {
			top, best = o, u
		}
	}
	return top, seen - 1
}

// stripEnds is when the strip next loses an operation by itself; zero: never.
func (a *App) stripEnds(now time.Time) time.Time {
	var next time.Time
	for i := range a.levers.ops {
		o := &a.levers.ops[i]
		end := o.At.Add(doneStands)
		if endedWell(o) && end.After(now) && (next.IsZero() || end.Before(next)) {
			next = end
		}
	}
	return next
}

// ticks reports that the strip counts seconds: of an action that is under way.
func (a *App) ticks() bool {
	for i := range a.levers.ops {
		if o := &a.levers.ops[i]; !o.Guard && !o.Ended() {
			return true
		}
	}
	return false
}

// dismissStrip takes away the operation that the strip shows, when it has ended; it reports whether it did.
func (a *App) dismissStrip() bool {
	o, _ := a.strip()
	if o == nil || !o.Ended() {
		return false
	}
	a.opts.Levers.Dismiss(o.Plan)
	return true
}

// stripParts is the strip: "● running  Roll back checkout/prod: run 9341 in progress  1m12s".
func (a *App) stripParts(o *pane.Operation, more int) (left, right []component.Part) {
	th := a.set.Theme
	tok, g, word, text := dialog.OperationLook(o)
	left = []component.Part{{Token: tok, Text: th.Glyph(g)}, {Text: clean.Const(" ")}}
	if o.Guard {
		left = append(left, component.Part{Token: theme.Strong, Text: clean.Linef("%s ", o.Service)})
	} else {
		left = append(left, component.Part{Token: theme.Strong, Text: clean.Linef("%s  ", o.Title)}, component.Part{Token: tok, Text: clean.Linef("%s ", word)})
		if !o.Ended() {
			left = append(left, component.Part{Token: theme.Muted, Text: clean.Linef("%s  ", kit.Took(a.opts.Clock().Sub(o.Since)))})
		}
	}
	left = append(left, component.Part{Token: theme.Text, Text: clean.Line(kit.Times(th, text))})
	key := a.key1(keymap.Operations)
	var does string
	switch {
	case o.Ask != nil:
		does = "asks"
	case more > 0:
		does = clean.Linef("%d more", more).String()
	case o.Outcome != nil && o.Outcome.Receipt.Undo != nil:
		key, does = a.key1(keymap.Undo), "undo"
	default:
		does = "all of it"
	}
	right = []component.Part{{Token: theme.KeyHint, Text: clean.Line(key)}, {Token: theme.Muted, Text: clean.Line(" " + does)}}
	return left, right
}

// hasStrip reports that there is something for the strip. Where no footer shows what was just said, the strip
// does.
func (a *App) hasStrip() bool {
	if _, _, said := a.toasts.Current(); said && a.mode() == layout.Tiny {
		return true
	}
	o, _ := a.strip()
	return o != nil
}

// drawStrip draws the line of what is under way.
func (a *App) drawStrip(rect layout.Rect) {
	if rect.Empty() {
		return
	}
	r := a.region(rect)
	r.Fill(screen.Style{})
	o, more := a.strip()
	if a.mode() == layout.Tiny || o == nil {
		component.Draw(r, 0, 0, rect.W, a.set.Theme, a.tinyLast())
		return
	}
	left, right := a.stripParts(o, more)
	component.Spread(r.Sub(1, 0, rect.W-2, 1), 0, a.set.Theme, left, right, 24)
}

// status says at the right of the footer whether anything can be done.
func (a *App) status(short bool) []component.Part {
	if a.opts.Levers == nil {
		return nil
	}
	th, s := a.set.Theme, a.opts.Levers.Status()
	if !s.ReadOnly.IsZero() {
		return []component.Part{{Token: theme.Info, Text: clean.Const("read-only")}}
	}
	if !s.Journal.IsZero() {
		text := clean.Linef("journal %s", th.Glyph(theme.GlyphFailed))
		if !short {
			text = clean.Linef("%s %s", text, cause(s.Journal))
		}
		return []component.Part{{Token: theme.Crit, Text: text}}
	}
	out := []component.Part{{Token: theme.Muted, Text: clean.Const("armed")}}
	if !short {
		out = append(out, component.Part{Token: theme.Muted, Text: clean.Linef(" %s journal ok", th.Glyph(theme.GlyphDot))})
	}
	return out
}

// cause is the end of an error's text, which names what is behind the rest of it.
func cause(t clean.Text) clean.Text {
	s := t.String()
	return clean.Line(strings.TrimSpace(s[strings.LastIndex(s, ": ")+1:]))
}

// unrecorded reports that nothing can be done because the journal cannot be written.
func (a *App) unrecorded() bool {
	if a.opts.Levers == nil {
		return false
	}
	s := a.opts.Levers.Status()
	return s.ReadOnly.IsZero() && !s.Journal.IsZero()
}

// journalMark says at the top that nothing can be put on record, in a word where w columns are too few for
// all of it.
func (a *App) journalMark(w int) []component.Part {
	if !a.unrecorded() {
		return nil
	}
	mark := []component.Part{{Token: theme.Crit, Text: a.set.Theme.Glyph(theme.GlyphWarn)}, {Token: theme.Crit, Text: clean.Const(" journal: cannot be written")}}
	if component.Width(mark) > w {
		mark[1].Text = clean.Const(" journal")
	}
	return mark
}

func (a *App) showOperations() {
	if a.opts.Levers == nil {
		a.say(theme.Muted, clean.Const("this board only looks"))
		return
	}
	a.push(dialog.NewOperations(a.levers.ops))
}
