package kit

import (
	"strings"
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/theme"
)

// Verdict is t, unless the data is so old that it may no longer be called good or bad.
func Verdict(t theme.Token, s store.Staleness) theme.Token {
	if s < store.VeryStale {
		return t
	}
	switch t {
	case theme.OK, theme.Warn, theme.Crit, theme.Busy, theme.Info:
		return theme.Muted
	default:
		return t
	}
}

// Bar is a progress bar of w columns; frac is cut to 0 … 1. Only what is complete is full, and what has
// begun shows a first part.
func Bar(th *theme.Theme, w int, frac float64) clean.Text {
	full := int(frac * float64(w))
	switch {
	case frac >= 1:
		full = w
	case full < 1 && frac > 0:
		full = 1
	}
	full = max(0, min(full, w))
	return clean.Line(strings.Repeat(th.Glyph(theme.GlyphBarFull).String(), full) +
		strings.Repeat(th.Glyph(theme.GlyphBarEmpty).String(), w-full))
}

// Frac is the part of expected that has passed; 0 when nothing is expected.
func Frac(passed, expected time.Duration) float64 {
	if expected <= 0 {
		return 0
	}
	return float64(passed) / float64(expected)
}

// Dots joins parts with the theme's dot between blanks; empty ones are left out.
func Dots(th *theme.Theme, parts ...string) string {
	return Sep(" "+th.Glyph(theme.GlyphDot).String()+" ", parts...)
}

// Sep joins the parts that are not empty.
func Sep(sep string, parts ...string) string {
	kept := make([]string, 0, len(parts))
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, sep)
}
