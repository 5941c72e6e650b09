package logview

import (
	"sort"
	"unicode"
	"unicode/utf8"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// search is what is looked for, in whatever case, and the lines that have it.
type search struct {
	want []rune // lower case; none: nothing is looked for
	hits []int  // indices of lines, in order
	at   int    // the hit that is shown
}

// set looks for text from the visible lines on.
func (s *search) set(p *Pane, text string) {
	s.want = s.want[:0]
	for _, r := range text {
		s.want = append(s.want, unicode.ToLower(r))
	}
	s.run(p)
	if len(s.hits) == 0 {
		return
	}
	s.at = sort.SearchInts(s.hits, p.view.top) % len(s.hits)
	s.reveal(p)
}

// run finds the lines that match: when the text or the log changed, never while drawing or moving.
func (s *search) run(p *Pane) {
	s.hits = s.hits[:0]
	if len(s.want) == 0 {
		return
	}
	for i := range p.log.Lines {
		if from, _ := find(p.log.Lines[i].Text.String(), s.want); from >= 0 {
			s.hits = append(s.hits, i)
		}
	}
	s.at = max(0, min(s.at, len(s.hits)-1))
}

// next goes to the next hit, around the ends.
func (s *search) next(p *Pane, by int) {
	if n := len(s.hits); n > 0 {
		s.at = ((s.at+by)%n + n) % n
		s.reveal(p)
	}
}

// reveal scrolls when the hit is not visible.
func (s *search) reveal(p *Pane) {
	p.follow = false
	line := s.hits[s.at]
	if p.view.wrap || line < p.view.top || line >= p.view.top+p.view.body() {
		p.show(line)
	}
}

// mark shows the hits in a line of text whose column from stands at the left edge of r. now tells that
// the line holds the hit that is shown.
func (s *search) mark(e pane.Env, r screen.Region, text clean.Text, from int, now bool) {
	if len(s.want) == 0 {
		return
	}
	w, _ := r.Size()
	style := e.Theme.Style(theme.Match)
	if now {
		style.Attr |= screen.Reverse
	}
	rest, col := text.String(), 0
	for {
		at, n := find(rest, s.want)
		if at < 0 || col > from+w {
			return
		}
		col += clean.Line(rest[:at]).Width()
		width := clean.Line(rest[at : at+n]).Width()
		x, end := max(0, col-from), min(w, col-from+width)
		if x < end {
			r.Restyle(x, 0, end-x, 1, func(screen.Style) screen.Style { return style })
		}
		rest, col = rest[at+n:], col+width
	}
}

// find is where want, in lower case, begins in text, and how many bytes it takes; -1 when it is not there.
func find(text string, want []rune) (at, n int) {
	for i, r := range text {
		if unicode.ToLower(r) != want[0] {
			continue
		}
		j, ok := i, true
		for _, x := range want {
			r, size := utf8.DecodeRuneInString(text[j:])
			if size == 0 || unicode.ToLower(r) != x {
				ok = false
				break
			}
			j += size
		}
		if ok {
			return i, j - i
		}
	}
	return -1, 0
}

// shown reports whether line i holds the hit that is shown.
func (s *search) shown(i int) bool { return s.at < len(s.hits) && s.hits[s.at] == i }
