// Package theme turns the meaning of what is drawn into styles and glyphs. The rest of ui names tokens
// and never colours.
package theme

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

// Theme is a set of styles and glyphs for one terminal. It is immutable.
type Theme struct{}
