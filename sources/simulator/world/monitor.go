package world

import (
	"fmt"
	"time"
)

// The states of a monitor, in Datadog's words.
const (
	StateOK     = "OK"
	StateWarn   = "Warn"
	StateAlert  = "Alert"
	StateNoData = "No Data"
)

// Monitor is a rule on a metric of a service in production.
type Monitor struct {
	ID       int64
	Service  *Service
	Name     string
	Metric   string
	Limit    float64
	Warn     float64       // from where on it warns; 0: never
	For      time.Duration // how long it must be breached before it alerts
	Severity int           // 1 is the worst; 0: nobody said
	Silent   bool          // it tells people, and pages nobody
	Created  time.Time

	State    string
	Changed  time.Time // when it entered State
	Since    time.Time // when the breach that lasts began; zero: there is none
	Incident *Incident
}

// Pages reports whether a monitor pages somebody when it alerts.
func (m *Monitor) Pages() bool { return m.Severity > 0 && !m.Silent }

// Group is a monitor's part in one region.
type Group struct {
	Region  string
	State   string
	Changed time.Time
	Value   float64
}

// Downtime keeps a monitor quiet for a while.
type Downtime struct {
	ID       string // a UUID
	Monitor  *Monitor
	Scope    string // "env:prod"
	Message  string
	By       *User
	Created  time.Time
	Start    time.Time
	End      time.Time // zero: until somebody ends it
	Canceled time.Time // zero: nobody did
}

// Active reports whether the downtime is in force at t.
func (d *Downtime) Active(t time.Time) bool {
	return d.Canceled.IsZero() && !t.Before(d.Start) && (d.End.IsZero() || t.Before(d.End))
}

// probeEvery is how often monitors look.
const probeEvery = 15 * time.Second

// probe lets every monitor look at its metric, now and from now on.
func (w *World) probe() {
	for _, m := range w.Monitors {
		w.look(m)
	}
	w.after(probeEvery, w.probe)
}

func (w *World) look(m *Monitor) {
	if !w.ranIn(m.Service, "prod") {
		w.turn(m, StateNoData)
		return
	}
	v := w.Metric(m.Service, m.Metric, w.now)
	if v <= m.Limit {
		m.Since = time.Time{}
		if m.Incident != nil {
			w.Resolve(m.Incident, nil, "monitor")
			m.Incident = nil
		}
		if m.Warn > 0 && v > m.Warn {
			w.turn(m, StateWarn)
		} else {
			w.turn(m, StateOK)
		}
		return
	}
	if m.Since.IsZero() {
		m.Since = w.now
	}
	switch {
	case w.now.Sub(m.Since) > m.For:
		w.turn(m, StateAlert)
	case m.Warn > 0 && m.State != StateAlert:
		w.turn(m, StateWarn)
	}
	if m.Incident == nil && m.State == StateAlert && m.Pages() && !w.Muted(m) {
		m.Incident = w.page(m, m.Since)
	}
}

func (w *World) turn(m *Monitor, state string) {
	if m.State != state {
		m.State, m.Changed = state, w.now
		w.Gen++
	}
}

// ranIn reports whether anything runs in a stage of a service.
func (w *World) ranIn(s *Service, stage string) bool {
	for _, t := range s.Targets(stage) {
		if w.ranAt(s, stage, t, w.now) {
			return true
		}
	}
	return false
}

// Groups tells a monitor by region, in their order. A region is as bad as its own values, and never worse
// than the monitor.
func (w *World) Groups(m *Monitor) []Group {
	var out []Group
	for _, target := range m.Service.Targets("prod") {
		g := Group{Region: Region(target), State: StateNoData, Changed: m.Changed}
		v, ok := w.reading(m.Service, m.Metric, g.Region)
		if ok {
			g.Value, g.State = v, StateOK
			if m.State == StateAlert && v > m.Limit {
				g.State = StateAlert
			} else if m.State != StateOK && m.Warn > 0 && v > m.Warn {
				g.State = StateWarn
			}
		}
		out = append(out, g)
	}
	return out
}

// reading is a metric in one region now.
func (w *World) reading(s *Service, metric, region string) (float64, bool) {
	v, ok := w.Sample(s, MeasureOf(metric), "prod", region, w.now)
	if !ok || metric != ErrorRate {
		return v, ok
	}
	hits, ok := w.Sample(s, "http.hits", "prod", region, w.now)
	if !ok || hits == 0 {
		return 0, false
	}
	return 100 * v / hits, true
}

// Monitor is the monitor of that identity, or nil.
func (w *World) Monitor(id int64) *Monitor {
	for _, m := range w.Monitors {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// Muted reports whether a downtime keeps a monitor quiet now.
func (w *World) Muted(m *Monitor) bool {
	for _, d := range w.Downtimes {
		if d.Monitor == m && d.Active(w.now) {
			return true
		}
	}
	return false
}

// Mute keeps a monitor quiet from now until end; a zero end is never.
func (w *World) Mute(m *Monitor, scope, message string, end time.Time, by *User) *Downtime {
	d := &Downtime{
		ID: w.uuid("downtime", len(w.Downtimes)), Monitor: m, Scope: scope, Message: message, By: by, Created: w.now, Start: w.now, End: end,
	}
	w.Downtimes = append(w.Downtimes, d)
	w.Gen++
	return d
}

// Downtime is the downtime of that identity, or nil.
func (w *World) Downtime(id string) *Downtime {
	for _, d := range w.Downtimes {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// Unmute ends a downtime; ending it again does nothing.
func (w *World) Unmute(d *Downtime) {
	if d.Canceled.IsZero() {
		d.Canceled = w.now
		w.Gen++
	}
}

// uuid is a version 4 UUID that depends on the seed and parts alone.
func (w *World) uuid(parts ...any) string {
	d := w.digest(append([]any{"uuid"}, parts...)...)
	d[6], d[8] = d[6]&0x0f|0x40, d[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", d[:4], d[4:6], d[6:8], d[8:10], d[10:16])
}

func (w *World) addMonitor(s *Service, m Monitor) *Monitor {
	m.ID, m.Service, m.State, m.Created, m.Changed = w.id(idMonitor), s, StateOK, w.now, w.now
	w.Monitors = append(w.Monitors, &m)
	s.Monitors = append(s.Monitors, &m)
	return &m
}
