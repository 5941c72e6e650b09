package kit

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// How long an acknowledged problem may rest before its age is a warning, and before it is worse.
const (
	heldLong    = time.Hour
	heldTooLong = 4 * time.Hour
)

// IncidentState is how the state of an incident is shown.
func IncidentState(s sources.IncidentState) (g theme.Glyph, tok theme.Token, word string) {
	switch s {
	case sources.Triggered:
		return theme.GlyphTriggered, theme.Crit, "triggered"
	case sources.Acknowledged:
		return theme.GlyphAcked, theme.Warn, "acked"
	case sources.Resolved:
		return theme.GlyphOK, theme.OK, "resolved"
	}
	return theme.GlyphWarn, theme.Warn, s.String()
}

// StateAge colours how long an incident is in its state: what was acknowledged long ago and is still open
// has been forgotten.
func StateAge(s sources.IncidentState, d time.Duration) theme.Token {
	switch {
	case s == sources.Triggered:
		return theme.Crit
	case s != sources.Acknowledged || d < heldLong:
		return theme.Muted
	case d < heldTooLong:
		return theme.Warn
	default:
		return theme.Crit
	}
}

// Severity is "P1"; "P?" when it is unknown.
func Severity(n int) string {
	if n <= 0 {
		return "P?"
	}
	return "P" + strconv.Itoa(n)
}

// Holder names who was paged last for p, or who holds it: "you", "sre2", "sre2 and you"; "" when nobody
// does.
func Holder(e pane.Env, p *insight.Problem) string {
	in := p.Incident
	if !in.Mine {
		return in.Holder.String()
	}
	for i := range in.Assignees {
		a := &in.Assignees[i]
		if !in.Holder.IsZero() && (a.Name == in.Holder || a.Login == in.Holder) && !me(e, a) {
			return in.Holder.String() + " and you"
		}
	}
	return "you"
}

// me reports that a person is who this board is for, as far as the config says that.
func me(e pane.Env, a *sources.Person) bool {
	for _, id := range e.Snap.Catalog.Me {
		if id != "" && (id == a.Login.String() || id == a.ID || id == a.Name.String()) {
			return true
		}
	}
	return false
}

// Quiet says why a problem rings nobody, though it is open: "silenced until 03:14"; "" when it rings.
func Quiet(e pane.Env, p *insight.Problem) string {
	in := p.Incident
	for i := range in.Silenced {
		s := &in.Silenced[i]
		if s.Until.IsZero() || s.Until.After(e.Now) {
			return Sep(" until ", silenced(in), Clock(e.Now, s.Until, e.Zone))
		}
	}
	if in.Inhibited {
		return "inhibited by another alert"
	}
	return ""
}

func silenced(in *sources.Incident) string {
	if in.Kind == sources.MonitorIncident {
		return "muted"
	}
	return "silenced"
}

// ImpactText is "49 failed req/s, rising"; "" when nobody tells.
func ImpactText(p *insight.Problem) string {
	trend := ""
	if p.Impact.Known {
		switch p.Impact.Trend {
		case insight.Rising:
			trend = "rising"
		case insight.Falling:
			trend = "falling"
		case insight.Steady:
			trend = "steady"
		}
	}
	if n := p.Impact.Failing; n.Known() && !math.IsInf(float64(n), 0) {
		return Sep(", ", Rate(float64(n))+" failed req/s", trend)
	}
	return Sep(" ", p.Impact.By.String(), trend)
}

// Rate is a number of things per second, as short as it says something: "0.2", "49", "1.2 k".
func Rate(n float64) string {
	switch a := math.Abs(n); {
	case a >= 999.5:
		return strconv.FormatFloat(n/1000, 'f', 1, 64) + " k"
	case a >= 9.95 || a == 0:
		return strconv.FormatFloat(n, 'f', 0, 64)
	default:
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
}

// SuspectText is what a suspect did, and why it is one: "v1.9.2 → prod 02:04", "1m before onset, by dev4".
func SuspectText(e pane.Env, s *insight.Suspect) (what, why string) {
	arrow := e.Theme.Glyph(theme.GlyphArrow).String()
	what = Sep(" ", strings.ReplaceAll(s.Text.String(), "→", arrow), Clock(e.Now, s.At, e.Zone))
	if s.Upstream != "" {
		what = s.Upstream + ": " + what
	}
	return what, s.Why.String()
}

// Countdown is how long it is to a page, to the second in its last hour; "now" when it is due.
func Countdown(n insight.NextPage) string {
	if n.In <= 0 {
		return "now"
	}
	return Took(n.In)
}

// CountsDown reports that n is near enough for a clock that shows seconds.
func CountsDown(n insight.NextPage) bool {
	return n.Kind == insight.Escalates && n.In > 0 && n.In < time.Hour
}

// Whom names those who are paged next, the first with the time of day where they are: "sre2 (03:14
// there)". there is left out when it is the board's own.
func Whom(e pane.Env, n insight.NextPage) string {
	if len(n.Who) == 0 {
		return ""
	}
	names := make([]string, len(n.Who))
	for i := range n.Who {
		names[i] = n.Who[i].Name.String()
		if names[i] == "" {
			names[i] = n.Who[i].Login.String()
		}
	}
	if !n.There.IsZero() && n.There.Format("15:04") != e.Now.In(e.Zone).Format("15:04") {
		names[0] += " (" + n.There.Format("15:04") + " there)"
	}
	if len(names) > 3 {
		names = append(names[:2], strconv.Itoa(len(names)-2)+" more")
	}
	return strings.Join(names, ", ")
}

// Runbook is the address of what to do about p: its own, else its service's; "" when there is none.
func Runbook(e pane.Env, p *insight.Problem) string {
	for i := range p.Members {
		switch m := &p.Members[i]; {
		case m.Incident != nil && m.Incident.Runbook != "":
			return m.Incident.Runbook
		case m.Monitor != nil && m.Monitor.Runbook != "":
			return m.Monitor.Runbook
		}
	}
	if s := e.Snap.Catalog.Service(p.Service); s != nil {
		return s.Runbook
	}
	return ""
}

// Systems are the sources that tell of p, the first one's name first.
func Systems(p *insight.Problem) []string {
	var out []string
	for i := range p.Members {
		var name string
		if m := &p.Members[i]; m.Incident != nil {
			name = m.Incident.Ref.Source
		} else {
			name = m.Monitor.Ref.Source
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// Key is a key and what it does here, for text beside what it is about: "b runbook"; nothing where the
// key is unbound.
func Key(e pane.Env, a keymap.Action, does string) []pane.Part {
	if e.Keys == nil {
		return nil
	}
	key := e.Keys.Show(a, !e.Theme.Options().ASCII)
	if key == "" {
		return nil
	}
	return []pane.Part{P(theme.KeyHint, key), P(theme.Muted, " "+does)}
}

// Often is "once", "twice", "3 times".
func Often(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return strconv.Itoa(n) + " times"
}
