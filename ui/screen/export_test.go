package screen

// Writer is the writer without a terminal.
type Writer struct{ w writer }

// NewWriter is for a terminal of which nothing is known.
func NewWriter(eraseColor bool) *Writer {
	w := &Writer{}
	w.w.bce = eraseColor
	w.w.forget()
	return w
}

// Cleared says that the terminal was cleared.
func (w *Writer) Cleared() { w.w.cleared() }

// Frame is writer.frame.
func (w *Writer) Frame(g *Grid) []byte { return w.w.frame(g) }

// Equal is Grid.equal.
func (g *Grid) Equal(o *Grid) bool { return g.equal(o) }

// CopyFrom is Grid.copyFrom.
func (g *Grid) CopyFrom(o *Grid) { g.copyFrom(o) }
