package guard

import (
	"math"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
)

// Burn rates and windows that page, and that open a ticket: the SRE Workbook, "Alerting on SLOs".
const (
	pageBurn   = 14.4 // over 1 h and 5 m
	ticketBurn = 6.0  // over 6 h and 30 m
	// spentBurn is the share of a budget that an alert at pageBurn lets go in an hour: where a source tells
	// no burn rates, so much within the window pages.
	spentBurn = 0.02
	// quietTraffic is the requests a second below which no burn rate is judged: one that fails burns too fast.
	quietTraffic = 1.0
)

func (j *judge) monitors() {
	was := map[sources.Ref]*sources.Monitor{}
	for i := range j.before.Monitors {
		was[j.before.Monitors[i].Ref] = &j.before.Monitors[i]
	}
	seen := map[sources.Ref]bool{}
	for i := range j.now.Monitors {
		m := &j.now.Monitors[i]
		seen[m.Ref] = true
		f := Finding{Subject: OfMonitor, Ref: m.Ref, Name: m.Name, URL: m.URL}
		f.unknownNumbers()
		f.Judgement, f.Text = j.monitor(m, was[m.Ref])
		j.add(f)
	}
	for i := range j.before.Monitors {
		if m := &j.before.Monitors[i]; !seen[m.Ref] {
			j.gone(OfMonitor, m.Ref, m.Name)
		}
	}
}

func (f *Finding) unknownNumbers() {
	nan := sources.Number(math.NaN())
	f.Was, f.Is, f.Limit = nan, nan, nan
}

// gone says that something is not told any more.
func (j *judge) gone(what Subject, ref sources.Ref, name clean.Text) {
	f := Finding{Subject: what, Ref: ref, Name: name, Judgement: Unclear, Text: clean.Const("its source does not tell of it any more")}
	f.unknownNumbers()
	j.add(f)
}

func (j *judge) monitor(m, was *sources.Monitor) (Judgement, clean.Text) {
	if j.silenced(m.Silenced) {
		return Noted, clean.Const("muted: it is not judged")
	}
	switch m.State {
	case sources.MonitorOK:
		return Good, clean.Const("ok")
	case sources.MonitorAlert:
		return j.alerting(m, was)
	case sources.MonitorWarn:
		if was != nil && was.State >= sources.MonitorWarn {
			return Noted, clean.Const("warns, as before")
		}
		return Unclear, clean.Const("began to warn")
	case sources.MonitorPending:
		return Unclear, clean.Const("is breached, and about to alert")
	case sources.MonitorNoData:
		return Unclear, clean.Const("has no data")
	case sources.MonitorUnknown:
		return Unclear, clean.Const("its state is not known")
	default:
		return Unclear, clean.Const("its state is not known")
	}
}

// alerting tells an alert that began since the action from one that is older, group by group where the
// monitor has any.
func (j *judge) alerting(m, was *sources.Monitor) (Judgement, clean.Text) {
	groups, muted := 0, 0
	for i := range m.Groups {
		g := &m.Groups[i]
		if g.State != sources.MonitorAlert {
			continue
		}
		if groups++; g.Muted {
			muted++
			continue
		}
		var before *sources.MonitorGroup
		if was != nil {
			if k := slices.IndexFunc(was.Groups, func(o sources.MonitorGroup) bool { return o.Name == g.Name }); k >= 0 {
				before = &was.Groups[k]
			}
		}
		if j.began(g.Since, was != nil, before != nil && before.State == sources.MonitorAlert) {
			return Bad, join(" ", clean.Const("began to alert:"), g.Name)
		}
	}
	switch {
	case groups > 0 && muted == groups:
		return Noted, clean.Const("what alerts of it is muted")
	case groups == 0 && j.began(m.Since, was != nil, was != nil && was.State == sources.MonitorAlert):
		return Bad, clean.Const("began to alert")
	case was == nil && m.Since.IsZero() && groups == 0:
		return Unclear, clean.Const("alerts, and since when is not told")
	default:
		return Unclear, clean.Const("still alerts, as before")
	}
}

// began reports that something is new since the action: by when it began, else by what was read before.
func (j *judge) began(since time.Time, known, before bool) bool {
	if !since.IsZero() {
		return !since.Before(j.w.Acted)
	}
	return known && !before
}

func (j *judge) silenced(all []sources.Silence) bool {
	return slices.ContainsFunc(all, func(s sources.Silence) bool { return s.Until.IsZero() || s.Until.After(j.at) })
}

func (j *judge) objectives() {
	was := map[sources.Ref]*sources.SLO{}
	for i := range j.before.SLOs {
		was[j.before.SLOs[i].Ref] = &j.before.SLOs[i]
	}
	seen := map[sources.Ref]bool{}
	for i := range j.now.SLOs {
		o := &j.now.SLOs[i]
		seen[o.Ref] = true
		f := Finding{Subject: OfSLO, Ref: o.Ref, Name: o.Name, URL: o.URL}
		f.unknownNumbers()
		f.Is = shortest(o)
		if b := was[o.Ref]; b != nil {
			f.Was = shortest(b)
		}
		f.Judgement, f.Text = j.objective(o, was[o.Ref])
		j.add(f)
	}
	for i := range j.before.SLOs {
		if o := &j.before.SLOs[i]; !seen[o.Ref] {
			j.gone(OfSLO, o.Ref, o.Name)
		}
	}
}

// objective judges by burn rates; where a source tells none by its own judgement, else by what is left.
func (j *judge) objective(o, was *sources.SLO) (Judgement, clean.Text) {
	burning := clean.Linef("burns %s", insight.FormatRatio(float64(shortest(o))))
	quiet := o.Traffic.Known() && o.Traffic < quietTraffic
	switch page, pageKnown := burns(o, pageBurn, time.Hour, 5*time.Minute); {
	case page && quiet:
		return Unclear, join(", ", burning, clean.Const("of too few requests to tell"))
	case page && was != nil && burned(was):
		return Unclear, join(" ", burning, clean.Const("as before"))
	case page && was == nil:
		return Unclear, join(" ", burning, clean.Const("and what it was before is not known"))
	case page:
		return Bad, join(" ", clean.Const("its budget"), burning)
	case pageKnown:
		if fast := float64(shortest(o)); fast >= pageBurn && !quiet {
			return Unclear, join(" ", burning, clean.Const("just now"))
		}
		if ticket, _ := burns(o, ticketBurn, 6*time.Hour, 30*time.Minute); ticket && !quiet && (was == nil || !ticketed(was)) {
			return Unclear, join(" ", burning, clean.Const("for half an hour"))
		}
		return Good, clean.Const("its budget lasts")
	case len(o.Burns) > 0, was != nil && len(was.Burns) > 0:
		return Unclear, clean.Const("its burn rate is not known")
	default:
		return byState(o, was)
	}
}

func byState(o, was *sources.SLO) (Judgement, clean.Text) {
	switch {
	case was == nil, !was.Budget.Known(), !o.Budget.Known():
		if !o.Note.IsZero() {
			return Unclear, o.Note
		}
		return Unclear, clean.Const("what is left of its budget, or was before, is not known")
	case was.Budget-o.Budget >= spentBurn:
		return Bad, clean.Linef("%s of its budget went since the action", insight.FormatValue(float64(was.Budget-o.Budget), "ratio"))
	case o.State == sources.MonitorAlert && was.State != sources.MonitorAlert && was.State != sources.MonitorUnknown:
		return Bad, clean.Const("began to alert")
	case o.State == sources.MonitorAlert:
		return Unclear, clean.Const("alerts")
	case o.State == sources.MonitorWarn && was.State < sources.MonitorWarn:
		return Unclear, clean.Const("began to warn")
	case o.State == sources.MonitorNoData:
		return Unclear, clean.Const("has no data")
	default:
		return Good, clean.Const("its budget lasts")
	}
}

// burned reports that the budget burned at a rate that pages before the action: the short window tells, since
// the long one goes on to fill for most of an hour after what caused it has ended.
func burned(o *sources.SLO) bool { return float64(burnOver(o, 5*time.Minute)) >= pageBurn }

func ticketed(o *sources.SLO) bool {
	ticket, _ := burns(o, ticketBurn, 6*time.Hour, 30*time.Minute)
	return ticket
}

// burns reports that the budget burns at the rate over both windows, and whether both are known.
func burns(o *sources.SLO, rate float64, long, short time.Duration) (burns, known bool) {
	a, b := burnOver(o, long), burnOver(o, short)
	return float64(a) >= rate && float64(b) >= rate, a.Known() && b.Known()
}

func burnOver(o *sources.SLO, over time.Duration) sources.Number {
	for _, b := range o.Burns {
		if b.Over == over {
			return b.Rate
		}
	}
	return sources.Number(math.NaN())
}

// shortest is the burn rate over the shortest window that is known.
func shortest(o *sources.SLO) sources.Number {
	out, over := sources.Number(math.NaN()), time.Duration(math.MaxInt64)
	for _, b := range o.Burns {
		if b.Rate.Known() && b.Over < over {
			out, over = b.Rate, b.Over
		}
	}
	return out
}

func (j *judge) incidents() {
	was := map[sources.Ref]bool{}
	for i := range j.before.Incidents {
		was[j.before.Incidents[i].Ref] = true
	}
	for i := range j.now.Incidents {
		in := &j.now.Incidents[i]
		if j.w.Service != "" && in.Service != j.w.Service {
			continue
		}
		f := Finding{Subject: OfIncident, Ref: in.Ref, Name: join(" ", clean.Const("incident"), in.Number), URL: in.URL}
		f.unknownNumbers()
		f.Judgement, f.Text = j.incident(in, was[in.Ref])
		f.Text = join(": ", f.Text, in.Title)
		j.add(f)
	}
}

func (j *judge) incident(in *sources.Incident, before bool) (Judgement, clean.Text) {
	switch {
	case before, !in.Created.IsZero() && in.Created.Before(j.w.Acted):
		return Noted, clean.Const("open since before")
	case in.Inhibited || j.silenced(in.Silenced):
		return Noted, clean.Const("opened, and silenced")
	case in.Created.IsZero():
		return Unclear, clean.Const("open, and since when is not told")
	case in.State == sources.Resolved:
		return Unclear, clean.Const("was opened, and is resolved")
	case in.Low:
		return Unclear, clean.Const("was opened, of low urgency")
	default:
		return Bad, clean.Const("was opened")
	}
}
