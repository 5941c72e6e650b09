package insight

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// TroubleKind says what sort of thing is wrong, or waits.
type TroubleKind uint8

// The kinds, worst first.
const (
	IncidentOpen     TroubleKind = iota // triggered, and nobody has taken it
	VersionsDisagree                    // two pieces of evidence name different versions
	DeploymentFailed                    // in an environment, wholly or in part
	RunFailed
	SourceDown   // a feed that needs a person
	ConfigBroken // a changed config that was not taken
	NoRunner     // a run that no runner will take
	IncidentHeld // acknowledged
	SourceFails  // a feed that is tried again
	GateWaits    // an approval
	RunLate      // a schedule that did not start, or does not end
)

// Trouble is one thing that is wrong or waits for a person.
type Trouble struct {
	Kind    TroubleKind
	Sense   Sense
	Ref     sources.Ref // what to open; zero for a feed or the config
	Service string      // or the source that is in trouble
	Text    clean.Text  // what it is, without the service
	Since   time.Time   // zero: unknown
	Mine    bool        // it waits for me
	Feed    int         // the index of the feed that tells it in the snapshot; -1: the board itself does
}

// Troubles lists what is wrong in s, worst first: of what people are paged for one for each problem, of
// those that Problems shows the team. Equal ones stand newest first, then by Ref, so a
// refresh without news moves nothing.
func Troubles(s *store.Snapshot, p *Pipelines, d *Deployments) []Trouble {
	return troubles(s, unexplained(s, s.At).problems(View{}), p, d)
}

func troubles(s *store.Snapshot, open []Problem, p *Pipelines, d *Deployments) []Trouble {
	var out []Trouble
	if t := s.Catalog.ConfigError; !t.IsZero() {
		out = append(out, Trouble{Kind: ConfigBroken, Sense: Warn, Service: "config", Text: t, Feed: -1})
	}
	out = appendProblems(out, open)
	for i := range p.Rows {
		if t, ok := runTrouble(&p.Rows[i]); ok {
			out = append(out, t)
		}
	}
	for i := range d.Lanes {
		out = appendLane(out, &d.Lanes[i])
	}
	out = appendFeeds(out, s)
	sortTroubles(out)
	return out
}

func sortTroubles(ts []Trouble) {
	slices.SortStableFunc(ts, func(a, b Trouble) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(b2i(b.Mine), b2i(a.Mine)), b.Since.Compare(a.Since),
			strings.Compare(a.Service, b.Service), compareRefs(a.Ref, b.Ref))
	})
}

// appendProblems adds one trouble for each problem of ours: those of other teams are theirs to mend.
func appendProblems(out []Trouble, ps []Problem) []Trouble {
	for i := range ps {
		p := &ps[i]
		if p.Upstream {
			continue
		}
		in := p.Incident
		t := Trouble{Kind: IncidentOpen, Sense: Crit, Ref: in.Ref, Service: p.Service, Since: p.opened, Mine: p.Mine, Feed: p.Feed}
		if p.State == sources.Acknowledged {
			t.Kind, t.Sense, t.Since = IncidentHeld, Warn, in.Changed
		}
		more := ""
		if n := len(p.Inside); n > 0 {
			more = "and " + itoa(n-1) + " more"
		}
		t.Text = join(" ", severityName(p.Severity), in.Title.String(), more)
		out = append(out, t)
	}
	return out
}

func runTrouble(p *Pipeline) (Trouble, bool) {
	r := p.Run
	t := Trouble{Ref: r.Ref, Service: p.Service, Since: cmp.Or(r.Ended, r.Started, r.Created), Feed: p.Feed}
	name := r.Workflow.String() + " on " + branchOf(r)
	switch {
	case r.State == sources.StateFailed:
		t.Kind, t.Sense = RunFailed, Crit
		t.Text = join(" ", name, cmp.Or(r.Reason.String(), "failed"))
	case len(r.NoRunner) > 0 && r.State == sources.StateQueued:
		t.Kind, t.Sense, t.Since = NoRunner, Warn, r.Created
		t.Text = join(" ", name, "has no runner for", "["+strings.Join(r.NoRunner, " ")+"]")
	case p.Late > 0:
		t.Kind, t.Sense, t.Since = RunLate, Warn, r.Created
		t.Text = clean.Line(r.Workflow.String() + " is late")
	default:
		return t, false
	}
	return t, true
}

func branchOf(r *sources.Run) string {
	if r.Pull != 0 && (r.RefKind == sources.RefPull || r.RefKind == sources.RefQueue) {
		return PullName(r).String()
	}
	return r.Branch.String()
}

func appendLane(out []Trouble, l *Lane) []Trouble {
	for i := range l.Cells {
		c := &l.Cells[i]
		if c.Env == nil {
			continue
		}
		if c.Mismatch {
			out = append(out, Trouble{Kind: VersionsDisagree, Sense: Crit, Ref: c.Env.Ref, Service: l.Service, Since: c.Since, Feed: c.Feed,
				Text: clean.Line(c.Env.Name + ": evidence of the version disagrees")})
		}
		if t, ok := deployTrouble(l, c); ok {
			out = append(out, t)
		}
	}
	return out
}

// deployTrouble speaks of a deployment that did not make it: "prod us failed, eu is on v2.0.3".
func deployTrouble(l *Lane, c *Cell) (Trouble, bool) {
	t := Trouble{Kind: DeploymentFailed, Sense: Crit, Ref: c.Env.Ref, Service: l.Service, Feed: c.Feed}
	if c.Outcome != Half && c.Outcome != DeployFailed {
		return t, false
	}
	if !c.Env.Prod {
		t.Sense = Warn
	}
	if c.Failed == nil {
		t.Since = c.Since
		t.Text = clean.Line(c.Env.Name + ": targets run different versions")
		return t, true
	}
	t.Since = ended(c.Failed)
	var failed, rest []string
	for i := range c.Env.Targets {
		g := &c.Env.Targets[i]
		switch {
		case g.Failed != nil:
			failed = append(failed, g.Name)
		case g.Current != nil:
			rest = append(rest, g.Name+" is on "+g.Current.Version.Short().String())
		}
	}
	what := c.Failed.Version.Short().String()
	where := join(" ", append([]string{c.Env.Name}, failed...)...).String()
	t.Text = join(", ", join(" ", where+":", what, "failed").String(), strings.Join(rest, ", "))
	return t, true
}

// appendFeeds adds one trouble for each source and cause, however many scopes it has.
func appendFeeds(out []Trouble, s *store.Snapshot) []Trouble {
	type cause struct{ source, msg string }
	seen := map[cause]int{}
	for i := range s.Feeds {
		f := &s.Feeds[i]
		h := &f.Health
		if h.State != store.Refused && h.State != store.Failing || h.Err == nil {
			continue
		}
		k := cause{f.Key.Source, h.Err.Msg}
		if at, ok := seen[k]; ok {
			if h.State == store.Refused {
				out[at].Kind = SourceDown
			}
			continue
		}
		t := Trouble{Kind: SourceFails, Sense: Warn, Service: f.Key.Source, Since: h.Since, Text: ErrorText(h.Err), Feed: -1}
		if h.State == store.Refused {
			t.Kind = SourceDown
		}
		seen[k] = len(out)
		out = append(out, t)
	}
	return out
}

// ErrorText is what an error says to people, without its cure.
func ErrorText(e *sources.Error) clean.Text {
	return clean.Line(sources.Message(e))
}

// Waits lists what waits for a person, mine first: approvals, and deployments that failed in production
// or in part.
func Waits(p *Pipelines, d *Deployments) []Trouble {
	var out []Trouble
	seen := map[sources.Ref]bool{} // runs whose gate a lane already showed
	for i := range d.Lanes {
		l := &d.Lanes[i]
		for j := range l.Cells {
			c := &l.Cells[j]
			if c.Env == nil {
				continue
			}
			if g := GateOf(c.Env.Gates); g != nil {
				seen[g.Run] = true
				out = append(out, laneGate(l, j, g))
			}
			if t, ok := deployTrouble(l, c); ok && t.Sense == Crit {
				out = append(out, t)
			}
		}
	}
	for i := range p.Rows {
		r := p.Rows[i].Run
		if g := GateOf(r.Gates); g != nil && r.State == sources.StateWaiting && !seen[r.Ref] {
			out = append(out, Trouble{Kind: GateWaits, Sense: Warn, Ref: r.Ref, Service: p.Rows[i].Service, Since: g.Since,
				Mine: g.CanApprove, Text: gateText(g, g.Environment, ""), Feed: p.Rows[i].Feed})
		}
	}
	slices.SortStableFunc(out, func(a, b Trouble) int {
		return cmp.Or(cmp.Compare(b2i(b.Mine), b2i(a.Mine)), cmp.Compare(b.Kind, a.Kind), b.Since.Compare(a.Since),
			strings.Compare(a.Service, b.Service), compareRefs(a.Ref, b.Ref))
	})
	return out
}

func laneGate(l *Lane, at int, g *sources.Gate) Trouble {
	e := l.Cells[at].Env
	commits := ""
	if e.Ahead > 0 {
		commits = Commits(e.Ahead)
	}
	return Trouble{Kind: GateWaits, Sense: Warn, Ref: e.Ref, Service: l.Service, Since: g.Since, Mine: g.CanApprove,
		Text: gateText(g, e.Name, commits), Feed: l.Cells[at].Feed}
}

func gateText(g *sources.Gate, env, commits string) clean.Text {
	who := ""
	switch {
	case g.CanApprove:
		who = "yours to give"
	case !g.Blocked.IsZero():
		who = g.Blocked.String()
	case len(g.Reviewers) > 0:
		who = "by " + g.Reviewers[0].String()
	case !g.Until.IsZero():
		return join(", ", "timer before "+env, commits)
	}
	return join(", ", "approval for "+env, commits, who)
}

// Commits is "1 commit" or "4 commits".
func Commits(n int) string {
	if n == 1 {
		return "1 commit"
	}
	return itoa(n) + " commits"
}
