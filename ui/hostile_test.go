package ui_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/panes"
	"example.com/signalbox/ui/uitest"
)

// obeyed reports that a terminal, or a reader of text, would do something on r but show it.
func obeyed(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f
}

// hostileWorld is the story in which every text that a system may choose is text.
func hostileWorld(text string) *store.Snapshot {
	s := uitest.Night()
	line := clean.Line(text)
	for i := range s.Feeds {
		f := &s.Feeds[i]
		for j := range f.Incidents {
			in := &f.Incidents[j]
			in.Title, in.Holder, in.Scope, in.Provider, in.Number = line, line, line, line, line
			in.URL, in.Runbook, in.Ref.ID = "https://x.example.com/"+text, "https://x.example.com/"+text, in.Ref.ID+text
			in.Next = []sources.Person{{Name: line, Login: line, Zone: text}}
		}
		for j := range f.Series {
			m := &f.Series[j]
			m.Name, m.Labels, m.Unit, m.URL = line, line, text, "https://x.example.com/"+text
		}
		for j := range f.Changes {
			f.Changes[j].Title, f.Changes[j].By = line, line
		}
		for j := range f.Shifts {
			f.Shifts[j].Who.Name = line
		}
		for j := range f.Monitors {
			f.Monitors[j].Name, f.Monitors[j].URL = line, text
		}
		f.Health.State, f.Health.Err = store.Failing, &sources.Error{Kind: sources.Transient, Msg: "said " + text, Fix: "do " + text}
	}
	return s
}

// Whatever the systems call their things: no cell of the board, no copy and no sequence holds anything that
// a terminal would obey.
func TestHostileWorld(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\x1b]0;owned\a\x1b[2J\x1b[31m", "a\rb\nc\td\be\x7f", "\u202eevil\u2066\u200f", "\x9b2J\x9d0;x\x9c\u009b1m", "\xff\xfe\x00", strings.Repeat("\u0301", 50)} {
		b := newBoard(t, 160, 48, func(o *ui.Options, _ *board) {
			o.Panes, o.Snapshot, o.Clock = panes.All(), hostileWorld(text), uitest.Now
			o.Idle, o.Strips, o.Wrong, o.Detail = panes.Idle, panes.Strips(), panes.Wrong(), panes.Detail
			o.Attention, o.Notify = ui.Attention{Bell: true, Title: true, Notify: ui.NotifyOSC9, All: true}, ui.NotifyOSC9
			o.Clipboard = func(s string) string { return "copy:" + base64.StdEncoding.EncodeToString([]byte(s)) + "." }
		})
		look := func(after string) {
			for _, r := range b.app.Frame().String() {
				if r != '\n' && obeyed(r) {
					t.Fatalf("%q: after %s the board shows %U", text, after, r)
				}
			}
		}
		look("the start")
		for _, pane := range []string{"1", "2", "3", "4"} {
			for _, key := range []string{pane, "c", "u", "o", "b", "enter", "c", "u", "j", "esc", "j", "f", "f", "?", "esc", ":", "esc"} {
				b.press(key)
				look(pane + " " + key)
			}
		}
		for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 40, Height: 10}} {
			b.send(size)
			look("a resize")
		}
		copies := 0
		for _, c := range b.out.controls {
			for _, part := range strings.Split(c, "copy:")[1:] {
				code, _, _ := strings.Cut(part, ".")
				said, err := base64.StdEncoding.DecodeString(code)
				if err != nil {
					t.Fatal(err)
				}
				copies++
				if strings.ContainsFunc(string(said), obeyed) {
					t.Errorf("%q: copies %q", text, said)
				}
			}
		}
		if copies < 4 {
			t.Errorf("%q: only %d copies were made", text, copies)
		}
	}
}

// What a page is called asks the terminal for nothing beside the one notification.
func TestAHostilePageMakesOneNotification(t *testing.T) {
	t.Parallel()
	w := watched(t, loud())
	w.show(nil)
	w.b.clock.pass(time.Minute)
	got := w.show(pages(w.page("Q1", 0, func(in *sources.Incident) {
		in.Title, in.Provider, in.Service = clean.Line("\x1b]9;other\x1b\\\x9d777;x\x9c\a"), clean.Line("\x1b[2J"), ""
	})))
	if strings.Count(got, "\x1b]9;") != 1 || strings.Count(got, bel) != 1 || strings.ContainsAny(got, "\u009d\u009c") {
		t.Errorf("it writes %q", got)
	}
}
