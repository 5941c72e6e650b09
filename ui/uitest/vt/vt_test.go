package vt_test

import (
	"slices"
	"strings"
	"testing"

	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/uitest/vt"
)

func TestSequences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, want string
		x, y           int
	}{
		{"text", "ab", "ab", 2, 0},
		{"wrap", "abcdefgh", "abcdef\ngh", 2, 1},
		{"no wrap", "\x1b[?7labcdefgh", "abcdeh", 5, 0},
		{"pending wrap", "abcdef\rx", "xbcdef", 1, 0},
		{"scroll", "a\r\nb\r\nc\r\nd", "b\nc\nd", 1, 2},
		{"positions", "\x1b[2;3Hx\x1b[Hy\x1b[3Gz\x1b[3dw", "y z\n  x\n   w", 4, 2},
		{"relative", "\x1b[2;3H\x1b[Aa\x1b[Bb\x1b[2Dc\x1b[Cd", "  a\n  cbd", 5, 1},
		{"erase to the end", "abcdef\x1b[3G\x1b[K", "ab", 2, 0},
		{"erase to the beginning", "abcdef\x1b[3G\x1b[1K", "   def", 2, 0},
		{"erase cells", "abcdef\x1b[2G\x1b[2X", "a  def", 1, 0},
		{"delete and insert", "abcdef\x1b[2G\x1b[2P\x1b[@", "a def", 1, 0},
		{"region", "a\r\nb\r\nc\x1b[1;2r\x1b[2;1H\n\nx", "\nx\nc", 1, 1},
		{"reverse index", "a\r\nb\x1b[H\x1bMx", "x\na\nb", 1, 0},
		{"wide", "日本", "日本", 4, 0},
		{"half of a wide one", "日本\x1b[2Gx", " x本", 2, 0},
		{"wide at the edge", "abcde日", "abcde\n日", 2, 1},
		{"mark", "e\u0301x", "e\u0301x", 2, 0},
		{"repeat", "ab\x1b[2b", "abbb", 4, 0},
		{"alternate screen", "main\x1b[?1049h\x1b[2Jx\x1b[?1049l", "main", 4, 0},
		{"saved cursor", "ab\x1b7cd\x1b8x", "abxd", 3, 0},
	} {
		term := vt.New(6, 3)
		_, _ = term.Write([]byte(c.in))
		if got := strings.TrimRight(term.String(), "\n"); got != c.want {
			t.Errorf("%s: shows %q, want %q", c.name, got, c.want)
		}
		if x, y, _ := term.Cursor(); x != c.x || y != c.y {
			t.Errorf("%s: cursor at %d,%d, want %d,%d", c.name, x, y, c.x, c.y)
		}
		if len(term.Unknown()) > 0 {
			t.Errorf("%s: unknown %q", c.name, term.Unknown())
		}
	}
}

func TestEverythingElseIsNoticed(t *testing.T) {
	t.Parallel()
	term := vt.New(6, 3)
	_, _ = term.Write([]byte("\x1b]2;a title\x1b\\\x1b]52;c;eA==\a\x1b[6n\x1b]11;?\a\x1b[c\a\x1b[?2004h\x1b[9y\x1bPq\x1b\\\x1b[1;38;5;9;48;2;1;2;3mx"))
	if term.Title() != "a title" || !slices.Equal(term.Clipboard(), []string{"c;eA=="}) || term.Bells() != 1 {
		t.Errorf("title %q, clipboard %q, %d bells", term.Title(), term.Clipboard(), term.Bells())
	}
	if got, want := term.Queries(), []string{"CSI 6n", "OSC 11;?", "CSI c"}; !slices.Equal(got, want) {
		t.Errorf("queries %q, want %q", got, want)
	}
	if got, want := term.Unknown(), []string{"CSI 9y", "ESC Pq"}; !slices.Equal(got, want) {
		t.Errorf("unknown %q, want %q", got, want)
	}
	if !slices.Equal(term.Modes(), []int{7, 25, 2004}) {
		t.Errorf("modes %v", term.Modes())
	}
	want := screen.Style{FG: screen.Indexed(9), BG: screen.RGB(1, 2, 3), Attr: screen.Bold}
	if got := term.Cell(0, 0); got != (vt.Cell{Text: "x", Style: want}) {
		t.Errorf("cell %+v", got)
	}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, before, after string
		want                int
	}{
		{"nothing", "abc", "abc", 0},
		{"a letter where the cursor is", "abc", "xbc", 1},
		{"a letter further on", "abcdefgh", "abcdefgx", 4 + 1},
		{"a letter near", "abc", "abx", 2 + 1},
		{"a style", "abc", "\x1b[31mabc", 5 + 3},
		{"the rest of a line", "abcdefgh", "ab", 2 + 3},
		{"another line", "\r\nabc", "\r\nxbc", 1 + 1},
		{"a wide character", "ab", "日", 3},
	} {
		before, after := vt.New(10, 2), vt.New(10, 2)
		_, _ = before.Write([]byte(c.before))
		_, _ = after.Write([]byte(c.after))
		if got := new(vt.Meter).Min(before.Rows(), after.Rows()); got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.name, got, c.want)
		}
	}
}

func TestTitlesArePutAside(t *testing.T) {
	t.Parallel()
	term := vt.New(6, 3)
	_, _ = term.Write([]byte("\x1b]2;shell\x1b\\\x1b[22;2t\x1b]2;board\x1b\\"))
	if term.Title() != "board" {
		t.Errorf("the title is %q", term.Title())
	}
	_, _ = term.Write([]byte("\x1b]2;\x1b\\\x1b[23;2t\x1b[23;2t"))
	if term.Title() != "shell" || len(term.Queries()) > 0 {
		t.Errorf("the title is %q, asked was %q", term.Title(), term.Queries())
	}
	_, _ = term.Write([]byte("\x1b[21t"))
	if len(term.Queries()) != 1 {
		t.Error("asking for the title is no query")
	}
}

func TestASynchronizedUpdateIsSeenAtItsEnd(t *testing.T) {
	t.Parallel()
	term := vt.New(8, 2)
	write := func(s string) { _, _ = term.Write([]byte(s)) }
	write("before")
	write("\x1b[?2026h\x1b[?25l\x1b[Hafter\x1b[K\r\nmore")
	x, y, shown := term.Cursor()
	if got := term.String(); got != "before\n\n" || term.Cell(0, 0).Text != "b" || term.Rows()[0][0].Text != "b" || x != 6 || y != 0 || !shown {
		t.Errorf("during the update it shows %q, the cursor at %d,%d (%v)", got, x, y, shown)
	}
	write("\x1b[?2026l")
	x, y, shown = term.Cursor()
	if got := term.String(); got != "after\nmore\n" || term.Cell(0, 0).Text != "a" || x != 4 || y != 1 || shown {
		t.Errorf("after it %q, the cursor at %d,%d (%v)", got, x, y, shown)
	}
	for _, end := range []string{"\x1bc", "resize"} {
		write("\x1b[?2026hx")
		if end == "resize" {
			term.Resize(4, 1)
		} else {
			write(end + "x")
		}
		if !strings.Contains(term.String(), "x") {
			t.Errorf("%q leaves %q", end, term.String())
		}
	}
}
