package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/uitest/vt"
)

// desk is a board at the opening of the story, in a world that rests and whose clock stands. The board goes by that
// clock: for it no time passes but what the test puts it forward, however slow the machine is.
type desk struct {
	*tale
	s *session
}

func openDesk(t *testing.T) *desk {
	t.Helper()
	w := openTale(t, shortGuard)
	w.rest()
	d := &desk{w, w.board(160, 48)}
	d.s.ready()
	d.s.shows("5xx above 2 %", "v1.9.2 → prod 02:04")
	d.steer("POST", "clock", `{"speed": 0}`, nil)
	return d
}

// pulls presses a key that changes something until it is taken. The row under the cursor has been there for a
// while, and so has the last time that the key was pressed.
func (d *desk) pulls(key string, taken func(*vt.Terminal) bool) {
	d.t.Helper()
	for {
		d.advance(time.Second)
		d.s.keys(key)
		again := false
		d.s.until("what follows on "+key, func(t *vt.Terminal) bool {
			again = !taken(t) && refused(t, key)
			return again || taken(t)
		})
		if !again {
			return
		}
		d.advance(10 * time.Second) // what it says goes by
		d.s.until("no more of that", func(t *vt.Terminal) bool { return !refused(t, key) })
	}
}

func (d *desk) wrote(want ...string) {
	d.t.Helper()
	if got := d.writes(); !slices.Equal(got, want) {
		d.t.Fatalf("written was %q, want %q; the screen:\n%s", got, want, d.s.screen())
	}
}

// find is where text begins on the screen; ok is false where it is not.
func find(t *vt.Terminal, text string) (x, y int, ok bool) {
	for y, row := range t.Rows() {
		var line strings.Builder
		at := map[int]int{}
		for x, c := range row {
			at[line.Len()] = x
			line.WriteString(c.Text)
		}
		if i := strings.Index(line.String(), text); i >= 0 {
			return at[i], y, true
		}
	}
	return 0, 0, false
}

// holds reports whether the field behind ask holds exactly text: the cell of its cursor is the one after.
func holds(t *vt.Terminal, ask, text string) bool {
	x, y, ok := find(t, ask)
	if !ok {
		return false
	}
	row := t.Rows()[y][x+len([]rune(ask)):]
	for i, r := range text {
		if i >= len(row) || row[i].Text != string(r) {
			return false
		}
	}
	return len(row) > len(text) && row[len(text)].Style.Attr&screen.Reverse != 0
}

// press and release of the left button, and a notch of the wheel, at a cell.
func (s *session) click(x, y int) {
	s.t.Helper()
	s.keys(fmt.Sprintf("\x1b[<0;%d;%dM\x1b[<0;%d;%dm", x+1, y+1, x+1, y+1))
}

func (s *session) wheel(x, y int) {
	s.t.Helper()
	s.keys(fmt.Sprintf("\x1b[<65;%d;%dM", x+1, y+1))
}

// where is the cell at which text begins, which is on the screen.
func (s *session) where(text string) (x, y int) {
	s.t.Helper()
	s.until("the cells of "+text, func(t *vt.Terminal) (ok bool) {
		x, y, ok = find(t, text)
		return ok
	})
	return x, y
}

// question is a plan's dialog that can be opened again and again.
type question struct {
	*desk
	key   string // opens it
	title string
	asks  string // is on the screen while it asks
	idle  string // what Enter says of it when nothing is typed
}

const (
	early   = "not yet: read it first"
	changed = "it changed: read it again"
	word    = "checkout/prod"
	field   = "Type " + word + " › "
)

// opens opens it and stops at the moment at which its verdict appears.
func (q *question) opens() {
	q.t.Helper()
	q.pulls(q.key, func(t *vt.Terminal) bool { return has(t, "━ "+q.title, q.asks) })
}

// ripens lets half a second go by, and waits until the dialog takes keys.
func (q *question) ripens() {
	q.t.Helper()
	q.advance(500 * time.Millisecond)
	q.s.answers("\r", q.idle, func(t *vt.Terminal) bool { return has(t, q.idle) })
	q.calms()
}

// calms takes the hint away: the key moves, and does nothing else.
func (q *question) calms() {
	q.t.Helper()
	q.s.keys("\x1b[B")
	q.s.until("no hint", func(t *vt.Terminal) bool {
		above, _, _ := strings.Cut(t.String(), q.asks)
		lines := strings.Split(above, "\n")
		return len(lines) > 1 && !strings.Contains(lines[len(lines)-2], "┃ ! ")
	})
}

// comesEarly sends each of keys before the verdict has been seen for long enough: it takes none of them.
func (q *question) comesEarly(keys ...string) {
	q.t.Helper()
	for _, k := range keys {
		q.s.keys(k)
		q.s.shows(early)
		q.calms()
	}
}

// asking reports that it still waits for an answer.
func (q *question) asking(t *vt.Terminal) bool { return has(t, "━ "+q.title, q.asks) }

// leaves closes it.
func (q *question) leaves() {
	q.t.Helper()
	q.s.keys("\x1b")
	q.s.hides("━ "+q.title, q.asks)
}

// types types text into the field, a letter at a time.
func (q *question) types(text string) {
	q.t.Helper()
	for i := range text {
		q.s.keys(text[i : i+1])
		q.s.until(fmt.Sprintf("%q in the field", text[:i+1]), func(t *vt.Terminal) bool { return holds(t, field, text[:i+1]) })
	}
}

// trial is something that must confirm nothing: keys for a dialog that takes keys.
type trial struct {
	name  string
	typed string   // letter by letter
	sent  []string // each in a write of its own
	says  string   // what the dialog says then; "" when it must be closed
	left  string   // what the field holds then
}

func (q *question) tries(tt *trial) {
	q.t.Helper()
	q.opens()
	q.ripens()
	q.types(tt.typed)
	for _, keys := range tt.sent {
		q.s.keys(keys)
	}
	if tt.says == "" {
		q.s.until(tt.name+": closed", func(t *vt.Terminal) bool { return !has(t, "━ "+q.title) && !has(t, q.asks) })
		q.wrote()
		return
	}
	q.s.until(fmt.Sprintf("%s: %q", tt.name, tt.says), func(t *vt.Terminal) bool {
		return q.asking(t) && has(t, tt.says) && (q.asks != field || holds(t, field, tt.left))
	})
	q.wrote()
	q.leaves()
	q.wrote()
}

// resizes changes the terminal's size many times. At each size that matters the question is on the screen.
func (q *question) resizes() {
	q.t.Helper()
	for _, size := range [][2]int{{80, 24}, {40, 10}, {79, 23}, {200, 50}, {80, 24}, {40, 10}, {160, 48}} {
		w, h := size[0], size[1]
		q.s.resize(w, h)
		if w == 79 || w == 200 {
			continue // another size comes before it is drawn
		}
		q.s.until(fmt.Sprintf("the question at %dx%d", w, h), func(t *vt.Terminal) bool {
			_, y, ok := find(t, q.asks)
			tw, th := t.Size()
			if !ok || tw != w || th != h || y >= h-1 {
				return false
			}
			_, after, _ := strings.Cut(strings.Split(t.String(), "\n")[y], q.asks)
			return strings.Contains(after, "┃")
		})
	}
}

// answersHeld goes on pressing a key that is held down, until the board says what it makes of that.
func (s *session) answersHeld(key string, said func(*vt.Terminal) bool) {
	s.t.Helper()
	for {
		s.mu.Lock()
		ok, ended := said(s.term), s.ended
		s.mu.Unlock()
		if ok || ended {
			return
		}
		before := s.written()
		s.keys(key)
		s.until("an answer to "+key, func(t *vt.Terminal) bool { return said(t) || s.total > before || has(t, early) })
	}
}
