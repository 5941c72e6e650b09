package incident

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

// mostLines is how many entries of a log, and alerts, are listed: the newest, and the first.
const mostLines = 200

func itoa(n int) string { return strconv.Itoa(n) }

// key identifies a line by when and what; n tells apart those that agree in that.
func key(at time.Time, kind string, n int) string {
	return strconv.FormatInt(at.UnixNano(), 36) + " " + kind + " " + itoa(n)
}

// logs are the entries of every system's log, oldest first.
func (p *Pane) logs() []sources.LogEntry {
	var out []sources.LogEntry
	for _, k := range p.parts {
		if k.detail != nil {
			out = append(out, k.detail.Log...)
		}
	}
	slices.SortStableFunc(out, func(a, b sources.LogEntry) int { return a.At.Compare(b.At) })
	return out[max(0, len(out)-mostLines):]
}

// trouble says what could not be read, or is being asked for.
func (b *builder) trouble(p *Pane) {
	for i, k := range p.parts {
		id := "trouble " + itoa(i)
		switch {
		case k.err != nil && k.detail == nil:
			b.text(id, row{left: b.glyph(theme.Warn, theme.GlyphWarn)}, theme.Muted, clean.Linef("%s: %s", k.ref.Source, kit.ErrText(k.err)))
		case k.err != nil:
			b.text(id, row{left: b.glyph(theme.Warn, theme.GlyphWarn)}, theme.Muted, clean.Linef("not read again: %s: %s", k.ref.Source, kit.ErrText(k.err)))
		case k.detail == nil && k.waiting:
			b.text(id, row{left: b.glyph(theme.Busy, theme.GlyphRunning)}, theme.Muted, kit.Text("asking "+k.ref.Source+kit.Ellipsis(b.e.Theme)))
		}
		if k.detail == nil {
			continue
		}
		for n := range k.detail.Notices {
			t := &k.detail.Notices[n]
			b.text(id+" notice "+itoa(n), row{left: b.glyph(theme.Warn, theme.GlyphWarn)}, theme.Muted,
				kit.Text(kit.Dots(b.e.Theme, kit.Sep(": ", t.Scope, t.Text.String()), t.Fix.String())))
		}
	}
}

// log lists what was done, the newest last.
func (b *builder) log(p *Pane) {
	logs := p.logs()
	if len(logs) == 0 && p.all() {
		return
	}
	b.begin("LOG")
	times, kinds := make([]string, len(logs)), make([]string, len(logs))
	for i := range logs {
		times[i], kinds[i] = kit.Clock(b.e.Now, logs[i].At, b.e.Zone), logs[i].Kind
	}
	at, kind := widest(times), min(widest(kinds), b.w/5)
	for i := range logs {
		l := &logs[i]
		b.text(key(l.At, l.Kind, i), row{left: []pane.Part{kit.P(theme.Muted, fmt.Sprintf("%*s ", at, times[i])), kit.P(theme.Text, fmt.Sprintf("%-*s ", kind, l.Kind))},
			right: via(l)}, theme.Text, said(l))
	}
	b.trouble(p)
}

// widest is the width of the widest of texts.
func widest(texts []string) int {
	w := 0
	for _, t := range texts {
		w = max(w, kit.Text(t).Width())
	}
	return w
}

// said is who did it and what it says, the name once.
func said(l *sources.LogEntry) clean.Text {
	if strings.HasPrefix(l.Text.String(), l.Who.String()) {
		return l.Text
	}
	return kit.Text(kit.Sep(" ", l.Who.String(), l.Text.String()))
}

// all reports that every system has answered, and nothing lacks.
func (p *Pane) all() bool {
	return !slices.ContainsFunc(p.parts, func(k *part) bool {
		return k.detail == nil || k.err != nil || len(k.detail.Notices) > 0
	})
}

func via(l *sources.LogEntry) []pane.Part {
	if l.Via.IsZero() {
		return nil
	}
	return []pane.Part{kit.P(theme.Muted, "via "+l.Via.String())}
}

func (b *builder) notes(p *Pane) {
	begun := false
	for _, k := range p.parts {
		if k.detail == nil || len(k.detail.Notes) == 0 {
			continue
		}
		if !begun {
			b.begin("NOTES")
			begun = true
		}
		for i := range k.detail.Notes {
			n := &k.detail.Notes[i]
			b.text(k.ref.ID+key(n.At, "note", i), row{left: []pane.Part{kit.P(theme.Muted, kit.Clock(b.e.Now, n.At, b.e.Zone)+" "), kit.P(theme.Strong, n.Who.String()+" ")}},
				theme.Text, n.Text)
		}
	}
}

// alerts lists what is firing behind the problem, with labels and silences, and the groups of its monitors.
func (b *builder) alerts(p *Pane, q *insight.Problem) {
	n := 0
	first := func() {
		if n++; n == 1 {
			b.begin("ALERTS")
		}
	}
	for _, k := range p.parts {
		if k.detail == nil {
			continue
		}
		said := saidOf(q, k.detail.Alerts)
		for i := range k.detail.Alerts {
			first()
			if n <= mostLines {
				b.alert(k.ref.String()+" "+itoa(i), &k.detail.Alerts[i], said)
			}
		}
	}
	for i := range q.Members {
		m := q.Members[i].Monitor
		if m == nil {
			continue
		}
		for g := range m.Groups {
			first()
			if n <= mostLines {
				b.group(m, g)
			}
		}
	}
	if n > mostLines {
		b.say("more", "and "+itoa(n-mostLines)+" more")
	}
}

func (b *builder) alert(id string, a *sources.Alert, said map[clean.Text]bool) {
	g, tok, _ := kit.IncidentState(a.State)
	if len(a.Silenced) > 0 {
		tok = theme.Muted
	}
	all := "labels of " + id
	b.text(id, row{left: b.glyph(tok, g), right: []pane.Part{kit.P(theme.Muted, kit.AgeSince(b.e.Now, a.Since))}, url: a.URL, ref: a.Ref, toggles: all}, theme.Text, a.Title)
	b.labels(id, row{left: []pane.Part{kit.P(theme.Text, "  ")}, url: a.URL, ref: a.Ref, toggles: all}, a.Labels, said)
	for i := range a.Silenced {
		s := &a.Silenced[i]
		text := "silenced"
		if !s.Until.IsZero() {
			text += " until " + kit.Clock(b.e.Now, s.Until, b.e.Zone)
		}
		if !s.By.IsZero() {
			text += " by " + s.By.String()
		}
		b.text(id+" silence "+itoa(i), row{left: []pane.Part{kit.P(theme.Text, "  ")}, url: a.URL, ref: s.Ref}, theme.Muted, kit.Text(kit.Sep(": ", text, s.Comment.String())))
	}
}

// fewLines is how many lines of an alert's labels show before somebody asks for all.
const fewLines = 2

// labels are an alert's labels, the telling ones first, without those that are said already; all of them once
// the row was toggled. How to see the rest stands once in the section.
func (b *builder) labels(id string, r row, labels []clean.Text, said map[clean.Text]bool) {
	shown := labels
	if !b.folded[r.toggles] {
		shown = slices.DeleteFunc(slices.Clone(labels), func(l clean.Text) bool { return said[l] })
	}
	if len(shown) == 0 {
		return
	}
	lines := kit.Wrap(clean.Join(clean.Const(" "), shown...), max(b.w-2, 12))
	more := len(shown) < len(labels)
	if !b.folded[r.toggles] && len(lines) > fewLines {
		lines, more = lines[:fewLines], true
	}
	left := r.left
	for i, l := range lines {
		r.left = append(left[:len(left):len(left)], pane.Part{Token: theme.Muted, Text: l})
		if more && i == len(lines)-1 && !b.hinted {
			r.right, b.hinted = kit.Key(b.e, keymap.OpenDetail, "all labels"), true
		}
		b.add(id+" labels "+itoa(i), r)
	}
}

// saidOf are the labels that need not stand with each alert of a problem: those that all have, where there are
// several, and those of which the service, the place or a title says the value. What tells the alerts apart
// is none of them.
func saidOf(q *insight.Problem, alerts []sources.Alert) map[clean.Text]bool {
	said := map[clean.Text]bool{}
	if len(alerts) == 0 {
		return said
	}
	if len(alerts) > 1 {
		for _, l := range alerts[0].Labels {
			said[l] = !slices.ContainsFunc(alerts[1:], func(a sources.Alert) bool { return !slices.Contains(a.Labels, l) })
		}
	}
	values := map[string]string{}
	differ := map[string]bool{}
	for i := range alerts {
		for _, l := range alerts[i].Labels {
			name, value, _ := strings.Cut(l.String(), "=")
			was, ok := values[name]
			differ[name] = differ[name] || ok && was != value
			values[name] = value
		}
	}
	for i := range alerts {
		for _, l := range alerts[i].Labels {
			name, value, ok := strings.Cut(l.String(), "=")
			said[l] = said[l] || ok && !differ[name] && isSaid(q, &alerts[i], value)
		}
	}
	return said
}

// isSaid reports that the detail says value already: the service, a place, a title.
func isSaid(q *insight.Problem, a *sources.Alert, value string) bool {
	return value != "" && (strings.EqualFold(value, q.Service) || value == a.Title.String() || value == q.Incident.Title.String() ||
		slices.Contains(strings.Fields(q.Scope.String()), value))
}

func (b *builder) group(m *sources.Monitor, i int) {
	g := &m.Groups[i]
	tok := theme.Warn
	switch {
	case g.Muted:
		tok = theme.Muted
	case g.State == sources.MonitorAlert:
		tok = theme.Crit
	}
	state := g.State.String()
	if g.Muted {
		state += ", muted"
	}
	b.text(m.Ref.String()+" "+itoa(i), row{left: b.glyph(tok, theme.GlyphTriggered), right: []pane.Part{kit.P(theme.Muted, kit.Sep(" ", state, kit.AgeSince(b.e.Now, g.Since)))},
		url: m.URL, ref: m.Ref}, theme.Text, g.Name)
}

// mostBefore is how many incidents like this one are listed.
const mostBefore = 5

// before lists the last ones like it, and what ended them.
func (b *builder) before(p *Pane, q *insight.Problem) {
	if len(p.like) == 0 {
		return
	}
	b.begin("SEEN BEFORE", kit.P(theme.Muted, kit.Often(q.Seen)+" in "+kit.Age(q.SeenIn)))
	like := p.like[:min(len(p.like), mostBefore)]
	times := make([]string, len(like))
	for i, in := range like {
		times[i] = kit.Clock(b.e.Now, in.Created, b.e.Zone)
	}
	at := widest(times)
	for i, in := range like {
		took := ""
		if !in.Ended.IsZero() && in.Ended.After(in.Created) {
			took = "took " + kit.Minutes(in.Ended.Sub(in.Created))
		}
		by := ""
		if !in.EndedBy.IsZero() {
			by = "ended by " + in.EndedBy.String()
		}
		b.text(in.Ref.String(), row{left: []pane.Part{kit.P(theme.Muted, fmt.Sprintf("%*s ", at, times[i]))}, url: in.URL, ref: in.Ref},
			theme.Text, kit.Text(kit.Dots(b.e.Theme, in.Title.String(), took, by)))
	}
}

// links lists every system's view of the problem: each line's page opens in the browser.
func (b *builder) links(q *insight.Problem) {
	b.begin("LINKS")
	for i := range q.Members {
		m := &q.Members[i]
		r := row{}
		var name clean.Text
		var what string
		if in := m.Incident; in != nil {
			_, _, word := kit.IncidentState(in.State)
			r.url, r.ref, name = in.URL, in.Ref, in.Title
			what = kit.Sep(" ", in.Ref.Source, string(in.Kind), in.Number.String(), word)
		} else {
			r.url, r.ref, name = m.Monitor.URL, m.Monitor.Ref, m.Monitor.Name
			what = kit.Sep(" ", m.Monitor.Ref.Source, "monitor", m.Monitor.State.String())
		}
		r.left = []pane.Part{kit.P(theme.Text, what+"  "), {Token: theme.Muted, Text: name}}
		if r.url != "" {
			r.right = kit.Key(b.e, keymap.OpenBrowser, "browser")
		} else {
			r.right = []pane.Part{kit.P(theme.Muted, "no page")}
		}
		b.add(r.ref.String(), r)
	}
}
