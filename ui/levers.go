package ui

import (
	"slices"
	"strings"
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
	// rowRests is how long a row that came under the cursor by itself has to be there before a key changes it.
	rowRests = 300 * time.Millisecond
	// heldKey is how soon the same key again, with none between, is taken for one that is held down.
	heldKey = 500 * time.Millisecond
	// via is what a request from here says of itself.
	via = "board"
)

// levers is what the App keeps of the actions.
type levers struct {
	row     rowSeen
	auto    bool      // the message at hand is not the user's own
	changed time.Time // when the row under the cursor last became another by itself
	pressed pressed
	quick   map[target]bool // asked for without a dialog, and not answered yet
	ops     []pane.Operation
	rung    map[string]bool // guards that have called for attention
	keys    []keymap.Binding
	keysFor keysFor
}

// keysFor is all that the levers of a row depend on.
type keysFor struct {
	slot     int
	updates  uint64
	env      pane.Env
	readOnly clean.Text
	known    bool
}

// hinted is how many marked rows are looked at to say what can be done to them.
const hinted = 20

// rowSeen is the row under the cursor.
type rowSeen struct {
	slot int
	ref  sources.Ref
}

// pressed is the key that asked for a change last.
type pressed struct {
	action keymap.Action
	key    int // the number of its message
	at     time.Time
}

// target is what is done to what.
type target struct {
	verb sources.Verb
	ref  sources.Ref
}

// aim is an action and what it is about, as it stood on the screen at the moment of the key. What changes there
// afterwards does not reach it.
type aim struct {
	action   keymap.Action
	subject  pane.Subject
	some     bool // something is under the cursor
	requests []action.Request
	specs    []sources.ActionSpec
	left     []dialog.LeftOut // marked rows that it makes no sense for
	why      string           // why it cannot be done; "" when it can
}

// title is that of the dialogs about it.
func (m *aim) title() clean.Text {
	l, _ := leverOf(m.action)
	if n := len(m.requests); n > 1 {
		return clean.Linef("%s %d at once", l.does(), n)
	}
	return clean.Linef("%s %s", l.does(), m.subject.Name)
}

// aimMsg is an aim that was chosen from the palette, or whose request was filled in.
type aimMsg struct {
	aim    aim
	filled bool
}

// lever is what an action means.
type lever struct {
	verbs []sources.Verb // the first that a view of the row's object offers
	kinds []sources.Kind // of the rows that it is about
	what  string         // of these, in words
}

// does is what the lever is called in a title: "Acknowledge".
func (l *lever) does() string { return action.Title(l.verbs[0]) }

// leverOf is what an action means; ok is false for one that is no lever on a row.
func leverOf(a keymap.Action) (l lever, ok bool) {
	incident := []sources.Kind{sources.KindIncident, sources.KindMonitor, sources.KindPage}
	environment := []sources.Kind{sources.KindEnvironment, sources.KindDeployment}
	run := []sources.Kind{sources.KindRun}
	of := func(kinds []sources.Kind, what string, verbs ...sources.Verb) (lever, bool) {
		return lever{verbs, kinds, what}, true
	}
	switch a {
	case keymap.Ack:
		return of(incident, "an incident", sources.Acknowledge)
	case keymap.Escalate:
		return of(incident, "an incident", sources.Escalate)
	case keymap.Snooze:
		return of(incident, "an incident", sources.Snooze)
	case keymap.AddNote:
		return of(incident, "an incident", sources.AddNote)
	case keymap.Resolve:
		return of(incident, "an incident", sources.Resolve)
	case keymap.HandOver:
		return of(incident, "an incident", sources.Reassign)
	case keymap.Silence:
		return of(incident, "an incident", sources.SilenceIt, sources.Mute)
	case keymap.Merge:
		return of(incident, "an incident", sources.Merge)
	case keymap.Tell:
		return of(incident, "an incident", sources.PostStatus)
	case keymap.Promote:
		return of(environment, "an environment", sources.Promote)
	case keymap.Rollback:
		return of(append(environment, incident...), "an environment or an incident", sources.Rollback)
	case keymap.Approve:
		return of(run, "a run", sources.Approve)
	case keymap.Reject:
		return of(run, "a run", sources.Reject)
	case keymap.Rerun:
		return of(run, "a run", sources.RerunFailed)
	case keymap.RerunAll:
		return of(run, "a run", sources.RerunAll)
	case keymap.Cancel:
		return of(run, "a run", sources.Cancel)
	default:
		return lever{}, false
	}
}

// leverOrder is the order in which the levers stand in the footer and the palette.
func leverOrder() []keymap.Action {
	return []keymap.Action{
		keymap.Ack, keymap.Escalate, keymap.AddNote, keymap.Rollback, keymap.Promote, keymap.Approve, keymap.Reject, keymap.Rerun, keymap.Cancel,
		keymap.Snooze, keymap.Resolve, keymap.HandOver, keymap.Silence, keymap.RerunAll, keymap.Merge, keymap.Tell,
	}
}

// subject is what the levers are about now.
func (a *App) subject() (pane.Subject, bool) {
	s := a.focused()
	if s == nil || s.rect.Empty() {
		return pane.Subject{}, false // nobody has seen what would be acted on
	}
	if p, ok := s.pane.(pane.Acting); ok {
		return p.Subject(a.env(s))
	}
	sel, ok := s.pane.Selected(a.env(s))
	return pane.Subject{Selection: sel}, ok
}

// aimAt fixes an action to what it is about.
func (a *App) aimAt(action keymap.Action) aim {
	s, ok := a.subject()
	return a.aimOn(action, s, ok)
}

func (a *App) aimOn(act keymap.Action, s pane.Subject, some bool) aim {
	m := aim{action: act, subject: s, some: some}
	l, is := leverOf(act)
	if !is {
		return m
	}
	if m.why = a.barred(); m.why != "" {
		return m
	}
	subjects := s.Marked
	if len(subjects) == 0 || act == keymap.Merge {
		if !some {
			m.why = "nothing is selected"
			if at := a.focused(); at != nil && at.rect.Empty() {
				m.why = "select it in a pane first: " + a.key1(keymap.Zoom) + " shows one"
			}
			return m
		}
		subjects = []pane.Subject{s}
	}
	why := ""
	for i := range subjects {
		q, spec, no := a.request(act, l, &subjects[i])
		if no != "" {
			why = no
			m.left = append(m.left, dialog.LeftOut{Name: subjects[i].Name, Why: clean.Line(no)})
			continue
		}
		m.requests, m.specs = append(m.requests, q), append(m.specs, spec)
	}
	if len(m.requests) == 0 {
		m.why = why
	}
	if n := len(m.requests); n > 1 {
		for i := range m.requests {
			m.requests[i].Bulk = n
		}
	}
	if act == keymap.Merge && m.why == "" {
		m.why = m.merge()
	}
	return m
}

// barred is why nothing at all can be changed; "" when something can.
func (a *App) barred() string {
	if a.opts.Levers == nil {
		return "this board only looks"
	}
	if by := a.opts.Levers.Status().ReadOnly; !by.IsZero() {
		return "read-only: " + by.String()
	}
	return ""
}

// merge says which incidents are merged into the one under the cursor; why when none are.
func (m *aim) merge() (why string) {
	q := &m.requests[0]
	for i := range m.subject.Marked {
		for _, ref := range views(&m.subject.Marked[i]) {
			if ref.Source == q.Target.Source && ref.Kind == q.Target.Kind && ref != q.Target {
				q.Others = append(q.Others, ref)
			}
		}
	}
	if len(q.Others) == 0 {
		return "mark what is to be merged into it first"
	}
	return ""
}

// request is what an action asks of one row; why it asks for nothing is said instead.
func (a *App) request(act keymap.Action, l lever, s *pane.Subject) (q action.Request, spec sources.ActionSpec, why string) {
	if !slices.Contains(l.kinds, s.Ref.Kind) {
		return q, spec, "select " + l.what
	}
	if s.Problem != nil && s.Problem.Upstream {
		return q, spec, "it is another team's: here it is only read"
	}
	q.Via = via
	if s.Problem != nil {
		q.About = s.Problem.Incident.Ref
	}
	if act == keymap.Rollback && s.Problem != nil && s.Environment.IsZero() {
		return a.suspectRequest(q, s.Problem)
	}
	if why := a.pointless(act, s); why != "" {
		return q, spec, why
	}
	refs, verbs := a.targets(act, l, s)
	for _, verb := range verbs {
		for _, ref := range refs {
			if spec, ok := a.offered(verb, ref); ok {
				q.Verb, q.Target, q.Revision = verb, ref, a.revision(ref, s)
				if ref.Kind == sources.KindEnvironment {
					q.Version = s.Version
				} else {
					q.About = sources.Ref{}
				}
				return q, spec, ""
			}
		}
	}
	return q, spec, cannot(l, refs)
}

func cannot(l lever, refs []sources.Ref) string {
	var names []string
	for _, r := range refs {
		if !slices.Contains(names, r.Source) {
			names = append(names, r.Source)
		}
	}
	if len(names) == 0 {
		return "nothing is known of where it could be done"
	}
	return strings.Join(names, " and ") + " cannot " + strings.ReplaceAll(string(l.verbs[0]), "-", " ") + " it from here"
}

// noteRow watches the row under the cursor. It changes by itself when data moves it; what the user's own keys do
// is no such change.
func (a *App) noteRow() {
	if a.opts.Levers == nil {
		return
	}
	row := rowSeen{}
	if s := a.focused(); s != nil {
		row.slot = s.serial
		sel, _ := s.pane.Selected(a.env(s))
		row.ref = sel.Ref
	}
	if row != a.levers.row && a.levers.auto {
		a.levers.changed = a.opts.Clock()
	}
	a.levers.row = row
}

// itself reports that a message comes without a key of the user's.
func itself(msg tea.Msg) bool {
	switch m := msg.(type) {
	case snapshotMsg, tickMsg, eventMsg, settingsMsg, operationsMsg:
		return true
	case fromPane:
		_, reply := m.msg.(pane.Reply)
		return reply
	}
	return false
}

// mayPull reports whether a key that changes something counts now, and says why not.
func (a *App) mayPull(act keymap.Action) bool {
	now := a.opts.Clock()
	was := a.levers.pressed
	a.levers.pressed = pressed{act, a.crowd.keys, now}
	key := a.key1(act)
	switch {
	case was.action == act && a.crowd.keys-was.key <= 1 && now.Sub(was.at) < heldKey:
		a.say(theme.Muted, clean.Linef("%s is held down: once is enough", key))
	case now.Sub(a.levers.changed) < rowRests:
		a.say(theme.Warn, clean.Linef("the row under the cursor just changed: look, then press %s again", key))
	default:
		return true
	}
	return false
}

// pull does what an aim asks for.
func (a *App) pull(m aim) tea.Cmd {
	switch m.action {
	case keymap.Undo:
		return a.undo()
	case keymap.Rollback:
		if p := m.subject.Problem; p != nil && m.why == "" && len(m.subject.Marked) == 0 && m.subject.Environment.IsZero() {
			return a.rollBackSuspect(m, p)
		}
	default:
	}
	if m.why != "" {
		a.say(theme.Warn, clean.Line(m.why))
		return nil
	}
	return a.fill(m)
}

// done is an answer to the keys of dialogs that belong to the levers.
func (a *App) leverAnswer(msg tea.Msg) (cmd tea.Cmd, changed bool) {
	switch m := msg.(type) {
	case dialog.Confirm:
		return a.confirm(m, m.Plan), true
	case dialog.Yes:
		return a.confirm(m, nil), true
	case dialog.Again:
		m.Plan.Ask(m.Requests)
		return a.propose(m.Plan), true
	case dialog.Instead:
		a.instead(m)
	case dialog.Comment:
		a.comment(m.Plan)
	case dialog.First:
		return a.plan(m.Request.Verb, clean.Text{}, m.Request), true
	case dialog.TakeBack:
		return a.takeBack(m.Call), true
	case dialog.Answer:
		a.popDialog()
		return a.plan(m.Request.Verb, clean.Text{}, m.Request), true
	case dialog.Dismissed:
		a.opts.Levers.Dismiss(m.Plan)
	case pane.Browse:
		return a.browse(m.URL), true
	default:
		return nil, false
	}
	return nil, true
}
