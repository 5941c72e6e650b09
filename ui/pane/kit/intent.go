package kit

import (
	"errors"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Send is the command that hands an intent to the board.
func Send(intent tea.Msg) tea.Cmd { return func() tea.Msg { return intent } }

// ErrText is what an error says to people, with its cure.
func ErrText(err error) clean.Text {
	if e, ok := errors.AsType[*sources.Error](err); ok {
		return clean.Line(Sep(": ", insight.ErrorText(e).String(), e.Fix))
	}
	return clean.Line(err.Error())
}

// ErrNotice is ErrText as a notice; what says what could not be read.
func ErrNotice(what string, err error) Notice {
	n := Notice{Token: theme.Warn, Glyph: theme.GlyphWarn, Title: what}
	e, ok := errors.AsType[*sources.Error](err)
	if !ok {
		n.Lines = []string{sentence(err.Error())}
		return n
	}
	n.Lines = append([]string{sentence(insight.ErrorText(e).String())}, fix(e)...)
	if e.Kind == sources.Permission {
		n.Token, n.Glyph = theme.Crit, theme.GlyphFailed
	}
	return n
}

// LogJob is the job of a run whose log people want: the first that failed, else the first that runs,
// else the first that ended.
func LogJob(jobs []sources.Job) (sources.Ref, bool) {
	for _, want := range []sources.State{sources.StateFailed, sources.StateRunning, sources.StatePassed, sources.StateCancelled} {
		if i := slices.IndexFunc(jobs, func(j sources.Job) bool { return j.State == want }); i >= 0 {
			return jobs[i].Ref, true
		}
	}
	return sources.Ref{}, false
}

// Mark shows that the n lines at y are the selected row.
func Mark(e pane.Env, r screen.Region, y, n int) {
	w, _ := r.Size()
	tok := theme.Muted
	if e.Focused {
		tok = theme.Accent
	}
	for i := range n {
		r.Text(0, y+i, e.Theme.Style(tok), e.Theme.Glyph(theme.GlyphCursor))
	}
	r.Restyle(0, y, w, n, func(s screen.Style) screen.Style { return e.Theme.Selected(s, e.Focused) })
}
