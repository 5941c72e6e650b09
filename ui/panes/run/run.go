// Package run is the detail of one run: its jobs and steps as a tree, what failed, what it waits for.
package run

import (
	"context"
	"errors"
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Pane is the detail. It asks for the jobs when it opens, and again whenever the run has changed in the
// snapshot.
type Pane struct {
	ref      sources.Ref
	run      *sources.Run // as last seen in a snapshot; nil: never
	feed     int          // of run; -1 when the newest snapshot has it no more
	asked    sources.Revision
	gen      int // of the newest question for jobs
	waiting  bool
	answered bool
	err      error

	tree   []*node
	layer  layer
	list   component.List[string]
	size   pane.Sized
	logGen int
	logJob sources.Ref
	logErr error
}

var _ pane.Pane = (*Pane)(nil)

// New makes the detail of a run.
func New(ref sources.Ref) *Pane {
	return &Pane{ref: ref, feed: -1, gen: 1, waiting: true, layer: layer{said: map[string]bool{}, quotes: map[string][]*node{}}}
}

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return pane.ID("run " + p.ref.String()) }

// Init implements pane.Pane: it asks for the jobs.
func (p *Pane) Init() tea.Cmd { return p.ask() }

// ask asks for every attempt's jobs once there is more than one.
func (p *Pane) ask() tea.Cmd {
	every := p.run != nil && p.run.Attempt > 1
	return kit.Send(pane.Load{From: p.ID(), Gen: p.gen, Ask: pane.Ask{Jobs: p.ref, EveryTry: every}})
}

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return false }

// Seconds implements pane.Pane: a running job's clock shows them.
func (p *Pane) Seconds(pane.Env) bool {
	return p.run != nil && p.run.State == sources.StateRunning
}

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	h := pane.Heading{Title: clean.Linef("Run %s", p.ref.ID)}
	if p.run == nil {
		return h
	}
	h.Title = kit.Text(kit.Dots(e.Theme, kit.Sep(" ", p.run.Service, p.run.Workflow.String()), "run "+strconv.Itoa(p.run.Number)))
	stale := kit.Staleness(e, p.feed)
	g, tok := e.Theme.State(p.run.State)
	h.Summary = []pane.Part{kit.P(kit.Verdict(tok, stale), e.Theme.Glyph(g).String()+" "+word(p.run))}
	if p.feed >= 0 && stale > store.Fresh {
		h.Stale = true
		h.Summary = kit.List(e.Theme, append([]pane.Part{kit.Old(e, e.Snap.Feeds[p.feed].Health.LastGood)}, h.Summary...)...)
	}
	return h
}

// word is the run's state, in the provider's own word where it says more.
func word(r *sources.Run) string {
	if !r.Reason.IsZero() {
		return r.Reason.String()
	}
	if r.Attempt > 1 {
		return r.State.String() + " on attempt " + strconv.Itoa(r.Attempt)
	}
	return r.State.String()
}

// Update implements pane.Pane.
func (p *Pane) Update(e pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	switch m := msg.(type) {
	case pane.Sized:
		p.size = m
		p.arrange(e)
	case pane.Changed:
		return p, p.changed(e)
	case pane.Reply:
		return p, p.reply(e, m)
	case pane.Click:
		if m.Wheel != 0 {
			p.list.Move(m.Wheel, p.lines())
		} else {
			p.list.Click(m.Y-p.above(e), p.lines())
		}
	case pane.Action:
		return p, p.act(e, m)
	}
	return p, nil
}

// changed finds the run in the new snapshot and asks again when it is not what it was.
func (p *Pane) changed(e pane.Env) tea.Cmd {
	p.find(e.Snap)
	p.arrange(e)
	if p.run == nil || p.run.Revision == p.asked {
		return nil
	}
	first := p.asked == "" && p.run.Attempt <= 1
	p.asked = p.run.Revision
	if first {
		return nil // Init's question is about this revision
	}
	return p.again()
}

func (p *Pane) again() tea.Cmd {
	p.gen++
	p.waiting = true
	return p.ask()
}

func (p *Pane) find(s *store.Snapshot) {
	p.feed = -1
	for i := range s.Feeds {
		f := &s.Feeds[i]
		if f.Key.Source != p.ref.Source || f.Key.Capability != store.Runs {
			continue
		}
		for j := range f.Runs {
			if f.Runs[j].Ref == p.ref {
				p.run, p.feed = &f.Runs[j], i
				return
			}
		}
	}
}

func (p *Pane) reply(e pane.Env, r pane.Reply) tea.Cmd {
	if errors.Is(r.Err, context.Canceled) {
		return nil
	}
	if r.Ask.Jobs == p.ref && r.Gen == p.gen {
		p.waiting = false
		if p.err = r.Err; r.Err != nil {
			return nil
		}
		first := !p.answered
		p.answered = true
		p.tree = grow(r.Answer.Jobs)
		p.flatten(e)
		if w := worst(p.tree); first && w != nil {
			p.list.Select(failedStep(w), p.lines())
		}
		return p.quote()
	}
	if r.Ask.Log == p.logJob && r.Gen == p.logGen {
		p.logErr = r.Err
		if w := worst(p.tree); r.Err == nil && w != nil && w.job.Ref == p.logJob {
			p.layer.quotes = map[string][]*node{failedStep(w): quoted(w, &r.Answer.Log)}
			p.flatten(e)
		}
	}
	return nil
}

// quote asks for the log of the worst job, once.
func (p *Pane) quote() tea.Cmd {
	w := worst(p.tree)
	if w == nil || w.job.Ref == p.logJob {
		return nil
	}
	p.logJob = w.job.Ref
	p.logGen++
	return kit.Send(pane.Load{From: p.ID(), Gen: p.logGen, Ask: pane.Ask{Log: p.logJob}})
}

func (p *Pane) flatten(e pane.Env) {
	p.layer.rows, p.layer.opened = p.layer.rows[:0], false
	p.layer.add(p.tree, 0)
	p.list.Sync(p.lines())
	p.arrange(e)
}

func (p *Pane) arrange(e pane.Env) { p.list.Resize(p.size.H-p.above(e), p.lines()) }

func (p *Pane) lines() component.Rows[string] {
	return component.Rows[string]{N: len(p.layer.rows), Key: func(i int) string { return p.layer.rows[i].key },
		Height: func(i int) int { return p.height(&p.layer.rows[i]) }}
}

func (p *Pane) act(e pane.Env, a pane.Action) tea.Cmd {
	if p.list.Do(a.Action, a.Count, p.lines()) {
		return nil
	}
	switch a.Action {
	case keymap.Back:
		return kit.Send(pane.Close{})
	case keymap.Refresh:
		return tea.Batch(p.again(), kit.Send(pane.Refresh{Feeds: p.feeds(e)}))
	case keymap.OpenDetail:
		return p.enter(e)
	case keymap.Logs:
		if j, ok := p.log(); ok {
			return kit.Send(pane.Open{Ref: j})
		}
	default:
	}
	return nil
}

func (p *Pane) feeds(e pane.Env) []store.FeedKey {
	if p.feed < 0 || p.feed >= len(e.Snap.Feeds) {
		return []store.FeedKey{{Source: p.ref.Source, Capability: store.Runs, Scope: p.ref.Scope}}
	}
	return []store.FeedKey{e.Snap.Feeds[p.feed].Key}
}

// enter opens or closes what has something below it; steps and quotes open the log.
func (p *Pane) enter(e pane.Env) tea.Cmd {
	i, ok := p.list.At()
	if !ok {
		return nil
	}
	switch n := p.layer.rows[i]; {
	case n.kind == step || n.kind == quote || n.kind == job && !n.opens:
		return kit.Send(pane.Open{Ref: n.job.Ref})
	case n.opens:
		p.layer.said[n.key] = !n.opened
		p.flatten(e)
	}
	return nil
}

// log is the job whose log l opens: the one under the cursor, else the one that people want.
func (p *Pane) log() (sources.Ref, bool) {
	if i, ok := p.list.At(); ok {
		if j := p.layer.rows[i].job; j != nil {
			return j.Ref, true
		}
		if w := worst([]*node{p.layer.rows[i].node}); w != nil {
			return w.job.Ref, true
		}
	}
	if w := worst(p.tree); w != nil {
		return w.job.Ref, true
	}
	var jobs []sources.Job
	for _, n := range p.tree {
		if n.kind == job {
			jobs = append(jobs, *n.job)
		}
	}
	return kit.LogJob(jobs)
}

// Keys implements pane.Pane.
func (p *Pane) Keys(pane.Env) []keymap.Binding {
	open, log := keymap.Binding{Action: keymap.OpenDetail, Help: "open"}, ""
	switch i, ok := p.list.At(); {
	case !ok:
		open.Disabled = "there is no job to open"
	case p.layer.rows[i].opens && p.layer.rows[i].opened:
		open.Help = "fold"
	case p.layer.rows[i].opens:
		open.Help = "unfold"
	default:
		open.Help = "open its log"
		open.Disabled = p.noLog(p.layer.rows[i].job)
	}
	if j, ok := p.log(); !ok {
		log = "no job of this run has a log yet"
	} else if i, some := p.list.At(); some && p.layer.rows[i].job != nil && p.layer.rows[i].job.Ref == j {
		log = p.noLog(p.layer.rows[i].job)
	}
	return []keymap.Binding{open, {Action: keymap.Logs, Help: "log", Disabled: log},
		{Action: keymap.Back, Help: "back"}}
}

// noLog is why a job has no log; "" when it has one, or may have.
func (p *Pane) noLog(j *sources.Job) string {
	switch {
	case j == nil:
		return "there is no job on this line"
	case j.State == sources.StateSkipped:
		return "this job was skipped: it has no log"
	case j.State == sources.StateQueued || j.State == sources.StateWaiting:
		return "this job has not begun: it has no log yet"
	}
	return ""
}

// Selected implements pane.Pane: the job under the cursor, else the run.
func (p *Pane) Selected(pane.Env) (pane.Selection, bool) {
	s := p.itself()
	if i, ok := p.list.At(); ok {
		if j := p.layer.rows[i].job; j != nil {
			s.Ref, s.Name = j.Ref, j.Name
			if j.URL != "" {
				s.URL = j.URL
			}
		}
	}
	return s, true
}

// itself is the run as a selection.
func (p *Pane) itself() pane.Selection {
	s := pane.Selection{Ref: p.ref, Name: clean.Linef("run %s", p.ref.ID)}
	if p.run != nil {
		s.Service, s.URL = p.run.Service, p.run.URL
		s.Name = kit.Text(strings.Join([]string{p.run.Service, p.run.Workflow.String(), strconv.Itoa(p.run.Number)}, " "))
	}
	return s
}

// above is how many lines the facts over the tree take, with the blank one below them.
func (p *Pane) above(e pane.Env) int {
	n := len(facts(e, p.run, p.feed))
	if p.size.H < 8 {
		n = min(n, 1)
	}
	if n > 0 && p.size.H >= 8 {
		n++
	}
	return n
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	top := p.above(e)
	for i, f := range facts(e, p.run, p.feed) {
		if i < top {
			kit.Spread(r.Sub(1, i, w-2, 1), e.Theme, 0, f.left, f.right, 20)
		}
	}
	body := r.Sub(0, top, w, h-top)
	switch {
	case p.err != nil && !p.answered:
		kit.ErrNotice("The jobs of this run could not be read.", p.err).Draw(body, e.Theme)
		return
	case !p.answered:
		kit.Notice{Token: theme.Busy, Glyph: theme.GlyphRunning, Title: "Asking " + p.ref.Source + " for the jobs" + kit.Ellipsis(e.Theme)}.Draw(body, e.Theme)
		return
	case len(p.layer.rows) == 0:
		kit.Notice{Token: theme.Muted, Glyph: theme.GlyphQueued, Title: "This run has no jobs yet."}.Draw(body, e.Theme)
		return
	}
	at, some := p.list.At()
	_, bh := body.Size()
	y := 0
	for i := p.list.Top(); i < len(p.layer.rows) && y < bh; i++ {
		n := min(p.height(&p.layer.rows[i]), bh-y)
		p.draw(e, body.Sub(0, y, w, n), &p.layer.rows[i])
		if some && i == at {
			kit.Mark(e, body, y, n)
		}
		y += n
	}
	if p.err != nil && bh > 2 {
		line := body.Sub(0, bh-1, w, 1)
		line.Fill(screen.Style{})
		kit.Parts(line, e.Theme, 1, 0, w-2, []pane.Part{kit.P(theme.Warn, "! "), kit.P(theme.Muted, "not read again: "+kit.ErrText(p.err).String())})
	}
}
