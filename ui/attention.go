package ui

import (
	"fmt"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/theme"
)

// Attention says how the board calls for somebody who does not look at it. The zero Attention is silent.
type Attention struct {
	Bell  bool // the terminal's bell
	Title bool // the window's title names the worst page while there is one
	// Notify is how the terminal is asked for a notification on the desktop: one of the Notify constants;
	// "" is NotifyOff.
	Notify string
	All    bool // for everybody's pages, not for mine alone
}

// The ways to ask a terminal for a notification. NotifyAuto is what Options.Notify says.
const (
	NotifyAuto   = "auto"
	NotifyOSC9   = "osc9"
	NotifyOSC777 = "osc777"
	NotifyOff    = "off"
)

// TerminalNotify is how a terminal is asked for a notification, as far as the values of its TERM and
// TERM_PROGRAM tell: NotifyOff where it might show the request as text, or where a multiplexer (tmux,
// screen) stands between that passes it on only when it was told to.
func TerminalNotify(term, program string, multiplexed bool) string {
	if multiplexed || strings.HasPrefix(term, "tmux") || strings.HasPrefix(term, "screen") {
		return NotifyOff
	}
	switch program {
	case "iTerm.app", "WezTerm", "ghostty":
		return NotifyOSC9
	}
	switch {
	case strings.Contains(term, "kitty"), strings.Contains(term, "ghostty"), strings.HasPrefix(term, "wezterm"):
		return NotifyOSC9
	case strings.HasPrefix(term, "foot"), strings.HasPrefix(term, "rxvt-unicode"):
		return NotifyOSC777
	}
	return NotifyOff
}

// How much of a page the title and a notification say, in columns.
const (
	titleRoom  = 60
	noticeRoom = 120
)

// Sequences. A string ends with ST, as BEL would ring where the terminal does not know the sequence. The
// title is kept on the terminal's stack, so that the one before comes back.
const (
	bell        = "\a"
	st          = "\x1b\\"
	pushTitle   = "\x1b[22;2t"
	popTitle    = "\x1b[23;2t"
	setTitle    = "\x1b]2;"
	beginOSC9   = "\x1b]9;"
	beginOSC777 = "\x1b]777;notify;signalbox;"
)

// attention calls for attention on behalf of an App: once for each new page, and by the title as long as
// there is one.
type attention struct {
	pager  pager
	title  string     // what the title should be; "" is the terminal's own
	asks   clean.Text // what waits for an answer: the title where no page has it
	shown  string     // what it was last set to
	ring   bool       // a bell is due
	notice clean.Text
	busy   bool // a command writes: the next waits, so that they arrive in order
}

// pager is pages that may be looked at beside the program's loop, before a snapshot arrives there. It keeps
// what was found until it is taken.
type pager struct {
	mu    sync.Mutex
	pages pages
	found []*insight.Problem
}

func (p *pager) look(known *insight.Memo, s *store.Snapshot, all bool, now time.Time) (worst *insight.Problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	worst, fresh := p.pages.look(known, s, all, now)
	p.found = append(p.found, fresh...)
	return worst
}

// take is look; it also returns what was found since it was called last, worst first.
func (p *pager) take(known *insight.Memo, s *store.Snapshot, all bool, now time.Time) (worst *insight.Problem, fresh []*insight.Problem) {
	worst = p.look(known, s, all, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh, p.found = p.found, nil
	return worst, fresh
}

// text is what the worst page is, as it was found to be.
func (p *pager) text() clean.Text {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pages.text
}

// calledMsg comes back when what an attention wrote has been written.
type calledMsg struct{}

// look takes a new snapshot, or new settings.
func (t *attention) look(known *insight.Memo, s *store.Snapshot, set *Settings, now time.Time) {
	how := set.Attention
	worst, fresh := t.pager.take(known, s, how.All, now)
	t.title = ""
	if worst != nil && how.Title {
		glyph := set.Theme.Glyph(theme.GlyphTriggered).String()
		t.title = clip(clean.Linef("%s %s", glyph, t.pager.text()), titleRoom, set.Theme).String() + dash(set.Theme) + "signalbox"
	}
	if t.title == "" && !t.asks.IsZero() && how.Title {
		t.title = clip(t.asks, titleRoom, set.Theme).String() + dash(set.Theme) + "signalbox"
	}
	if len(fresh) == 0 {
		return
	}
	t.ring = t.ring || how.Bell
	t.notice = clip(pageText(fresh[0]), noticeRoom, set.Theme)
	if n := len(fresh) - 1; n > 0 {
		t.notice = clean.Linef("%s, and %d more", t.notice, n)
	}
}

// ask calls as a page does: something waits for a person.
func (t *attention) ask(text clean.Text, set *Settings) {
	t.ring = t.ring || set.Attention.Bell
	t.notice = clip(text, noticeRoom, set.Theme)
}

// pageText is "P1 checkout: 5xx above 2 % for 5m".
func pageText(p *insight.Problem) clean.Text {
	name := p.Service
	if name == "" {
		name = p.Incident.Provider.String()
	}
	text := p.Incident.Title.String()
	if text == "" {
		text = "an incident without a title"
	}
	if name != "" {
		text = name + ": " + text
	}
	if p.Severity > 0 {
		text = fmt.Sprintf("P%d %s", p.Severity, text)
	}
	return clean.Line(text)
}

// dash stands between what burns and whose window it is.
func dash(th *theme.Theme) string {
	if th.Options().ASCII {
		return " - "
	}
	return " — "
}

func clip(t clean.Text, w int, th *theme.Theme) clean.Text {
	return t.Cut(w, th.Glyph(theme.GlyphEllipsis))
}

// take is what has to be written now; "" when that is nothing, or something is being written.
// wrap makes a notification pass whatever stands before the terminal; nil: nothing does.
func (t *attention) take(notify string, wrap func(string) string) string {
	if t.busy {
		return ""
	}
	var b strings.Builder
	if t.title != t.shown {
		b.WriteString(titleSequence(t.shown, t.title))
		t.shown = t.title
	}
	if t.ring {
		b.WriteString(bell)
		t.ring = false
	}
	if !t.notice.IsZero() {
		s := noticeSequence(notify, t.notice)
		if wrap != nil && s != "" {
			s = wrap(s)
		}
		b.WriteString(s)
		t.notice = clean.Text{}
	}
	t.busy = b.Len() > 0
	return b.String()
}

// titleSequence changes the title from was to is; "" is the terminal's own.
func titleSequence(was, is string) string {
	switch {
	case is == "":
		return setTitle + st + popTitle
	case was == "":
		return pushTitle + setTitle + is + st
	}
	return setTitle + is + st
}

// noticeSequence asks for a notification. Text that begins with a digit and a semicolon would be a command
// to some terminals: the name before it is there for them too.
func noticeSequence(how string, text clean.Text) string {
	switch how {
	case NotifyOSC9:
		return beginOSC9 + "signalbox: " + text.String() + st
	case NotifyOSC777:
		return beginOSC777 + strings.ReplaceAll(text.String(), ";", ",") + st
	}
	return ""
}

// notify is the way to ask for a notification.
func (a *App) notify() string {
	if n := a.set.Attention.Notify; n != NotifyAuto {
		return n
	}
	return a.opts.Notify
}

// watchPages finds what calls for attention in what is known now.
func (a *App) watchPages() tea.Cmd {
	a.attention.look(&a.known, a.snap, &a.set, a.opts.Clock())
	return a.call()
}

// called goes on with what came while something was written.
func (a *App) called() tea.Cmd {
	a.attention.busy = false
	return a.call()
}

// call writes what calls for attention, beside the program's loop.
func (a *App) call() tea.Cmd {
	s := a.attention.take(a.notify(), a.opts.Wrap)
	if s == "" {
		return nil
	}
	out := a.opts.Screen
	return func() tea.Msg {
		// A terminal that cannot be written to has nobody before it to call.
		_, _ = out.WriteString(s)
		return calledMsg{}
	}
}
