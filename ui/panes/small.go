package panes

import (
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/panes/deployments"
	"example.com/signalbox/ui/panes/metrics"
	"example.com/signalbox/ui/panes/pipelines"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// facts is what the small views derive, kept until the data, the view or the minute change: they are
// asked for with every frame.
type facts struct {
	caps   []store.Capability
	key    insight.Key
	feeds  []store.HealthState // troubles name feeds that fail
	view   insight.View
	minute time.Time
	made   bool

	runs     insight.Pipelines
	lanes    insight.Deployments
	troubles []insight.Trouble
	waits    []insight.Trouble
	glance   metrics.Glance
}

func newFacts() *facts {
	return &facts{caps: append(insight.LaneFeeds(), insight.ProblemFeeds()...)}
}

func (f *facts) derive(e pane.Env) {
	v := insight.View{Whose: kit.Whose(e.Whose), Follow: e.Follow}
	minute := e.Now.Truncate(time.Minute)
	if f.made && f.view == v && f.minute.Equal(minute) && f.key.Holds(e.Snap, f.caps...) && f.healthHolds(e.Snap) {
		return
	}
	y, m, d := e.Now.In(e.Zone).Date()
	f.runs = e.Known.Pipelines(e.Snap, v, e.Now)
	f.lanes = e.Known.Deployments(e.Snap, v, time.Date(y, m, d, 0, 0, 0, 0, e.Zone), e.Now)
	f.troubles = e.Known.Troubles(e.Snap, &f.runs, &f.lanes, e.Now)
	f.waits = insight.Waits(&f.runs, &f.lanes)
	f.key, f.view, f.minute, f.made = insight.KeyOf(e.Snap, f.caps...), v, minute, true
	f.feeds = f.feeds[:0]
	for i := range e.Snap.Feeds {
		f.feeds = append(f.feeds, e.Snap.Feeds[i].Health.State)
	}
}

func (f *facts) healthHolds(s *store.Snapshot) bool {
	if len(f.feeds) != len(s.Feeds) {
		return false
	}
	for i := range s.Feeds {
		if s.Feeds[i].Health.State != f.feeds[i] {
			return false
		}
	}
	return true
}

// Strips makes the boxes of the narrow layout: the service under the cursor at a glance, then what waits
// for a person. The returned function is for one board.
func Strips() pane.Strips {
	f := newFacts()
	return func(e pane.Env, service string) []pane.Strip {
		f.derive(e)
		var out []pane.Strip
		if s, ok := serviceStrip(e, f, service); ok {
			out = append(out, s)
		}
		if s, ok := waitStrip(e, f); ok {
			out = append(out, s)
		}
		return out
	}
}

// serviceStrip shows how a service behaves, its lane, one line a stage, production first, then its newest runs.
func serviceStrip(e pane.Env, f *facts, service string) (pane.Strip, bool) {
	if e.Follow != "" {
		service = e.Follow
	}
	var lines [][]pane.Part
	for i := range f.lanes.Lanes {
		if l := &f.lanes.Lanes[i]; l.Service == service {
			lines = append(lines, deployments.Brief(e, l)...)
		}
	}
	runs := 0
	for i := range f.runs.Rows {
		if p := &f.runs.Rows[i]; p.Service == service && runs < 2 {
			lines = append(lines, pipelines.Brief(e, p))
			runs++
		}
	}
	f.glance.Derive(e, service)
	above := f.glance.Lines()
	if service == "" || above+len(lines) == 0 {
		return pane.Strip{}, false
	}
	h := pane.Heading{Title: kit.Text(service)}
	if above > 0 {
		h.Summary = []pane.Part{kit.P(theme.Muted, "last 1h")}
	}
	return pane.Strip{Heading: h, Lines: above + len(lines), Draw: func(r screen.Region) {
		w, h := r.Size()
		f.glance.Draw(e, r.Sub(0, 0, w, above))
		drawLines(e, r.Sub(0, above, w, h-above), lines)
	}}, true
}

// waitLines is how many lines the list of what waits would like at most.
const waitLines = 3

func waitStrip(e pane.Env, f *facts) (pane.Strip, bool) {
	if len(f.waits) == 0 {
		return pane.Strip{}, false
	}
	lines := make([][]pane.Part, len(f.waits))
	for i := range f.waits {
		lines[i] = troubleParts(e, &f.waits[i], width(f.waits))
	}
	h := pane.Heading{Title: clean.Const("waits for a person")}
	if more := len(lines) - waitLines; more > 0 {
		h.Summary = []pane.Part{kit.P(theme.Muted, strconv.Itoa(len(lines))+" in all")}
	}
	return pane.Strip{Heading: h, Lines: min(len(lines), waitLines), Draw: func(r screen.Region) { drawLines(e, r, lines) }}, true
}

func drawLines(e pane.Env, r screen.Region, lines [][]pane.Part) {
	w, h := r.Size()
	for y := range min(h, len(lines)) {
		kit.Parts(r, e.Theme, 1, y, w-2, lines[y])
	}
}

// Wrong makes the list of what is wrong, for screens too small for a board. The returned function is for
// one board.
func Wrong() pane.Wrong {
	f := newFacts()
	return func(e pane.Env) [][]pane.Part {
		f.derive(e)
		out := make([][]pane.Part, 0, len(f.troubles)+len(f.waits))
		column := max(width(f.troubles), width(f.waits))
		for i := range f.troubles {
			out = append(out, troubleParts(e, &f.troubles[i], column))
		}
		for i := range f.waits {
			if f.waits[i].Kind == insight.GateWaits {
				out = append(out, troubleParts(e, &f.waits[i], column))
			}
		}
		return out
	}
}

// width is the widest service of ts, within reason.
func width(ts []insight.Trouble) int {
	w := 0
	for i := range ts {
		w = max(w, kit.Text(ts[i].Service).Width())
	}
	return min(w, 16)
}

// troubleParts is a trouble in one line: glyph, service in a column of so many cells, what, how long.
func troubleParts(e pane.Env, t *insight.Trouble, column int) []pane.Part {
	g, tok := glyphOf(t)
	stale := kit.Staleness(e, t.Feed)
	tok = kit.Verdict(tok, stale)
	if stale == store.VeryStale {
		g = theme.GlyphStale
	}
	name := theme.Strong
	if t.Sense < insight.Warn {
		name = theme.Text
	}
	service := kit.Text(t.Service).Cut(column, e.Theme.Glyph(theme.GlyphEllipsis))
	parts := []pane.Part{{Token: tok, Text: e.Theme.Glyph(g)}, kit.P(theme.Text, " "), {Token: name, Text: service}, kit.P(theme.Text, strings.Repeat(" ", max(0, column-service.Width())+2)),
		{Token: theme.Text, Text: t.Text}}
	if a := kit.AgeSince(e.Now, t.Since); a != "" {
		parts = append(parts, kit.P(theme.Muted, "  "+a))
	}
	return parts
}

func glyphOf(t *insight.Trouble) (theme.Glyph, theme.Token) {
	tok := theme.Text
	switch t.Sense {
	case insight.Crit:
		tok = theme.Crit
	case insight.Warn:
		tok = theme.Warn
	case insight.Busy:
		tok = theme.Busy
	case insight.Quiet:
	}
	switch t.Kind {
	case insight.IncidentOpen:
		return theme.GlyphTriggered, tok
	case insight.IncidentHeld:
		return theme.GlyphAcked, tok
	case insight.DeploymentFailed, insight.RunFailed:
		return theme.GlyphFailed, tok
	case insight.NoRunner:
		return theme.GlyphQueued, tok
	case insight.GateWaits:
		return theme.GlyphWaiting, tok
	case insight.VersionsDisagree, insight.SourceDown, insight.ConfigBroken, insight.SourceFails, insight.RunLate:
	}
	return theme.GlyphWarn, tok
}
