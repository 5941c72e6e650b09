package dialog

import (
	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// OperationLook is how an operation is shown: its sign, how it stands in a word, and the newest word on it.
func OperationLook(o *pane.Operation) (tok theme.Token, g theme.Glyph, word string, text clean.Text) {
	switch {
	case o.Guard && o.Report != nil:
		tok, g = guardLook(o.Report)
		return tok, g, "", o.Report.Line()
	case o.Guard:
		return theme.Busy, theme.GlyphRunning, "guard", clean.Const("reads what was before")
	case o.Outcome != nil:
		tok, g, word = OutcomeLook(o.Outcome.State)
		return tok, g, word, o.Outcome.Text
	}
	return theme.Busy, theme.GlyphRunning, stepWord(o.Step), o.Text
}

// OperationTitle is what an operation is called.
func OperationTitle(o *pane.Operation) clean.Text {
	if o.Guard && o.Title.IsZero() {
		return clean.Linef("Guard of %s", o.Service)
	}
	return o.Title
}

func guardLook(r *guard.Report) (theme.Token, theme.Glyph) {
	if !r.Verdict.Final {
		if r.Failed > 0 {
			return theme.Warn, theme.GlyphWarn
		}
		return theme.Busy, theme.GlyphRunning
	}
	switch r.Verdict.Outcome {
	case guard.Pass:
		return theme.OK, theme.GlyphOK
	case guard.Fail:
		return theme.Crit, theme.GlyphFailed
	case guard.Inconclusive:
	}
	return theme.Warn, theme.GlyphWarn
}

// Operations lists what is under way and what has just ended.
type Operations struct {
	ops  []pane.Operation
	list component.List[operationKey]
}

type operationKey struct {
	plan  string
	guard bool
}

var _ Dialog = (*Operations)(nil)

// The answers of Operations, beside Close, TakeBack and the intents of panes.
type (
	// Answer opens what an operation asks for.
	Answer struct{ Request action.Request }
	// Dismissed takes an operation that has ended out of the list.
	Dismissed struct{ Plan string }
)

// NewOperations lists ops, which stand oldest first: the newest is on top, and what asks for something above all.
func NewOperations(ops []pane.Operation) *Operations {
	d := &Operations{}
	d.Set(ops)
	return d
}

// Set takes the operations as they are now. The cursor stays on its own.
func (d *Operations) Set(ops []pane.Operation) {
	d.ops = d.ops[:0]
	for _, asks := range []bool{true, false} {
		for i := len(ops) - 1; i >= 0; i-- {
			if (ops[i].Ask != nil) == asks {
				d.ops = append(d.ops, ops[i])
			}
		}
	}
	d.list.Sync(d.rows())
}

func (d *Operations) rows() component.Rows[operationKey] {
	return component.Rows[operationKey]{N: len(d.ops), Key: func(i int) operationKey { return operationKey{d.ops[i].Plan, d.ops[i].Guard} },
		Height: func(int) int { return 3 }}
}

// Title implements Dialog.
func (d *Operations) Title() clean.Text { return clean.Const("Under way, and just ended") }

// Typing implements Dialog.
func (d *Operations) Typing() bool { return true }

// Seconds implements Dialog.
func (d *Operations) Seconds() bool {
	for i := range d.ops {
		if !d.ops[i].Ended() {
			return true
		}
	}
	return false
}

// Do implements Dialog.
func (d *Operations) Do(pane.Action) tea.Cmd { return nil }

func (d *Operations) at() *pane.Operation {
	if i, ok := d.list.At(); ok {
		return &d.ops[i]
	}
	return nil
}

// Key implements Dialog.
func (d *Operations) Key(k tea.KeyMsg) tea.Cmd {
	o := d.at()
	switch name := k.String(); {
	case k.Paste:
	case name == "esc", name == "q", name == "n":
		return send(Close{})
	case name == "j", name == "down":
		d.list.Do(keymap.Down, 1, d.rows())
	case name == "k", name == "up":
		d.list.Do(keymap.Up, 1, d.rows())
	case o == nil:
	case name == "enter" && o.Ask != nil:
		return send(Answer{*o.Ask})
	case name == keyBrowse && o.URL != "":
		return send(pane.Browse{URL: o.URL})
	case name == keyUndo && undoOf(o) != nil:
		return send(TakeBack{*undoOf(o)})
	case name == "x" && o.Ended():
		return send(Dismissed{o.Plan})
	}
	return nil
}

func undoOf(o *pane.Operation) *sources.Call {
	if o.Outcome == nil || o.Guard {
		return nil
	}
	return o.Outcome.Receipt.Undo
}

// Click implements Dialog.
func (d *Operations) Click(c pane.Click) tea.Cmd {
	if c.Wheel == 0 {
		d.list.Click(c.Y, d.rows())
	}
	return nil
}

// Want implements Dialog.
func (d *Operations) Want(_ pane.Env, w, h int) (int, int) {
	h = max(1, min(h, 3*len(d.ops)))
	d.list.Resize(h, d.rows())
	return max(0, min(w, 110)), h
}

// Draw implements Dialog.
func (d *Operations) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	if len(d.ops) == 0 {
		component.Draw(r, 1, 0, w-2, e.Theme, []pane.Part{{Token: theme.Muted, Text: clean.Const("nothing is under way")}})
		return
	}
	at, _ := d.list.At()
	y := 0
	for i := d.list.Top(); i < len(d.ops) && y < h; i++ {
		d.draw(e, r.Sub(0, y, w, min(3, h-y)), &d.ops[i])
		if i == at {
			kit.Mark(e, r, y, min(2, h-y))
		}
		y += 3
	}
}

func (d *Operations) draw(e pane.Env, r screen.Region, o *pane.Operation) {
	w, _ := r.Size()
	tok, g, word, text := OperationLook(o)
	age := kit.Clock(e.Now, o.Since, e.Zone)
	if !o.Ended() && !o.Guard {
		age = kit.Took(e.Now.Sub(o.Since))
	}
	title := OperationTitle(o)
	component.Spread(r.Sub(1, 0, w-2, 1), 0, e.Theme, []pane.Part{{Token: tok, Text: e.Theme.Glyph(g)}, {Token: theme.Strong, Text: clean.Linef(" %s", title)}},
		[]pane.Part{{Token: theme.Muted, Text: clean.Line(age)}}, 20)
	line := []pane.Part{{Token: theme.Text, Text: clean.Const("  ")}}
	if word != "" {
		line = append(line, pane.Part{Token: tok, Text: clean.Linef("%s  ", word)})
	}
	line = append(line, pane.Part{Token: theme.Text, Text: clean.Line(kit.Times(e.Theme, text))})
	if o.Outcome != nil && !o.Outcome.Fix.IsZero() {
		line = append(line, pane.Part{Token: theme.Muted, Text: clean.Linef("  %s %s", e.Theme.Glyph(theme.GlyphArrow), o.Outcome.Fix)})
	}
	if o.Ask != nil {
		line = append([]pane.Part{{Text: clean.Const("  ")}, {Token: theme.KeyHint, Text: clean.Const("Enter")}, {Token: theme.Warn, Text: clean.Const(" rolls it back  ")}}, line...)
	}
	component.Draw(r, 1, 1, w-2, e.Theme, line)
}

// Footer implements Dialog.
func (d *Operations) Footer(_ *keymap.Map, unicode bool) []pane.Part {
	var parts []pane.Part
	if o := d.at(); o != nil {
		if o.Ask != nil {
			parts = hint(parts, keymap.Symbol("enter", unicode), "look at the plan")
		}
		if o.URL != "" {
			parts = hint(parts, keyBrowse, "browser")
		}
		if undoOf(o) != nil {
			parts = hint(parts, keyUndo, "undo")
		}
		if o.Ended() {
			parts = hint(parts, "x", "take it away")
		}
	}
	return hint(parts, keymap.Name("esc"), "close")
}
