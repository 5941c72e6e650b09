// Package pipelines is the pane of the runs: what builds, what failed where, what waits for whom.
package pipelines

import (
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// ID is the pane's name.
const ID pane.ID = "pipelines"

// Pane is the pane. It derives its rows when the board changes, never while it draws.
type Pane struct {
	all   insight.Pipelines
	rows  []int // the rows of all that the filter lets through
	key   insight.Key
	view  insight.View
	at    time.Time   // the minute of the derivation: ages hide and show rows
	ill   insight.Key // of what the services' health was derived from
	list  kit.Listing[sources.Ref]
	marks map[sources.Ref]bool // runs that something is done to together
	table table
	asked sources.Ref
	gen   int
}

var _ pane.Pane = (*Pane)(nil)

// New makes the pane.
func New() *Pane { return &Pane{list: kit.Listing[sources.Ref]{Head: true}} }

// ID implements pane.Pane.
func (p *Pane) ID() pane.ID { return ID }

// Init implements pane.Pane.
func (p *Pane) Init() tea.Cmd { return nil }

// Typing implements pane.Pane.
func (p *Pane) Typing() bool { return p.list.Filter.Typing() }

// Seconds implements pane.Pane: its clocks show minutes.
func (p *Pane) Seconds(pane.Env) bool { return false }

func subject() kit.Subject {
	return kit.Subject{What: "pipelines", Caps: []store.Capability{store.Runs}}
}

// Heading implements pane.Pane.
func (p *Pane) Heading(e pane.Env) pane.Heading {
	h := pane.Heading{Title: clean.Const("Pipelines")}
	sum := subject().Feeds(e)
	c := p.all.Counts
	var parts, tab []pane.Part
	if n := len(p.marks); n > 0 {
		parts = append(parts, kit.P(theme.Accent, number(n)+" marked"))
	}
	say := func(n int, tok theme.Token, word string, g theme.Glyph) {
		if n == 0 {
			return
		}
		parts = append(parts, kit.P(kit.Verdict(tok, sum.Stale), number(n)+" "+word))
		mark := kit.P(kit.Verdict(tok, sum.Stale), number(n)+e.Theme.Glyph(g).String())
		h.Short = kit.Spaced(h.Short, mark)
		if tok == theme.Crit || tok == theme.Warn {
			tab = kit.Spaced(tab, mark)
		}
	}
	say(c.Running, theme.Busy, "running", theme.GlyphRunning)
	say(c.Failed, theme.Crit, "failed", theme.GlyphFailed)
	say(c.Waiting, theme.Warn, "waiting", theme.GlyphWaiting)
	say(c.Stuck, theme.Warn, "no runner", theme.GlyphQueued)
	say(c.Queued-c.Stuck, theme.Muted, "queued", theme.GlyphQueued)
	if len(parts) == 0 && len(p.all.Rows) > 0 {
		parts = append(parts, kit.P(theme.Muted, "all quiet"))
	}
	h.Summary, h.Tab = kit.List(e.Theme, parts...), tab
	kit.Summary(e, &h, sum)
	return h
}

// Update implements pane.Pane.
func (p *Pane) Update(e pane.Env, msg tea.Msg) (pane.Pane, tea.Cmd) {
	taken, changed := p.list.Take(msg, p.lines())
	if changed {
		p.narrow(e)
	}
	if taken {
		return p, nil
	}
	switch m := msg.(type) {
	case pane.Changed:
		p.derive(e)
	case pane.Action:
		return p, p.act(e, m)
	case pane.Reply:
		return p, p.answered(m)
	}
	return p, nil
}

// derive makes the rows anew when the runs, the services' health, the view or the minute changed.
func (p *Pane) derive(e pane.Env) {
	v := insight.View{Whose: kit.Whose(e.Whose), Follow: e.Follow}
	if p.list.Chosen() {
		v.Keep, _ = p.list.Key()
	}
	minute := e.Now.Truncate(time.Minute)
	same := p.view.Whose == v.Whose && p.view.Follow == v.Follow && p.at.Equal(minute)
	if !p.at.Equal(minute) || !p.ill.Holds(e.Snap, insight.HealthFeeds()...) {
		p.table.health, p.ill = e.Known.Healths(e.Snap, e.Now), insight.KeyOf(e.Snap, insight.HealthFeeds()...)
		same = false
	}
	if !same || !p.key.Holds(e.Snap, store.Runs) {
		p.all = e.Known.Pipelines(e.Snap, v, e.Now)
		p.key, p.view, p.at = insight.KeyOf(e.Snap, store.Runs), v, minute
		p.table.measure(p.all.Rows, e)
	}
	p.narrow(e)
}

// narrow applies the filter, and shares the region's lines between head, filter, list and remarks.
func (p *Pane) narrow(e pane.Env) {
	words := p.list.Filter.Words()
	p.rows = p.rows[:0]
	for i := range p.all.Rows {
		if p.all.Rows[i].Matches(words) {
			p.rows = append(p.rows, i)
		}
	}
	p.forget()
	sum, size := subject().Feeds(e), p.list.Size()
	p.list.Sync(p.lines(), sum.Loading == 0)
	p.table.fit(size.W, e.Compact)
	p.list.Arrange(len(subject().Remarks(e, sum, size.W-2)), p.lines())
}

func (p *Pane) row(i int) *insight.Pipeline { return &p.all.Rows[p.rows[i]] }

func (p *Pane) lines() component.Rows[sources.Ref] {
	return component.Rows[sources.Ref]{N: len(p.rows),
		Key:    func(i int) sources.Ref { return p.row(i).Run.Ref },
		Height: func(i int) int { return height(p.row(i)) }}
}

func (p *Pane) act(e pane.Env, a pane.Action) tea.Cmd {
	i, some := p.list.At()
	switch a.Action {
	case keymap.Mark:
		p.mark()
	case keymap.Back:
		if len(p.marks) > 0 {
			p.marks = nil
			return nil
		}
		return kit.Send(pane.Close{})
	case keymap.Refresh:
		return kit.Send(subject().Refresh(e))
	case keymap.OpenDetail:
		if some {
			return kit.Send(pane.Open{Ref: p.row(i).Run.Ref})
		}
	case keymap.Logs:
		if some {
			return p.openLog(p.row(i).Run)
		}
	default:
	}
	return nil
}

// openLog opens the log of the run's failed job, else asks for its jobs to find the one to show.
func (p *Pane) openLog(r *sources.Run) tea.Cmd {
	if r.Failure != nil && !r.Failure.Job.IsZero() {
		return kit.Send(pane.Open{Ref: r.Failure.Job})
	}
	p.gen++
	p.asked = r.Ref
	return kit.Send(pane.Load{From: ID, Gen: p.gen, Ask: pane.Ask{Jobs: r.Ref}})
}

func (p *Pane) answered(r pane.Reply) tea.Cmd {
	if r.Gen != p.gen || r.Ask.Jobs != p.asked {
		return nil
	}
	p.asked = sources.Ref{}
	if r.Err != nil {
		return kit.Send(pane.Toast{Token: theme.Warn, Text: kit.ErrText(r.Err)})
	}
	job, ok := kit.LogJob(r.Answer.Jobs)
	if !ok {
		return kit.Send(pane.Toast{Token: theme.Muted, Text: clean.Const("no job of this run has a log yet")})
	}
	return kit.Send(pane.Open{Ref: job})
}

// Keys implements pane.Pane.
func (p *Pane) Keys(pane.Env) []keymap.Binding {
	none, quiet := "", ""
	if _, ok := p.list.At(); !ok {
		none = "no run is selected"
	}
	if len(p.all.Rows) == 0 {
		quiet = "there is nothing to filter"
	}
	return []keymap.Binding{
		{Action: keymap.OpenDetail, Help: "open", Disabled: none},
		{Action: keymap.Logs, Help: "log", Disabled: none},
		{Action: keymap.Mark, Help: p.markHelp(), Disabled: none},
		{Action: keymap.Filter, Help: "filter", Disabled: quiet},
	}
}

// Selected implements pane.Pane.
func (p *Pane) Selected(pane.Env) (pane.Selection, bool) {
	i, ok := p.list.At()
	if !ok {
		return pane.Selection{}, false
	}
	return selection(p.row(i)), true
}

func selection(row *insight.Pipeline) pane.Selection {
	return pane.Selection{Ref: row.Run.Ref, Service: row.Service, URL: row.Run.URL,
		Name: clean.Line(strings.Join([]string{row.Service, row.Run.Workflow.String(), branch(row.Run).String()}, " "))}
}

// Draw implements pane.Pane.
func (p *Pane) Draw(e pane.Env, r screen.Region) {
	w, _ := r.Size()
	sum := subject().Feeds(e)
	if len(p.all.Rows) == 0 {
		subject().Missing(e, sum, p.empty(e)).Draw(r, e.Theme)
		return
	}
	p.list.Draw(e, r, p.lines(), kit.Drawing{
		Head: func(r screen.Region) { p.table.head(e, r) },
		Row:  func(r screen.Region, i int) { p.draw(e, r, i) },
		Of:   len(p.all.Rows), None: "No pipeline matches the filter.", Remarks: subject().Remarks(e, sum, w-2),
	})
}

func (p *Pane) empty(e pane.Env) kit.Notice {
	n := kit.Notice{Token: theme.Muted, Glyph: theme.GlyphOK, Title: "No runs to show."}
	switch {
	case e.Whose == pane.Mine:
		n.Lines = []string{"Nothing that you started or may approve. The team's runs are hidden."}
	case e.Follow != "":
		n.Lines = []string{"Only " + e.Follow + " is followed, and it has none on its default branch, its tags or in deployment."}
	default:
		n.Lines = []string{"The repositories have none on their default branches, tags or in deployment. Other people's branches are not shown."}
	}
	return n
}

// height is how many lines a row takes: a failed one says where.
func height(p *insight.Pipeline) int {
	if p.Run.State == sources.StateFailed && p.Run.Failure != nil {
		return 2
	}
	return 1
}

// branch is what a run was started for, as people name it.
func branch(r *sources.Run) clean.Text {
	if r.Pull != 0 && (r.RefKind == sources.RefPull || r.RefKind == sources.RefQueue) {
		return insight.PullName(r)
	}
	return r.Branch
}

// reviewers names the first who may approve.
func reviewers(gates []sources.Gate) clean.Text {
	i := slices.IndexFunc(gates, func(g sources.Gate) bool { return len(g.Reviewers) > 0 })
	if i < 0 {
		return clean.Text{}
	}
	return gates[i].Reviewers[0]
}
