package dialog

import (
	"errors"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// NewError shows an error in full: what was being done, what went wrong, what mends it, and the chain
// behind it.
func NewError(title clean.Text, err error) *Page {
	return &Page{title: title, width: 90, lines: func(e pane.Env, w int) []Line { return errorLines(e, err, w) }}
}

func errorLines(env pane.Env, err error, w int) []Line {
	e, ok := errors.AsType[*sources.Error](err)
	if !ok {
		return advice(env.Theme, theme.Crit, clean.Line(err.Error()), clean.Text{}, w)
	}
	out := advice(env.Theme, theme.Crit, insight.ErrorText(e), clean.Line(e.Fix), w)
	facts := []struct{ name, text string }{{"doing", e.Op}, {"where", e.Scope}, {"kind", e.Kind.String()}}
	if !e.RetryAt.IsZero() {
		facts = append(facts, struct{ name, text string }{"again at", e.RetryAt.In(env.Zone).Format("15:04")})
	}
	if e.Err != nil {
		facts = append(facts, struct{ name, text string }{"because", e.Err.Error()})
	}
	out = append(out, nil)
	for _, f := range facts {
		if f.text == "" {
			continue
		}
		name := pad("  "+f.name, 12)
		for i, t := range component.Wrap(clean.Line(f.text), w-12) {
			if i > 0 {
				name = pad("", 12)
			}
			out = append(out, Line{{Token: theme.Muted, Text: name}, {Token: theme.Text, Text: t}})
		}
	}
	return out
}

// NewSaid shows what toasts said lately, the newest last.
func NewSaid(said []component.Said) *Page {
	return &Page{
		title: clean.Const("Messages"), width: 90, toEnd: true,
		lines: func(e pane.Env, w int) []Line { return saidLines(e, said, w) },
	}
}

func saidLines(e pane.Env, said []component.Said, w int) []Line {
	if len(said) == 0 {
		return []Line{{{Token: theme.Muted, Text: clean.Const("nothing has been said yet")}}}
	}
	const at = 7
	var out []Line
	for _, s := range said {
		when := clock(s.At, e)
		for i, t := range component.Wrap(s.Text, w-at) {
			lead := pad(when, at)
			if i > 0 {
				lead = pad("", at)
			}
			out = append(out, Line{{Token: theme.Muted, Text: lead}, {Token: s.Token, Text: t}})
		}
	}
	return out
}

func clock(t time.Time, e pane.Env) string { return t.In(e.Zone).Format("15:04") }
