package dialog

import (
	"slices"
	"strings"

	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// pinned is a line of the question. A field stands behind what is at its left.
type pinned struct {
	left, right []pane.Part
	field       *component.TextField
}

// spaced is the height from which on a blank line stands before the question.
const spaced = 9

// bottom is the question and what a key has to say, which never scroll away.
func (p *Plan) bottom(e pane.Env, w, h int) []pinned {
	cancels := []pane.Part{{Token: theme.KeyHint, Text: clean.Const("Esc")}, {Token: theme.Muted, Text: clean.Const(" cancels")}}
	var out []pinned
	if h >= spaced {
		out = append(out, pinned{})
	}
	if !p.hint.IsZero() {
		out = append(out, lines(e, theme.Warn, clean.Linef("%s %s", e.Theme.Glyph(theme.GlyphWarn), p.hint), w, 2)...)
	}
	switch p.phase {
	case asking:
		out = append(out, p.question(e, cancels, w, h)...)
	case reading, broken:
		last := pinned{right: cancels}
		if p.phase == broken {
			last.left = keyParts(keyRead, "try again")
			last.right = keyParts("Esc", "closes")
		}
		out = append(out, last)
	case running:
		out = append(out, pinned{left: []pane.Part{{Token: theme.Muted, Text: clean.Const("it goes on when this closes")}}, right: keyParts("Esc", "closes")})
	case ended:
		out = append(out, pinned{right: keyParts("Esc", "closes")})
	}
	if h >= 12 {
		out = append(out, pinned{})
	}
	return out
}

func keyParts(key, does string) []pane.Part {
	return []pane.Part{{Token: theme.KeyHint, Text: clean.Line(key)}, {Token: theme.Muted, Text: clean.Line(" " + does)}}
}

// question is what is demanded.
func (p *Plan) question(e pane.Env, cancels []pane.Part, w, h int) []pinned {
	if p.demand.Kind == action.Refusal {
		return p.refusal(e, w, h)
	}
	var out []pinned
	if p.demand.Kind == action.SecondDemand {
		out = append(out, p.secondPerson(e, w)...)
	}
	if p.demand.Reason {
		out = append(out, p.reasonLine(w))
	}
	if p.demand.Kind < action.TypeDemand {
		ask := append(keyParts("y", "yes"), pane.Part{Text: clean.Const("   ")})
		ask = append(ask, keyParts("n", "no")...)
		return append(out, pinned{left: append([]pane.Part{{Token: theme.Strong, Text: clean.Const("Do it?  ")}}, ask...), right: cancels})
	}
	return append(out, p.wordLines(e, cancels, w)...)
}

// wordLines are the word to type and the field for it, in two lines where the word leaves no room for the field.
func (p *Plan) wordLines(e pane.Env, cancels []pane.Part, w int) (out []pinned) {
	word := clean.Line(p.demand.Word)
	lead := []pane.Part{{Token: theme.Text, Text: clean.Const("Type ")}, {Token: theme.Strong, Text: word}}
	l := pinned{left: []pane.Part{{Token: theme.Muted, Text: clean.Linef("%s ", e.Theme.Glyph(theme.GlyphPath))}}}
	const field = 8
	if component.Width(lead)+1+component.Width(l.left)+field > w {
		out = append(out, pinned{left: lead})
	} else {
		l.left = slices.Concat(lead, []pane.Part{{Text: clean.Const(" ")}}, l.left)
	}
	switch {
	case p.focus == onWord:
		l.field = &p.word
	case p.word.Value() != "":
		l.left = append(l.left, pane.Part{Token: theme.Muted, Text: p.word.Text()})
	default:
		l.left = append(l.left, keyParts("Tab", "goes here")...)
	}
	if used := component.Width(l.left) + word.Width() + 2; used+component.Width(cancels) <= w {
		l.right = cancels
	}
	return append(out, l)
}

// lines are text in at most so many lines of w columns.
func lines(e pane.Env, tok theme.Token, text clean.Text, w, most int) []pinned {
	var out []pinned
	all := component.Wrap(text, w)
	for i, t := range all[:min(most, len(all))] {
		if dots := e.Theme.Glyph(theme.GlyphEllipsis); i == most-1 && len(all) > most {
			t = clean.Concat(t.Cut(w-dots.Width(), clean.Text{}), dots)
		}
		out = append(out, pinned{left: []pane.Part{{Token: tok, Text: t}}})
	}
	return out
}

// verdicts names the gates that say more than yes, the strictest first.
func (p *Plan) verdicts(e pane.Env, w int) []pane.Part {
	var out []pane.Part
	for _, glyph := range [...]theme.Glyph{theme.GlyphFailed, theme.GlyphWaiting, theme.GlyphWarn} {
		names, tok := p.saying(glyph)
		if len(names) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, pane.Part{Text: clean.Const("  ")})
		}
		out = append(out, pane.Part{Token: tok, Text: clean.Linef("%s %s", e.Theme.Glyph(glyph), strings.Join(names, ", "))})
	}
	if len(out) == 0 {
		return []pane.Part{{Token: theme.OK, Text: clean.Linef("%s no gate objects", e.Theme.Glyph(theme.GlyphOK))}}
	}
	if w < 60 {
		return out
	}
	return append([]pane.Part{{Token: theme.Muted, Text: pad("gates", labelWidth)}}, out...)
}

// saying names the gates of all plans whose verdict has that sign.
func (p *Plan) saying(glyph theme.Glyph) (names []string, tok theme.Token) {
	for i := range p.plans {
		for _, f := range strictestFirst(p.plans[i].Gates) {
			t, g := verdict(f.Verdict)
			if name := gateName(&f); g == glyph && weight(&f) > 1 && !slices.Contains(names, name) {
				names, tok = append(names, name), t
			}
		}
	}
	return names, tok
}

// secondPerson says what another person has to type, and whether somebody has.
func (p *Plan) secondPerson(e pane.Env, w int) []pinned {
	if p.cosigner != "" {
		return []pinned{{left: []pane.Part{{Token: theme.OK, Text: e.Theme.Glyph(theme.GlyphOK)}, {Token: theme.Text, Text: clean.Linef(" %s has agreed", p.cosigner)}}}}
	}
	state := pane.Part{Token: theme.Warn, Text: e.Theme.Glyph(theme.GlyphWaiting)}
	var out []pinned
	for i := range p.plans {
		command := pane.Part{Token: theme.Strong, Text: clean.Linef("signalbox cosign %s", p.plans[i].ID)}
		lead := []pane.Part{state, {Token: theme.Text, Text: clean.Const(" another person types ")}}
		if component.Width(lead)+command.Text.Width() <= w {
			out = append(out, pinned{left: append(lead, command)})
			continue
		}
		out = append(out, pinned{left: lead})
		for _, t := range component.Wrap(command.Text, w-2) {
			out = append(out, pinned{left: []pane.Part{{Text: clean.Const("  ")}, {Token: theme.Strong, Text: t}}})
		}
	}
	return out
}

func (p *Plan) reasonLine(w int) pinned {
	var lifts []string
	for i := range p.plans {
		_, names := policy.Lift(p.plans[i].Gates)
		for _, n := range names {
			if !slices.Contains(lifts, n) {
				lifts = append(lifts, n)
			}
		}
	}
	l := pinned{left: []pane.Part{{Token: theme.Warn, Text: clean.Const("Reason ")}}}
	what := clean.Const("why again")
	if len(lifts) > 0 {
		what = clean.Linef("breaks the glass: lifts %s", strings.Join(lifts, ", "))
	}
	switch {
	case p.focus == onReason:
		l.field = &p.reason
		if p.reason.Text().Width()+what.Width()+10 <= w {
			l.right = []pane.Part{{Token: theme.Muted, Text: what}}
		}
	case p.reason.Value() != "":
		l.left = append(l.left, pane.Part{Token: theme.Text, Text: p.reason.Text()})
	default:
		l.left = append(append(l.left, keyParts("Tab", "")...), pane.Part{Token: theme.Muted, Text: what})
	}
	return l
}

// refusal says what refuses, and what lifts it.
func (p *Plan) refusal(e pane.Env, w, h int) []pinned {
	worst := policy.Worst(p.plans[0].Gates)
	closes := keyParts("Esc", "closes")
	out := lines(e, theme.Crit, clean.Linef("%s Refused: %s", e.Theme.Glyph(theme.GlyphFailed), worst.Text), max(8, w-component.Width(closes)-2), min(3, max(1, h-1)))
	out[0].right = closes
	if worst.Fix.IsZero() || len(out)+1 >= h {
		return out
	}
	fix := lines(e, theme.Text, clean.Linef("%s %s", e.Theme.Glyph(theme.GlyphArrow), worst.Fix), w, min(2, h-1-len(out)))
	return append(out, fix...)
}

// verdict is how a gate's word is shown.
func verdict(v policy.Verdict) (theme.Token, theme.Glyph) {
	switch v {
	case policy.Allow:
		return theme.OK, theme.GlyphOK
	case policy.Warn, policy.Confirm, policy.TypedConfirm:
		return theme.Warn, theme.GlyphWarn
	case policy.SecondPerson:
		return theme.Warn, theme.GlyphWaiting
	case policy.Deny:
	}
	return theme.Crit, theme.GlyphFailed
}
