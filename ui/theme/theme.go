// Package theme turns the meaning of what is drawn into styles and glyphs. The rest of ui names tokens
// and never colours.
//
// Healthy is quiet and what burns stands out: a board on which all is well is text, muted text and thin
// lines. Colour never carries a meaning alone: every state has a glyph and a word as well.
package theme

import (
	"io"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
)

// Token is the meaning of a piece of text.
type Token uint8

// The tokens.
const (
	Text Token = iota
	Muted
	Strong // names and numbers that the eye looks for: bold text
	Accent
	OK
	Warn
	Crit
	Info
	Busy
	Border
	BorderFocused
	Title        // a pane's title
	TitleFocused //
	KeyHint      // a key in the footer
	Match        // what a filter or search matched
	tokenCount
)

// Glyph names a symbol that differs between Unicode and ASCII.
type Glyph uint8

// The glyphs of screens.
const (
	GlyphOK        Glyph = iota // ✓ +
	GlyphFailed                 // ✗ x
	GlyphRunning                // ● *
	GlyphWaiting                // ◔ ?
	GlyphQueued                 // ○ .
	GlyphSkipped                // ⊘ -
	GlyphStale                  // … ~
	GlyphTriggered              // ● !
	GlyphAcked                  // ○ o
	GlyphSuspect                // ◆ >
	GlyphWarn                   // ! !
	GlyphRollback               // ↶ <
	GlyphUp                     // ▲ ^
	GlyphDown                   // ▼ v
	GlyphCursor                 // ▌ >  marks the selected row beside its colour
	GlyphBarFull                // ▰ #
	GlyphBarEmpty               // ▱ -
	GlyphArrow                  // → >
	GlyphChild                  // └ `
	GlyphPath                   // › >
	GlyphDot                    // · .
	GlyphSource                 // ● *  a source's health in the header
	GlyphEllipsis               // … ~  text was cut here
	glyphCount
)

// Depth is how many colours a terminal has.
type Depth uint8

// The depths. None shows meaning by bold, dim and reverse alone.
const (
	None Depth = iota
	ANSI16
	ANSI256
	TrueColor
)

// Palette is a choice of colours.
type Palette uint8

// The palettes. ColorBlind keeps apart what deuteranopes and protanopes would confuse; it is for a dark
// background, as Dark is.
const (
	Dark Palette = iota
	Light
	ColorBlind
	ColorBlindLight
)

// Options say what a terminal can show and its user wants to see.
type Options struct {
	Depth   Depth
	Palette Palette
	ASCII   bool // no character beyond ASCII in glyphs and borders
}

// Theme is a set of styles and glyphs for one terminal. It is immutable.
type Theme struct {
	opts   Options
	inks   *inks
	styles [tokenCount]screen.Style
	lip    [tokenCount]lipgloss.Style
	glyphs [glyphCount]glyph
}

type glyph struct {
	r rune
	t clean.Text
}

// New makes a theme. It asks no terminal anything.
func New(o Options) *Theme {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetHasDarkBackground(o.Palette == Dark || o.Palette == ColorBlind)
	r.SetColorProfile(o.Depth.profile())
	t := &Theme{opts: o, inks: o.Palette.inks()}
	for k := range tokenCount {
		t.lip[k] = t.inks.of(k).lip(r, o.Depth)
		t.styles[k] = convert(t.lip[k])
	}
	for g := range glyphCount {
		unicode, ascii := g.runes()
		t.glyphs[g].r = unicode
		if o.ASCII {
			t.glyphs[g].r = ascii
		}
		t.glyphs[g].t = clean.Line(string(t.glyphs[g].r))
	}
	return t
}

func (d Depth) profile() termenv.Profile {
	switch d {
	case ANSI16:
		return termenv.ANSI
	case ANSI256:
		return termenv.ANSI256
	case TrueColor:
		return termenv.TrueColor
	case None:
	}
	return termenv.Ascii
}

// Options are what t was made with.
func (t *Theme) Options() Options { return t.opts }

// Style is how text of a meaning looks.
func (t *Theme) Style(k Token) screen.Style { return t.styles[k] }

// Lip is Style for the command line's own output and for components that render strings.
func (t *Theme) Lip(k Token) lipgloss.Style { return t.lip[k] }

// Glyph is a symbol, always one column wide.
func (t *Theme) Glyph(g Glyph) clean.Text { return t.glyphs[g].t }

// Rune is Glyph as a rune.
func (t *Theme) Rune(g Glyph) rune { return t.glyphs[g].r }

// Selected is a style in the row under the cursor: of the focused pane, or of another.
func (t *Theme) Selected(s screen.Style, focused bool) screen.Style {
	switch {
	case t.opts.Depth >= ANSI256:
		bar := t.inks.bar
		if focused {
			bar = t.inks.focusedBar
		}
		if s.FG == 0 {
			s.FG = t.inks.text.color(t.opts.Depth)
		}
		s.BG = bar.color(t.opts.Depth)
	case focused && t.opts.Depth == ANSI16:
		// One bar: colours would cut it into patches.
		s.FG, s.Attr = 0, s.Attr&^screen.Dim|screen.Reverse
	case focused && s.Attr&screen.Reverse != 0:
		// What is reversed by itself stays apart in the bar by its line.
		s.Attr |= screen.Bold | screen.Underline
	case focused:
		s.Attr = s.Attr&^screen.Dim | screen.Reverse
	default:
		s.Attr = s.Attr&^screen.Dim | screen.Bold
	}
	return s
}

// State is how the state of a run, a job, a step or a deployment is shown.
func (t *Theme) State(s sources.State) (Glyph, Token) {
	switch s {
	case sources.StateQueued:
		return GlyphQueued, Muted
	case sources.StateWaiting:
		return GlyphWaiting, Warn
	case sources.StateRunning:
		return GlyphRunning, Busy
	case sources.StatePassed:
		return GlyphOK, OK
	case sources.StateFailed:
		return GlyphFailed, Crit
	case sources.StateCancelled, sources.StateSkipped, sources.StateSuperseded:
		return GlyphSkipped, Muted
	case sources.StateUnknown:
	}
	return GlyphStale, Muted
}

// Box is what a border is drawn with.
type Box struct {
	TopLeft, TopRight, BottomLeft, BottomRight rune
	Horizontal, Vertical                       rune
}

// Border is what a pane's border is drawn with: heavy lines for the focused one, so that focus shows
// without colour.
func (t *Theme) Border(focused bool) Box {
	switch {
	case t.opts.ASCII && focused:
		return Box{'#', '#', '#', '#', '=', '#'}
	case t.opts.ASCII:
		return Box{'+', '+', '+', '+', '-', '|'}
	case focused:
		return Box{'┏', '┓', '┗', '┛', '━', '┃'}
	}
	return Box{'╭', '╮', '╰', '╯', '─', '│'}
}

// runes are a glyph's symbol and its stand-in in ASCII.
func (g Glyph) runes() (unicode, ascii rune) {
	pair := [glyphCount][2]rune{
		GlyphOK:        {'✓', '+'},
		GlyphFailed:    {'✗', 'x'},
		GlyphRunning:   {'●', '*'},
		GlyphWaiting:   {'◔', '?'},
		GlyphQueued:    {'○', '.'},
		GlyphSkipped:   {'⊘', '-'},
		GlyphStale:     {'…', '~'},
		GlyphTriggered: {'●', '!'},
		GlyphAcked:     {'○', 'o'},
		GlyphSuspect:   {'◆', '>'},
		GlyphWarn:      {'!', '!'},
		GlyphRollback:  {'↶', '<'},
		GlyphUp:        {'▲', '^'},
		GlyphDown:      {'▼', 'v'},
		GlyphCursor:    {'▌', '>'},
		GlyphBarFull:   {'▰', '#'},
		GlyphBarEmpty:  {'▱', '-'},
		GlyphArrow:     {'→', '>'},
		GlyphChild:     {'└', '`'},
		GlyphPath:      {'›', '>'},
		GlyphDot:       {'·', '.'},
		GlyphSource:    {'●', '*'},
		GlyphEllipsis:  {'…', '~'},
	}[g]
	return pair[0], pair[1]
}
