package dialog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

// NewHealth shows every feed: how it does, since when, and what would mend it. It follows the snapshot
// while it is open.
func NewHealth() *Page {
	return &Page{title: clean.Const("Sources"), width: 110, lines: healthLines, seconds: true}
}

// healthWord is the name of a state and how it is drawn.
func healthWord(s store.HealthState) (word string, tok theme.Token, glyph theme.Glyph) {
	switch s {
	case store.Loading:
		return "loading", theme.Muted, theme.GlyphQueued
	case store.Healthy:
		return "healthy", theme.OK, theme.GlyphSource
	case store.Degraded:
		return "partly answered", theme.Warn, theme.GlyphWarn
	case store.Throttled:
		return "waits for a rate limit", theme.Warn, theme.GlyphWaiting
	case store.Failing:
		return "failing", theme.Warn, theme.GlyphFailed
	case store.Refused:
		return "refused", theme.Crit, theme.GlyphFailed
	}
	return "unknown", theme.Muted, theme.GlyphQueued
}

// healthLines tells of each source what is wrong with how many of its feeds, and what mends it, before it
// lists the feeds, worst first.
func healthLines(e pane.Env, w int) []Line {
	var out []Line
	if len(e.Snap.Catalog.Sources) == 0 {
		return []Line{{{Token: theme.Muted, Text: clean.Const("no source is configured")}}}
	}
	for i, src := range e.Snap.Catalog.Sources {
		if i > 0 {
			out = append(out, nil)
		}
		out = append(out, Line{
			{Token: theme.Accent, Text: clean.Line(src.Name)},
			{Token: theme.Muted, Text: clean.Linef("  %s, reads %s", src.Type, capabilities(src.Capabilities))},
		})
		var feeds []*store.Feed
		for j := range e.Snap.Feeds {
			if f := &e.Snap.Feeds[j]; f.Key.Source == src.Name {
				feeds = append(feeds, f)
			}
		}
		out = append(out, sourceLines(e, feeds, w)...)
	}
	return out
}

func sourceLines(e pane.Env, feeds []*store.Feed, w int) []Line {
	if len(feeds) == 0 {
		return []Line{{{Token: theme.Muted, Text: clean.Const("  nothing has been asked yet")}}}
	}
	slices.SortStableFunc(feeds, func(a, b *store.Feed) int { return cmp.Compare(b.Health.State, a.Health.State) })
	var out []Line
	shared := budget(e, &feeds[0].Health)
	for _, f := range feeds {
		if budget(e, &f.Health) != shared {
			shared = ""
		}
	}
	if shared != "" {
		out = append(out, Line{{Token: theme.Muted, Text: clean.Line("  " + shared)}})
	}
	out = append(out, causes(e, feeds, w)...)
	name := 0
	for _, f := range feeds {
		name = max(name, feedName(f).Width())
	}
	for _, f := range feeds {
		out = append(out, feedLines(e, f, min(name, w/2), shared == "", w)...)
	}
	return out
}

// causes are what is wrong with the feeds of a source, each once, and how many suffer from it.
func causes(e pane.Env, feeds []*store.Feed, w int) []Line {
	var out []Line
	seen := map[string]bool{}
	for _, f := range feeds {
		err := f.Health.Err
		if err == nil || seen[insight.ErrorText(err).String()] {
			continue
		}
		text := insight.ErrorText(err)
		seen[text.String()] = true
		n := 0
		for _, g := range feeds {
			if g.Health.Err != nil && insight.ErrorText(g.Health.Err) == text {
				n++
			}
		}
		_, tok, _ := healthWord(f.Health.State)
		if n < len(feeds) {
			text = clean.Linef("%s (%d of %d feeds)", text, n, len(feeds))
		}
		out = append(out, advice(e.Theme, tok, text, clean.Line(err.Fix), w)...)
	}
	return out
}

func feedName(f *store.Feed) clean.Text {
	name := string(f.Key.Capability)
	if f.Key.Scope != "" {
		name += " of " + f.Key.Scope
	}
	return clean.Line(name)
}

func capabilities(caps []store.Capability) string {
	names := make([]string, len(caps))
	for i, c := range caps {
		names[i] = string(c)
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// feedLines are a feed's state and numbers, and what it has to say of parts of it.
func feedLines(e pane.Env, f *store.Feed, width int, ownBudget bool, w int) []Line {
	h := &f.Health
	word, tok, glyph := healthWord(h.State)
	name := feedName(f).Cut(width, e.Theme.Glyph(theme.GlyphEllipsis))
	head := Line{
		{Token: tok, Text: e.Theme.Glyph(glyph)},
		{Token: theme.Text, Text: clean.Line(" " + name.String() + strings.Repeat(" ", max(0, width-name.Width())+2))},
		{Token: tok, Text: clean.Line(word)},
	}
	if !h.Since.IsZero() && h.State != store.Healthy {
		head = append(head, pane.Part{Token: theme.Muted, Text: clean.Line(" for " + kit.Span(e.Now.Sub(h.Since)))})
	}
	facts := feedFacts(e, h)
	if b := budget(e, h); ownBudget && b != "" {
		facts += " · " + b
	}
	var out []Line
	if text := clean.Linef("  %s", facts); component.Width(head)+text.Width() <= w {
		out = append(out, append(head, pane.Part{Token: theme.Muted, Text: text}))
	} else {
		out = append(out, head)
		for _, t := range component.Wrap(clean.Line(facts), w-2) {
			out = append(out, Line{{Text: clean.Const("  ")}, {Token: theme.Muted, Text: t}})
		}
	}
	for _, n := range h.Notices {
		text := n.Text
		if n.Scope != "" && n.Scope != f.Key.Scope {
			text = clean.Linef("%s: %s", n.Scope, n.Text)
		}
		out = append(out, advice(e.Theme, theme.Warn, text, n.Fix, w)...)
	}
	return out
}

// feedFacts is the numbers of a feed in words.
func feedFacts(e pane.Env, h *store.Health) string {
	var facts []string
	switch {
	case h.LastGood.IsZero():
		facts = append(facts, "never read")
	case h.Cached:
		facts = append(facts, "from the disk, read "+kit.Span(e.Now.Sub(h.LastGood))+" ago")
	default:
		facts = append(facts, "read "+kit.Span(e.Now.Sub(h.LastGood))+" ago")
	}
	switch h.Staleness(e.Now) {
	case store.Fresh:
	case store.Stale:
		facts = append(facts, "stale")
	case store.VeryStale:
		facts = append(facts, "very stale")
	}
	switch {
	case h.Failures > 1:
		facts = append(facts, fmt.Sprintf("%d failures in a row", h.Failures))
	case h.Failures == 1:
		facts = append(facts, "1 failure")
	}
	if h.Latency > 0 {
		facts = append(facts, "took "+latency(h.Latency))
	}
	if !h.Next.IsZero() {
		if d := h.Next.Sub(e.Now); d >= time.Second {
			facts = append(facts, "next in "+kit.Span(d))
		} else {
			facts = append(facts, "asked now")
		}
	}
	if h.Interval > 0 {
		facts = append(facts, "every "+kit.Span(h.Interval))
	}
	return strings.Join(facts, " · ")
}

// budget is what is left of the rate budget that a feed shares; "" when nobody said.
func budget(e pane.Env, h *store.Health) string {
	r := h.Rate
	if r.Limit <= 0 {
		return ""
	}
	s := fmt.Sprintf("budget %s of %s", component.Number(r.Remaining), component.Number(r.Limit))
	if r.Reset.After(e.Now) {
		s += " until " + r.Reset.In(e.Zone).Format("15:04")
	}
	return s
}

func latency(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// advice is what is wrong, and under it what mends it.
func advice(th *theme.Theme, tok theme.Token, what, fix clean.Text, w int) []Line {
	var out []Line
	for _, t := range component.Wrap(what, w-2) {
		out = append(out, Line{{Text: clean.Const("  ")}, {Token: tok, Text: t}})
	}
	if fix.IsZero() {
		return out
	}
	lead := clean.Concat(clean.Const("  "), th.Glyph(theme.GlyphArrow), clean.Const(" "))
	for i, t := range component.Wrap(fix, w-lead.Width()) {
		if i > 0 {
			lead = clean.Const("    ")
		}
		out = append(out, Line{{Token: theme.Accent, Text: lead}, {Token: theme.Text, Text: t}})
	}
	return out
}
