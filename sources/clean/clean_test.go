package clean

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain", "Fix the build", "Fix the build"},
		{"colour", "\x1b[31;1mred\x1b[0m", "red"},
		{"cursor", "a\x1b[2;5Hb\x1b[?25lc\x1b[>4;1md", "abcd"},
		{"aborted CSI", "a\x1b[31\x07b\x1b[1é", "abé"},
		{"title", "\x1b]0;pwned\x07x\x1b]2;pwned\x1b\\y", "xy"},
		{"clipboard", "\x1b]52;c;cHduZWQ=\x07x", "x"},
		{"unterminated OSC", "a\x1b]0;rest of it", "a"},
		{"OSC ends at the line", "a\x1b]0;title\nb", "a b"},
		{"OSC with quotes in UTF-8", "\x1b]0;“title”\x07x", "x"},
		{"DCS", "a\x1bPq#0;2\x1b\\b", "ab"},
		{"a bell does not end DCS", "a\x1bPq\abc\x1b\\d", "ad"},
		{"APC PM SOS", "a\x1b_x\x1b\\b\x1b^x\x1b\\c\x1bXx\x1b\\d", "abcd"},
		{"cancelled", "a\x1bPq\x18b", "ab"},
		{"8-bit CSI", "a\x9b31mb", "ab"},
		{"8-bit CSI in UTF-8", "a\u009b31mb", "ab"},
		{"8-bit OSC", "a\x9d0;t\x9cb", "ab"},
		{"8-bit OSC in UTF-8", "a\u009d0;t\u009cb", "ab"},
		{"8-bit DCS", "a\x90q\x9cb", "ab"},
		{"other C1", "a\u0084b\x84c", "abc"},
		{"charset", "a\x1b(0b\x1b)Bc", "abc"},
		{"two-byte escapes", "a\x1bcb\x1b7c\x1bMd\x1b=e", "abcde"},
		{"escape last", "abc\x1b", "abc"},
		{"escape in escape", "a\x1b\x1b[31mb", "ab"},
		{"control characters", "a\x00\x08\x7fb\x0e\x0f", "ab"},
		{"breaks", "a\nb\r\nc\vd\fe\u0085f\u2028g\u2029h", "a b c d e f g h"},
		{"outer breaks", "\n\na\n\n", "a"},
		{"tab", "a\tb\tcdef\tg", "a   b   cdef    g"},
		{"spaces", "a\u00a0b\u2003c\u3000d\u202fe", "a b c  d e"},
		{"bidi", "a\u202eb\u2066c\u2069d\u200ee\u061cf", "abcdef"},
		{"zero width", "a\u200bb\u200cc\u200dd\ufeffe\u2060f\u00adg\u034fh", "abcdefgh"},
		{"tags", "a\U000e0041\U000e007fb", "ab"},
		{"fillers", "a\u3164b\uffa0c\u115fd\u1160e", "abcde"},
		{"annotation", "a\ufff9b\ufffac\ufffbd", "abcd"},
		{"selectors", "❤\ufe0f☀\ufe0e", "❤☀"},
		{"invalid", "a\xff\xfe\xc3(b", "a\ufffd(b"},
		{"private use", "a\ue0b0\U000f0000b", "a\ufffdb"},
		{"noncharacter", "a\uffff\ufdd0b", "a\ufffdb"},
		{"unassigned", "a\u0378b", "a\ufffdb"},
		{"marks kept", "e\u0301 n\u0303", "e\u0301 n\u0303"},
		{"marks capped", "e" + strings.Repeat("\u0301", 50) + "x", "e\u0301\u0301x"},
		{"leading marks", "\u0301\u0302a", "a"},
		{"marks on a space", "a \u0301b", "a b"},
		{"family", "👩\u200d👩\u200d👧", "👩👩👧"},
		{"skin tone", "👍\U0001f3fdx", "👍x"},
		{"flag", "🇩🇪", "DE"},
		{"keycap", "1\ufe0f\u20e3", "1"},
		{"wide", "日本語 ｆ", "日本語 ｆ"},
		{"jamo", "\u1112\u1161\u11ab", "\u1112\u1161\u11ab"},
		{"right to left", "שלום", "שלום"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := Line(c.in).String(); got != c.want {
				t.Errorf("Line(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestLinesSplit(t *testing.T) {
	t.Parallel()
	got := Lines("a\r\n\x1b]0;open\nb\rc\u2028d\u0085\n")
	want := []string{"a", "", "b", "c", "d", ""}
	if len(got) != len(want) {
		t.Fatalf("%d lines: %q", len(got), got)
	}
	for i := range want {
		if got[i].String() != want[i] {
			t.Errorf("line %d is %q, want %q", i, got[i], want[i])
		}
	}
	if Lines("") != nil {
		t.Error("no text has lines")
	}
}

func TestWidths(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{
		"": 0, "abc": 3, "日本": 4, "e\u0301": 1, "🚀x": 3, "┏━┓": 3, "⢀⡠": 2, "▰▱": 2, "\u1112\u1161\u11ab": 2,
	} {
		if got := Line(s).Width(); got != want {
			t.Errorf("%q is %d wide, want %d", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	dots := Const("…")
	for _, c := range []struct {
		in          string
		w           int
		right, left string
	}{
		{"checkout", 8, "checkout", "checkout"},
		{"checkout", 5, "chec…", "…kout"},
		{"checkout", 1, "…", "…"},
		{"checkout", 0, "", ""},
		{"checkout", -1, "", ""},
		{"日本語", 4, "日…", "…語"},
		{"日本語", 5, "日本…", "…本語"},
		{"ae\u0301b", 2, "a…", "…b"},
		{"xae\u0301", 2, "x…", "…e\u0301"},
		{"e\u0301ab", 2, "e\u0301…", "…b"},
	} {
		if got := Line(c.in).Cut(c.w, dots).String(); got != c.right {
			t.Errorf("%q cut to %d is %q, want %q", c.in, c.w, got, c.right)
		}
		if got := Line(c.in).CutLeft(c.w, dots).String(); got != c.left {
			t.Errorf("%q cut from the left to %d is %q, want %q", c.in, c.w, got, c.left)
		}
	}
	if got := Line("日本語").Skip(3).String(); got != "語" {
		t.Errorf("Skip left %q", got)
	}
}

func TestJoining(t *testing.T) {
	t.Parallel()
	if got := Join(Const(" · "), Const("a"), Linef("%d\n%s", 3, "x"), Const("c")); got != Const("a · 3 x · c") {
		t.Errorf("Join made %q", got)
	}
	if got := Concat(Const("a"), Const("b")); got != Const("ab") {
		t.Errorf("Concat made %q", got)
	}
	if !Join(Const(",")).IsZero() {
		t.Error("joining nothing made something")
	}
}

func TestJSONIsCleaned(t *testing.T) {
	t.Parallel()
	var v struct{ T Text }
	if err := json.Unmarshal([]byte(`{"T":"a\u001b[31mb\u202ec"}`), &v); err != nil {
		t.Fatal(err)
	}
	if v.T != Const("abc") {
		t.Errorf("read %q", v.T)
	}
	b, err := json.Marshal(v)
	if err != nil || string(b) != `{"T":"abc"}` {
		t.Errorf("wrote %s, %v", b, err)
	}
}

func TestLongInputIsBounded(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"ascii":    strings.Repeat("x", 5<<20),
		"wide":     strings.Repeat("語", 2<<20),
		"marks":    strings.Repeat("e\u0301\u0302\u0303", 1<<20),
		"osc":      "a\x1b]" + strings.Repeat("x", 5<<20),
		"controls": "a" + strings.Repeat("\x01", 5<<20),
	} {
		got := Line(in)
		if w := got.Width(); w > MaxColumns {
			t.Errorf("%s: %d columns", name, w)
		}
		if !strings.HasSuffix(got.String(), ellipsis) {
			t.Errorf("%s: does not say that it was cut", name)
		}
	}
}

func TestPlainLineDoesNotAllocate(t *testing.T) {
	s := strings.Repeat("Fix the build ", 10)
	if n := testing.AllocsPerRun(100, func() { _ = Line(s).Width() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// printable fails t when s holds anything that Line promises to remove.
func printable(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Fatalf("invalid UTF-8: %q", s)
	}
	marks, base := 0, false
	for _, r := range s {
		switch {
		case IsMark(r):
			if marks++; !base || marks > MaxMarks {
				t.Fatalf("a mark too many in %q", s)
			}
		case r != ' ' && (!unicode.IsPrint(r) || isInvisible(r)):
			t.Fatalf("%U in %q", r, s)
		default:
			marks, base = 0, true
		}
		if w := RuneWidth(r); w == 0 && !IsMark(r) {
			t.Fatalf("%U of no width in %q", r, s)
		}
	}
}

func TestEveryRune(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		got := Line("a" + string(r) + "b")
		printable(t, got.String())
		if again := Line(got.String()); again != got {
			t.Fatalf("%U: cleaning %q again gives %q", r, got, again)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"", "a", "\x1b[31mred\x1b[m", "\x1b]0;t\x07", "\x9b1m", "\u202e", "e\u0301\u0302\u0303", "👩\u200d👩", "a\tb\r\n", "日本",
		"\xff\xfe", "\x1bP\x1b]\x9c", strings.Repeat("日", MaxColumns), strings.Repeat("\xff", 100), "🇩🇪\u3164\U000e0041",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		printable(t, got.String())
		if w := got.Width(); w > MaxColumns {
			t.Fatalf("%d columns", w)
		}
		if again := Line(got.String()); again != got {
			t.Fatalf("cleaning %q again gives %q", got, again)
		}
		for _, l := range Lines(s) {
			printable(t, l.String())
		}
		for _, w := range []int{0, 1, 2, 7, 80} {
			for _, c := range []Text{got.Cut(w, Const("…")), got.CutLeft(w, Const("…")), got.Skip(w)} {
				printable(t, c.String())
			}
			if c := got.Cut(w, Const("…")); c.Width() > w {
				t.Fatalf("%q cut to %d is %d wide", got, w, c.Width())
			}
			if c := got.CutLeft(w, Const("…")); c.Width() > w {
				t.Fatalf("%q cut from the left to %d is %d wide", got, w, c.Width())
			}
		}
	})
}

func BenchmarkLine(b *testing.B) {
	for name, s := range map[string]string{
		"ascii":   strings.Repeat("Fix the build ", 6),
		"colours": strings.Repeat("\x1b[32mok\x1b[0m  example.com/x ", 5),
		"wide":    strings.Repeat("日本語 déjà ", 8),
		"hostile": "a\x1b]" + strings.Repeat("x", 8<<20),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Line(s)
			}
		})
	}
}
