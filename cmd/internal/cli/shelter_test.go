package cli

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/creack/pty"

	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/uitest/vt"
)

// trap is a model that panics: in Update when it gets a key, or in a command of a batch at once.
type trap struct{ inCommand bool }

func (m trap) Init() tea.Cmd {
	if !m.inCommand {
		return nil
	}
	return tea.Batch(func() tea.Msg { return nil }, func() tea.Msg { panic("secret ghp_0123456789abcdefghij in a command") })
}

func (m trap) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(tea.KeyMsg); ok {
		panic("secret ghp_0123456789abcdefghij in Update")
	}
	return m, nil
}

func (m trap) View() string { return "" }

// A panic gives the terminal back, ends with 1, and tells what happened without credentials.
func TestPanicGivesTheTerminalBack(t *testing.T) {
	for name, inCommand := range map[string]bool{"update": false, "command": true} {
		t.Run(name, func(t *testing.T) {
			master, slave, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			if err := pty.Setsize(slave, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
				t.Fatal(err)
			}
			term := vt.New(80, 24)
			read := make(chan struct{})
			go func() {
				defer close(read)
				buf := make([]byte, 4096)
				for {
					n, err := master.Read(buf)
					_, _ = term.Write(buf[:n])
					if err != nil {
						return
					}
				}
			}()
			var errs strings.Builder
			c := &commands{process: Process{In: slave, Out: slave, Err: &errs, Lookup: func(string) (string, bool) { return "", false }}}
			if !inCommand {
				if _, err := io.WriteString(master, "j"); err != nil {
					t.Fatal(err)
				}
			}
			err = c.show(context.Background(), trap{inCommand}, screen.NewOutput(slave, screen.OutputOptions{Now: time.Now}))
			if code := codeOf(err); code != exitFailed {
				t.Errorf("exit code %d", code)
			}
			_ = slave.Close()
			<-read
			_ = master.Close()
			if term.Alternate() {
				t.Error("the alternate screen is still shown")
			}
			if _, _, shown := term.Cursor(); !shown {
				t.Error("the cursor is still hidden")
			}
			if m := term.Mode(2004); m {
				t.Error("bracketed paste is still on")
			}
			text := errs.String()
			if !strings.Contains(text, "signalbox crashed: secret [redacted] in") || strings.Contains(text, "ghp_") {
				t.Errorf("the report is %q", text)
			}
			if !strings.Contains(text, "shelter_test.go") {
				t.Error("the report does not say where it happened")
			}
		})
	}
}
