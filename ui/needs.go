package ui

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
)

// fill asks for what the requests of an aim lack, one thing after the other, and then begins.
func (a *App) fill(m aim) tea.Cmd {
	for i := range m.requests {
		for _, need := range m.specs[i].Need {
			if d := a.need(&m, need, &m.requests[i]); d != nil {
				a.push(d)
				return nil
			}
		}
	}
	return a.begin(m)
}

// with is the aim whose requests all have what change sets.
func (m *aim) with(change func(*action.Request)) tea.Msg {
	out := *m
	out.requests = slices.Clone(m.requests)
	for i := range out.requests {
		change(&out.requests[i])
	}
	return aimMsg{aim: out, filled: true}
}

// need is the dialog that asks for something that a request lacks; nil when it has it.
func (a *App) need(m *aim, need string, q *action.Request) dialog.Dialog {
	title := m.title()
	switch {
	case need == "text" && q.Text == "":
		return dialog.NewForm(title, clean.Const("Text"), nil, "", nil, func(s string) (tea.Msg, string) {
			if s == "" {
				return nil, "write something"
			}
			return m.with(func(q *action.Request) { q.Text = s }), ""
		})
	case need == "for" && q.For <= 0:
		return a.needFor(m, title)
	case need == "level" && q.Level <= 0:
		return a.needLevel(m, title)
	case need == "to" && len(q.To) == 0:
		return a.needPerson(m, title, q)
	}
	return nil
}

func (a *App) needFor(m *aim, title clean.Text) dialog.Dialog {
	now, zone := a.opts.Clock(), a.set.Zone
	until := func(d time.Duration) string { return "until " + now.Add(d).In(zone).Format("15:04 MST") }
	quick := []dialog.Quick{
		{Text: "30m", Long: until(30 * time.Minute)}, {Text: "1h", Long: until(time.Hour)}, {Text: "4h", Long: until(4 * time.Hour)},
		{Text: "until 08:00", Long: "when the day begins"},
	}
	return dialog.NewForm(title, clean.Const("For how long"), nil, "", quick, func(s string) (tea.Msg, string) {
		d, wrong := dialog.ParseFor(s, a.opts.Clock(), zone)
		if wrong != "" {
			return nil, wrong
		}
		return m.with(func(q *action.Request) { q.For = d }), ""
	})
}

// needLevel asks which step of the escalation to go to: the next one, unless something else is typed.
func (a *App) needLevel(m *aim, title clean.Text) dialog.Dialog {
	next := 1
	var lines []clean.Text
	if p := m.subject.Problem; p != nil {
		in := p.Incident
		next = in.Level + 1
		if in.Level > 0 {
			lines = append(lines, clean.Linef("It is at level %d.", in.Level))
		}
		for i := range in.Next {
			lines = append(lines, clean.Linef("Level %d wakes %s.", next, dialog.PersonText(&in.Next[i], a.opts.Clock())))
		}
	}
	return dialog.NewForm(title, clean.Const("To level"), lines, strconv.Itoa(next), nil, func(s string) (tea.Msg, string) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 99 {
			return nil, "a level is a number from 1"
		}
		return m.with(func(q *action.Request) { q.Level = n }), ""
	})
}

// needPerson lists whom it may be handed to; where nobody is known it asks for their id.
func (a *App) needPerson(m *aim, title clean.Text, q *action.Request) dialog.Dialog {
	people := a.opts.Levers.People(q.Target)
	if len(people) == 0 {
		lines := []clean.Text{clean.Const("Nobody is known: type the provider's id or login.")}
		return dialog.NewForm(title, clean.Const("To"), lines, "", nil, func(s string) (tea.Msg, string) {
			if s == "" {
				return nil, "say to whom"
			}
			return m.with(func(q *action.Request) { q.To = []string{s} }), ""
		})
	}
	items := make([]dialog.Item, 0, len(people))
	for i := range people {
		p := &people[i]
		it := dialog.Item{Name: dialog.PersonText(p, a.opts.Clock()), Long: p.Login.String(), Msg: m.with(func(q *action.Request) { q.To = []string{p.ID} })}
		if it.Long == p.Name.String() {
			it.Long = ""
		}
		items = append(items, it)
	}
	return dialog.NewPick(title, "person", items)
}

// closeSuspects is how near in time two changes are that nobody can tell apart as a cause.
const closeSuspects = 15 * time.Minute

// rollable are the suspects of a problem that a rollback could undo, the newest first.
func rollable(p *insight.Problem) []*insight.Suspect {
	var out []*insight.Suspect
	for i := range p.Suspects {
		if s := &p.Suspects[i]; s.Kind == sources.DeploymentChange && !s.Env.IsZero() && s.Upstream == "" {
			out = append(out, s)
		}
	}
	return out
}

// suspectRequest is what rolls back the newest suspect of a problem.
func (a *App) suspectRequest(q action.Request, p *insight.Problem) (action.Request, sources.ActionSpec, string) {
	all := rollable(p)
	switch {
	case len(p.Suspects) == 0:
		return q, sources.ActionSpec{}, "nothing is known to have changed before it"
	case len(all) == 0:
		return q, sources.ActionSpec{}, "what changed before it is not undone by a rollback: " + p.Suspects[0].Text.String()
	}
	for _, s := range all {
		if spec, ok := a.offered(sources.Rollback, s.Env); ok {
			q.Verb, q.Target, q.Revision = sources.Rollback, s.Env, a.seenRevision(s.Env)
			return q, spec, ""
		}
	}
	return q, sources.ActionSpec{}, all[0].Env.Source + " cannot roll it back from here"
}

// rollBackSuspect opens the plan that rolls back the suspect of a problem; where another one is close to it, or a
// switched flag is, it lets choose, and has chosen nothing.
func (a *App) rollBackSuspect(m aim, p *insight.Problem) tea.Cmd {
	if first := m.requests[0].Target; soleSuspect(p, first) {
		return a.begin(m)
	}
	var items []dialog.Item
	for i := range p.Suspects {
		s := &p.Suspects[i]
		it := dialog.Item{Name: s.Text.String(), Long: s.Why.String()}
		spec, ok := sources.ActionSpec{}, false
		if !s.Env.IsZero() {
			spec, ok = a.offered(sources.Rollback, s.Env)
		}
		switch {
		case s.Kind != sources.DeploymentChange || s.Env.IsZero():
			it.Disabled = fmt.Sprintf("not undone here: switch it back yourself, %s", s.Why)
		case s.Upstream != "":
			it.Disabled = "it is in " + s.Upstream + ", which ours depends on"
		case !ok:
			it.Disabled = s.Env.Source + " cannot roll it back from here"
		default:
			one := m
			one.specs = []sources.ActionSpec{spec}
			q := m.requests[0]
			q.Target, q.Revision = s.Env, a.seenRevision(s.Env)
			one.requests = []action.Request{q}
			it.Msg = aimMsg{aim: one, filled: true}
		}
		items = append(items, it)
	}
	a.push(dialog.NewPick(clean.Const("What may have caused it: which one is rolled back?"), "change", items))
	return nil
}

// soleSuspect reports that the change of env stands alone: no other is close to it.
func soleSuspect(p *insight.Problem, env sources.Ref) bool {
	at := slices.IndexFunc(p.Suspects, func(s insight.Suspect) bool { return s.Env == env && s.Kind == sources.DeploymentChange })
	if at < 0 {
		return false
	}
	for i := range p.Suspects {
		if i != at && p.Suspects[i].Kind == sources.DeploymentChange && p.Suspects[i].At.Sub(p.Suspects[at].At).Abs() < closeSuspects {
			return false
		}
	}
	return true
}

// leverItem is a lever as a line of the palette, fixed to what is under the cursor now.
func (a *App) leverItem(act keymap.Action) dialog.Item {
	in, _ := a.set.Keys.Info(act)
	it := dialog.Item{Name: string(act), Long: in.Long, Key: a.key1(act)}
	switch act {
	case keymap.HandOver:
		it.Name = "hand over"
	case keymap.Rollback:
		it.Name = "roll back"
	case keymap.RerunAll:
		it.Name = "rerun all"
	case keymap.Tell:
		it.Name = "status update"
	default:
	}
	m := a.aimAt(act)
	if help := leverHelp("", &m); help != "" {
		it.Name = help
	}
	it.Disabled, it.Msg = m.why, aimMsg{aim: m}
	if act == keymap.Undo {
		if it.Disabled = a.barred(); it.Disabled == "" && a.lastUndo() == nil {
			it.Disabled = "nothing that was done here lately can be taken back"
		}
		return it
	}
	if m.some && m.why == "" {
		l, _ := leverOf(act)
		what := m.subject.Name.String()
		if n := len(m.requests); n > 1 {
			what = fmt.Sprintf("the %d that are marked", n)
		}
		if p := m.subject.Problem; p != nil && act == keymap.Rollback && m.subject.Environment.IsZero() {
			what = rollable(p)[0].Text.String()
		}
		it.Long = fmt.Sprintf("%s %s", lowerFirst(l.does()), what)
	}
	return it
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}
