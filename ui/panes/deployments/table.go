package deployments

import (
	"slices"
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

// margin is the place of the cursor.
const margin = 2

// ageWidth is the widest age.
const ageWidth = 3

// barWidth is the width of a progress bar in a cell.
const barWidth = 3

// table lays the lanes out: the service, a column for each stage, then how the last stage fares. The
// stages next to production stay longest.
type table struct {
	service, version, targets, health, next int // what the longest of each takes
	stages                                  []stageCol
	targetsAt, targetsW                     int
	deployAt, deployW                       int
	healthAt, healthW                       int
	nextAt, nextW                           int
	serviceW                                int
}

type stageCol struct {
	at, w int // w 0: dropped
	want  int
	head  int
}

func (t *table) measure(e pane.Env, d *insight.Deployments) {
	*t = table{service: len("SERVICE"), version: len("v1.2.3"), next: len("NEXT")}
	t.stages = make([]stageCol, len(d.Stages))
	for i, s := range d.Stages {
		t.stages[i].head = kit.Text(s.Name).Width()
		t.stages[i].want = t.stages[i].head
	}
	for i := range d.Lanes {
		l := &d.Lanes[i]
		t.service = max(t.service, kit.Text(l.Service).Width())
		for j := range l.Cells {
			c := &l.Cells[j]
			if c.Env == nil {
				continue
			}
			t.stages[j].want = max(t.stages[j].want, kit.Width(cellParts(e, c, true)))
			t.version = max(t.version, versionText(c).Width())
		}
		if l.Last >= 0 {
			t.targets = max(t.targets, kit.Width(targetParts(e, &l.Cells[l.Last], store.Fresh)))
		}
		if l.Health.Known {
			t.health = max(t.health, kit.Width(healthParts(e, &l.Health, mostHealth)), len("HEALTH"))
		}
		t.next = max(t.next, kit.Width(nextParts(e, l, store.Fresh, true)))
	}
	if t.targets > 0 {
		t.targets = max(t.targets, len("TARGETS"))
	}
}

// deployWidth is the width of the column that says how the deployment ended: "✗ failed".
const deployWidth = 8

// mostHealth is the most that the column of the services' health takes.
const mostHealth = 16

func (t *table) fit(w int) {
	n := len(t.stages)
	least, most := min(t.version, 9)+2+ageWidth, 28
	if w < 90 {
		least, most = min(t.version, 7)+2+ageWidth, 20
	}
	name := 16
	if w < 90 {
		name = 8
	}
	cols := []kit.Column{{Min: min(name, t.service), Want: min(t.service, 24)}}
	for i := range t.stages {
		c := kit.Column{Gap: 2, Min: max(least, min(t.stages[i].head, 9)), Want: min(t.stages[i].want, most)}
		c.Want = max(c.Want, c.Min)
		if i < n-1 {
			c.Drop = 9 + n - i
		}
		cols = append(cols, c)
	}
	targets := 4
	if t.health > 0 && w < 90 {
		targets = 10 + n // before the stage next to production: a lane that is half says where below
	}
	cols = append(cols,
		kit.Column{Gap: 2, Min: min(12, t.targets), Want: t.targets, Drop: targets},
		kit.Column{Gap: 2, Min: deployWidth, Want: deployWidth, Drop: 1},
		kit.Column{Gap: 2, Min: min(9, t.health), Want: min(t.health, mostHealth), Drop: 2},
		kit.Column{Gap: 2, Min: min(10, t.next), Want: t.next, Drop: 3, Grow: true})
	widths := kit.Fit(w-margin-1, cols)
	at := kit.Places(cols, widths)
	t.serviceW = widths[0]
	for i := range t.stages {
		t.stages[i].at, t.stages[i].w = margin+at[i+1], widths[i+1]
	}
	t.targetsAt, t.targetsW = margin+at[n+1], widths[n+1]
	t.deployAt, t.deployW = margin+at[n+2], widths[n+2]
	t.healthAt, t.healthW = margin+at[n+3], widths[n+3]
	t.nextAt, t.nextW = margin+at[n+4], widths[n+4]
}

func (t *table) head(e pane.Env, r screen.Region, stages []insight.Stage) {
	put := func(x, w int, s string) { kit.Put(r, e.Theme, x, 0, w, theme.Muted, kit.Text(s)) }
	put(margin, t.serviceW, "SERVICE")
	for i, s := range stages {
		put(t.stages[i].at, t.stages[i].w, strings.ToUpper(s.Name))
	}
	put(t.targetsAt, t.targetsW, "TARGETS")
	put(t.deployAt, t.deployW, "DEPLOY")
	put(t.healthAt, t.healthW, "HEALTH")
	put(t.nextAt, t.nextW, "NEXT")
}

// row draws a lane, and why it is not whole below.
func (t *table) row(e pane.Env, r screen.Region, l *insight.Lane) {
	w, _ := r.Size()
	name := theme.Text
	if urgent(l) {
		name = theme.Strong
	} else if l.Discovered {
		name = theme.Muted
	}
	kit.Put(r, e.Theme, margin, 0, t.serviceW, name, kit.Text(l.Service))
	if x := margin + t.serviceW + 2; l.Last < 0 || l.Empty == insight.NothingYet {
		kit.Parts(r, e.Theme, x, 0, w-x-1, emptyParts(e, l))
		return
	} else if t.stages[l.Last].w == 0 {
		kit.Parts(r, e.Theme, x, 0, w-x-1, onlyParts(e, &l.Cells[l.Last]))
		return
	}
	for i := range l.Cells {
		if l.Cells[i].Env != nil {
			t.cell(e, r, &t.stages[i], &l.Cells[i])
		}
	}
	last := &l.Cells[l.Last]
	stale := kit.Staleness(e, last.Feed)
	kit.Parts(r, e.Theme, t.targetsAt, 0, t.targetsW, targetParts(e, last, stale))
	kit.Parts(r, e.Theme, t.deployAt, 0, t.deployW, outcomeParts(e, last, stale))
	kit.Parts(r, e.Theme, t.healthAt, 0, t.healthW, healthParts(e, &l.Health, t.healthW))
	next := nextParts(e, l, stale, t.nextW >= t.next)
	for len(next) > 2 && kit.Width(next) > t.nextW {
		next = next[:len(next)-2] // the least urgent one, whole, with the gap before it
	}
	kit.Parts(r, e.Theme, t.nextAt, 0, t.nextW, next)
	if c := failedCell(l); c != nil {
		r.Text(margin, 1, e.Theme.Style(theme.Muted), e.Theme.Glyph(theme.GlyphChild))
		kit.Parts(r, e.Theme, margin+2, 1, w-margin-3, failureParts(e, c, kit.Staleness(e, c.Feed)))
	}
}

// urgent reports that the lane is one to look at.
func urgent(l *insight.Lane) bool {
	for i := range l.Cells {
		switch c := &l.Cells[i]; c.Outcome {
		case insight.Half, insight.DeployFailed, insight.Arriving, insight.DeployWaiting:
			return true
		default:
			if c.Mismatch {
				return true
			}
		}
	}
	for _, n := range l.Next {
		if n.Kind == insight.NextGate {
			return true
		}
	}
	return l.Health.Known && l.Health.Sense == insight.Crit
}

// cell draws a version and its age at the right edge of its column, or a change under way.
func (t *table) cell(e pane.Env, r screen.Region, col *stageCol, c *insight.Cell) {
	if col.w <= 0 {
		return
	}
	parts := cellParts(e, c, true)
	fits := kit.Width(parts) <= col.w
	if !fits {
		parts = cellParts(e, c, false)
	}
	if c.Version.IsZero() || c.Arriving != nil && (fits || c.Outcome != insight.DeployWaiting) {
		kit.Parts(r, e.Theme, col.at, 0, col.w, parts)
		return
	}
	room := min(t.version+2+ageWidth, col.w)
	kit.Parts(r, e.Theme, col.at, 0, room-ageWidth-1, parts[:len(parts)-1])
	kit.Right(r, e.Theme, col.at, 0, room, theme.Muted, kit.Text(kit.AgeSince(e.Now, c.Since)))
}

// versionText is what runs, as people name it.
func versionText(c *insight.Cell) clean.Text { return named(c.Env.Service, c.Version) }

// named is a version as people name it who know the service: without the service's own name before its
// tag, as monorepos have it.
func named(service string, v sources.Version) clean.Text {
	short := v.Short()
	for _, sep := range []string{"/", "-", "@"} {
		if rest, ok := strings.CutPrefix(short.String(), service+sep); ok && rest != "" {
			return clean.Line(rest)
		}
	}
	return short
}

// cellParts are what a cell says; its last part is the age. full also names what a change replaces.
func cellParts(e pane.Env, c *insight.Cell, full bool) []pane.Part {
	stale := kit.Staleness(e, c.Feed)
	var parts []pane.Part
	waits := c.Outcome == insight.DeployWaiting && !c.Version.IsZero()
	if !c.Version.IsZero() && (c.Arriving == nil || full || waits) {
		tok := theme.Text
		if c.Arriving != nil && !waits {
			tok = theme.Muted
		}
		parts = append(parts, pane.Part{Token: tok, Text: versionText(c)})
		switch {
		case c.Mismatch:
			parts = append(parts, kit.P(kit.Verdict(theme.Crit, stale), "!"))
		case !c.Verified:
			parts = append(parts, kit.P(kit.Verdict(theme.Warn, stale), "?"))
		}
	}
	if a := c.Arriving; a != nil && (full || !waits) {
		if len(parts) > 0 {
			parts = append(parts, kit.P(theme.Muted, " "+e.Theme.Glyph(theme.GlyphArrow).String()+" "))
		}
		return append(append(parts, pane.Part{Token: theme.Strong, Text: named(c.Env.Service, a.Version)}, kit.P(theme.Text, " ")), progress(e, c, stale))
	}
	if c.Version.IsZero() {
		return []pane.Part{kit.P(theme.Muted, "nothing yet")}
	}
	return append(parts, kit.P(theme.Muted, "  "+kit.AgeSince(e.Now, c.Since)))
}

// progress is how far a deployment is: a bar where its run's usual duration is known, else its state.
func progress(e pane.Env, c *insight.Cell, stale store.Staleness) pane.Part {
	g, tok := e.Theme.State(c.Arriving.State)
	tok = kit.Verdict(tok, stale)
	if c.Arriving.State == sources.StateRunning && c.Run != nil && c.Run.Expected > 0 {
		frac := kit.Frac(e.Now.Sub(since(c.Arriving, c.Run)), c.Run.Expected)
		return pane.Part{Token: tok, Text: kit.Bar(e.Theme, barWidth, frac)}
	}
	return pane.Part{Token: tok, Text: e.Theme.Glyph(g)}
}

// targetParts name the targets: each has its mark as soon as one did not make it; those that nothing ever
// came to stand last, in words: "us ✓, no eu".
func targetParts(e pane.Env, c *insight.Cell, stale store.Staleness) []pane.Part {
	whole := c.Outcome == insight.Deployed && !slices.ContainsFunc(c.Targets, never)
	var parts, missing []pane.Part
	for _, t := range c.Targets {
		if never(t) {
			missing = append(missing, kit.P(theme.Text, "no "+t.Name))
			continue
		}
		parts = kit.Spaced(parts, kit.P(theme.Muted, t.Name))
		if whole {
			continue
		}
		g, tok := e.Theme.State(t.State)
		parts = append(parts, kit.P(theme.Text, " "), pane.Part{Token: kit.Verdict(tok, stale), Text: e.Theme.Glyph(g)})
	}
	for _, m := range missing {
		if len(parts) > 0 {
			parts = append(parts, kit.P(theme.Muted, ", "))
		}
		parts = append(parts, m)
	}
	return parts
}

// never reports that nothing is known to have come to a target.
func never(t insight.TargetMark) bool { return t.State == sources.StateSkipped }

// outcomeParts are a glyph and, unless all is well, a word.
func outcomeParts(e pane.Env, c *insight.Cell, stale store.Staleness) []pane.Part {
	say := func(tok theme.Token, g theme.Glyph, word string) []pane.Part {
		tok = kit.Verdict(tok, stale)
		if stale == store.VeryStale {
			g = theme.GlyphStale
		}
		parts := []pane.Part{{Token: tok, Text: e.Theme.Glyph(g)}}
		if word != "" {
			parts = append(parts, kit.P(tok, " "+word))
		}
		return parts
	}
	switch c.Outcome {
	case insight.Deployed:
		return say(theme.OK, theme.GlyphOK, "")
	case insight.Half:
		return say(theme.Crit, theme.GlyphWarn, "half")
	case insight.DeployFailed:
		return say(theme.Crit, theme.GlyphFailed, "failed")
	case insight.Arriving:
		return say(theme.Busy, theme.GlyphRunning, kit.Minutes(max(0, e.Now.Sub(since(c.Arriving, c.Run)))))
	case insight.DeployWaiting:
		return say(theme.Warn, theme.GlyphWaiting, "waits")
	case insight.OutcomeUnknown:
		return say(theme.Warn, theme.GlyphStale, "unknown")
	case insight.OutcomeNone:
	}
	return nil
}

// healthParts are how a service behaves: a glyph and, unless all is well, the worst in a word or two, as
// many of them as fit whole into w columns. A dash says that nothing tells.
func healthParts(e pane.Env, h *insight.Health, w int) []pane.Part {
	if !h.Known {
		return []pane.Part{kit.P(theme.Muted, "-")}
	}
	g, tok := theme.GlyphOK, theme.OK
	switch h.Sense {
	case insight.Crit:
		g, tok = theme.GlyphFailed, theme.Crit
	case insight.Warn:
		g, tok = theme.GlyphWarn, theme.Warn
	case insight.Quiet, insight.Busy:
	}
	stale := kit.Staleness(e, h.Feed)
	if tok = kit.Verdict(tok, stale); stale == store.VeryStale {
		g = theme.GlyphStale
	}
	parts := []pane.Part{{Token: tok, Text: e.Theme.Glyph(g)}}
	words := strings.Fields(h.Text.String())
	for len(words) > 1 && 2+kit.Text(strings.Join(words, " ")).Width() > w {
		last := len(words) - 1
		if needsMore(words[last-1]) {
			last--
		}
		if last == 0 {
			break
		}
		words = words[:last]
	}
	said := strings.Join(words, " ")
	if len(words) > 1 && 2+kit.Text(said).Width() > w {
		said = "" // half a number is a wrong one
	}
	if said != "" {
		parts = append(parts, kit.P(tok, " "+said))
	}
	return parts
}

// needsMore reports that a word says nothing without the one behind it: a number, or a no.
func needsMore(word string) bool {
	_, err := strconv.ParseFloat(word, 64)
	return err == nil || word == "no"
}

// nextParts say what comes next, most urgent first; long ones name their units.
func nextParts(e pane.Env, l *insight.Lane, stale store.Staleness, long bool) []pane.Part {
	var parts []pane.Part
	add := func(tok theme.Token, s string) {
		if len(parts) > 0 {
			parts = append(parts, kit.P(theme.Text, "  "))
		}
		parts = append(parts, kit.P(kit.Verdict(tok, stale), s))
	}
	for _, n := range l.Next {
		switch n.Kind {
		case insight.NextMismatch:
			add(theme.Crit, pick(long, "versions disagree", "disagree"))
		case insight.NextGate:
			add(gateText(e, n, long))
		case insight.NextRollback:
			add(theme.Text, e.Theme.Glyph(theme.GlyphRollback).String()+" "+named(l.Service, n.Version).String())
		case insight.NextUnverified:
			add(theme.Warn, "unverified")
		case insight.NextAhead:
			add(theme.Muted, ahead(n.Commits, long))
		case insight.NextBehind:
			add(theme.Warn, pick(long, insight.Commits(n.Commits)+" not in "+previous(l), "hotfix +"+strconv.Itoa(n.Commits)))
		}
	}
	return parts
}

func pick(long bool, a, b string) string {
	if long {
		return a
	}
	return b
}

func ahead(n int, long bool) string {
	if long {
		return "+" + insight.Commits(n)
	}
	return "+" + strconv.Itoa(n)
}

func previous(l *insight.Lane) string {
	if p := l.Cells[l.Last].Env.Previous; p != "" {
		return p
	}
	return "the stage before"
}

// gateText is "◔ +4 you": what waits, and for whom.
func gateText(e pane.Env, n insight.Next, long bool) (theme.Token, string) {
	commits, who := "", ""
	if n.Commits > 0 {
		commits = ahead(n.Commits, false)
	}
	if long && n.Commits > 0 {
		commits = ahead(n.Commits, true) + " for"
	} else if long {
		commits = "for"
	}
	tok := theme.Info
	switch g := n.Gate; {
	case g.CanApprove:
		who, tok = "you", theme.Warn
	case !g.Blocked.IsZero():
		commits = strings.TrimSuffix(commits, "for")
		who = "blocked"
	case len(g.Reviewers) > 0:
		who = g.Reviewers[0].String()
	case g.Until.After(e.Now):
		commits = strings.TrimSuffix(commits, "for")
		who = "until " + kit.Clock(e.Now, g.Until, e.Zone)
	}
	return tok, kit.Sep(" ", e.Theme.Glyph(theme.GlyphWaiting).String(), strings.TrimSpace(commits), who)
}

// failureParts say which targets did not get what, when, and why.
func failureParts(e pane.Env, c *insight.Cell, stale store.Staleness) []pane.Part {
	var failed []string
	for i := range c.Env.Targets {
		if t := &c.Env.Targets[i]; t.Failed != nil && t.Name != "" {
			failed = append(failed, t.Name)
		}
	}
	f := c.Failed
	when := f.Ended
	if when.IsZero() {
		when = f.Created
	}
	what := kit.Sep(" ", append([]string{c.Env.Name}, failed...)...)
	parts := []pane.Part{kit.P(kit.Verdict(theme.Crit, stale), kit.Sep(" ", what+":", named(c.Env.Service, f.Version).String(), "failed"))}
	rest := kit.Dots(e.Theme, kit.Ago(e.Now, when), f.Reason.String())
	if rest != "" {
		parts = append(parts, kit.P(theme.Muted, " "+rest))
	}
	return parts
}

// onlyParts are all that is known of a lane whose last stage has no column.
func onlyParts(e pane.Env, c *insight.Cell) []pane.Part {
	parts := append([]pane.Part{kit.P(theme.Muted, c.Env.Name+" ")}, cellParts(e, c, true)...)
	return append(append(parts, kit.P(theme.Text, "  ")), outcomeParts(e, c, kit.Staleness(e, c.Feed))...)
}

// emptyParts say why a lane has no versions.
func emptyParts(e pane.Env, l *insight.Lane) []pane.Part {
	if r := l.Release; r != nil && l.Empty == insight.NoEnvironments {
		return []pane.Part{{Token: theme.Text, Text: named(l.Service, r.Version)}, kit.P(theme.Muted, "  "+kit.AgeSince(e.Now, r.At)+"  latest release")}
	}
	say := func(s string) []pane.Part { return []pane.Part{kit.P(theme.Muted, s)} }
	switch l.Empty {
	case insight.LaneLoading:
		return say("not read yet")
	case insight.NothingYet:
		return say("nothing deployed yet")
	case insight.NoDeployFeed:
		return say("its source reads no deployments")
	case insight.NoEnvironments:
		return say("no environments and no releases yet")
	case insight.NotEmpty:
	}
	return nil
}
