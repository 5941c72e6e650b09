package ui

import (
	"fmt"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

// sourceHealth is how one source does: as its worst feed, and how many feeds do so.
type sourceHealth struct {
	name   string
	token  theme.Token
	glyph  theme.Glyph
	words  string // "" while all is well
	age    string // of the oldest data, while it is not read
	budget string // what is left of the rate budget, when it is tight
}

// tightBudget is the part of a rate budget below which the header shows it.
const tightBudget = 0.2

// healths sums up the feeds of each source, in one pass over them.
func healths(s *store.Snapshot, now time.Time) []sourceHealth {
	out := make([]sourceHealth, 0, len(s.Catalog.Sources))
	for _, src := range s.Catalog.Sources {
		var t tally
		for i := range s.Feeds {
			if s.Feeds[i].Key.Source == src.Name {
				t.add(&s.Feeds[i].Health, now)
			}
		}
		h := t.sum(now)
		h.name = src.Name
		out = append(out, h)
	}
	return out
}

// tally counts the feeds of a source.
type tally struct {
	n     int
	by    [store.Refused + 1]int
	worst *store.Health
	stale *store.Health // the oldest that is stale
	// oldest is the oldest of those that fail.
	oldest *store.Health
	left   float64 // the least part of a budget
	tight  *store.Health
}

func (t *tally) add(h *store.Health, now time.Time) {
	t.n++
	if int(h.State) < len(t.by) {
		t.by[h.State]++
	}
	if t.worst == nil || h.State > t.worst.State {
		t.worst = h
	}
	if h.Staleness(now) > store.Fresh && (t.stale == nil || h.LastGood.Before(t.stale.LastGood)) {
		t.stale = h
	}
	if h.State >= store.Throttled && !h.LastGood.IsZero() && (t.oldest == nil || h.LastGood.Before(t.oldest.LastGood)) {
		t.oldest = h
	}
	if r := h.Rate; r.Limit > 0 && (r.Reset.IsZero() || r.Reset.After(now)) {
		if left := float64(r.Remaining) / float64(r.Limit); left < tightBudget && (t.tight == nil || left < t.left) {
			t.tight, t.left = h, left
		}
	}
}

func (t *tally) sum(now time.Time) sourceHealth {
	h := sourceHealth{token: theme.Muted, glyph: theme.GlyphQueued}
	if t.tight != nil {
		h.budget = fmt.Sprintf("%d %% of its budget left", int(t.left*100))
	}
	if t.n == 0 || t.by[store.Loading] == t.n {
		return h
	}
	h.token, h.glyph = theme.OK, theme.GlyphSource
	switch t.worst.State {
	case store.Loading, store.Healthy:
	case store.Degraded:
		h.token, h.glyph, h.words = theme.Warn, theme.GlyphWarn, t.some("partly")
	case store.Throttled:
		h.token, h.glyph, h.words, h.age = theme.Warn, theme.GlyphWaiting, t.some("rate limit"), t.age(now)
	case store.Failing, store.Refused:
		h.glyph, h.words, h.age = theme.GlyphFailed, t.some(why(t.worst.Err)), t.age(now)
		h.token = theme.Warn
		if t.worst.State == store.Refused {
			h.token = theme.Crit
		}
	}
	if t.stale != nil && t.worst.State <= store.Degraded {
		h.token, h.glyph = theme.Warn, theme.GlyphStale
		h.words = kit.Span(now.Sub(t.stale.LastGood)) + " old"
	}
	return h
}

// age says how old the oldest data is that nobody confirmed since; "" under a minute, and
// when none was ever read.
func (t *tally) age(now time.Time) string {
	if t.oldest == nil || now.Sub(t.oldest.LastGood) < time.Minute {
		return ""
	}
	return kit.Span(now.Sub(t.oldest.LastGood)) + " old"
}

// some says what is wrong, and of how many feeds where it is not all of them.
func (t *tally) some(what string) string {
	if n := t.by[t.worst.State]; n < t.n {
		return fmt.Sprintf("%s (%d of %d feeds)", what, n, t.n)
	}
	return what
}

// why is the kind of an error in a word or two.
func why(e *sources.Error) string {
	if e == nil {
		return "failing"
	}
	switch e.Kind {
	case sources.Transient:
		return "unreachable"
	case sources.Invalid:
		return "bad answer"
	case sources.Permission:
		return "no access"
	case sources.NotExist:
		return "not found"
	case sources.Conflict:
		return "conflict"
	case sources.Throttled:
		return "rate limit"
	case sources.Ambiguous:
		return "unclear answer"
	case sources.Unsupported:
		return "not supported"
	}
	return "failing"
}

// short is what is wrong in the fewest words: how old the data is, where it is old.
func (h *sourceHealth) short() string {
	if h.age != "" {
		return h.age
	}
	words, _, _ := strings.Cut(h.words, " (")
	return words
}

// healthDetail is how much room the header spends on the sources.
type healthDetail uint8

const (
	healthFull   healthDetail = iota // names and words
	healthNames                      // names, words of what fails alone
	healthShort                      // names, the fewest words of what fails
	healthGlyphs                     // names of what fails alone
	healthWorst                      // one glyph: the worst
	healthNone
)

// parts draws the sources' health in so much detail.
func healthParts(hs []sourceHealth, th *theme.Theme, d healthDetail) []component.Part {
	var out []component.Part
	if d == healthNone || len(hs) == 0 {
		return nil
	}
	if d == healthWorst {
		worst := hs[0]
		for _, h := range hs {
			if severity(h.token) > severity(worst.token) {
				worst = h
			}
		}
		return []component.Part{{Token: worst.token, Text: th.Glyph(worst.glyph)}}
	}
	for _, h := range hs {
		if len(out) > 0 {
			gap := clean.Const("  ")
			if d == healthGlyphs {
				gap = clean.Const(" ")
			}
			out = append(out, component.Part{Text: gap})
		}
		out = append(out, h.parts(th, d)...)
	}
	return out
}

func (h sourceHealth) parts(th *theme.Theme, d healthDetail) []component.Part {
	var out []component.Part
	quiet := h.words == "" && h.budget == ""
	if d < healthGlyphs || !quiet {
		out = append(out, component.Part{Token: theme.Muted, Text: clean.Line(h.name + " ")})
	}
	out = append(out, component.Part{Token: h.token, Text: th.Glyph(h.glyph)})
	words := h.words
	if d == healthShort {
		words = h.short()
	}
	if words != "" && d < healthGlyphs {
		out = append(out, component.Part{Token: h.token, Text: clean.Line(" " + words)})
	}
	if h.age != "" && d < healthShort {
		out = append(out, component.Part{Token: h.token, Text: clean.Line(", " + h.age)})
	}
	if h.budget != "" && d == healthFull {
		out = append(out, component.Part{Token: theme.Warn, Text: clean.Line(" " + h.budget)})
	}
	return out
}

func severity(t theme.Token) int {
	switch t {
	case theme.Crit:
		return 3
	case theme.Warn:
		return 2
	case theme.OK:
		return 1
	default:
		return 0
	}
}
