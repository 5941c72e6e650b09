package dialog

import (
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

// bodyProgress is an action under way, or how it ended.
func (p *Plan) bodyProgress(b *planLines) {
	for i := range p.plans {
		q, out := &p.plans[i], p.outcomes[i]
		if len(p.plans) > 1 {
			b.text(theme.Strong, q.Name)
		} else if q.Change != nil && p.room >= roomy {
			b.label("now", theme.Text, q.Change.Now.Version.Short())
			b.label("then", theme.Text, q.Change.Then.Version.Short())
			b.blank()
		}
		p.progress(b, q, &out)
	}
	if p.guard != nil {
		tok, g := guardLook(p.guard)
		b.row("", tok, g, p.guard.Line())
	}
	if p.url != "" {
		b.blank()
		b.label("see", theme.Info, clean.Line(p.url))
	}
}

func (p *Plan) progress(b *planLines, q *action.Plan, out *action.Outcome) {
	over := out.Plan != ""
	some := false
	for _, s := range p.steps {
		if s.plan != q.ID || s.step == action.Ended {
			continue
		}
		some = true
		if p.room < roomy && s.step < p.furthest(q.ID) {
			continue
		}
		tok, g := theme.Busy, theme.GlyphRunning
		if over || s.step < p.furthest(q.ID) {
			tok, g = theme.Muted, theme.GlyphDot
		}
		b.row(stepWord(s.step), tok, g, shortIDs(s.text))
	}
	if !over {
		if !some {
			b.row("asked", theme.Busy, theme.GlyphRunning, clean.Const("read once more, then it is sent"))
		}
		took := "for " + kit.Took(b.e.Now.Sub(p.begun))
		if q.Change != nil && q.Change.Expected > 0 {
			took += " of about " + kit.Minutes(q.Change.Expected)
		}
		b.under(gateWidth, theme.Muted, clean.Line(took))
		return
	}
	b.outcome(out)
}

func (p *Plan) furthest(id string) action.Step {
	out := action.Sending
	for _, s := range p.steps {
		if s.plan == id {
			out = max(out, s.step)
		}
	}
	return out
}

func stepWord(s action.Step) string {
	switch s {
	case action.Sending:
		return "sending"
	case action.Sent:
		return "sent"
	case action.Following:
		return "running"
	case action.Ended:
	}
	return "ended"
}

// OutcomeLook is how the end of an action is shown, and its word.
func OutcomeLook(s action.State) (tok theme.Token, g theme.Glyph, word string) {
	switch s {
	case action.Done:
		return theme.OK, theme.GlyphOK, "done"
	case action.Unverified:
		return theme.Warn, theme.GlyphWarn, "sent, not verified"
	case action.Unknown:
		return theme.Crit, theme.GlyphWarn, "unknown"
	case action.Failed:
		return theme.Crit, theme.GlyphFailed, "failed"
	case action.Stale:
		return theme.Warn, theme.GlyphStale, "stale"
	case action.Refused:
	}
	return theme.Warn, theme.GlyphFailed, "refused"
}
