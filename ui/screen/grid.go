package screen

// Grid is a rectangle of cells.
type Grid struct{ w, h int }

func (r Region) draw(x, y int, st Style, s string) int { panic("unwritten") }
