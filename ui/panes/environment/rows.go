package environment

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// row is one line of the detail. A heading has a blank line over it.
type row struct {
	key        string
	height     int
	run        sources.Ref         // what Enter opens
	deployment *sources.Deployment // of the history
	heading    bool
	parts      []pane.Part // of any other line
	right      []pane.Part
}

// builder collects rows.
type builder struct {
	e    pane.Env
	w    int // columns of a line
	rows []row
}

// text adds a sentence, wrapped behind its indent and its mark.
func (b *builder) text(key string, run sources.Ref, indent int, lead pane.Part, s string) {
	room := b.w - indent - lead.Text.Width()
	for i, line := range kit.Wrap(clean.Line(s), max(room, 12)) {
		if i > 0 {
			lead = kit.P(theme.Text, strings.Repeat(" ", lead.Text.Width()))
			key += "+"
		}
		b.line(key, run, kit.P(theme.Text, strings.Repeat(" ", indent)), lead, pane.Part{Token: theme.Text, Text: line})
	}
}

func (b *builder) line(key string, run sources.Ref, parts ...pane.Part) {
	b.rows = append(b.rows, row{key: key, height: 1, run: run, parts: parts})
}

func (b *builder) heading(text string, right string) {
	r := row{key: "# " + text, height: 2, heading: true, parts: []pane.Part{kit.P(theme.Muted, text)}}
	if len(b.rows) == 0 {
		r.height = 1
	}
	if right != "" {
		r.right = []pane.Part{kit.P(theme.Muted, right)}
	}
	b.rows = append(b.rows, r)
}

// build makes the rows: targets, doubts, gates, what lies before, history.
func build(e pane.Env, p *Pane) []row {
	b := &builder{e: e, w: p.size.W - 3, rows: p.rows[:0]}
	stale := kit.Staleness(e, p.feed)
	if p.feed < 0 {
		b.line("gone", sources.Ref{}, kit.P(theme.Warn, "no longer listed by "+p.ref.Source+": this is how it was last seen"))
	}
	b.targets(p.env, stale)
	b.gates(p.env, stale)
	b.between(p)
	b.history(p.env)
	return b.rows
}

func (b *builder) targets(env *sources.Environment, stale store.Staleness) {
	b.heading("RUNS NOW", "")
	width := 0
	for i := range env.Targets {
		width = max(width, kit.Text(env.Targets[i].Name).Width())
	}
	for i := range env.Targets {
		b.target(&env.Targets[i], width, stale)
	}
	if len(env.Targets) == 0 {
		b.line("no target", sources.Ref{}, kit.P(theme.Muted, "nothing is known to run here"))
	}
}

func (b *builder) target(t *sources.Target, width int, stale store.Staleness) {
	key := "target " + t.Name
	lead := kit.P(theme.Strong, pad(t.Name, width))
	if c := t.Current; c != nil {
		parts := []pane.Part{lead, {Token: theme.Text, Text: c.Version.Short()},
			kit.P(theme.Muted, short(c.Version)+"  since "+kit.Sep(" ", kit.Clock(b.e.Now, cmp.Or(c.Ended, c.Created), b.e.Zone)+",", kit.Ago(b.e.Now, cmp.Or(c.Ended, c.Created))+by(c)))}
		b.line(key, c.Run, parts...)
		b.belief(key, c, stale, width)
	} else {
		b.line(key, sources.Ref{}, lead, kit.P(theme.Muted, "nothing is known to run here"))
	}
	if a := t.Arriving; a != nil {
		g, tok := b.e.Theme.State(a.State)
		b.line(key+" arriving", a.Run, kit.P(theme.Text, pad("", width)), kit.P(kit.Verdict(tok, stale), b.e.Theme.Glyph(g).String()+" "),
			pane.Part{Token: theme.Strong, Text: a.Version.Short()}, kit.P(theme.Text, " is on its way: "+a.State.String()),
			kit.P(theme.Muted, kit.Sep(", ", " for "+kit.Minutes(max(0, b.e.Now.Sub(a.Created))), a.Reason.String())+by(a)))
	}
	if f := t.Failed; f != nil {
		b.line(key+" failed", f.Run, kit.P(theme.Text, pad("", width)), kit.P(kit.Verdict(theme.Crit, stale), b.e.Theme.Glyph(theme.GlyphFailed).String()+" "+f.Version.Short().String()+" failed"),
			kit.P(theme.Muted, " "+kit.Sep(": ", kit.Ago(b.e.Now, cmp.Or(f.Ended, f.Created))+by(f), f.Reason.String())))
	}
}

func by(d *sources.Deployment) string {
	if d.Actor.IsZero() {
		return ""
	}
	return ", by " + d.Actor.String()
}

// short is the commit of a version that is named by its tag.
func short(v sources.Version) string {
	if v.Tag.IsZero() || v.SHA == "" {
		return ""
	}
	return "  " + v.SHA[:min(7, len(v.SHA))]
}

func pad(s string, width int) string {
	if width == 0 {
		return ""
	}
	return s + strings.Repeat(" ", max(0, width-kit.Text(s).Width())+2)
}

// belief says how the version is known, and shouts where it is not.
func (b *builder) belief(key string, d *sources.Deployment, stale store.Staleness, width int) {
	indent := len(pad("", width))
	switch {
	case d.Mismatch:
		b.text(key+" belief", d.Run, indent, kit.P(kit.Verdict(theme.Crit, stale), b.e.Theme.Glyph(theme.GlyphWarn).String()+" versions disagree: "), testimony(d.Evidence))
	case !d.Verified:
		b.text(key+" belief", d.Run, indent, kit.P(kit.Verdict(theme.Warn, stale), b.e.Theme.Glyph(theme.GlyphWarn).String()+" unverified: "), unverified(d.Evidence))
	case len(d.Evidence) > 0:
		ev := d.Evidence[0]
		said := "confirmed by " + Kind(ev.Kind)
		if d := ev.Detail.String(); d != "" && d != string(ev.Kind) {
			said += " (" + ev.Detail.String() + ")"
		}
		b.line(key+" belief", d.Run, kit.P(theme.Muted, pad("", width)+kit.Sep(", ", said, kit.Ago(b.e.Now, ev.At))))
	}
}

// testimony is what each piece of evidence says.
func testimony(all []sources.Evidence) string {
	said := make([]string, len(all))
	for i, ev := range all {
		said[i] = Kind(ev.Kind) + " says " + ev.Version.Short().String()
	}
	return strings.Join(said, ", ")
}

// unverified explains why what is known is not enough.
func unverified(all []sources.Evidence) string {
	if len(all) == 0 {
		return "nothing says what runs here; version_from in the config can name a witness"
	}
	return "only " + Kind(all[0].Kind) + " says so; version_from in the config can name a better witness"
}

// Kind is a kind of evidence in words.
func Kind(k sources.EvidenceKind) string {
	switch k {
	case sources.FromRecord:
		return "the deployment record"
	case sources.FromRunName:
		return "the run's name"
	case sources.FromInput:
		return "the workflow's input"
	case sources.FromPayload:
		return "the deployment's payload"
	case sources.FromURL:
		return "the running service"
	case sources.FromMetric:
		return "a metric's tag"
	case sources.FromImage:
		return "the running image"
	}
	return string(k)
}

func (b *builder) gates(env *sources.Environment, stale store.Staleness) {
	if len(env.Gates) == 0 {
		return
	}
	b.heading("WAITS", "")
	for i := range env.Gates {
		g := &env.Gates[i]
		who := "for a person"
		switch {
		case g.CanApprove:
			who = "for you"
		case !g.Blocked.IsZero():
			who = "and nobody can approve it yet: " + g.Blocked.String()
		case len(g.Reviewers) > 0:
			who = "for " + names(g.Reviewers)
		case g.Until.After(b.e.Now):
			who = "until " + kit.Clock(b.e.Now, g.Until, b.e.Zone)
		}
		what := "run " + g.Run.ID
		if !g.Version.IsZero() {
			what = g.Version.Short().String() + " of run " + g.Run.ID
		}
		var rest []string
		if g.Environment != "" {
			rest = append(rest, "before "+g.Environment)
		}
		if !g.Since.IsZero() {
			rest = append(rest, "since "+kit.Clock(b.e.Now, g.Since, b.e.Zone))
		}
		if !g.Concurrency.IsZero() {
			rest = append(rest, "holds the queue "+g.Concurrency.String()+" meanwhile")
		}
		b.text("gate "+strconv.FormatInt(g.EnvironmentID, 10)+" "+g.Run.String(), g.Run, 0,
			kit.P(kit.Verdict(theme.Warn, stale), b.e.Theme.Glyph(theme.GlyphWaiting).String()+" "),
			kit.Sep(", ", append([]string{what + " waits " + who}, rest...)...))
	}
}

func names(all []clean.Text) string {
	out := make([]string, len(all))
	for i, n := range all {
		out[i] = n.String()
	}
	return strings.Join(out, " or ")
}

// between lists the commits that the stage before has and this one has not.
func (b *builder) between(p *Pane) {
	if p.before == nil {
		return
	}
	prev := p.before.Name
	switch {
	case p.ask.Comparison.IsZero() && p.env.Ahead > 0:
		b.heading("NEXT", "")
		b.line("ahead", sources.Ref{}, kit.P(theme.Text, insight.Commits(p.env.Ahead)+" in "+prev+" and not here"))
	case p.ask.Comparison.IsZero():
		if v := current(p.before); !v.IsZero() && v.Same(current(p.env)) {
			b.heading("NEXT", "")
			b.line("same", sources.Ref{}, kit.P(theme.Muted, prev+" runs the same version"))
		}
	case p.err != nil:
		b.heading("NEXT", "")
		b.text("no comparison", sources.Ref{}, 0, kit.P(theme.Warn, "! "), "not compared with "+prev+": "+kit.ErrText(p.err).String())
	case p.diff == nil:
		b.heading("NEXT", "")
		b.line("comparing", sources.Ref{}, kit.P(theme.Muted, "comparing with "+prev+kit.Ellipsis(b.e.Theme)))
	default:
		b.comparison(p.diff, prev, here(p.env))
	}
}

// here is what a comparison compares with: the newest version that runs in env, by its name where others
// run there too.
func here(env *sources.Environment) string {
	newest := current(env)
	for i := range env.Targets {
		if c := env.Targets[i].Current; c != nil && !c.Version.Same(newest) {
			return "in " + newest.Short().String() + ", the newest version here"
		}
	}
	return "here"
}

func (b *builder) comparison(d *sources.Comparison, prev, here string) {
	right := ""
	if d.Partial {
		right = "the list of files is cut"
	}
	b.heading("NEXT", right)
	if d.Ahead > 0 || d.Behind == 0 {
		b.line("ahead", sources.Ref{}, kit.P(theme.Text, insight.Commits(d.Ahead)+" in "+prev+" and not "+here))
	}
	if d.Behind > 0 {
		b.text("behind", sources.Ref{}, 0, kit.P(theme.Warn, b.e.Theme.Glyph(theme.GlyphWarn).String()+" "),
			insight.Commits(d.Behind)+" here and not in "+prev+": promoting it would lose them")
	}
	for i := range d.Commits {
		c := &d.Commits[i]
		pull := ""
		if c.Pull > 0 && !strings.Contains(c.Title.String(), "#"+strconv.Itoa(c.Pull)) {
			pull = " #" + strconv.Itoa(c.Pull)
		}
		b.rows = append(b.rows, row{key: "commit " + c.SHA, height: 1,
			parts: []pane.Part{kit.P(theme.Muted, "  "+c.SHA[:min(7, len(c.SHA))]+" "), {Token: theme.Text, Text: c.Title}, kit.P(theme.Muted, pull)},
			right: []pane.Part{kit.P(theme.Muted, kit.Sep("  ", c.Author.String(), fmt.Sprintf("%3s", kit.AgeSince(b.e.Now, c.At))))}})
	}
}

func (b *builder) history(env *sources.Environment) {
	b.heading("HISTORY", clean.Counted(len(env.History), "deployment"))
	for i := range env.History {
		d := &env.History[i]
		b.rows = append(b.rows, row{key: "deployment " + d.Ref.String(), height: 1, run: d.Run, deployment: d})
	}
	if len(env.History) == 0 {
		b.line("no history", sources.Ref{}, kit.P(theme.Muted, "nothing was ever deployed here"))
	}
}

// draw draws one line.
func (n *row) draw(e pane.Env, p *Pane, r screen.Region) {
	w, _ := r.Size()
	switch {
	case n.deployment != nil:
		p.widths.draw(e, r, n.deployment, kit.Staleness(e, p.feed))
	case n.heading:
		kit.Spread(r.Sub(1, 0, w-2, 1), e.Theme, 0, n.parts, n.right, 8)
	default:
		kit.Spread(r.Sub(2, 0, w-3, 1), e.Theme, 0, n.parts, n.right, 30)
	}
}

// The columns of the history.
const (
	colVersion = iota
	colTarget
	colState
	colWhen
	colTook
	colWho
	colEvidence
	colCount
)

type columns struct {
	want   [colCount]int
	widths []int
	places []int
}

func (c *columns) measure(env *sources.Environment) {
	c.want = [colCount]int{colState: len("superseded") + 2, colWhen: len("21 Nov 02:04"), colTook: len("10m00s"), colEvidence: 30}
	if env == nil {
		return
	}
	for i := range env.History {
		d := &env.History[i]
		c.want[colVersion] = max(c.want[colVersion], d.Version.Short().Width())
		c.want[colTarget] = max(c.want[colTarget], kit.Text(d.Target).Width())
		c.want[colWho] = max(c.want[colWho], d.Actor.Width())
	}
}

func (c *columns) fit(w int) {
	cols := [colCount]kit.Column{
		colVersion:  {Min: min(7, c.want[colVersion]), Want: min(20, c.want[colVersion])},
		colTarget:   {Gap: 2, Min: min(4, c.want[colTarget]), Want: min(12, c.want[colTarget]), Drop: 1},
		colState:    {Gap: 2, Min: c.want[colState], Want: c.want[colState]},
		colWhen:     {Gap: 2, Min: c.want[colWhen], Want: c.want[colWhen], Drop: 2},
		colTook:     {Gap: 2, Min: 6, Want: c.want[colTook], Drop: 4},
		colWho:      {Gap: 2, Min: min(6, c.want[colWho]), Want: min(16, c.want[colWho]), Drop: 3},
		colEvidence: {Gap: 2, Min: 14, Want: c.want[colEvidence], Drop: 5, Grow: true},
	}
	c.widths = kit.Fit(w-3, cols[:])
	c.places = kit.Places(cols[:], c.widths)
}

func (c *columns) draw(e pane.Env, r screen.Region, d *sources.Deployment, stale store.Staleness) {
	put := func(col int, tok theme.Token, s string) {
		kit.Put(r, e.Theme, 2+c.places[col], 0, c.widths[col], tok, kit.Text(s))
	}
	g, tok := e.Theme.State(d.State)
	word := d.State.String()
	wordTok := theme.Muted
	if d.State == sources.StateFailed || !d.State.Done() {
		wordTok = kit.Verdict(tok, stale)
	}
	put(colVersion, theme.Text, d.Version.Short().String())
	put(colTarget, theme.Muted, d.Target)
	kit.Parts(r, e.Theme, 2+c.places[colState], 0, c.widths[colState],
		[]pane.Part{{Token: kit.Verdict(tok, stale), Text: e.Theme.Glyph(g)}, kit.P(wordTok, " "+word)})
	put(colWhen, theme.Muted, kit.Clock(e.Now, d.Created, e.Zone))
	if !d.Ended.IsZero() {
		kit.Right(r, e.Theme, 2+c.places[colTook], 0, c.widths[colTook], theme.Muted, kit.Text(kit.Took(d.Ended.Sub(d.Created))))
	}
	put(colWho, theme.Muted, d.Actor.String())
	proof, proofTok := evidence(d)
	put(colEvidence, kit.Verdict(proofTok, stale), proof)
}

func evidence(d *sources.Deployment) (string, theme.Token) {
	switch {
	case d.Mismatch:
		return "! versions disagree", theme.Crit
	case !d.Verified:
		return "unverified", theme.Warn
	case d.State == sources.StateFailed && !d.Reason.IsZero():
		return d.Reason.String(), theme.Muted
	case len(d.Evidence) > 0:
		return Kind(d.Evidence[0].Kind), theme.Muted
	default:
		return "", theme.Muted
	}
}
