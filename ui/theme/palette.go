package theme

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"example.com/signalbox/ui/screen"
)

// ink is what a token is drawn with, at every depth.
type ink struct {
	rgb  string // "" is the terminal's own colour
	x256 uint8
	x16  int8 // -1 is the terminal's own colour
	bold bool
	dim  bool        // in 16 colours and without any: where no grey can be relied on
	line bool        // underlined
	mono screen.Attr // without colours
}

// inks are a palette.
type inks struct {
	text, muted, accent, ok, warn, crit, info, busy, border, match ink
	bar, focusedBar                                                ink // backgrounds of the row under the cursor
}

// The greys, greens and blues are calm; only crit is saturated, and bold. Contrast and the distance of
// colours under colour blindness are tested.
func (p Palette) inks() *inks {
	switch p {
	case Light:
		return lightInks()
	case ColorBlind:
		return colorBlindInks()
	case ColorBlindLight:
		return colorBlindLightInks()
	case Dark:
	}
	return darkInks()
}

func darkInks() *inks {
	return &inks{
		text:       ink{rgb: "#d8dee9", x256: 253, x16: -1},
		muted:      ink{rgb: "#9aa4b5", x256: 248, x16: -1, dim: true, mono: screen.Dim},
		accent:     ink{rgb: "#82b1f5", x256: 111, x16: 12, mono: screen.Bold},
		ok:         ink{rgb: "#86bf8a", x256: 114, x16: 2},
		warn:       ink{rgb: "#e6bd6a", x256: 221, x16: 3, mono: screen.Bold},
		crit:       ink{rgb: "#ff7b7b", x256: 210, x16: 9, bold: true, mono: screen.Bold | screen.Reverse},
		info:       ink{rgb: "#76c5d6", x256: 116, x16: 6},
		busy:       ink{rgb: "#b9a5f2", x256: 183, x16: 13},
		border:     ink{rgb: "#566073", x256: 240, x16: -1, dim: true, mono: screen.Dim},
		match:      ink{rgb: "#ffd98a", x256: 222, x16: 11, line: true, mono: screen.Bold | screen.Underline},
		bar:        ink{rgb: "#232a36", x256: 235},
		focusedBar: ink{rgb: "#2f3a4d", x256: 236},
	}
}

func lightInks() *inks {
	return &inks{
		text:       ink{rgb: "#1f2530", x256: 235, x16: -1},
		muted:      ink{rgb: "#566072", x256: 240, x16: -1, dim: true, mono: screen.Dim},
		accent:     ink{rgb: "#1d57b0", x256: 25, x16: 4, mono: screen.Bold},
		ok:         ink{rgb: "#2c6a35", x256: 22, x16: 2},
		warn:       ink{rgb: "#7d5200", x256: 94, x16: 3, mono: screen.Bold},
		crit:       ink{rgb: "#bb1226", x256: 124, x16: 1, bold: true, mono: screen.Bold | screen.Reverse},
		info:       ink{rgb: "#0a6274", x256: 23, x16: 6},
		busy:       ink{rgb: "#6440b5", x256: 54, x16: 5},
		border:     ink{rgb: "#aab3c1", x256: 249, x16: -1, dim: true, mono: screen.Dim},
		match:      ink{rgb: "#7a3d00", x256: 88, x16: 5, line: true, mono: screen.Bold | screen.Underline},
		bar:        ink{rgb: "#eef1f6", x256: 255},
		focusedBar: ink{rgb: "#dbe5f6", x256: 254},
	}
}

// colorBlindInks are after Okabe and Ito's: blue for well, yellow for a warning, vermilion for critical, told
// apart by lightness as well as hue.
func colorBlindInks() *inks {
	p := darkInks()
	p.accent = ink{rgb: "#c3cfe2", x256: 152, x16: 15, bold: true, mono: screen.Bold}
	p.ok = ink{rgb: "#6fb0fa", x256: 75, x16: 12}
	p.warn = ink{rgb: "#f5e43c", x256: 227, x16: 11, mono: screen.Bold}
	p.crit = ink{rgb: "#ff8a5c", x256: 209, x16: 9, bold: true, mono: screen.Bold | screen.Reverse}
	p.info = ink{rgb: "#a5dcf5", x256: 153, x16: 14}
	p.busy = ink{rgb: "#f3dcff", x256: 225, x16: 13}
	p.match = ink{rgb: "#ffffff", x256: 231, x16: 15, bold: true, line: true, mono: screen.Bold | screen.Underline}
	return p
}

func colorBlindLightInks() *inks {
	p := lightInks()
	p.accent = ink{rgb: "#2b3a52", x256: 237, x16: 0, bold: true, mono: screen.Bold}
	p.ok = ink{rgb: "#0056d6", x256: 26, x16: 4}
	p.warn = ink{rgb: "#3a2e00", x256: 94, x16: 3, bold: true, mono: screen.Bold}
	p.crit = ink{rgb: "#ad3a00", x256: 52, x16: 1, bold: true, mono: screen.Bold | screen.Reverse}
	p.info = ink{rgb: "#083a66", x256: 17, x16: 6}
	p.busy = ink{rgb: "#42006a", x256: 54, x16: 5}
	p.match = ink{rgb: "#000000", x256: 16, x16: 0, bold: true, line: true, mono: screen.Bold | screen.Underline}
	return p
}

// of is what a token is drawn with.
func (p *inks) of(k Token) ink {
	switch k {
	case Text:
		return ink{x16: -1}
	case Muted:
		return p.muted
	case Strong:
		return ink{x16: -1, bold: true, mono: screen.Bold}
	case Accent, KeyHint:
		return p.accent
	case OK:
		return p.ok
	case Warn:
		return p.warn
	case Crit:
		return p.crit
	case Info:
		return p.info
	case Busy:
		return p.busy
	case Border:
		return p.border
	case BorderFocused:
		return p.accent.strong(false)
	case Title:
		return ink{x16: -1}
	case TitleFocused:
		return p.accent.strong(true)
	case Match:
		return p.match
	case tokenCount:
	}
	return ink{x16: -1}
}

func (i ink) strong(bold bool) ink { i.bold = bold; return i }

// lip is i as a Lip Gloss style.
func (i ink) lip(r *lipgloss.Renderer, d Depth) lipgloss.Style {
	s := r.NewStyle()
	if d == None {
		return attributes(s, i.mono)
	}
	a := screen.Attr(0)
	if i.bold {
		a |= screen.Bold
	}
	if i.line {
		a |= screen.Underline
	}
	if d == ANSI16 && i.dim {
		a |= screen.Dim
	}
	s = attributes(s, a)
	switch {
	case d == ANSI16 && i.x16 >= 0:
		s = s.Foreground(lipgloss.Color(strconv.Itoa(int(i.x16))))
	case d == ANSI256 && i.rgb != "":
		s = s.Foreground(lipgloss.Color(strconv.Itoa(int(i.x256))))
	case d == TrueColor && i.rgb != "":
		s = s.Foreground(lipgloss.Color(i.rgb))
	}
	return s
}

func attributes(s lipgloss.Style, a screen.Attr) lipgloss.Style {
	if a&screen.Bold != 0 {
		s = s.Bold(true)
	}
	if a&screen.Dim != 0 {
		s = s.Faint(true)
	}
	if a&screen.Underline != 0 {
		s = s.Underline(true)
	}
	if a&screen.Reverse != 0 {
		s = s.Reverse(true)
	}
	return s
}

// color is i at a depth that has at least 256 colours.
func (i ink) color(d Depth) screen.Color {
	if d == TrueColor {
		return parse(i.rgb)
	}
	return screen.Indexed(i.x256)
}

// convert makes a cell's style of a Lip Gloss style: its colours and attributes.
func convert(s lipgloss.Style) screen.Style {
	st := screen.Style{FG: colorOf(s.GetForeground()), BG: colorOf(s.GetBackground())}
	for _, a := range []struct {
		on  bool
		bit screen.Attr
	}{
		{s.GetBold(), screen.Bold},
		{s.GetFaint(), screen.Dim},
		{s.GetItalic(), screen.Italic},
		{s.GetUnderline(), screen.Underline},
		{s.GetReverse(), screen.Reverse},
		{s.GetStrikethrough(), screen.Strike},
	} {
		if a.on {
			st.Attr |= a.bit
		}
	}
	return st
}

func colorOf(c lipgloss.TerminalColor) screen.Color {
	if c, ok := c.(lipgloss.Color); ok {
		return parse(string(c))
	}
	return 0
}

// parse reads "#rrggbb" or the number of a colour of 256; anything else is the terminal's own.
func parse(s string) screen.Color {
	if hex, ok := strings.CutPrefix(s, "#"); ok {
		v, err := strconv.ParseUint(hex, 16, 24)
		if err != nil || len(hex) != 6 {
			return 0
		}
		return screen.RGB(uint8(v>>16), uint8(v>>8), uint8(v))
	}
	v, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return 0
	}
	return screen.Indexed(uint8(v))
}
