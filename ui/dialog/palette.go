package dialog

import (
	"cmp"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Item is one line of the palette.
type Item struct {
	Name     string // what is searched: "follow checkout"
	Long     string // one line of explanation
	Key      string // the key that does the same; "" for none
	Disabled string // why it cannot be chosen now; "" when it can
	Msg      tea.Msg
}

// Palette finds a command by a few letters of its name.
type Palette struct {
	title clean.Text
	what  string // what is chosen from, for one that nothing matches
	items []Item
	field component.TextField
	found []match
	list  component.List[int] // by index into items
	lines int
	none  bool // nothing is chosen until somebody moves or types
}

type match struct {
	item int
	at   []int // the bytes of the name that matched
}

var _ Dialog = (*Palette)(nil)

// NewPalette makes a palette of items, in the order that they stand in while nothing is typed.
func NewPalette(items []Item) *Palette {
	p := &Palette{title: clean.Const("Commands"), what: "command", items: items, field: component.NewTextField()}
	p.search()
	return p
}

// NewPick makes a list to choose from in which nothing is chosen at first. what is what it lists: "version".
func NewPick(title clean.Text, what string, items []Item) *Palette {
	p := NewPalette(items)
	p.title, p.what, p.none = title, what, true
	return p
}

type itemNames []Item

func (n itemNames) String(i int) string { return n[i].Name }
func (n itemNames) Len() int            { return len(n) }

// search lists what matches; what can be chosen comes first.
func (p *Palette) search() {
	p.found = p.found[:0]
	if pattern := p.field.Value(); pattern == "" {
		for i := range p.items {
			p.found = append(p.found, match{item: i})
		}
	} else {
		for _, m := range fuzzy.FindFrom(pattern, itemNames(p.items)) {
			p.found = append(p.found, match{m.Index, m.MatchedIndexes})
		}
		p.preferBeginnings(pattern)
	}
	able := make([]match, 0, len(p.found))
	var unable []match
	for _, m := range p.found {
		if p.items[m.item].Disabled == "" {
			able = append(able, m)
		} else {
			unable = append(unable, m)
		}
	}
	p.found = append(able, unable...)
	p.list = component.List[int]{}
	p.list.Resize(p.lines, p.rows())
	p.list.Sync(p.rows())
}

// preferBeginnings puts the names that begin with pattern first, in the palette's own order: somebody who
// types the first letters of a word expects the usual one on top.
func (p *Palette) preferBeginnings(pattern string) {
	pattern = strings.ToLower(pattern)
	begins := func(m match) bool { return strings.HasPrefix(p.items[m.item].Name, pattern) }
	slices.SortStableFunc(p.found, func(a, b match) int {
		switch x, y := begins(a), begins(b); {
		case x && y:
			return cmp.Compare(a.item, b.item)
		case x:
			return -1
		case y:
			return 1
		}
		return 0
	})
}

func (p *Palette) rows() component.Rows[int] {
	return component.Rows[int]{N: len(p.found), Key: func(i int) int { return p.found[i].item }}
}

// Title implements Dialog.
func (p *Palette) Title() clean.Text { return p.title }

// Typing implements Dialog.
func (p *Palette) Typing() bool { return true }

// Seconds implements Dialog.
func (p *Palette) Seconds() bool { return false }

// Want implements Dialog. Its size does not change while somebody types.
func (p *Palette) Want(_ pane.Env, w, h int) (int, int) {
	return min(w, 88), max(1, min(h, len(p.items)+2, 22))
}

// Resized keeps the chosen line visible; the App calls it before Draw.
func (p *Palette) Resized(_, h int) {
	p.lines = max(0, h-p.head(h))
	p.list.Resize(p.lines, p.rows())
}

// head is the height of what stands above the list: the field, and a blank line where there is room.
func (p *Palette) head(h int) int {
	if h < 6 {
		return min(1, h)
	}
	return 2
}

// Draw implements Dialog.
func (p *Palette) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	mark := clean.Const(":")
	if p.what != "command" {
		mark = clean.Const("/")
	}
	r.Text(1, 0, e.Theme.Style(theme.KeyHint), mark)
	p.field.Draw(r.Sub(2, 0, w-3, 1), e.Theme)
	y := p.head(h)
	if len(p.found) == 0 {
		r.Text(2, y, e.Theme.Style(theme.Muted), clean.Linef("no %s has these letters in this order", p.what))
		return
	}
	name := p.nameWidth(w)
	at, _ := p.list.At()
	for i := p.list.Top(); i < len(p.found) && y < h; i++ {
		p.row(r.Sub(0, y, w, 1), e.Theme, p.found[i], i == at && !p.none, name)
		y++
	}
}

// nameWidth is the column of names: as wide as the longest, up to a half.
func (p *Palette) nameWidth(w int) int {
	widest := 0
	for _, it := range p.items {
		widest = max(widest, clean.Line(it.Name).Width())
	}
	return max(0, min(widest, w/2))
}

func (p *Palette) row(r screen.Region, th *theme.Theme, m match, chosen bool, nameWidth int) {
	w, _ := r.Size()
	it := &p.items[m.item]
	name, long, longToken := theme.Text, it.Long, theme.Muted
	if it.Disabled != "" {
		name, long, longToken = theme.Muted, it.Disabled, theme.Warn
	}
	if chosen {
		r.Text(0, 0, th.Style(theme.Accent), th.Glyph(theme.GlyphCursor))
		if it.Disabled == "" {
			name = theme.Strong
		}
	}
	drawName(r.Sub(2, 0, nameWidth, 1), th, name, it.Name, m.at)
	key := []pane.Part{{Token: theme.KeyHint, Text: clean.Line(it.Key)}}
	rest := r.Sub(4+nameWidth, 0, w-5-nameWidth, 1)
	component.Spread(rest, 0, th, []pane.Part{{Token: longToken, Text: clean.Line(long)}}, key, 12)
}

// drawName draws a name with the letters that matched marked.
func drawName(r screen.Region, th *theme.Theme, tok theme.Token, name string, at []int) {
	x, from := 0, 0
	for _, i := range at {
		if i < from || i >= len(name) {
			continue
		}
		x += r.Text(x, 0, th.Style(tok), clean.Line(name[from:i]))
		end := i + runeLen(name[i:])
		x += r.Text(x, 0, th.Style(theme.Match), clean.Line(name[i:end]))
		from = end
	}
	r.Text(x, 0, th.Style(tok), clean.Line(name[from:]))
}

func runeLen(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// Key implements Dialog.
func (p *Palette) Key(k tea.KeyMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		return send(Close{})
	case "enter":
		return p.choose()
	case "up", "ctrl+p", "shift+tab":
		p.step(keymap.Up)
	case "down", "ctrl+n", "tab":
		p.step(keymap.Down)
	case "pgup":
		p.list.Do(keymap.PageUp, 1, p.rows())
	case "pgdown":
		p.list.Do(keymap.PageDown, 1, p.rows())
	case "backspace":
		if p.field.Value() == "" {
			return send(Close{})
		}
		fallthrough
	default:
		if p.field.Update(k) {
			p.none = false
			p.search()
		}
	}
	return nil
}

// step moves by one; the first step in a list where nothing is chosen chooses the first row.
func (p *Palette) step(a keymap.Action) {
	if p.none {
		p.none = false
		return
	}
	p.list.Do(a, 1, p.rows())
}

func (p *Palette) choose() tea.Cmd {
	i, ok := p.list.Key()
	if !ok || p.none {
		return nil
	}
	if it := p.items[i]; it.Disabled != "" {
		return send(pane.Toast{Token: theme.Warn, Text: clean.Linef("%s: %s", it.Name, it.Disabled)})
	}
	return send(Choose{p.items[i].Msg})
}

// Do implements Dialog.
func (p *Palette) Do(a pane.Action) tea.Cmd {
	p.list.Do(a.Action, a.Count, p.rows())
	return nil
}

// Click implements Dialog.
func (p *Palette) Click(c pane.Click) tea.Cmd {
	if c.Wheel != 0 {
		p.list.Move(c.Wheel, p.rows())
		return nil
	}
	if p.list.Click(c.Y-p.head(p.lines+2), p.rows()) {
		p.none = false
		return p.choose()
	}
	return nil
}

// Footer implements Dialog.
func (p *Palette) Footer(_ *keymap.Map, unicode bool) []pane.Part {
	does := "run"
	if p.what != "command" {
		does = "choose"
	}
	parts := hint(nil, keymap.Symbol("enter", unicode), does)
	return hint(parts, keymap.Name("esc"), "close")
}
