package dialog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Title implements Dialog.
func (p *Plan) Title() clean.Text { return p.title }

// Summary is what stands at the right of the title: as whom it is done.
func (p *Plan) Summary() []pane.Part {
	if len(p.plans) == 0 || p.plans[0].Acting.IsZero() {
		return nil
	}
	return []pane.Part{{Token: theme.Muted, Text: clean.Const("acting as ")}, {Token: theme.Strong, Text: p.plans[0].Acting}}
}

// Short is Summary in less room.
func (p *Plan) Short() []pane.Part {
	if all := p.Summary(); len(all) > 0 {
		return all[1:]
	}
	return nil
}

// Seconds implements Dialog: it says how long ago it was read, and how long an action has been under way.
func (p *Plan) Seconds() bool { return p.phase == asking || p.phase == running }

// Want implements Dialog.
func (p *Plan) Want(e pane.Env, w, h int) (int, int) {
	w, p.room = max(0, min(w, planWidth)), h
	body, bottom := p.parts(e, w-2)
	p.measure(len(body), h-len(bottom))
	return w, max(1, min(h, len(body)+len(bottom)))
}

// parts are what scrolls and what does not. Where something has to scroll there is a blank before the bar, and the
// question has with it what the gates say, in a line.
func (p *Plan) parts(e pane.Env, w int) (body []Line, bottom []pinned) {
	body, bottom = p.body(e, w), p.bottom(e, w, p.room)
	if len(body)+len(bottom) <= p.room {
		return body, bottom
	}
	body = p.body(e, w-1)
	if p.phase != asking || p.demand.Kind == action.Refusal || len(bottom)+1 >= p.room {
		return body, bottom
	}
	if p.room >= spaced {
		bottom = bottom[1:] // it stands in the blank line's place
	}
	return body, append([]pinned{{left: p.verdicts(e, w)}}, bottom...)
}

// measure notes how much of the middle is seen.
func (p *Plan) measure(total, room int) {
	p.total, p.page = total, max(1, min(total, room))
	p.scroll(0)
}

// Draw implements Dialog. What does not fit is the middle, which scrolls; the question always shows.
func (p *Plan) Draw(e pane.Env, r screen.Region) {
	w, h := r.Size()
	body, bottom := p.parts(e, w-2)
	room := max(0, h-len(bottom))
	for y := 0; y < room && p.top+y < len(body); y++ {
		component.Draw(r, 1, y, w-2, e.Theme, body[p.top+y])
	}
	if len(body) > room && room > 1 {
		thumb(r, w-1, p.top, room, len(body), e.Theme)
	}
	for i, l := range bottom {
		y := h - len(bottom) + i
		component.Spread(r.Sub(1, y, max(0, w-2), 1), 0, e.Theme, l.left, l.right, component.Width(l.left))
		if l.field != nil {
			at := component.Width(l.left)
			l.field.Draw(r.Sub(1+at, y, max(0, w-2-at), 1), e.Theme)
		}
	}
}

// Footer implements Dialog.
func (p *Plan) Footer(_ *keymap.Map, unicode bool) []pane.Part {
	var parts []pane.Part
	if p.total > p.page {
		parts = hint(parts, "PgDn PgUp", fmt.Sprintf("line %d of %d", min(p.total, p.top+p.page), p.total))
	}
	if p.link() != "" && (p.focus == onText || p.phase >= running) {
		parts = hint(parts, keyBrowse, "browser")
	}
	if p.undo() != nil {
		parts = hint(parts, keyUndo, "undo")
	}
	_ = unicode
	return parts
}

// body is what scrolls.
func (p *Plan) body(e pane.Env, w int) []Line {
	b := &planLines{e: e, w: max(w, 10)}
	switch p.phase {
	case reading:
		b.row("", theme.Busy, theme.GlyphRunning, clean.Linef("reading%s nothing has been sent", e.Theme.Glyph(theme.GlyphEllipsis)))
	case broken:
		p.bodyBroken(b)
	case asking:
		if len(p.plans) == 1 {
			p.bodyOne(b)
		} else {
			p.bodyMany(b)
		}
	case running, ended:
		p.bodyProgress(b)
	}
	return b.lines
}

func (p *Plan) bodyBroken(b *planLines) {
	b.row("", theme.Crit, theme.GlyphFailed, clean.Line(sources.Message(p.err)))
	if cure := sources.Cure(p.err); cure != "" {
		b.fix(clean.Line(cure))
	}
	b.leftOut(p.left)
	b.text(theme.Muted, clean.Const("Nothing was sent."))
}

// bodyOne is a plan: what is so, what will be, how, and what speaks for and against it.
func (p *Plan) bodyOne(b *planLines) {
	q := &p.plans[0]
	if !p.changed.IsZero() {
		b.row("", theme.Warn, theme.GlyphWarn, p.changed)
	}
	if q.Change != nil {
		b.change(q)
	} else {
		b.label("now", theme.Text, q.Now)
		b.label("then", theme.Text, q.Then)
		b.request(&q.Request)
	}
	if how := q.How; !how.IsZero() {
		b.label("how", theme.Text, b.usually(shortIDs(how), q.Change))
	}
	b.wakes(q.Wakes)
	b.leftOut(p.left)
	if q.Change == nil {
		b.more(q.Lines)
	}
	b.blank()
	p.freshness(b)
	p.gates(b, q)
	p.extras(b, q)
	if q.Change != nil && len(q.Lines) > 0 {
		b.blank()
		b.more(q.Lines)
	}
}

// queueGate is the gate that offers lift: what is in the way.
const queueGate = "queue"

// gates adds what the gates say, the strictest first, and what can be done first below the one that it is
// about.
func (p *Plan) gates(b *planLines, q *action.Plan) {
	sorted := strictestFirst(q.Gates)
	for i := range sorted {
		f := &sorted[i]
		offered := f.Gate == queueGate && len(q.Offers) > 0
		if offered {
			f.Fix = clean.Text{}
		}
		b.finding(f)
		if offered {
			p.offered(b, q)
		}
	}
	if !slices.ContainsFunc(sorted, func(f policy.Finding) bool { return f.Gate == queueGate }) {
		p.offered(b, q)
	}
}

func strictestFirst(gates []policy.Finding) []policy.Finding {
	sorted := slices.Clone(gates)
	slices.SortStableFunc(sorted, func(x, y policy.Finding) int { return cmp.Compare(weight(&y), weight(&x)) })
	return sorted
}

// weight is how early a finding is told: how hard the question is comes after what there is against it.
func weight(f *policy.Finding) int {
	if f.Gate == policy.Confirmation && f.Verdict != policy.Deny {
		return 1
	}
	return 2 * int(f.Verdict)
}

func (p *Plan) offered(b *planLines, q *action.Plan) {
	for i := range q.Offers {
		b.wrapped(Line{{Text: pad("", gateWidth)}, {Token: theme.KeyHint, Text: clean.Line(p.offerKey(i))}, {Text: clean.Const(" ")}}, theme.Text, q.Offers[i].Text)
	}
}

// freshness is the one line that a refresh may change.
func (p *Plan) freshness(b *planLines) {
	if p.failed != nil {
		b.gate("read", theme.Warn, theme.GlyphWarn, clean.Linef("%s, and it could not be read again: %s", readAgo(b.e.Now.Sub(p.read)), sources.Message(p.failed)))
		return
	}
	ago := readAgo(b.e.Now.Sub(p.read))
	if p.changed.IsZero() {
		b.gate("read", theme.OK, theme.GlyphOK, clean.Linef("%s, nothing changed since you looked", ago))
		return
	}
	b.gate("read", theme.Warn, theme.GlyphWarn, clean.Linef("%s: stale was what you looked at", ago))
}

func readAgo(d time.Duration) string {
	if d < 5*time.Second {
		return "read again just now"
	}
	return "read again " + kit.Span(d) + " ago"
}

// extras are the keys that lead elsewhere: other versions, other means, a comment.
func (p *Plan) extras(b *planLines, q *action.Plan) {
	if p.choices() > 1 || p.means() > 0 || p.comments() {
		b.blank()
	}
	if n := p.choices(); n > 1 {
		b.key(keyVersions, clean.Linef("choose another version: %d are known", n))
	}
	if p.means() > 0 {
		names := make([]string, 0, len(q.Change.Others))
		for _, m := range q.Change.Others {
			names = append(names, MeansText(m))
		}
		b.key(keyMeans, clean.Linef("do it in another way: %s", strings.Join(names, ", ")))
	}
	if p.comments() {
		b.key(keyComment, clean.Const("write a comment for it"))
	}
}

// MeansText is a means in words.
func MeansText(m action.Means) string {
	switch m {
	case action.ByApproval:
		return "approve the run that waits"
	case action.ByWorkflow:
		return "dispatch the deploy workflow"
	case action.ByDeployment:
		return "file a deployment"
	case action.ByRerun:
		return "run the last good run again"
	}
	return string(m)
}

// bodyMany lists several plans, each with the worst that a gate says of it.
func (p *Plan) bodyMany(b *planLines) {
	if !p.changed.IsZero() {
		b.row("", theme.Warn, theme.GlyphWarn, p.changed)
	}
	b.request(&p.plans[0].Request)
	for i := range p.plans {
		q := &p.plans[i]
		worst := policy.Strictest(q.Gates)
		tok, g := verdict(worst)
		b.row("", tok, g, clean.Linef("%s  %s", q.Name, q.Now))
		if worst > policy.Allow {
			b.under(4, theme.Muted, policy.Worst(q.Gates).Text)
		}
	}
	b.leftOut(p.left)
	b.blank()
	b.label("then", theme.Text, p.plans[0].Then)
	if !p.plans[0].How.IsZero() {
		b.label("how", theme.Text, clean.Linef("each: %s", p.plans[0].How))
	}
	p.freshness(b)
}

// roomy is the height from which on everything is said.
const roomy = 10
