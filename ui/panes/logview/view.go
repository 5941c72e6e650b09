package logview

import (
	"io"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// view is the window on the lines: the first visible line, and with wrapping the first visible row of it.
type view struct {
	w, h     int
	top, sub int
	wrap     bool
}

// body is how many rows the lines have; the status line below them takes one.
func (v *view) body() int { return max(1, v.h-1) }

// gutter is the width of the time and number columns of p's log.
func (p *Pane) gutter() int {
	g := 1
	if p.view.w >= 60 && p.timed {
		g += len("15:04:05") + 1
	}
	if p.view.w >= 40 && p.log.Omitted == 0 {
		g += len(number(len(p.log.Lines))) + 1
	}
	return g
}

// rows is how many rows line i takes.
func (v *view) rows(p *Pane, i int) int {
	room := v.w - p.gutter() - 1
	if !v.wrap || room <= 0 {
		return 1
	}
	return max(1, (p.log.Lines[i].Text.Width()+room-1)/room)
}

// scroll moves the window by so many rows, and stops at the ends.
func (v *view) scroll(p *Pane, by int) {
	for ; by < 0 && (v.top > 0 || v.sub > 0); by++ {
		if v.sub > 0 {
			v.sub--
			continue
		}
		v.top--
		v.sub = v.rows(p, v.top) - 1
	}
	for ; by > 0 && v.top < len(p.log.Lines); by-- {
		if v.sub+1 < v.rows(p, v.top) {
			v.sub++
			continue
		}
		if v.top+1 >= len(p.log.Lines) {
			break
		}
		v.top++
		v.sub = 0
	}
	v.clamp(p)
}

// bottom shows the end.
func (v *view) bottom(p *Pane) {
	v.top, v.sub = max(0, len(p.log.Lines)-1), 0
	left := v.body()
	for i := len(p.log.Lines) - 1; i >= 0; i-- {
		n := v.rows(p, i)
		v.top = i
		if n >= left {
			v.sub = n - left
			return
		}
		left -= n
	}
	v.sub = 0
}

// clamp keeps the window full where there are lines to fill it. It looks at no more lines than fit.
func (v *view) clamp(p *Pane) {
	if len(p.log.Lines) == 0 {
		v.top, v.sub = 0, 0
		return
	}
	v.top = max(0, min(v.top, len(p.log.Lines)-1))
	v.sub = min(v.sub, v.rows(p, v.top)-1)
	left := v.body() + v.sub
	for i := v.top; i < len(p.log.Lines); i++ {
		if left -= v.rows(p, i); left <= 0 {
			return
		}
	}
	v.bottom(p)
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	switch {
	case !p.have && p.err != nil:
		kit.ErrNotice(title(p.err), p.err).Draw(r, e.Theme)
		return
	case !p.have:
		kit.Notice{Token: theme.Busy, Glyph: theme.GlyphRunning, Title: "Asking " + p.ref.Source + " for the log" + kit.Ellipsis(e.Theme)}.Draw(r, e.Theme)
		return
	case len(p.log.Lines) == 0:
		kit.Notice{Token: theme.Muted, Glyph: theme.GlyphQueued, Title: "The log is empty."}.Draw(r, e.Theme)
		return
	}
	body := r.Sub(0, 0, w, p.view.body())
	y, sub := 0, p.view.sub
	for i := p.view.top; i < len(p.log.Lines) && y < p.view.body(); i++ {
		y += p.line(e, body, y, i, sub)
		sub = 0
	}
	if h > 1 {
		p.status(e, r.Sub(0, h-1, w, 1))
	}
}

// title is what a failure to read a log means.
func title(err error) string {
	switch sources.KindOf(err) {
	case sources.NotExist:
		return "There is no log to read."
	case sources.Permission:
		return "This log may not be read."
	case sources.Unsupported:
		return "This source gives no logs."
	case sources.Throttled:
		return "The source limits how often it may be asked."
	case sources.Transient, sources.Invalid, sources.Conflict, sources.Ambiguous:
	}
	return "The log could not be read."
}

// line draws line i from its row sub on, and returns the rows that it took.
func (p *Pane) line(e pane.Env, r screen.Region, y, i, sub int) int {
	l := &p.log.Lines[i]
	w, h := r.Size()
	g := p.gutter()
	room := w - g - 1
	if sub == 0 {
		p.margin(e, r, y, i)
	}
	tok := token(l.Level)
	if !p.view.wrap {
		kit.Put(r, e.Theme, g, y, room, tok, l.Text)
		p.search.mark(e, r.Sub(g, y, room, 1), l.Text, 0, p.search.shown(i))
		return 1
	}
	total := p.view.rows(p, i)
	text := l.Text.Skip(sub * room)
	n := 0
	for ; sub < total && y+n < h; sub++ {
		piece := text.Cut(room, clean.Text{})
		r.Text(g, y+n, e.Theme.Style(tok), piece)
		p.search.mark(e, r.Sub(g, y+n, room, 1), l.Text, sub*room, p.search.shown(i))
		text = text.Skip(piece.Width())
		n++
	}
	return max(1, n)
}

// margin draws the number and the time of line i, and marks the line of the first error.
func (p *Pane) margin(e pane.Env, r screen.Region, y, i int) {
	x := 1
	if i == p.log.FirstError {
		r.Text(0, y, e.Theme.Style(theme.Crit), e.Theme.Glyph(theme.GlyphCursor))
	}
	if p.view.w >= 40 && p.log.Omitted == 0 {
		n := len(number(len(p.log.Lines)))
		kit.Right(r, e.Theme, x, y, n, theme.Muted, kit.Text(number(i+1)))
		x += n + 1
	}
	if p.view.w >= 60 && p.timed {
		r.Text(x, y, e.Theme.Style(theme.Muted), kit.Text(p.log.Lines[i].At.In(e.Zone).Format("15:04:05")))
	}
}

func token(l sources.LogLevel) theme.Token {
	switch l {
	case sources.LogGroup:
		return theme.Strong
	case sources.LogCommand:
		return theme.Info
	case sources.LogNotice:
		return theme.Info
	case sources.LogWarning:
		return theme.Warn
	case sources.LogError:
		return theme.Crit
	case sources.LogPlain:
	}
	return theme.Text
}

// status draws the line below: the search, else where in the log this is.
func (p *Pane) status(e pane.Env, r screen.Region) {
	if p.filter.Active() {
		at := 0
		if len(p.search.hits) > 0 {
			at = p.search.at + 1
		}
		p.filter.Draw(r, e.Theme, at, len(p.search.hits))
		return
	}
	w, _ := r.Size()
	var left []pane.Part
	switch {
	case p.err != nil:
		left = []pane.Part{kit.P(theme.Warn, "! "), kit.P(theme.Muted, "not read again: "+kit.ErrText(p.err).String())}
	case p.asking && p.query.Tail > 0:
		left = []pane.Part{kit.P(theme.Busy, "reading more"+kit.Ellipsis(e.Theme))}
	case p.follow:
		left = []pane.Part{kit.P(theme.Busy, e.Theme.Glyph(theme.GlyphRunning).String()+" following")}
	case p.log.Live:
		left = []pane.Part{kit.P(theme.Muted, "the job still runs")}
	case p.log.Omitted > 0 && p.view.top == 0:
		left = []pane.Part{kit.P(theme.Muted, kit.Bytes(p.log.Omitted)+" before this were not read; to the top once more reads on")}
	case p.log.FirstError >= 0:
		left = []pane.Part{kit.P(theme.Crit, "first error"), kit.P(theme.Muted, " in line "+number(p.log.FirstError+1))}
	}
	last, rows := p.view.top, p.view.body()+p.view.sub
	for ; last < len(p.log.Lines) && rows > 0; last++ {
		rows -= p.view.rows(p, last)
	}
	where := "lines " + number(p.view.top+1) + " to " + number(last) + " of " + number(len(p.log.Lines))
	kit.Spread(r.Sub(1, 0, w-2, 1), e.Theme, 0, left, []pane.Part{kit.P(theme.Muted, where)}, 10)
}

// text is the log as it was read and cleaned, for a file.
func (p *Pane) text() io.Reader {
	var b strings.Builder
	if p.log.Omitted > 0 {
		b.WriteString("[" + kit.Bytes(p.log.Omitted) + " before this were not read]\n")
	}
	for i := range p.log.Lines {
		l := &p.log.Lines[i]
		if !l.At.IsZero() {
			b.WriteString(l.At.UTC().Format(time.RFC3339))
			b.WriteByte(' ')
		}
		b.WriteString(l.Text.String())
		b.WriteByte('\n')
	}
	return strings.NewReader(b.String())
}
