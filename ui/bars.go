package ui

import (
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/layout"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// headerKey is all that the header depends on.
type headerKey struct {
	snap   *store.Snapshot
	minute time.Time
	follow string
	whose  pane.Whose
	rect   layout.Rect
	theme  *theme.Theme
	zone   *time.Location
	hidden string // what the panes that are not seen have to say
	broken bool   // the journal cannot be written
}

// drawHeader draws whose board this is at the left, and the sources' health and the clock at the right.
// Where both do not fit, detail goes first, then names; the clock, and that nothing can be put on record, stay
// longest. Between them stands what the panes say that are not seen, where there is room.
func (a *App) drawHeader(rect layout.Rect) {
	if rect.Empty() {
		return
	}
	now := a.moment()
	hidden := a.hiddenMarks()
	k := headerKey{a.snap, now, a.follow, a.whose, rect, a.set.Theme, a.set.Zone, component.String(hidden), a.unrecorded()}
	if k == a.canvas.header {
		return
	}
	a.canvas.header = k
	th, r := a.set.Theme, a.region(rect)
	r.Fill(screen.Style{})
	r = r.Sub(1, 0, rect.W-2, 1)
	w, _ := r.Size()
	hs := healths(a.snap, now)
	clock := component.Part{Token: theme.Strong, Text: a.clock(now)}
	x := w - clock.Text.Width() - 3
	journal := a.journalMark(x - minHeader)
	left, duty, health := fitHeader(x-gapped(journal, 3), func(l int, d dutyDetail, h healthDetail) (left, duty, health []component.Part) {
		return a.identity(l), a.duty(now, d), healthParts(hs, th, h)
	})
	component.Spread(r, 0, th, left, []component.Part{clock}, 0)
	hw := component.Width(health)
	x -= hw
	component.Draw(r, x, 0, hw, th, health)
	a.canvas.health = layout.Rect{X: rect.X + 1 + x, Y: rect.Y, W: hw, H: 1}
	x -= gapped(journal, 3)
	component.Draw(r, x, 0, component.Width(journal), th, journal)
	free := x - 4
	if mw := component.Width(hidden); mw > 0 && component.Width(left)+mw+8 <= x {
		free -= mw + 4
		component.Draw(r, free+4, 0, mw, th, hidden)
	}
	a.drawDuty(r, now, duty, component.Width(left)+4, free+2)
}

// minHeader is what the least of the name and of the sources' health takes.
const minHeader = 15

// drawDuty draws who is on call between two columns, in less detail where there is less room: at a place that
// nothing at the right moves, while it has some room to spare.
func (a *App) drawDuty(r screen.Region, now time.Time, duty []component.Part, from, to int) {
	for _, less := range [...]dutyDetail{dutyNow, dutyShort, dutyNone} {
		if from+component.Width(duty) <= to {
			break
		}
		duty = a.duty(now, less)
	}
	dw := component.Width(duty)
	if from+dw+18 <= to {
		from += 8
	}
	component.Draw(r, from, 0, dw, a.set.Theme, duty)
}

// hiddenMarks name the panes of the board that are not seen and have something to say, as tabs would.
func (a *App) hiddenMarks() []component.Part {
	if a.mode() < layout.Medium || !a.zoom && len(a.details) == 0 {
		return nil
	}
	var out []component.Part
	for _, s := range a.board {
		if !s.rect.Empty() {
			continue
		}
		h := s.pane.Heading(a.env(s))
		if len(h.Tab) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, component.Part{Text: clean.Const("   ")})
		}
		out = append(append(out, component.Part{Token: theme.Muted, Text: clean.Linef("%s ", h.Title)}), h.Tab...)
	}
	return out
}

// you is who this board is for, as the first source knows them.
func (a *App) you() string {
	for _, s := range a.snap.Catalog.Sources {
		if me := a.snap.Catalog.Me[s.Type]; me != "" {
			return me
		}
	}
	return ""
}

// fitHeader finds the most detail of both sides, and of who is on call between them, that fits into w
// columns with gaps.
func fitHeader(w int, parts func(left int, duty dutyDetail, health healthDetail) (l, d, h []component.Part)) (l, d, h []component.Part) {
	for _, try := range [...]struct {
		left   int
		duty   dutyDetail
		health healthDetail
	}{
		{0, dutyFull, healthFull}, {1, dutyFull, healthFull}, {2, dutyFull, healthFull}, {2, dutyNow, healthFull}, {2, dutyShort, healthFull},
		{3, dutyShort, healthFull}, {2, dutyShort, healthNames}, {3, dutyShort, healthNames}, {4, dutyShort, healthNames},
		{1, dutyFull, healthShort}, {2, dutyFull, healthShort}, {2, dutyNow, healthShort}, {2, dutyShort, healthShort}, {3, dutyShort, healthShort},
		{2, dutyShort, healthGlyphs}, {3, dutyShort, healthGlyphs}, {4, dutyShort, healthGlyphs}, {4, dutyShort, healthWorst}, {4, dutyNone, healthWorst},
		{5, dutyNone, healthWorst}, {5, dutyNone, healthNone},
	} {
		l, d, h = parts(try.left, try.duty, try.health)
		if component.Width(l)+gapped(d, 4)+gapped(h, 2) <= w {
			return l, d, h
		}
	}
	return l, d, h
}

// gapped is the width of parts with a gap before them; 0 when there are none.
func gapped(parts []component.Part, gap int) int {
	if n := component.Width(parts); n > 0 {
		return n + gap
	}
	return 0
}

// identity is the left of the header. Level 0 says everything, 5 nothing but the name.
func (a *App) identity(level int) []component.Part {
	th, c := a.set.Theme, a.snap.Catalog
	dot := component.Part{Token: theme.Muted, Text: clean.Concat(clean.Const(" "), th.Glyph(theme.GlyphDot), clean.Const(" "))}
	out := []component.Part{{Token: theme.Accent, Text: clean.Const("signalbox")}}
	if level >= 5 {
		return out
	}
	gap := component.Part{Text: clean.Const("   ")}
	if level > 2 {
		gap.Text = clean.Const("  ")
	}
	if c.Team != "" {
		out = append(out, gap, component.Part{Token: theme.Strong, Text: clean.Line(c.Team)})
		gap = dot
	}
	if n := ours(c); n > 0 && level <= 1 {
		text := clean.Linef("%d services", n)
		if n == 1 {
			text = clean.Const("1 service")
		}
		out = append(out, gap, component.Part{Token: theme.Muted, Text: text})
		gap = dot
	}
	if a.follow != "" {
		text := clean.Linef("following %s", a.follow)
		if level > 3 {
			text = clean.Line(a.follow)
		}
		out = append(out, gap, component.Part{Token: theme.Info, Text: text})
		if a.whose == pane.Team {
			return out
		}
		gap = dot
	}
	if level < 3 || a.whose != pane.Team {
		out = append(out, gap, a.whosePart(level))
	}
	if you := a.you(); you != "" && level == 0 {
		out = append(out, gap, component.Part{Token: theme.Muted, Text: clean.Linef("you are %s", you)})
	}
	return out
}

// ours counts the team's own services.
func ours(c *store.Catalog) int {
	n := 0
	for i := range c.Services {
		if c.Services[i].Team == "" {
			n++
		}
	}
	return n
}

func (a *App) whosePart(level int) component.Part {
	p := component.Part{Token: theme.Info}
	switch a.whose {
	case pane.Team:
		p = component.Part{Token: theme.Muted, Text: clean.Const("team view")}
	case pane.Mine:
		p.Text = clean.Const("mine only")
	case pane.All:
		p.Text = clean.Const("everybody's")
	}
	if level > 3 {
		p.Text = clean.Line([...]string{"team", "mine", "all"}[a.whose%3])
	}
	return p
}

func (a *App) clock(now time.Time) clean.Text {
	return clean.Line(now.In(a.set.Zone).Format("15:04 MST"))
}

// drawNotice says what must not be overlooked: the board runs on an older config than the file's.
func (a *App) drawNotice(rect layout.Rect) {
	if rect.Empty() {
		return
	}
	r := a.region(rect)
	r.Fill(screen.Style{})
	text := clean.Linef(" config not taken, the one before goes on: %s", a.snap.Catalog.ConfigError)
	component.Draw(r, 1, 0, rect.W-2, a.set.Theme, []component.Part{
		{Token: theme.Crit, Text: a.set.Theme.Glyph(theme.GlyphWarn)}, {Token: theme.Crit, Text: text},
	})
}

// drawFooter draws the keys that work now, or what was just said.
func (a *App) drawFooter(rect layout.Rect) {
	if rect.Empty() {
		return
	}
	th, r := a.set.Theme, a.region(rect)
	r.Fill(screen.Style{})
	r = r.Sub(1, 0, rect.W-2, 1)
	right, status := a.globalKeys(), a.status(a.mode() < layout.Medium)
	if sw := component.Width(status); sw > 0 {
		w, _ := r.Size()
		component.Draw(r, w-sw, 0, sw, th, status)
		r = r.Sub(0, 0, w-sw-3, 1)
	}
	if said, more, ok := a.toasts.Current(); ok {
		left := []component.Part{said}
		if more > 0 {
			left = append(left, component.Part{Token: theme.Muted, Text: clean.Linef("  +%d", more)})
		}
		if w, _ := r.Size(); component.Width(left)+2+component.Width(right) > w {
			right = nil
		}
		component.Spread(r, 0, th, left, right, rect.W)
		return
	}
	w, _ := r.Size()
	for len(right) > 3 && component.Width(right)+12 > w {
		right = right[3:]
	}
	left := fitKeys(a.keyHints(), w-component.Width(right)-2)
	component.Spread(r, 0, th, left, right, component.Width(left))
}

// globalKeys are the keys at the right of the footer, least important first: three parts each; none
// while keys are text.
func (a *App) globalKeys() []component.Part {
	if a.typing() && a.dialog() == nil {
		return nil
	}
	var out []component.Part
	if s := a.focused(); s != nil {
		for _, b := range s.pane.Keys(a.env(s)) {
			if b.Action == keymap.Filter && b.Disabled == "" {
				out = append(out, a.hint(b.Action, b.Help)...)
			}
		}
	}
	out = append(out, a.hint(keymap.Palette, "commands")...)
	out = append(out, a.hint(keymap.Help, "help")...)
	if len(out) > 0 {
		out = out[:len(out)-1] // the gap after the last
	}
	return out
}

// hint is a key, what it does, and a gap; nothing when the action has no key.
func (a *App) hint(action keymap.Action, help string) []component.Part {
	key := a.set.Keys.Show(action, !a.set.Theme.Options().ASCII)
	if key == "" {
		return nil
	}
	return []component.Part{
		{Token: theme.KeyHint, Text: clean.Line(key)},
		{Token: theme.Muted, Text: clean.Line(" " + help)},
		{Text: clean.Const("  ")},
	}
}

// fitKeys keeps as many whole hints as fit into w columns.
func fitKeys(parts []component.Part, w int) []component.Part {
	for len(parts) >= 3 && component.Width(parts[:len(parts)-1]) > w {
		parts = parts[:len(parts)-3]
	}
	if len(parts) > 0 {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// keyHints are the keys at the left of the footer, most useful first.
func (a *App) keyHints() []component.Part {
	s := a.focused()
	if s == nil || a.opts.Setup != nil && len(a.details) == 0 {
		return a.hint(keymap.Quit, "quit")
	}
	if s.pane.Typing() {
		return []component.Part{
			{Token: theme.KeyHint, Text: clean.Line(keymap.Symbol("enter", !a.set.Theme.Options().ASCII))},
			{Token: theme.Muted, Text: clean.Const(" keep")}, {Text: clean.Const("  ")},
			{Token: theme.KeyHint, Text: clean.Const("Esc")}, {Token: theme.Muted, Text: clean.Const(" clear")}, {Text: clean.Const("  ")},
		}
	}
	var out []component.Part
	have := map[keymap.Action]bool{keymap.Filter: true}
	for _, b := range a.rowKeys() {
		if info, ok := a.set.Keys.Info(b.Action); !ok || b.Disabled != "" || have[b.Action] || info.Moves || a.opts.Levers == nil && ofLevers(info) {
			continue
		}
		have[b.Action] = true
		out = append(out, a.hint(b.Action, b.Help)...)
	}
	for _, b := range a.ownKeys() {
		if !have[b.Action] && b.Disabled == "" {
			out = append(out, a.hint(b.Action, b.Help)...)
		}
	}
	return out
}

// ownKeys are the App's own keys as they can be used now, most useful first.
func (a *App) ownKeys() []keymap.Binding {
	if len(a.details) > 0 {
		return []keymap.Binding{{Action: keymap.Back, Help: "back"}}
	}
	follow := keymap.Binding{Action: keymap.FollowKey, Help: "follow"}
	switch s, ok := a.selected(); {
	case a.follow != "":
		follow.Help = "stop following"
	case ok && s.Service != "":
		follow.Help = "follow " + s.Service
	default:
		follow.Disabled = "no service is selected"
	}
	zoom := keymap.Binding{Action: keymap.Zoom, Help: "zoom"}
	switch {
	case a.zoom:
		zoom.Help = "unzoom"
	case a.mode() == layout.Narrow:
		zoom.Disabled = "one pane is shown at a time already"
	}
	next := keymap.Binding{Action: keymap.NextPane, Help: "next pane"}
	if len(a.board) < 2 {
		next.Disabled = "there is one pane"
	}
	return []keymap.Binding{
		follow, zoom, {Action: keymap.WhoseKey, Help: "whose"}, next, {Action: keymap.Quit, Help: "quit"},
	}
}
