package cli

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
)

// eachRun calls fn for every stretch of cells of a row that look alike, from left to right.
func eachRun(g *screen.Grid, y int, fn func(x, width int, st screen.Style, text string)) {
	w, _ := g.Size()
	var text strings.Builder
	start, style := 0, screen.Style{}
	flush := func(end int) {
		if end > start {
			fn(start, end-start, style, text.String())
		}
		text.Reset()
		start = end
	}
	for x := 0; x < w; {
		cell := g.Cell(x, y)
		if x == 0 || cell.Style != style {
			flush(x)
			style = cell.Style
		}
		text.WriteString(cell.Text)
		x += max(1, cell.Width)
	}
	flush(w)
}

// ansi is g with the sequences that colour it, row by row, for a terminal or a pager.
func ansi(g *screen.Grid) string {
	var b strings.Builder
	_, h := g.Size()
	for y := range h {
		var line strings.Builder
		styled := false
		eachRun(g, y, func(_, _ int, st screen.Style, text string) {
			if styled {
				line.WriteString("\x1b[0m")
			}
			if styled = st != (screen.Style{}); styled {
				line.WriteString("\x1b[" + sgr(st) + "m")
			}
			line.WriteString(text)
		})
		text := line.String()
		if styled {
			text += "\x1b[0m"
		} else {
			text = strings.TrimRight(text, " ")
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

func sgr(st screen.Style) string {
	var p []string
	for _, a := range []struct {
		attr screen.Attr
		code string
	}{
		{screen.Bold, "1"}, {screen.Dim, "2"}, {screen.Italic, "3"}, {screen.Underline, "4"}, {screen.Reverse, "7"}, {screen.Strike, "9"},
	} {
		if st.Attr&a.attr != 0 {
			p = append(p, a.code)
		}
	}
	for _, c := range []struct {
		color screen.Color
		plane int
	}{{st.FG, 30}, {st.BG, 40}} {
		kind, r, g, b := parts(c.color)
		switch {
		case kind == indexedColor && b < 8:
			p = append(p, strconv.Itoa(c.plane+int(b)))
		case kind == indexedColor && b < 16:
			p = append(p, strconv.Itoa(c.plane+60+int(b)-8))
		case kind == indexedColor:
			p = append(p, fmt.Sprintf("%d;5;%d", c.plane+8, b))
		case kind == trueColor:
			p = append(p, fmt.Sprintf("%d;2;%d;%d;%d", c.plane+8, r, g, b))
		}
	}
	return strings.Join(p, ";")
}

// The kinds of screen.Color.
const (
	indexedColor = 1
	trueColor    = 2
)

// parts takes a colour apart: of an indexed one b is the index.
func parts(c screen.Color) (kind int, r, g, b uint8) {
	return int(c >> 24), uint8(c >> 16), uint8(c >> 8), uint8(c)
}

// The picture's measures, in SVG units: a cell is as wide as the usual monospaced fonts have it.
const (
	cellWidth  = 8.4
	cellHeight = 18.0
	fontSize   = 14
	baseline   = 13.5
	margin     = 14.0

	pageColor = "#11151c"
	textColor = "#d5dae3"
)

// svg is g as a picture. Every stretch of text is stretched to its cells, so that columns stand below each
// other in any font.
func svg(g *screen.Grid) string {
	w, h := g.Size()
	var b strings.Builder
	width, height := float64(w)*cellWidth+2*margin, float64(h)*cellHeight+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-label="The board of signalbox">`+"\n",
		num(width), num(height), num(width), num(height))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", pageColor)
	fmt.Fprintf(&b, `<g font-family="'JetBrains Mono','DejaVu Sans Mono','SF Mono',Menlo,Consolas,monospace" font-size="%d" fill="%s" xml:space="preserve">`+"\n",
		fontSize, textColor)
	for y := range h {
		eachRun(g, y, func(x, n int, st screen.Style, text string) { svgRun(&b, x, y, n, st, text) })
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

func svgRun(b *strings.Builder, x, y, n int, st screen.Style, text string) {
	fg, bg := svgColor(st.FG), svgColor(st.BG)
	if st.Attr&screen.Reverse != 0 {
		fg, bg = bg, fg
		if fg == "" {
			fg = pageColor
		}
		if bg == "" {
			bg = textColor
		}
	}
	left, top := margin+float64(x)*cellWidth, margin+float64(y)*cellHeight
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`+"\n",
			num(left), num(top), num(float64(n)*cellWidth), num(cellHeight), bg)
	}
	text = svgFrames(b, left, top, fg, text)
	trimmed := strings.TrimLeft(text, " ")
	lead := len(text) - len(trimmed)
	trimmed = strings.TrimRight(trimmed, " ")
	if trimmed == "" {
		return
	}
	cells := n - lead - (len(text) - lead - len(trimmed))
	fmt.Fprintf(b, `<text x="%s" y="%s" textLength="%s"%s>%s</text>`+"\n",
		num(left+float64(lead)*cellWidth), num(top+baseline), num(float64(cells)*cellWidth), svgStyle(fg, st.Attr), html.EscapeString(trimmed))
}

// svgFrames draws what frames are made of as lines, which join in any font, and returns text with spaces
// instead. Their characters are all one cell wide, and so are those beside them.
func svgFrames(b *strings.Builder, left, top float64, fg, text string) string {
	if strings.IndexFunc(text, func(r rune) bool { _, ok := armsOf(r); return ok }) < 0 || clean.Line(text).Width() != utf8.RuneCountInString(text) {
		return text
	}
	paths := [3]strings.Builder{} // by weight
	var rest strings.Builder
	x := left + cellWidth/2
	for _, r := range text {
		a, ok := armsOf(r)
		if !ok {
			rest.WriteRune(r)
		} else {
			rest.WriteByte(' ')
			a.path(&paths, x, top+cellHeight/2)
		}
		x += cellWidth
	}
	for weight := range paths {
		if paths[weight].Len() > 0 {
			fmt.Fprintf(b, `<path d="%s" stroke="%s" stroke-width="%s"/>`+"\n", paths[weight].String(), cmp.Or(fg, textColor), num(1.2*float64(weight)))
		}
	}
	return rest.String()
}

// arms are the lines of a frame's character from its middle: 0 none, 1 light, 2 heavy.
type arms struct{ left, right, up, down int }

func armsOf(r rune) (a arms, ok bool) {
	switch r {
	case '─':
		a = arms{1, 1, 0, 0}
	case '│':
		a = arms{0, 0, 1, 1}
	case '╭', '┌':
		a = arms{0, 1, 0, 1}
	case '╮', '┐':
		a = arms{1, 0, 0, 1}
	case '╰', '└':
		a = arms{0, 1, 1, 0}
	case '╯', '┘':
		a = arms{1, 0, 1, 0}
	case '━':
		a = arms{2, 2, 0, 0}
	case '┃':
		a = arms{0, 0, 2, 2}
	case '┏':
		a = arms{0, 2, 0, 2}
	case '┓':
		a = arms{2, 0, 0, 2}
	case '┗':
		a = arms{0, 2, 2, 0}
	case '┛':
		a = arms{2, 0, 2, 0}
	default:
		return a, false
	}
	return a, true
}

// path adds the arms around the middle x, y to the path of their weight.
func (a arms) path(to *[3]strings.Builder, x, y float64) {
	for _, arm := range []struct {
		weight int
		dx, dy float64
	}{{a.left, -1, 0}, {a.right, 1, 0}, {a.up, 0, -1}, {a.down, 0, 1}} {
		if arm.weight > 0 {
			fmt.Fprintf(&to[arm.weight], "M%s %sL%s %s", num(x), num(y), num(x+arm.dx*cellWidth/2), num(y+arm.dy*cellHeight/2))
		}
	}
}

func svgStyle(fg string, attr screen.Attr) string {
	var b strings.Builder
	if fg != "" {
		b.WriteString(` fill="` + fg + `"`)
	}
	if attr&screen.Bold != 0 {
		b.WriteString(` font-weight="bold"`)
	}
	if attr&screen.Dim != 0 {
		b.WriteString(` opacity="0.6"`)
	}
	if attr&screen.Italic != 0 {
		b.WriteString(` font-style="italic"`)
	}
	switch {
	case attr&screen.Underline != 0:
		b.WriteString(` text-decoration="underline"`)
	case attr&screen.Strike != 0:
		b.WriteString(` text-decoration="line-through"`)
	}
	return b.String()
}

// svgColor is a colour as SVG writes it; "" for the terminal's own.
func svgColor(c screen.Color) string {
	kind, r, g, b := parts(c)
	switch kind {
	case trueColor:
	case indexedColor:
		r, g, b = xterm(b)
	default:
		return ""
	}
	return fmt.Sprintf("#%02x%02x%02x", r, g, b)
}

// xterm is a colour of the 256-colour palette: sixteen named ones, a cube of six levels, 24 greys.
func xterm(i uint8) (r, g, b uint8) {
	switch {
	case i < 16:
		level := func(bit uint8) uint8 {
			switch {
			case i&bit == 0 && i < 8:
				return 0x22
			case i&bit == 0:
				return 0x66
			case i < 8:
				return 0xcc
			default:
				return 0xff
			}
		}
		return level(1), level(2), level(4)
	case i < 232:
		level := func(n uint8) uint8 {
			if n == 0 {
				return 0
			}
			return 55 + 40*n
		}
		i -= 16
		return level(i / 36), level(i / 6 % 6), level(i % 6)
	default:
		grey := 8 + 10*(i-232)
		return grey, grey, grey
	}
}

func num(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) }
