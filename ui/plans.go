package ui

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

const (
	// confirmRests is how long no other key may follow one that confirms.
	confirmRests = 150 * time.Millisecond
	// proposals is how many plans of several are made at once.
	proposals = 4
)

// The messages of plans on their way.
type (
	proposedMsg struct {
		dialog *dialog.Plan
		gen    int
		plans  []action.Plan
		errs   []error
	}
	renewedMsg struct {
		dialog *dialog.Plan
		gen    int
		plans  []action.Plan
		err    error
	}
	cosignedMsg struct {
		dialog *dialog.Plan
		gen    int
		who    string
	}
	// confirmedMsg comes a while after key n, which confirmed.
	confirmedMsg struct {
		n    int
		plan *dialog.Plan // nil: yes is what was asked
		msg  tea.Msg
	}
	// executedMsg is what became of plan i of a dialog.
	executedMsg struct {
		dialog *dialog.Plan
		run    execution
		out    action.Outcome
	}
	// quickMsg is the plan of what was asked for without a dialog.
	quickMsg struct {
		request action.Request
		plan    action.Plan
		err     error
	}
	quickDoneMsg struct {
		plan action.Plan
		out  action.Outcome
	}
)

// execution is a list of plans that are carried out one after the other.
type execution struct {
	plans     []action.Plan
	approvals []action.Approval
	at        int
}

// planMsg takes what comes back of plans.
func (a *App) planMsg(msg tea.Msg) (cmd tea.Cmd, changed bool) {
	switch m := msg.(type) {
	case proposedMsg:
		m.dialog.Proposed(m.gen, m.plans, m.errs)
	case renewedMsg:
		m.dialog.Renewed(m.gen, m.plans, m.err)
	case cosignedMsg:
		m.dialog.Cosigned(m.gen, m.who)
	case confirmedMsg:
		return a.confirmed(m), true
	case executedMsg:
		return a.executed(m), true
	case quickMsg:
		return a.quick(m), true
	case quickDoneMsg:
		delete(a.levers.quick, target{m.plan.Request.Verb, m.plan.Request.Target})
		if m.out.State == action.Done && !m.out.Text.IsZero() {
			m.plan.Title = clean.Text{}
		}
		a.sayOutcome(m.plan.Title, &m.out)
	case operationsMsg:
		return a.operations(m.ops), true
	case aimMsg:
		if m.filled {
			return a.fill(m.aim), true
		}
		return a.askFor(m.aim), true
	default:
		return nil, false
	}
	return nil, true
}

// begin starts an action whose requests lack nothing: one's own single page is acknowledged at once, where
// policy asks for nothing; everything else opens its plan.
func (a *App) begin(m aim) tea.Cmd {
	q := m.requests[0]
	if q.Verb == sources.Acknowledge && len(m.requests) == 1 && ownPage(&m.subject) {
		return a.atOnce(q)
	}
	return a.planWithout(m.left, q.Verb, m.title(), m.requests...)
}

// asked opens the plan of what a pane asks for.
func (a *App) asked(q action.Request) tea.Cmd {
	if why := a.barred(); why != "" {
		a.say(theme.Warn, clean.Line(why))
		return nil
	}
	return a.plan(q.Verb, clean.Text{}, q)
}

func ownPage(s *pane.Subject) bool {
	return len(s.Marked) == 0 && s.Problem != nil && len(s.Problem.Inside) == 0 && s.Problem.Incident.Mine && s.Problem.State == sources.Triggered
}

// plan opens the dialog of requests and makes their plans.
func (a *App) plan(verb sources.Verb, title clean.Text, requests ...action.Request) tea.Cmd {
	return a.planWithout(nil, verb, title, requests...)
}

// planWithout is plan; it names what was marked and is left out.
func (a *App) planWithout(left []dialog.LeftOut, verb sources.Verb, title clean.Text, requests ...action.Request) tea.Cmd {
	if len(requests) == 1 {
		if o := a.underWay(requests[0].Target); o != nil {
			a.say(theme.Warn, clean.Linef("%s is under way: %s shows it", o.Title, a.key1(keymap.Operations)))
			return nil
		}
	}
	if title.IsZero() {
		title = clean.Line(string(verb))
	}
	for i := range requests {
		requests[i].Via = cmp.Or(requests[i].Via, via)
	}
	d := dialog.NewPlan(title, requests, a.opts.Clock)
	d.LeaveOut(left)
	a.push(d)
	return a.propose(d)
}

// propose makes the plans of a dialog, beside the program's loop.
func (a *App) propose(d *dialog.Plan) tea.Cmd {
	m := proposedMsg{dialog: d, gen: d.Gen()}
	requests, ctx, from := slices.Clone(d.Requests()), a.ctx, a.opts.Levers
	return func() tea.Msg {
		m.plans, m.errs = make([]action.Plan, len(requests)), make([]error, len(requests))
		var wg sync.WaitGroup
		free := make(chan struct{}, proposals)
		for i := range requests {
			free <- struct{}{}
			wg.Go(func() {
				m.plans[i], m.errs[i] = from.Propose(ctx, requests[i])
				<-free
			})
		}
		wg.Wait()
		return m
	}
}

// uncover tells the plan on top that it is seen again.
func (a *App) uncover() {
	if d, ok := a.dialog().(*dialog.Plan); ok {
		d.Uncovered()
	}
}

// renew makes the open plans again that are due, or whose object has changed.
func (a *App) renew(cmds []tea.Cmd) []tea.Cmd {
	if !a.present {
		return cmds // nobody looks, and each reading counts
	}
	for _, open := range a.dialogs {
		d, ok := open.(*dialog.Plan)
		if !ok {
			continue
		}
		if d.CosignDue() {
			cmds = append(cmds, a.askCosigner(d))
		}
		if !d.Due(a.stirred(d)) {
			continue
		}
		m := renewedMsg{dialog: d, gen: d.Gen()}
		plans, ctx, from := slices.Clone(d.Plans()), a.ctx, a.opts.Levers
		cmds = append(cmds, func() tea.Msg {
			for i := range plans {
				fresh, err := from.Renew(ctx, plans[i])
				if err != nil {
					m.err = err
					return m
				}
				m.plans = append(m.plans, fresh)
			}
			return m
		})
	}
	return cmds
}

// askCosigner asks who else has agreed to the plans of a dialog, where somebody can tell.
func (a *App) askCosigner(d *dialog.Plan) tea.Cmd {
	from, ok := a.opts.Levers.(pane.Cosigner)
	if !ok {
		return nil
	}
	m, plans := cosignedMsg{dialog: d, gen: d.Gen()}, slices.Clone(d.Plans())
	return func() tea.Msg {
		for i := range plans {
			if m.who = from.Cosigned(&plans[i]); m.who == "" {
				break
			}
		}
		return m
	}
}

// stirred reports that an object of a plan is not what it was in the snapshot that was looked at before.
func (a *App) stirred(d *dialog.Plan) bool {
	if !d.Asks() {
		return false
	}
	var seen []sources.Revision
	for _, p := range d.Plans() {
		seen = append(seen, a.seenRevision(p.Request.Target))
	}
	return d.Saw(seen)
}

// confirm waits whether the key that confirms was alone.
func (a *App) confirm(msg tea.Msg, d *dialog.Plan) tea.Cmd {
	if a.crowd.joined {
		if d != nil {
			d.Say(clean.Const("several keys came together: nothing is done"))
		}
		return nil
	}
	m := confirmedMsg{n: a.crowd.keys, plan: d}
	if yes, ok := msg.(dialog.Yes); ok {
		m.msg = yes.Msg
	}
	ctx := a.ctx
	return func() tea.Msg {
		sleep(ctx, confirmRests)
		return m
	}
}

// confirmed does what was confirmed, unless another key came since or the dialog is not as it was.
func (a *App) confirmed(m confirmedMsg) tea.Cmd {
	if m.n != a.crowd.keys {
		if m.plan != nil {
			m.plan.Say(clean.Const("another key came at once: nothing is done"))
		}
		return nil
	}
	if m.plan == nil {
		a.popDialog()
		cmd, _ := a.handle(m.msg)
		return cmd
	}
	if a.dialog() != dialog.Dialog(m.plan) {
		return nil
	}
	approvals, ok := m.plan.Agreed()
	if !ok {
		m.plan.Say(clean.Const("it changed meanwhile: nothing is done"))
		return nil
	}
	return a.execute(m.plan, execution{plans: slices.Clone(m.plan.Plans()), approvals: approvals})
}

func (a *App) execute(d *dialog.Plan, x execution) tea.Cmd {
	ctx, from := a.ctx, a.opts.Levers
	return func() tea.Msg {
		return executedMsg{d, x, from.Execute(ctx, x.plans[x.at], x.approvals[x.at])}
	}
}

// executed takes an outcome, and goes on with the next of several plans.
func (a *App) executed(m executedMsg) tea.Cmd {
	p := &m.run.plans[m.run.at]
	m.out.Plan = p.ID
	m.dialog.Ended(&m.out)
	if a.dialog() != dialog.Dialog(m.dialog) {
		a.sayOutcome(p.Title, &m.out)
	} else {
		a.note(p.Title, &m.out)
	}
	if m.run.at++; m.run.at < len(m.run.plans) {
		return a.execute(m.dialog, m.run)
	}
	return nil
}

// underWay is an action on ref that has not ended; nil when there is none.
func (a *App) underWay(ref sources.Ref) *pane.Operation {
	for i := range a.levers.ops {
		if o := &a.levers.ops[i]; o.Target == ref && !o.Guard && !o.Ended() {
			return o
		}
	}
	return nil
}

// instead lets choose another version, or other means, for a plan.
func (a *App) instead(m dialog.Instead) {
	p := &m.Plan.Plans()[0]
	again := func(change func(*action.Request)) tea.Msg {
		q := p.Request
		change(&q)
		return dialog.Again{Plan: m.Plan, Requests: []action.Request{q}}
	}
	var items []dialog.Item
	if m.Means {
		for _, means := range p.Change.Others {
			items = append(items, dialog.Item{Name: dialog.MeansText(means), Msg: again(func(q *action.Request) { q.Means = means })})
		}
		a.push(dialog.NewPick(clean.Const("Do it in another way"), "way", items))
		return
	}
	for i := range p.Change.Choices {
		c := &p.Change.Choices[i]
		it := dialog.Item{Name: c.Version.Short().String(), Long: c.Text.String()}
		if !c.Warning.IsZero() {
			it.Long = clean.Linef("%s %s  %s", a.set.Theme.Glyph(theme.GlyphWarn), c.Warning, c.Text).String()
		}
		if c.Chosen {
			it.Long = clean.Linef("chosen %s %s", a.set.Theme.Glyph(theme.GlyphDot), it.Long).String()
		}
		version := c.Version.SHA
		if version == "" {
			version = c.Version.Tag.String()
		}
		it.Msg = again(func(q *action.Request) { q.Version = version })
		items = append(items, it)
	}
	a.push(dialog.NewPick(clean.Linef("Another version for %s", p.Name), "version", items))
}

// comment asks for the text that goes with a plan's request.
func (a *App) comment(d *dialog.Plan) {
	q := d.Plans()[0].Request
	a.push(dialog.NewForm(clean.Const("Comment"), clean.Const("Comment"), []clean.Text{clean.Const("Others read it beside what is done.")}, q.Text, nil,
		func(s string) (tea.Msg, string) {
			q.Text = s
			return dialog.Again{Plan: d, Requests: []action.Request{q}}, ""
		}))
}

// waitOperations waits for a word on what is under way.
func waitOperations(ctx context.Context, from pane.Levers) tea.Cmd {
	if from == nil {
		return nil
	}
	return func() tea.Msg {
		select {
		case ops, ok := <-from.Operations():
			if !ok {
				return nil
			}
			return operationsMsg{ops}
		case <-ctx.Done():
			return nil
		}
	}
}
