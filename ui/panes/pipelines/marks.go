package pipelines

import (
	"example.com/signalbox/sources"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

var _ pane.Acting = (*Pane)(nil)

// Subject implements pane.Acting: the run under the cursor, and those that are marked.
func (p *Pane) Subject(e pane.Env) (pane.Subject, bool) {
	sel, ok := p.Selected(e)
	s := pane.Subject{Selection: sel}
	for i := 0; len(p.marks) > 0 && i < len(p.rows); i++ {
		if row := p.row(i); p.marks[row.Run.Ref] {
			s.Marked = append(s.Marked, pane.Subject{Selection: selection(row)})
		}
	}
	return s, ok
}

// mark marks the run under the cursor, or takes its mark away, and goes to the next one.
func (p *Pane) mark() {
	i, ok := p.list.At()
	if !ok {
		return
	}
	if p.marks == nil {
		p.marks = map[sources.Ref]bool{}
	}
	if ref := p.row(i).Run.Ref; p.marks[ref] {
		delete(p.marks, ref)
	} else {
		p.marks[ref] = true
	}
	p.list.Take(pane.Action{Action: keymap.Down, Count: 1}, p.lines())
}

func (p *Pane) markHelp() string {
	if i, ok := p.list.At(); ok && p.marks[p.row(i).Run.Ref] {
		return "unmark"
	}
	return "mark"
}

// forget takes the marks of runs away that are not seen any more.
func (p *Pane) forget() {
	if len(p.marks) == 0 {
		return
	}
	kept := map[sources.Ref]bool{}
	for i := range p.rows {
		if ref := p.row(i).Run.Ref; p.marks[ref] {
			kept[ref] = true
		}
	}
	p.marks = kept
}

func (p *Pane) draw(e pane.Env, r screen.Region, i int) {
	row := p.row(i)
	p.table.row(e, r, row)
	if p.marks[row.Run.Ref] {
		r.Text(0, 0, e.Theme.Style(theme.Accent), e.Theme.Glyph(theme.GlyphBarFull))
	}
}
