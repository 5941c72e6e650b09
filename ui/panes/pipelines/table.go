package pipelines

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// The columns, from left to right. When room lacks, details go before names.
const (
	colService = iota
	colWorkflow
	colBranch
	colSHA
	colTitle
	colActor
	colFails
	colAge
	colState
	colCount
)

// margin is the place of the cursor and the state's glyph.
const margin = 3

// barWidth is the width of a progress bar.
const barWidth = 5

// usualState is the width of a bar and its times: "▰▰▱▱▱ 2m of 4m".
const usualState = barWidth + 1 + len("2m of 4m")

type table struct {
	want   [colCount]int
	short  int // what the states would take in their short words
	usual  int // what most of them take; longer ones borrow from the title
	widths []int
	places []int
	health map[string]insight.Health // of services
}

// measure finds what the columns would like. It is called when the rows change.
func (t *table) measure(rows []insight.Pipeline, e pane.Env) {
	t.want = [colCount]int{colService: len("SERVICE"), colWorkflow: len("WORKFLOW"), colBranch: len("BRANCH"),
		colSHA: 7, colTitle: len("COMMIT"), colState: len("STATE TIME"), colAge: len("STARTED")}
	t.short, t.usual = 0, len("STATE TIME")
	gutter := 0 // for the mark: it moves nothing when it comes
	if slices.ContainsFunc(insight.HealthFeeds(), e.Snap.Has) {
		gutter = 2
	}
	for i := range rows {
		p := &rows[i]
		t.grow(colService, serviceText(p).Width()+gutter)
		t.grow(colWorkflow, p.Run.Workflow.Width())
		t.grow(colBranch, branch(p.Run).Width())
		t.grow(colTitle, title(p.Run).Width())
		t.grow(colActor, p.Run.Actor.Width())
		if fails(p.Run) != "" {
			t.grow(colFails, len("20 of 20"))
		}
		word, short, took := status(e, p)
		t.grow(colState, word.Text.Width()+1+len(took))
		if short.IsZero() {
			short = word.Text
		}
		n := short.Width() + 1 + len(took)
		t.short = max(t.short, n)
		if n <= usualState {
			t.usual = max(t.usual, n)
		}
	}
}

func (t *table) grow(col, w int) { t.want[col] = max(t.want[col], w) }

// fit decides which columns show in a region w wide.
func (t *table) fit(w int, compact bool) {
	if w < 90 {
		if t.try(w, 15, t.usual, true); t.widths[colTitle] == 0 {
			t.try(w, 15, min(20, max(t.short, len("STATE TIME"))), true)
		}
		return
	}
	state := min(t.want[colState], 32)
	if t.try(w, 28, state, compact); t.widths[colTitle] == 0 {
		t.try(w, 12, state, true)
	}
}

// try shares w columns, with at least so many for the title and the state. plain leaves out what only
// big screens need.
func (t *table) try(w, titleMin, state int, plain bool) {
	limit := func(col, most int) int { return min(t.want[col], most) }
	name := 8
	if w >= 90 {
		name = limit(colWorkflow, 16)
	}
	cols := [colCount]kit.Column{
		colService:  {Min: limit(colService, leastService(w)), Want: limit(colService, 24)},
		colWorkflow: {Gap: 2, Min: name, Want: limit(colWorkflow, 24), Drop: 1},
		colBranch:   {Gap: 2, Min: min(11, t.want[colBranch]), Want: limit(colBranch, 28), Drop: 2},
		colSHA:      {Gap: 2, Min: 7, Want: 7, Drop: 5},
		colTitle:    {Gap: 1, Min: titleMin, Want: limit(colTitle, 60), Drop: 6, Grow: true},
		colActor:    {Gap: 2, Min: 6, Want: limit(colActor, 16), Drop: 8},
		colFails:    {Gap: 2, Min: 8, Want: t.want[colFails], Drop: 9},
		colAge:      {Gap: 2, Min: 7, Want: 7, Drop: 7},
		colState:    {Gap: 2, Min: min(state, max(t.short, t.usual)), Want: state},
	}
	if plain {
		cols[colActor].Want, cols[colFails].Want = 0, 0
		cols[colAge].Want = 0
	}
	room := w - margin - 1
	t.widths = kit.Fit(room, cols[:])
	if used := kit.Used(cols[:], t.widths); t.widths[colTitle] == 0 && used < room {
		t.widths[colState] += room - used
	}
	t.places = kit.Places(cols[:], t.widths)
}

// leastService is what a service's name and its mark get before any detail does.
func leastService(w int) int {
	if w < 90 {
		return 12
	}
	return 16
}

func (t *table) head(e pane.Env, r screen.Region) {
	for col, s := range [colCount]string{"SERVICE", "WORKFLOW", "BRANCH", "COMMIT", "", "BY", "FAILURES", "STARTED", "STATE"} {
		w := t.widths[col]
		if col == colSHA && w > 0 {
			w += 1 + t.widths[colTitle]
		}
		if col == colTitle && t.widths[colSHA] == 0 {
			s = "COMMIT"
		}
		x := margin + t.places[col]
		if col == colAge || col == colFails {
			kit.Right(r, e.Theme, x, 0, w, theme.Muted, kit.Text(s))
			continue
		}
		kit.Put(r, e.Theme, x, 0, w, theme.Muted, kit.Text(s))
	}
	if w := t.widths[colState]; w >= len("STATE TIME") {
		kit.Right(r, e.Theme, margin+t.places[colState], 0, w, theme.Muted, clean.Const("TIME"))
	}
}

// row draws one line, and the path of its failure below.
func (t *table) row(e pane.Env, r screen.Region, p *insight.Pipeline) {
	run := p.Run
	stale := kit.Staleness(e, p.Feed)
	glyph, tok := e.Theme.State(run.State)
	if p.Late > 0 {
		glyph, tok = theme.GlyphWarn, theme.Warn
	}
	tok = kit.Verdict(tok, stale)
	if stale == store.VeryStale {
		glyph = theme.GlyphStale
	}
	r.Text(1, 0, e.Theme.Style(tok), e.Theme.Glyph(glyph))
	name, text := theme.Text, theme.Muted
	if p.Open() {
		name, text = theme.Strong, theme.Text
	}
	t.service(e, r, p, name)
	t.put(e, r, colWorkflow, text, run.Workflow)
	t.put(e, r, colBranch, text, branch(run))
	t.put(e, r, colSHA, theme.Muted, sources.Version{SHA: run.Commit.SHA}.Short())
	x, room := t.titleRoom(e, p)
	kit.Put(r, e.Theme, x, 0, room, text, title(run))
	t.put(e, r, colActor, theme.Muted, run.Actor)
	t.right(e, r, colFails, failToken(run, stale), kit.Text(fails(run)))
	t.right(e, r, colAge, theme.Muted, kit.Text(kit.AgeSince(e.Now, run.Created)))
	t.state(e, r, p, stale)
	if height(p) > 1 {
		failure(e, r, run, stale)
	}
}

// service draws the name of the run's service, marked when that does not behave.
func (t *table) service(e pane.Env, r screen.Region, p *insight.Pipeline, name theme.Token) {
	w := t.widths[colService]
	tok, ill := t.mark(e, p)
	if !ill || w < 4 {
		t.put(e, r, colService, name, serviceText(p))
		return
	}
	x := margin + t.places[colService]
	x += kit.Put(r, e.Theme, x, 0, w-2, name, serviceText(p)) + 1
	r.Text(x, 0, e.Theme.Style(tok), e.Theme.Glyph(theme.GlyphWarn))
}

// mark is how bad the health of the run's service is; ill is false when nothing fresh says that it is.
func (t *table) mark(e pane.Env, p *insight.Pipeline) (tok theme.Token, ill bool) {
	h := t.health[p.Service]
	if !h.Known || kit.Staleness(e, h.Feed) == store.VeryStale {
		return theme.Text, false
	}
	switch h.Sense {
	case insight.Crit:
		return theme.Crit, true
	case insight.Warn:
		return theme.Warn, true
	case insight.Quiet, insight.Busy:
	}
	return theme.Text, false
}

func (t *table) put(e pane.Env, r screen.Region, col int, tok theme.Token, s clean.Text) {
	kit.Put(r, e.Theme, margin+t.places[col], 0, t.widths[col], tok, s)
}

func (t *table) right(e pane.Env, r screen.Region, col int, tok theme.Token, s clean.Text) {
	kit.Right(r, e.Theme, margin+t.places[col], 0, t.widths[col], tok, s)
}

// leastTitle is the least of a title that says something.
const leastTitle = 5

// titleRoom is where a row's title stands, and how wide it may be: a state that says more than most
// takes the rest of its words from there.
func (t *table) titleRoom(e pane.Env, p *insight.Pipeline) (x, w int) {
	x, w = margin+t.places[colTitle], t.widths[colTitle]
	if borrowed := t.borrowed(e, p); borrowed > 0 {
		if w -= borrowed; w < leastTitle {
			w = 0
		}
	}
	return x, w
}

// borrowed is by how much a row's state is wider than its column, where a title and nothing else stands
// before it.
func (t *table) borrowed(e pane.Env, p *insight.Pipeline) int {
	if t.widths[colTitle] == 0 || t.widths[colActor]+t.widths[colFails]+t.widths[colAge] > 0 {
		return 0
	}
	word, short, took := status(e, p)
	over := word.Text.Width() + 1 + len(took) - t.widths[colState]
	if over > t.widths[colTitle] && !short.IsZero() {
		over = short.Width() + 1 + len(took) - t.widths[colState]
	}
	return max(0, min(over, t.widths[colTitle]))
}

func (t *table) state(e pane.Env, r screen.Region, p *insight.Pipeline, stale store.Staleness) {
	x, w := margin+t.places[colState], t.widths[colState]
	if b := t.borrowed(e, p); b > 0 {
		x, w = x-b, w+b
	}
	word, short, took := status(e, p)
	room := w - len(took) - 1
	if word.Text.Width() > room && !short.IsZero() {
		word.Text = short
	}
	kit.Right(r, e.Theme, x, 0, w, theme.Muted, kit.Text(took))
	kit.Put(r, e.Theme, x, 0, room, kit.Verdict(word.Token, stale), word.Text)
}

// title is the commit's, without the number of the pull request that a squashed one ends with; a run
// without a commit has its own.
func title(r *sources.Run) clean.Text {
	t := r.Commit.Title
	if t.IsZero() {
		return r.Title
	}
	if s := t.String(); strings.HasSuffix(s, ")") {
		if i := strings.LastIndex(s, " (#"); i > 0 && strings.Trim(s[i+3:len(s)-1], "0123456789") == "" {
			return clean.Line(s[:i])
		}
	}
	return t
}

func serviceText(p *insight.Pipeline) clean.Text {
	if p.Others > 0 {
		return kit.Text(p.Service + " +" + number(p.Others))
	}
	return kit.Text(p.Service)
}

func number(n int) string { return strconv.Itoa(n) }

// fails is the failure rate of the run's workflow, from one in ten on.
func fails(r *sources.Run) string {
	if r.Of == 0 || r.Failed*10 < r.Of {
		return ""
	}
	return number(r.Failed) + " of " + number(r.Of)
}

func failToken(r *sources.Run, stale store.Staleness) theme.Token {
	if r.Of > 0 && r.Failed*4 >= r.Of {
		return kit.Verdict(theme.Warn, stale)
	}
	return theme.Muted
}

// status is what a run does or did, the same in a shorter way where there is one, and for how long.
func status(e pane.Env, p *insight.Pipeline) (word pane.Part, short clean.Text, took string) {
	r := p.Run
	if p.Late > 0 {
		return kit.P(theme.Warn, "late"), short, "by " + kit.Age(p.Late)
	}
	switch r.State {
	case sources.StateRunning:
		if kit.Staleness(e, p.Feed) == store.VeryStale {
			return kit.P(theme.Busy, "was running"), short, "" // how far it came nobody knows
		}
		word, took = running(e, r)
		return word, short, took
	case sources.StateWaiting:
		word, short = waiting(e, r)
		return word, short, kit.AgeSince(e.Now, since(r))
	case sources.StateQueued:
		if len(r.NoRunner) > 0 {
			return kit.P(theme.Warn, "no runner for ["+strings.Join(r.NoRunner, " ")+"]"), clean.Const("no runner"), kit.AgeSince(e.Now, r.Created)
		}
		return kit.P(theme.Muted, "queued"), short, kit.AgeSince(e.Now, r.Created)
	case sources.StatePassed:
		if r.Attempt > 1 {
			return kit.P(theme.Muted, "passed on attempt "+number(r.Attempt)), kit.Text("passed, try " + number(r.Attempt)), length(r)
		}
	case sources.StateFailed, sources.StateUnknown, sources.StateCancelled, sources.StateSkipped, sources.StateSuperseded:
	}
	said := r.State.String()
	if !r.Reason.IsZero() {
		said = r.Reason.String()
	}
	return kit.P(doneToken(r.State), said), short, length(r)
}

func doneToken(s sources.State) theme.Token {
	switch s {
	case sources.StateFailed:
		return theme.Crit
	case sources.StateUnknown:
		return theme.Warn
	default:
		return theme.Muted
	}
}

func running(e pane.Env, r *sources.Run) (word pane.Part, took string) {
	began := r.Started
	if began.IsZero() {
		began = r.Created
	}
	passed := max(0, e.Now.Sub(began))
	if r.Expected <= 0 {
		return kit.P(theme.Busy, "running"), kit.Minutes(passed)
	}
	tok := theme.Busy
	if passed > r.Expected*3/2 {
		tok = theme.Warn
	}
	return pane.Part{Token: tok, Text: kit.Bar(e.Theme, barWidth, kit.Frac(passed, r.Expected))},
		kit.Minutes(passed) + " of " + kit.Minutes(r.Expected)
}

// waiting says for whom or what a run waits, and the same in a shorter way.
func waiting(e pane.Env, r *sources.Run) (word pane.Part, short clean.Text) {
	who := reviewers(r.Gates)
	gate := insight.GateOf(r.Gates)
	switch {
	case insight.ForMe(r):
		return kit.P(theme.Warn, "waits for you"), short
	case gate != nil && !gate.Blocked.IsZero():
		return kit.P(theme.Warn, "waits: "+gate.Blocked.String()), clean.Const("blocked")
	case !who.IsZero():
		return kit.P(theme.Warn, "waits for "+who.String()), who
	case gate != nil && gate.Until.After(e.Now):
		until := "until " + kit.Clock(e.Now, gate.Until, e.Zone)
		return kit.P(theme.Warn, "waits "+until), kit.Text(until)
	default:
		return kit.P(theme.Warn, "waits for a person"), clean.Const("waits")
	}
}

// since is when a waiting run began to wait.
func since(r *sources.Run) time.Time {
	if g := insight.GateOf(r.Gates); g != nil && !g.Since.IsZero() {
		return g.Since
	}
	return r.Created
}

// length is how long a finished run took; "" when the provider does not say.
func length(r *sources.Run) string {
	if r.Ended.IsZero() || r.Started.IsZero() {
		return ""
	}
	return kit.Took(r.Ended.Sub(r.Started))
}

// failure draws the path to what failed, and how much of a matrix did.
func failure(e pane.Env, r screen.Region, run *sources.Run, stale store.Staleness) {
	w, _ := r.Size()
	f := run.Failure
	path := kit.Text(kit.Sep(" "+e.Theme.Glyph(theme.GlyphPath).String()+" ", f.Caller.String(), f.JobName.String(), f.Step.String()))
	room := w - margin - 3
	if f.Legs > 1 && w >= 50 {
		right := number(f.Failed) + " of " + number(f.Legs)
		if long := right + " in matrix"; path.Width()+len(long)+2 <= room {
			right = long
		}
		kit.Right(r, e.Theme, margin, 1, w-margin-1, theme.Muted, kit.Text(right))
		room -= len(right) + 2
	}
	r.Text(margin, 1, e.Theme.Style(theme.Muted), e.Theme.Glyph(theme.GlyphChild))
	if path.Width() > room && f.Step.Width() < room {
		path = path.CutLeft(room, e.Theme.Glyph(theme.GlyphEllipsis)) // what failed stands at its end
	}
	kit.Put(r, e.Theme, margin+2, 1, room, kit.Verdict(theme.Crit, stale), path)
}

// Brief is a pipeline in one line, without its service.
func Brief(e pane.Env, p *insight.Pipeline) []pane.Part {
	stale := kit.Staleness(e, p.Feed)
	g, tok := e.Theme.State(p.Run.State)
	word, _, took := status(e, p)
	word.Token = kit.Verdict(word.Token, stale)
	return []pane.Part{{Token: kit.Verdict(tok, stale), Text: e.Theme.Glyph(g)},
		kit.P(theme.Text, " "+p.Run.Workflow.String()), kit.P(theme.Muted, "  "+branch(p.Run).String()+"  "), word, kit.P(theme.Muted, " "+took)}
}
