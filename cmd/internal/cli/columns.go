package cli

import (
	"fmt"
	"io"
	"strings"

	"example.com/signalbox/sources/clean"
)

// tint is how a cell stands out, where the output takes colour. Higher ones win over lower ones.
type tint uint8

const (
	tintNone tint = iota
	tintGood
	tintWarn
	tintBad
)

func (t tint) paint(s string) string {
	switch t {
	case tintGood:
		return "\x1b[32m" + s + "\x1b[0m"
	case tintWarn:
		return "\x1b[33m" + s + "\x1b[0m"
	case tintBad:
		return "\x1b[31m" + s + "\x1b[0m"
	case tintNone:
		return s
	default:
		return s
	}
}

// columns writes rows whose cells stand below each other. Its first error sticks.
type columns struct {
	out   io.Writer
	color bool
	err   error

	rows   []tableRow
	blocks int
}

type tableRow struct {
	cells []clean.Text
	tint  tint
	at    int // the cell that is tinted
	head  bool
}

// head starts a block with its titles.
func (c *columns) head(titles ...string) {
	row := tableRow{head: true, at: -1}
	for _, t := range titles {
		row.cells = append(row.cells, clean.Line(t))
	}
	c.rows = []tableRow{row}
}

func (c *columns) row(t tint, at int, cells ...clean.Text) {
	c.rows = append(c.rows, tableRow{cells: cells, tint: t, at: at})
}

// maxCell is the width at which a cell that others follow is cut.
const maxCell = 48

// flush writes the block; one that has titles alone is left out.
func (c *columns) flush() {
	rows := c.rows
	c.rows = nil
	if len(rows) < 2 {
		return
	}
	if c.blocks++; c.blocks > 1 {
		c.write("\n")
	}
	var widths []int
	for _, r := range rows {
		for i, cell := range r.cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], min(maxCell, cell.Width()))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, cell := range r.cells {
			last := i == len(r.cells)-1
			if !last && cell.Width() > maxCell {
				cell = cell.Cut(maxCell, clean.Const("~"))
			}
			text := cell.String()
			if c.color && i == r.at {
				text = r.tint.paint(text)
			}
			b.WriteString(text)
			if !last {
				b.WriteString(strings.Repeat(" ", 2+widths[i]-cell.Width()))
			}
		}
		c.write(strings.TrimRight(b.String(), " ") + "\n")
	}
}

func (c *columns) write(s string) {
	if c.err == nil {
		if _, err := io.WriteString(c.out, s); err != nil {
			c.err = fmt.Errorf("write the table: %w", err)
		}
	}
}
