package run

import (
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// fact is one line over the tree.
type fact struct{ left, right []pane.Part }

// facts are what is known of a run beside its jobs: for what, by whom, how it usually goes, what it
// waits for.
func facts(e pane.Env, r *sources.Run, feed int) []fact {
	if r == nil {
		return nil
	}
	sha := sources.Version{SHA: r.Commit.SHA}.Short()
	out := []fact{{
		left:  []pane.Part{kit.P(theme.Strong, branch(r)), kit.P(theme.Muted, "  "+sha.String()+" "), {Token: theme.Text, Text: r.Commit.Title}},
		right: []pane.Part{kit.P(theme.Muted, when(e, r))},
	}, {left: []pane.Part{kit.P(theme.Muted, kit.Dots(e.Theme, by(r), usual(r)))}}}
	if feed < 0 {
		out = append(out, fact{left: mark(e, theme.Warn, theme.GlyphStale, "no longer listed by "+r.Ref.Source+": this is how it was last seen")})
	}
	if len(r.NoRunner) > 0 && r.State == sources.StateQueued {
		out = append(out, fact{left: mark(e, theme.Warn, theme.GlyphQueued, "no runner that is online offers ["+strings.Join(r.NoRunner, " ")+"]; queued for "+kit.AgeSince(e.Now, r.Created))})
	}
	if r.State == sources.StateWaiting {
		for i := range r.Gates {
			out = append(out, fact{left: gate(e, &r.Gates[i])})
		}
	}
	return out
}

func branch(r *sources.Run) string {
	if r.Pull != 0 && (r.RefKind == sources.RefPull || r.RefKind == sources.RefQueue) {
		return insight.PullName(r).String()
	}
	return r.Branch.String()
}

func by(r *sources.Run) string {
	who := r.Event
	if !r.Actor.IsZero() {
		who += " by " + r.Actor.String()
	}
	if a := r.Commit.Author; !a.IsZero() && a != r.Actor {
		who += ", commit of " + a.String()
	}
	if r.Attempt > 1 {
		who += ", attempt " + strconv.Itoa(r.Attempt)
	}
	return who
}

// usual is how the workflow usually goes.
func usual(r *sources.Run) string {
	var parts []string
	if r.Expected > 0 {
		parts = append(parts, "usually "+kit.Minutes(r.Expected))
	}
	if r.Of > 0 {
		parts = append(parts, "failed "+strconv.Itoa(r.Failed)+" of its last "+strconv.Itoa(r.Of)+" on the default branch")
	}
	return strings.Join(parts, ", ")
}

// when is how long the run takes, and when it was.
func when(e pane.Env, r *sources.Run) string {
	switch {
	case r.State == sources.StateRunning && !r.Started.IsZero():
		passed := kit.Took(e.Now.Sub(r.Started))
		if r.Expected > 0 {
			return passed + " of " + kit.Took(r.Expected)
		}
		return passed
	case !r.Ended.IsZero() && !r.Started.IsZero():
		return kit.Took(r.Ended.Sub(r.Started)) + ", ended " + kit.Ago(e.Now, r.Ended)
	default:
		return "created " + kit.Ago(e.Now, r.Created)
	}
}

func mark(e pane.Env, tok theme.Token, g theme.Glyph, text string) []pane.Part {
	return []pane.Part{kit.P(tok, e.Theme.Glyph(g).String()+" "), kit.P(theme.Text, text)}
}

// gate says what waits for whom, since when, and what it holds up.
func gate(e pane.Env, g *sources.Gate) []pane.Part {
	who := "waits for a person"
	switch {
	case g.CanApprove:
		who = "waits for you"
	case !g.Blocked.IsZero():
		who = "waits: " + g.Blocked.String()
	case len(g.Reviewers) > 0:
		who = "waits for " + names(g.Reviewers)
	case g.Until.After(e.Now):
		who = "waits until " + kit.Clock(e.Now, g.Until, e.Zone)
	}
	rest := []string{g.Environment}
	if !g.Version.IsZero() {
		rest = append(rest, g.Version.Short().String())
	}
	if !g.Since.IsZero() {
		rest = append(rest, "since "+kit.Clock(e.Now, g.Since, e.Zone))
	}
	if !g.Concurrency.IsZero() {
		rest = append(rest, "holds "+g.Concurrency.String()+" meanwhile")
	}
	return []pane.Part{kit.P(theme.Warn, e.Theme.Glyph(theme.GlyphWaiting).String()+" "+who), kit.P(theme.Muted, "  "+kit.Dots(e.Theme, rest...))}
}

func names(all []clean.Text) string {
	out := make([]string, len(all))
	for i, n := range all {
		out[i] = n.String()
	}
	return strings.Join(out, " or ")
}

// draw draws one line of the tree.
func (p *Pane) draw(e pane.Env, r screen.Region, n *row) {
	w, _ := r.Size()
	x := 1 + 2*n.depth
	if n.kind == quote {
		tok := theme.Muted
		if n.text.Level == sources.LogError {
			tok = theme.Crit
		}
		lines, more := p.wrapped(n)
		for y, l := range lines {
			end := r.Text(x+2, y, e.Theme.Style(tok), l)
			if more && y == len(lines)-1 {
				r.Text(x+2+end, y, e.Theme.Style(theme.Muted), e.Theme.Glyph(theme.GlyphEllipsis))
			}
		}
		return
	}
	stale := kit.Staleness(e, p.feed)
	g, tok := e.Theme.State(n.state)
	if n.kind == rest || n.kind == attempt {
		tok = theme.Muted
	}
	name := theme.Text
	switch {
	case n.state == sources.StateFailed && n.kind != attempt:
		name = theme.Strong
	case n.state.Done():
		name = theme.Muted
	}
	left := []pane.Part{kit.P(theme.Muted, fold(e, n)), {Token: kit.Verdict(tok, stale), Text: e.Theme.Glyph(g)}, kit.P(theme.Text, " "), {Token: name, Text: n.name}}
	left = append(left, p.note(e, n)...)
	kit.Spread(r.Sub(x, 0, w-x-1, 1), e.Theme, 0, left, []pane.Part{kit.P(theme.Muted, took(e, n))}, 12)
}

// quoteLines is how many lines of the screen a quoted line takes at most.
const quoteLines = 4

// wrapped is a quoted line as it stands in the tree; more tells that it goes on.
func (p *Pane) wrapped(n *row) (lines []clean.Text, more bool) {
	w := max(8, p.size.W-2*n.depth-5)
	if n.name.Width() <= w {
		return []clean.Text{n.name}, false
	}
	lines = kit.Wrap(n.name, w)
	if len(lines) > quoteLines {
		return lines[:quoteLines], true
	}
	return lines, false
}

// height is how many lines of the screen a row takes.
func (p *Pane) height(n *row) int {
	if n.kind != quote {
		return 1
	}
	lines, _ := p.wrapped(n)
	return max(1, len(lines))
}

// fold is the sign of what is open or can be opened.
func fold(e pane.Env, n *row) string {
	switch {
	case !n.opens:
		return "  "
	case n.opened:
		return e.Theme.Glyph(theme.GlyphDown).String() + " "
	default:
		return e.Theme.Glyph(theme.GlyphPath).String() + " "
	}
}

// note is what stands behind a name.
func (p *Pane) note(e pane.Env, n *row) []pane.Part {
	switch n.kind {
	case caller, matrix, attempt:
		jobs := "job"
		if n.kind == matrix {
			jobs = "leg"
		}
		if n.failed > 0 {
			return []pane.Part{kit.P(theme.Muted, "  "+strconv.Itoa(n.failed)+" of "+clean.Counted(n.leaves, jobs)+" failed")}
		}
		return []pane.Part{kit.P(theme.Muted, "  "+clean.Counted(n.leaves, jobs))}
	case job:
		return p.jobNote(e, n)
	case step, rest, quote:
	}
	return nil
}

func (p *Pane) jobNote(e pane.Env, n *row) []pane.Part {
	j := n.job
	switch {
	case !j.Reason.IsZero():
		return []pane.Part{kit.P(theme.Muted, "  "+j.Reason.String())}
	case j.State == sources.StateQueued && len(j.Labels) > 0:
		return []pane.Part{kit.P(theme.Muted, "  wants a runner with ["+strings.Join(j.Labels, " ")+"]")}
	case j.State == sources.StateWaiting:
		return []pane.Part{kit.P(theme.Warn, "  waiting")}
	case j.State == sources.StateFailed && j.Ref == p.logJob && p.logErr != nil:
		return []pane.Part{kit.P(theme.Muted, "  log: "+kit.ErrText(p.logErr).String())}
	default:
		return nil
	}
}

// took is how long a node took, or takes so far.
func took(e pane.Env, n *row) string {
	switch {
	case n.began.IsZero() || n.state == sources.StateSkipped:
		return ""
	case n.ended.IsZero() && !n.state.Done():
		return kit.Took(max(0, e.Now.Sub(n.began)))
	case n.ended.IsZero() || n.ended.Before(n.began):
		return ""
	default:
		return kit.Took(n.ended.Sub(n.began).Round(time.Second))
	}
}
