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

// bottom is the question and what a key has to say, which never scroll away.
func (p *Plan) bottom(e pane.Env, w, h int) []pinned {
	cancels := []pane.Part{{Token: theme.KeyHint, Text: clean.Const("Esc")}, {Token: theme.Muted, Text: clean.Const(" cancels")}}
	var out []pinned
	if h >= 9 {
		out = append(out, pinned{})
	}
	if !p.hint.IsZero() {
		out = append(out, pinned{left: []pane.Part{{Token: theme.Warn, Text: e.Theme.Glyph(theme.GlyphWarn)}, {Token: theme.Warn, Text: clean.Linef(" %s", p.hint)}}})
	}
	switch p.phase {
	case asking:
		out = append(out, p.question(e, cancels, w)...)
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
func (p *Plan) question(e pane.Env, cancels []pane.Part, w int) []pinned {
	if p.demand.Kind == action.Refusal {
		return p.refusal(e, w)
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
	l := pinned{left: []pane.Part{{Token: theme.Text, Text: clean.Const("Type ")}, {Token: theme.Strong, Text: clean.Line(p.demand.Word)},
		{Token: theme.Muted, Text: clean.Linef(" %s ", e.Theme.Glyph(theme.GlyphPath))}}}
	switch {
	case p.focus == onWord:
		l.field = &p.word
	case p.word.Value() != "":
		l.left = append(l.left, pane.Part{Token: theme.Muted, Text: p.word.Text()})
	default:
		l.left = append(l.left, keyParts("Tab", "goes here")...)
	}
	if used := component.Width(l.left) + clean.Line(p.demand.Word).Width() + 2; used+component.Width(cancels) <= w {
		l.right = cancels
	}
	return append(out, l)
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
func (p *Plan) refusal(e pane.Env, w int) []pinned {
	worst := policy.Worst(p.plans[0].Gates)
	closes := keyParts("Esc", "closes")
	text := clean.Linef("%s Refused: %s", e.Theme.Glyph(theme.GlyphFailed), worst.Text)
	var out []pinned
	for i, t := range component.Wrap(text, max(8, w-component.Width(closes)-2)) {
		l := pinned{left: []pane.Part{{Token: theme.Crit, Text: t}}}
		if i == 0 {
			l.right = closes
		}
		if i < 3 {
			out = append(out, l)
		}
	}
	if !worst.Fix.IsZero() {
		out = append(out, pinned{left: []pane.Part{{Token: theme.Info, Text: e.Theme.Glyph(theme.GlyphArrow)}, {Token: theme.Text, Text: clean.Linef(" %s", worst.Fix)}}})
	}
	return out
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
