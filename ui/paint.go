package ui

import (
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/layout"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// canvas is the grid that frames are drawn into, and what stands where in it. stale says that nothing
// in it can be kept.
type canvas struct {
	grid  *screen.Grid
	plan  layout.Plan
	stale bool

	header headerKey
	health layout.Rect // where the sources' health stands, for the mouse
	tabs   []int       // where each tab ends
	box    layout.Rect // the dialog, its frame included

	strips     []pane.Strip
	stripsFor  stripsKey
	stripsSeen seenStrips
}

// seenStrips is what the strips on the screen were drawn from.
type seenStrips struct {
	key   stripsKey
	rects []layout.Rect
}

// stripsKey is all that the strips depend on.
type stripsKey struct {
	env     pane.Env
	service string
}

// settle brings everything in line after a message: rectangles, what panes are told of their world and
// size, the frame, and the timer.
func (a *App) settle(cause screen.Cause) tea.Cmd {
	if !a.sized || a.suspended {
		return nil
	}
	a.canvas.plan.Mode = layout.ModeFor(a.width, a.height)
	a.settleFocus()
	cmds := a.informWorld(nil)
	if a.look() {
		cmds = a.informWorld(cmds)
	}
	a.noteRow()
	cmds = a.renew(cmds)
	a.arrange()
	cmds = a.informSizes(cmds)
	a.paint()
	a.opts.Screen.Flush(a.canvas.grid, cause)
	return tea.Batch(append(cmds, a.schedule())...)
}

// settleFocus puts the focus on the first pane that has something to show, until somebody moves it.
func (a *App) settleFocus() {
	if a.moved || a.opts.Idle == nil || len(a.snap.Catalog.Sources) == 0 {
		return
	}
	e := a.bare()
	for i, s := range a.board {
		if !a.opts.Idle(e, s.pane.ID()) {
			a.focus = i
			return
		}
	}
}

// informWorld tells panes that do not know it of a new snapshot, follow or whose.
func (a *App) informWorld(cmds []tea.Cmd) []tea.Cmd {
	w := a.world()
	for _, list := range [2][]*slot{a.board, a.details} {
		for _, s := range list {
			if s.world != w || s.watches && s.watched != a.watch.Service {
				s.world, s.watched = w, a.watch.Service
				cmds = append(cmds, a.tell(s, pane.Changed{}))
			}
		}
	}
	return cmds
}

func (a *App) informSizes(cmds []tea.Cmd) []tea.Cmd {
	for _, s := range a.visible() {
		in := a.inner(s.rect)
		if size := (pane.Sized{W: in.W, H: in.H}); s.size != size {
			s.size = size
			cmds = append(cmds, a.tell(s, size))
		}
	}
	return cmds
}

// inner is what a frame around r leaves; where r is too small there is no frame.
func (a *App) inner(r layout.Rect) layout.Rect {
	if a.mode() == layout.Tiny || r.W < 4 || r.H < 3 {
		return r
	}
	return r.Inset()
}

// visible lists the slots that are on the screen.
func (a *App) visible() []*slot {
	if n := len(a.details); n > 0 {
		return a.details[n-1:]
	}
	out := make([]*slot, 0, len(a.board))
	for _, s := range a.board {
		if !s.rect.Empty() {
			out = append(out, s)
		}
	}
	return out
}

// arrange computes where everything goes. A change of the arrangement draws everything anew.
func (a *App) arrange() {
	o := layout.Options{
		Focus: a.focus, Zoom: a.zoom || len(a.details) > 0, Notice: !a.snap.Catalog.ConfigError.IsZero(),
	}
	o.Strip = a.hasStrip()
	before := a.canvas.plan
	if a.opts.Idle != nil && !o.Zoom && a.mode() >= layout.Medium {
		e := a.bare()
		for _, s := range a.board {
			o.Idle = append(o.Idle, a.opts.Idle(e, s.pane.ID()))
		}
	}
	a.canvas.strips = a.strips(o.Zoom)
	for _, s := range a.canvas.strips {
		o.Strips = append(o.Strips, s.Lines+2)
	}
	a.canvas.plan = layout.Board(a.width, a.height, len(a.board), o)
	a.assign(before)
}

// assign gives the slots their rectangles.
func (a *App) assign(before layout.Plan) {
	p := &a.canvas.plan
	if p.Mode != before.Mode || p.Body != before.Body || p.Strip != before.Strip || !slices.Equal(p.Panes, before.Panes) || !slices.Equal(p.Strips, before.Strips) {
		a.canvas.stale = true
	}
	for i, s := range a.board {
		s.rect = p.Panes[i]
		if len(a.details) > 0 {
			s.rect = layout.Rect{}
		}
	}
	for i, s := range a.details {
		s.rect = layout.Rect{}
		if i == len(a.details)-1 {
			s.rect = p.Body
		}
	}
}

// strips are those of the narrow layout, kept while what they depend on is.
func (a *App) strips(zoomed bool) []pane.Strip {
	if a.opts.Strips == nil || zoomed || a.mode() != layout.Narrow {
		return nil
	}
	k := stripsKey{a.bare(), a.follow}
	if s, ok := a.selected(); ok && k.service == "" {
		k.service = s.Service
	}
	if k == a.canvas.stripsFor {
		return a.canvas.strips
	}
	a.canvas.stripsFor = k
	return slices.DeleteFunc(a.opts.Strips(k.env, k.service), func(s pane.Strip) bool { return s.Lines <= 0 })
}

// paint draws what changed.
func (a *App) paint() {
	c := &a.canvas
	box, inner := a.dialogBox()
	if box != c.box {
		c.box, c.stale = box, true
	}
	if c.stale {
		c.grid.Region().Fill(screen.Style{})
		c.header = headerKey{}
		c.stripsSeen = seenStrips{}
		for _, s := range a.visible() {
			s.drawn = drawn{}
		}
	}
	switch {
	case a.opts.Setup != nil && len(a.details) == 0:
		a.drawSetup()
	case c.plan.Mode == layout.Tiny && !a.zoom && len(a.details) == 0:
		a.drawTiny()
	default:
		a.drawBoard()
	}
	a.drawDialog(box, inner)
	c.stale = false
}

func (a *App) region(r layout.Rect) screen.Region {
	return a.canvas.grid.Region().Sub(r.X, r.Y, r.W, r.H)
}

func (a *App) drawBoard() {
	p := &a.canvas.plan
	a.drawHeader(p.Header)
	a.drawNotice(p.Notice)
	a.drawTabs(p.Tabs)
	for _, s := range a.visible() {
		a.drawSlot(s)
	}
	a.drawStrips()
	a.drawStrip(p.Strip)
	a.drawFooter(p.Footer)
}

// drawSlot draws a pane, unless all that its cells depend on is as it was.
func (a *App) drawSlot(s *slot) {
	d := drawn{a.env(s), s.updates, s.rect}
	if d == s.drawn {
		return
	}
	s.drawn = d
	r := a.region(s.rect)
	r.Fill(screen.Style{})
	if a.mode() != layout.Tiny {
		h := s.pane.Heading(d.env)
		f := component.Frame{Title: h.Title, Summary: h.Summary, Short: h.Short, Focused: d.env.Focused}
		if a.mode() >= layout.Medium {
			f.Number = 1 + slices.Index(a.board, s)
		}
		r = f.Draw(r, a.set.Theme)
	}
	s.pane.Draw(d.env, r)
}

func (a *App) drawTabs(r layout.Rect) {
	if r.Empty() {
		return
	}
	region := a.region(r)
	region.Fill(screen.Style{})
	tabs := make([]component.Tab, len(a.board))
	for i, s := range a.board {
		h := s.pane.Heading(a.env(s))
		tabs[i] = component.Tab{Title: h.Title, Marks: h.Tab}
	}
	a.canvas.tabs = component.TabBar(region.Sub(1, 0, r.W-2, 1), a.set.Theme, tabs, a.focus)
}

func (a *App) drawStrips() {
	c := &a.canvas
	if c.stripsSeen.key == c.stripsFor && slices.Equal(c.stripsSeen.rects, c.plan.Strips) {
		return
	}
	c.stripsSeen = seenStrips{c.stripsFor, c.plan.Strips}
	for i, s := range c.strips {
		if r := c.plan.Strips[i]; !r.Empty() {
			region := a.region(r)
			region.Fill(screen.Style{})
			s.Draw(component.Frame{Title: s.Heading.Title, Summary: s.Heading.Summary, Short: s.Heading.Short}.Draw(region, a.set.Theme))
		}
	}
}

// drawTiny lists what is wrong, for screens that are too small for panes.
func (a *App) drawTiny() {
	th, e := a.set.Theme, a.bare()
	r := a.region(a.canvas.plan.Body)
	r.Fill(screen.Style{})
	_, h := r.Size()
	y := 0
	if h > 2 {
		a.drawTinyHeader(r, e)
		y++
	}
	lines := a.wrong(e)
	for i, l := range lines {
		if y == h-1 && i < len(lines)-1 {
			l = []component.Part{{Token: theme.Muted, Text: clean.Linef("%d more", len(lines)-i)}}
		}
		if y >= h {
			break
		}
		drawAged(r, y, th, l)
		y++
	}
	last := a.tinyLast()
	if len(last) == 0 && y < h {
		last = fitKeys(slices.Concat(a.hint(keymap.Zoom, "one pane"), a.hint(keymap.Help, "help"), a.hint(keymap.Quit, "quit")), a.width)
	}
	if len(last) > 0 && h > 2 {
		r.Sub(0, h-1, a.width, 1).Fill(screen.Style{})
		component.Draw(r, 0, h-1, a.width, th, last)
	}
}

// drawAged draws a line that ends in an age: what is cut is what stands before it.
func drawAged(r screen.Region, y int, th *theme.Theme, l []component.Part) {
	w, _ := r.Size()
	const age = 6 // of two blanks and an age, at most
	n := len(l) - 1
	last := component.Width(l[n:])
	if component.Width(l) <= w || n == 0 || last > age || w < 4*age {
		component.Draw(r, 0, y, w, th, l)
		return
	}
	component.Draw(r, 0, y, w-last, th, l[:n])
	component.Draw(r, w-last, y, last, th, l[n:])
}

// tinyLast is the last line of the list: what was just said, else what is under way.
func (a *App) tinyLast() []component.Part {
	if p, _, ok := a.toasts.Current(); ok {
		return []component.Part{p}
	}
	if o, more := a.strip(); o != nil {
		left, _ := a.stripParts(o, more)
		return left
	}
	return nil
}

// drawTinyHeader draws the name, that nothing can be put on record, the source that does worst, where it is not
// well, and the clock.
func (a *App) drawTinyHeader(r screen.Region, e pane.Env) {
	th := a.set.Theme
	left := []component.Part{{Token: theme.Strong, Text: clean.Const("signalbox")}}
	right := []component.Part{{Token: theme.Muted, Text: a.clock(e.Now)}}
	var worst *sourceHealth
	hs := healths(a.snap, e.Now)
	for i := range hs {
		if h := &hs[i]; h.words != "" && (worst == nil || severity(h.token) > severity(worst.token)) {
			worst = h
		}
	}
	w, _ := r.Size()
	if mark := a.journalMark(w - 12 - component.Width(right)); len(mark) > 0 {
		right = append(append(mark, component.Part{Text: clean.Const("  ")}), right...)
	}
	if worst != nil {
		health := []component.Part{{Token: worst.token, Text: clean.Concat(th.Glyph(worst.glyph), clean.Line(" "+worst.short()+"  "))}}
		if component.Width(left)+1+component.Width(health)+component.Width(right) <= w {
			right = append(health, right...)
		}
	}
	component.Spread(r, 0, th, left, right, 9)
}

func (a *App) wrong(e pane.Env) [][]component.Part {
	if a.opts.Wrong == nil {
		return [][]component.Part{{{Token: theme.Muted, Text: clean.Const("the screen is too small")}}}
	}
	if lines := a.opts.Wrong(e); len(lines) > 0 {
		return lines
	}
	for i := range e.Snap.Feeds {
		if !e.Snap.Feeds[i].Health.LastGood.IsZero() {
			ok := clean.Concat(e.Theme.Glyph(theme.GlyphOK), clean.Const(" nothing is wrong"))
			return [][]component.Part{{{Token: theme.OK, Text: ok}}}
		}
	}
	return [][]component.Part{{{Token: theme.Muted, Text: clean.Const("loading")}}}
}

// drawSetup shows the page of a board that nothing has been configured for.
func (a *App) drawSetup() {
	if !a.canvas.stale && len(a.dialogs) == 0 {
		a.drawFooter(a.canvas.plan.Footer)
		return
	}
	th, r := a.set.Theme, a.canvas.grid.Region()
	r.Fill(screen.Style{})
	rows := append([][]component.Part{{{Token: theme.Title, Text: a.opts.Setup.Title}}, nil}, a.opts.Setup.Lines...)
	widest := 0
	for _, l := range rows {
		widest = max(widest, component.Width(l))
	}
	body := layout.Rect{X: 0, Y: 0, W: a.width, H: a.height}
	if p := a.canvas.plan; p.Mode != layout.Tiny {
		body = p.Body
	}
	at := layout.Center(body, widest, len(rows))
	for y, l := range rows {
		component.Draw(a.region(at), 0, y, at.W, th, l)
	}
	a.drawFooter(a.canvas.plan.Footer)
}

// dialogBox is where the open dialog goes, and what is inside its frame.
func (a *App) dialogBox() (box, inner layout.Rect) {
	d := a.dialog()
	if d == nil {
		return layout.Rect{}, layout.Rect{}
	}
	all := layout.Rect{W: a.width, H: a.height}
	if a.width < 20 || a.height < 6 {
		d.Want(a.dialogEnv(d), all.W, all.H)
		return all, all
	}
	room := layout.Rect{X: 0, Y: 1, W: a.width, H: a.height - 2}
	if room.W > 60 {
		room.X, room.W = 2, room.W-4
	}
	w, h := d.Want(a.dialogEnv(d), room.W-2, room.H-2)
	box = layout.Center(room, w+2, h+2)
	return box, box.Inset()
}

func (a *App) dialogEnv(d dialog.Dialog) pane.Env {
	e := a.bare()
	e.Focused = true
	if d.Seconds() {
		e.Now = a.opts.Clock().Truncate(time.Second)
	}
	return e
}

func (a *App) drawDialog(box, inner layout.Rect) {
	d := a.dialog()
	if d == nil {
		return
	}
	if p, ok := d.(*dialog.Palette); ok {
		p.Resized(inner.W, inner.H)
	}
	r := a.region(box)
	r.Fill(screen.Style{})
	if box != inner {
		f := component.Frame{Title: d.Title(), Focused: true}
		if s, ok := d.(dialog.Summarizer); ok {
			f.Summary, f.Short = s.Summary(), s.Short()
		}
		f.Draw(r, a.set.Theme)
		a.drawDialogFooter(d, r)
	}
	d.Draw(a.dialogEnv(d), a.region(inner))
}

// drawDialogFooter puts a dialog's keys into the lower edge of its frame.
func (a *App) drawDialogFooter(d dialog.Dialog, r screen.Region) {
	w, h := r.Size()
	keys := d.Footer(a.set.Keys, !a.set.Theme.Options().ASCII)
	kw := component.Width(keys)
	if kw == 0 || kw+6 > w {
		return
	}
	at := r.Sub(w-kw-4, h-1, kw+2, 1)
	at.Fill(screen.Style{})
	component.Draw(at, 1, 0, kw, a.set.Theme, keys)
}
