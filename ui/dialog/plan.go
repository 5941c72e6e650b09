package dialog

import (
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/guard"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/pane"
)

const (
	// planRests is how long a verdict has to be on the screen before a key answers it.
	planRests = 500 * time.Millisecond
	// planAsked is how often an open plan asks whether another person has agreed.
	planAsked = 3 * time.Second
	// planHeld is how soon the same key again is taken for one that is held down.
	planHeld = 800 * time.Millisecond
	// planRenewed is how often an open plan is made again.
	planRenewed = 10 * time.Second
	// planField is how much of a typed reason is kept.
	planWidth = 96
)

// phase is how far a Plan is.
type phase uint8

const (
	reading phase = iota // it is being made
	broken               // it could not be made
	asking               // it waits for an answer
	running              // it is carried out
	ended
)

// focus is what takes the keys of a Plan that asks.
type focus uint8

const (
	onText focus = iota // what is read: letters are keys
	onReason
	onWord
)

// Plan is the dialog of a dangerous action: what is so, what will be, what every gate says, and the question;
// then the progress of it. Of several plans at once, which are agreed to or not as one, it lists what each does.
//
// It is fixed to what it was opened for. A plan that is made again while it is open changes nothing but how
// fresh it is, unless what it does has changed: then the answer begins anew. Nothing confirms but a y, or the
// exact word, in a key of its own, after the verdict has been on the screen for half a second.
type Plan struct {
	now      func() time.Time
	title    clean.Text
	requests []action.Request
	gen      int // of the newest question for plans: an older answer counts for nothing
	phase    phase

	plans   []action.Plan
	left    []LeftOut // those of several that no plan could be made of, or that are refused
	skipped []LeftOut // those that nothing was asked for
	demand  action.Demand
	err     error
	shown   time.Time // since when the verdict is on the screen
	read    time.Time // when the plans were made last
	tried   time.Time // when somebody last tried to
	again   bool      // they are being made again
	failed  error     // why they could not be made again
	changed clean.Text
	saw     []sources.Revision // what the snapshot has of the targets
	stirred bool               // that is another than before

	cosigner  string // who else agreed to all plans
	cosigning bool   // somebody can tell
	cosignAt  time.Time

	focus  focus
	word   component.TextField
	reason component.TextField
	hint   clean.Text
	key    string // the last one, and when it came
	keyAt  time.Time

	begun    time.Time
	finished time.Time
	steps    []step
	outcomes []action.Outcome
	url      string
	guard    *guard.Report // how what was done behaves

	top, page, total int
	room             int // the height that Want was asked with
}

// LeftOut is one of several objects that nothing will be done to.
type LeftOut struct{ Name, Why clean.Text }

// step is a word on an action under way.
type step struct {
	at   time.Time
	step action.Step
	text clean.Text
	plan string
}

var _ Dialog = (*Plan)(nil)

// The answers of a Plan, beside Close and the intents of panes.
type (
	// Confirm says that somebody agreed. The App makes sure that the key came alone and then asks Plan.Agreed.
	Confirm struct{ Plan *Plan }
	// Again wants other plans in the same dialog: of these requests, or of the same ones.
	Again struct {
		Plan     *Plan
		Requests []action.Request
	}
	// Instead wants to choose among a plan's Choices or Means.
	Instead struct {
		Plan  *Plan
		Means bool
	}
	// Comment wants a text for the request.
	Comment struct{ Plan *Plan }
	// First wants the plan of something that can be done before.
	First struct{ Request action.Request }
	// TakeBack wants the plan that undoes.
	TakeBack struct{ Call sources.Call }
)

// NewPlan makes the dialog of requests whose plans are not made yet. title says what is asked for.
func NewPlan(title clean.Text, requests []action.Request, now func() time.Time) *Plan {
	return &Plan{now: now, title: title, requests: requests, gen: 1, word: component.NewTextField(), reason: component.NewTextField()}
}

// LeaveOut names what was marked and nothing is asked for.
func (p *Plan) LeaveOut(left []LeftOut) { p.skipped = left }

// Requests are what plans are to be made of, and Gen tells the answer.
func (p *Plan) Requests() []action.Request { return p.requests }

// Gen grows with each question for plans.
func (p *Plan) Gen() int { return p.gen }

// Asks reports that the plans wait for an answer.
func (p *Plan) Asks() bool { return p.phase == asking }

// Plans are what was made last. The caller must not change the slice.
func (p *Plan) Plans() []action.Plan { return p.plans }

// Has reports that a plan with this ID is carried out here.
func (p *Plan) Has(id string) bool {
	for i := range p.plans {
		if p.plans[i].ID == id {
			return p.phase >= running
		}
	}
	return false
}

// Ask begins again with other requests.
func (p *Plan) Ask(requests []action.Request) {
	p.requests, p.phase, p.plans, p.err = requests, reading, nil, nil
	p.gen++
	p.cosigner, p.cosigning, p.cosignAt = "", false, time.Time{}
	p.again, p.failed, p.changed, p.top, p.saw = false, nil, clean.Text{}, 0, nil
	p.restart()
}

// restart forgets what was typed, and counts anew how long the verdict has been seen.
func (p *Plan) restart() {
	p.word.SetValue("")
	p.reason.SetValue("")
	p.hint, p.shown = clean.Text{}, p.now()
	p.focus = onText
	if p.demand.Kind >= action.TypeDemand && p.demand.Kind != action.Refusal && !p.demand.Reason {
		p.focus = onWord
	}
}

// Proposed takes the plans of the requests, in their order; errs says of those that are missing why.
func (p *Plan) Proposed(gen int, plans []action.Plan, errs []error) {
	if gen != p.gen || p.phase != reading {
		return
	}
	p.left = slices.Clone(p.skipped)
	var kept []action.Plan
	var requests []action.Request
	for i := range plans {
		switch {
		case errs[i] != nil && len(plans) == 1:
			p.phase, p.err = broken, errs[i]
			return
		case errs[i] != nil:
			p.left = append(p.left, LeftOut{clean.Line(p.requests[i].Target.ID), clean.Line(sources.Message(errs[i]))})
			p.err = errs[i]
		case plans[i].Demand.Kind == action.Refusal && len(plans) > 1:
			p.left = append(p.left, LeftOut{plans[i].Name, policy.Worst(plans[i].Gates).Text})
			p.err = &sources.Error{Kind: sources.Conflict, Op: string(plans[i].Request.Verb), Msg: policy.Worst(plans[i].Gates).Text.String()}
		default:
			kept, requests = append(kept, plans[i]), append(requests, p.requests[i])
		}
	}
	if len(kept) == 0 {
		p.phase = broken
		return
	}
	p.plans, p.requests, p.phase, p.err = kept, requests, asking, nil
	p.demand, p.read, p.tried = demandOf(kept), p.now(), p.now()
	if len(kept) == 1 {
		p.title = kept[0].Title
	}
	for i := range kept {
		if kept[i].Changed {
			p.changed = clean.Const("it changed since you looked: this is how it is now")
		}
	}
	p.restart()
}

// demandOf is the hardest demand of plans. Several that each want another word want their number instead.
func demandOf(plans []action.Plan) action.Demand {
	out := plans[0].Demand
	same := true
	for i := range plans[1:] {
		d := plans[i+1].Demand
		same = same && d.Word == out.Word
		out.Kind, out.Reason = max(out.Kind, d.Kind), out.Reason || d.Reason
	}
	if len(plans) > 1 && !same && out.Kind >= action.TypeDemand {
		out.Word = clean.Linef("%s %d", plans[0].Request.Verb, len(plans)).String()
	}
	return out
}

// Due reports that the plans should be made again, and takes note that they will be. soon: what they are
// about has changed in what was read meanwhile.
func (p *Plan) Due(soon bool) bool {
	p.stirred = p.stirred || soon
	if p.phase != asking || p.again || !p.stirred && p.now().Sub(p.tried) < p.interval() {
		return false
	}
	p.again, p.stirred = true, false
	return true
}

// Saw takes what a snapshot has of the targets; it reports whether that is another than before.
func (p *Plan) Saw(now []sources.Revision) bool {
	same := p.saw == nil || slices.Equal(p.saw, now)
	p.saw = now
	return !same
}

// CosignDue reports that somebody should ask who else has agreed, and takes note that they will.
func (p *Plan) CosignDue() bool {
	if p.phase != asking || p.demand.Kind != action.SecondDemand || p.now().Sub(p.cosignAt) < planAsked {
		return false
	}
	p.cosignAt = p.now()
	return true
}

// Cosigned takes who else has agreed to all of the plans; "" nobody.
func (p *Plan) Cosigned(gen int, who string) {
	if gen == p.gen && p.phase == asking {
		p.cosigning, p.cosigner = true, who
	}
}

// Uncovered begins anew to count how long the verdict is on the screen: something else stood before it.
func (p *Plan) Uncovered() { p.shown = p.now() }

// Say shows why a key did nothing.
func (p *Plan) Say(why clean.Text) { p.hint = why }

// Renewed takes the plans as they are now. One that does what the one before did changes only how fresh it
// is.
func (p *Plan) Renewed(gen int, plans []action.Plan, err error) {
	if gen != p.gen || p.phase != asking {
		return
	}
	p.again, p.failed, p.tried = false, err, p.now()
	if err != nil {
		return
	}
	p.read = p.now()
	why := clean.Text{}
	for i := range plans {
		if w := differs(&p.plans[i], &plans[i]); !w.IsZero() {
			why = w
		}
	}
	p.plans = plans
	if why.IsZero() {
		return
	}
	p.demand, p.changed, p.top = demandOf(plans), why, 0
	p.restart()
	p.hint = clean.Const("it changed: read it again")
}

// interval is how often the plans are made again: many at once less often, for what they cost to read.
func (p *Plan) interval() time.Duration {
	const cheap = 4
	return planRenewed * time.Duration(1+(len(p.plans)-1)/cheap)
}

// differs says how a plan is not the one that was looked at; zero when it is. Texts may age: what counts is
// what would be sent, to what, and what the gates say of it.
func differs(was, is *action.Plan) clean.Text {
	switch {
	case was.Call.Revision != is.Call.Revision || is.Changed && !was.Changed:
		return clean.Linef("it changed: it is %s now", nowOf(is))
	case was.Call.Verb != is.Call.Verb || was.Call.Target != is.Call.Target || !sameFields(was.Call.Fields, is.Call.Fields):
		return clean.Const("it changed: it would be done in another way now")
	case was.Demand != is.Demand:
		return clean.Const("it changed: another answer is wanted now")
	case !sameVersions(was.Change, is.Change):
		return clean.Const("it changed: the versions are others now")
	case len(was.Gates) != len(is.Gates):
		return clean.Const("it changed: the gates say something else now")
	}
	for i := range was.Gates {
		if was.Gates[i].Gate != is.Gates[i].Gate || was.Gates[i].Verdict != is.Gates[i].Verdict {
			return clean.Linef("it changed: %s", is.Gates[i].Text)
		}
	}
	return clean.Text{}
}

// nowOf is how the target is, in a few words.
func nowOf(p *action.Plan) clean.Text {
	if p.Change != nil && !p.Change.Now.Version.IsZero() {
		return p.Change.Now.Version.Short()
	}
	if p.Now.IsZero() {
		return clean.Const("another")
	}
	return p.Now
}

func sameFields(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

func sameVersions(a, b *action.Change) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Now.Version == b.Now.Version && a.Then.Version == b.Then.Version && a.Means == b.Means && len(a.Commits) == len(b.Commits)
}

// armed reports that the verdict has been on the screen long enough for a key to answer it.
func (p *Plan) armed() bool { return p.phase == asking && p.now().Sub(p.shown) >= planRests }

// Agreed is what was agreed to: an approval for each of Plans. ok is false when what is on the screen does not
// hold what it demands, or changed since the key. From then on the dialog shows progress.
func (p *Plan) Agreed() (approvals []action.Approval, ok bool) {
	if !p.armed() || p.demand.Kind == action.Refusal || p.lonely() {
		return nil, false
	}
	typed, reason := p.word.Value(), p.reason.Value()
	if p.demand.Kind >= action.TypeDemand && typed != p.demand.Word || p.demand.Reason && reason == "" {
		return nil, false
	}
	for i := range p.plans {
		d := p.plans[i].Demand
		a := action.Approval{Yes: true, Cosigner: p.cosigner}
		if d.Kind >= action.TypeDemand {
			a.Typed = d.Word // typed as it is, or as the word for all
		}
		if d.Reason {
			a.Reason, a.BreakGlass = reason, true
		}
		approvals = append(approvals, a)
	}
	p.phase, p.begun, p.top, p.hint = running, p.now(), 0, clean.Text{}
	p.outcomes = make([]action.Outcome, len(p.plans))
	return approvals, true
}

// lonely reports that another person has to agree, and has not.
func (p *Plan) lonely() bool {
	return p.demand.Kind == action.SecondDemand && p.cosigning && p.cosigner == ""
}

// Follow takes a word on one of the plans.
func (p *Plan) Follow(o *pane.Operation) {
	if o.Guard && p.Has(o.Plan) {
		p.guard = o.Report
	}
	if p.phase != running || o.Guard || !p.Has(o.Plan) {
		return
	}
	if o.URL != "" {
		p.url = o.URL
	}
	s := step{o.At, o.Step, o.Text, o.Plan}
	for i := range p.steps {
		if p.steps[i].plan == s.plan && p.steps[i].step == s.step {
			p.steps[i] = s
			return
		}
	}
	p.steps = append(p.steps, s)
}

// Ended takes what became of one of the plans.
func (p *Plan) Ended(out *action.Outcome) {
	if p.phase != running {
		return
	}
	all := true
	for i := range p.plans {
		if p.plans[i].ID == out.Plan {
			p.outcomes[i] = *out
			if out.URL != "" {
				p.url = out.URL
			}
		}
		all = all && p.outcomes[i].Plan != ""
	}
	if all {
		p.phase, p.finished, p.top = ended, p.now(), 0
	}
}

// undo is what takes back what was done; nil when nothing does.
func (p *Plan) undo() *sources.Call {
	if p.phase != ended || len(p.outcomes) != 1 {
		return nil
	}
	return p.outcomes[0].Receipt.Undo
}
