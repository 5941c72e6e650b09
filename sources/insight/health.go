package insight

import (
	"math"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// HealthFeeds are the capabilities that ServiceHealth looks at.
func HealthFeeds() []store.Capability {
	return []store.Capability{store.Metrics, store.Monitors, store.Incidents, store.SLOs}
}

// ServiceHealth is how a service behaves at now; to ask for many services, ask Healths.
func ServiceHealth(s *store.Snapshot, service string, now time.Time) Health {
	return Healths(s, now)[service]
}

// Healths is how each service behaves at now, of those that something tells of.
//
// Critical are a metric beyond its limit, a monitor that alerts, an incident that nobody has taken, a
// budget that burns critically; a warning are an acknowledged incident, a monitor that warns or has no
// data, a budget that burns. The worst speaks, and among equals the first of that list. Only metrics with a
// limit, monitors and budgets tell that a service is well: no red is invented, and no green either. What a
// very stale feed says is heard only when nothing fresh says worse than well.
func Healths(s *store.Snapshot, now time.Time) map[string]Health { return sceneOf(s, now).healths() }

func (c *scene) healths() map[string]Health {
	f := c.facts
	out := make(map[string]Health, len(f.services))
	open := map[string][]*Problem{}
	for i := range c.all {
		if p := &c.all[i]; p.Service != "" {
			open[p.Service] = append(open[p.Service], p)
		}
	}
	for name, ps := range open {
		if f.services[name] == nil {
			if h := f.health(&serviceFacts{}, ps); h.Known {
				out[name] = h
			}
		}
	}
	for name, sf := range f.services {
		if h := f.health(sf, open[name]); h.Known {
			out[name] = h
		}
	}
	return out
}

// hearing collects what is said of a service's health.
type hearing struct {
	f     *facts
	said  Health // the worst that a fresh feed says
	stale Health // the worst that a very stale feed says
}

func (h *hearing) hear(sense Sense, feed int, since time.Time, text clean.Text) {
	to := &h.said
	if h.f.snap.Feeds[feed].Health.Staleness(h.f.now) == store.VeryStale {
		to = &h.stale
	}
	if !to.Known || sense > to.Sense {
		*to = Health{Known: true, Sense: sense, Text: text, Since: since, Feed: feed}
	}
}

func (f *facts) health(sf *serviceFacts, open []*Problem) Health {
	h := hearing{f: f}
	for i, at := range sf.series {
		c := chartOf(at, f.now)
		if !limited(at.series) || c.Old {
			continue
		}
		if c.Over {
			h.hear(Crit, at.feed, sf.overSince(i), overText(at.series, c.Value, open))
		} else {
			h.hear(Quiet, at.feed, time.Time{}, clean.Text{})
		}
	}
	f.hearMonitors(&h, sf)
	hearProblems(&h, open)
	for _, b := range f.budgets(sf) {
		text := clean.Text{}
		if b.Sense > Quiet {
			text = join(" ", "burn", FormatRatio(float64(b.Burn.Rate)).String())
		}
		if b.SLO.Value.Known() || b.Sense > Quiet {
			h.hear(b.Sense, b.Feed, time.Time{}, text)
		}
	}
	if !h.said.Known || h.said.Sense == Quiet && h.stale.Sense > Quiet {
		return h.stale
	}
	return h.said
}

func (f *facts) hearMonitors(h *hearing, sf *serviceFacts) {
	alerts, warns, mute := 0, 0, 0
	var worst, warn *monitorAt
	for i := range sf.monitors {
		at := &sf.monitors[i]
		switch m := at.monitor; {
		case alerting(m, f.now):
			alerts++
			if worst == nil || monitorSince(m).Before(monitorSince(worst.monitor)) {
				worst = at
			}
		case muted(m, f.now):
			mute++
		case m.State == sources.MonitorWarn, m.State == sources.MonitorNoData:
			warns++
			if warn == nil || m.State > warn.monitor.State {
				warn = at
			}
		case m.State == sources.MonitorOK, m.State == sources.MonitorPending:
			h.hear(Quiet, at.feed, time.Time{}, clean.Text{})
		}
	}
	if worst != nil {
		h.hear(Crit, worst.feed, monitorSince(worst.monitor), clean.Line(clean.Counted(alerts, "alert")))
	}
	if warn != nil {
		text := clean.Line(clean.Counted(warns, "warning"))
		if warn.monitor.State == sources.MonitorNoData {
			text = clean.Const("no data")
		}
		h.hear(Warn, warn.feed, warn.monitor.Since, text)
	}
}

func hearProblems(h *hearing, open []*Problem) {
	for _, state := range []sources.IncidentState{sources.Triggered, sources.Acknowledged} {
		n := 0
		var first *Problem
		for _, p := range open {
			if p.State == state && p.Incident.Kind != sources.MonitorIncident {
				n++
				if first == nil || p.opened.Before(first.opened) {
					first = p
				}
			}
		}
		if first == nil {
			continue
		}
		word, sense := "incident", Crit
		if first.Incident.Kind == sources.AlertIncident {
			word = "alert"
		}
		if state == sources.Acknowledged {
			sense = Warn
		}
		h.hear(sense, first.Feed, first.opened, clean.Line(clean.Counted(n, word)))
	}
}

func limited(m *sources.Series) bool { return !math.IsNaN(m.Limit) }

// overSince is since when the series is beyond its limit.
func (sf *serviceFacts) overSince(series int) time.Time {
	if all := breachesOf(sf.series[series].series); len(all) > 0 {
		return all[len(all)-1].from
	}
	return time.Time{}
}

// overText is a metric beyond its limit in two words: "5xx" where its name or the title of a problem says
// so, "errors", "p95 912 ms", "cpu 97 %".
func overText(m *sources.Series, v float64, open []*Problem) clean.Text {
	name := strings.ToLower(m.Name.String())
	if m.Signal == sources.ErrorSignal || strings.Contains(name, "error") {
		if strings.Contains(name, "5xx") || slices.ContainsFunc(open, func(p *Problem) bool {
			return containsFold(p.Incident.Title.String(), "5xx")
		}) {
			return clean.Const("5xx")
		}
		return clean.Const("errors")
	}
	return join(" ", shortName(m.Name.String()), FormatValue(v, m.Unit).String())
}

// shortName is the one word that a metric is known by: the first, of two the shorter. It is "p95" of
// "p95 latency" and "lag" of "replica lag".
func shortName(name string) string {
	words := strings.Fields(name)
	switch {
	case len(words) == 0:
		return ""
	case len(words) == 2 && len(words[1]) < len(words[0]):
		return words[1]
	default:
		return words[0]
	}
}
