package cli

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
)

// frameOf is what `signalbox frame --demo` with more arguments writes.
func frameOf(t *testing.T, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	code := Main(Process{
		Args: append([]string{"frame", "--demo"}, args...), Out: out, Err: &errs,
		Lookup: func(string) (string, bool) { return "", false },
	})
	if err := out.Close(); err != nil || code != exitWell {
		t.Fatalf("frame: exit code %d, %v\n%s", code, err, &errs)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The README's picture is the board of today: `signalbox frame --demo --size 160x30 --format svg`.
func TestPictureOfTheReadme(t *testing.T) {
	t.Parallel()
	const picture = "../../../docs/board.svg"
	now := frameOf(t, "--size", "160x30", "--format", "svg")
	if *update {
		if err := os.WriteFile(picture, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	then, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if now != string(then) {
		t.Error("docs/board.svg shows another board than this one: go test ./cmd/internal/cli -run TestPictureOfTheReadme -update, and look at it")
	}
}

// A picture is well-formed XML, with every character of the board in it, whatever they are.
func TestSVG(t *testing.T) {
	t.Parallel()
	g := screen.NewGrid(14, 2)
	g.Region().Text(0, 0, screen.Style{Attr: screen.Bold}, clean.Line(`<a> & "b" 'c`))
	g.Region().Text(0, 1, screen.Style{Attr: screen.Reverse}, clean.Line("日本 é"))
	framed := screen.NewGrid(5, 1)
	framed.Region().Text(0, 0, screen.Style{}, clean.Line("╭─ a┃"))
	if text := svg(framed); strings.Count(text, "<path ") != 2 || strings.Count(text, ">a</text>") != 1 {
		t.Errorf("a frame is drawn as\n%s", text)
	}
	for name, text := range map[string]string{"grid": svg(g), "board": frameOf(t, "--size", "200x50", "--format", "svg")} {
		d := xml.NewDecoder(strings.NewReader(text))
		var chars strings.Builder
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c, ok := token.(xml.CharData); ok {
				chars.Write(c)
			}
		}
		said := strings.Join(strings.Fields(chars.String()), " ")
		if name == "grid" && said != `<a> & "b" 'c 日本 é` {
			t.Errorf("the picture says %q", said)
		}
	}
}
