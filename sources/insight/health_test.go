package insight

import (
	"math"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	errs := func(v float64) sources.Series {
		return series("error rate", sources.ErrorSignal, "%", 2, 1, 1, 1, 1, v, v, v)
	}
	p95 := series("p95 latency", sources.LatencySignal, "ms", 300, 200, 912, 912)
	monitor := func(s sources.MonitorState, edits ...func(*sources.Monitor)) sources.Monitor {
		return alert(1, append([]func(*sources.Monitor){func(m *sources.Monitor) { m.State = s }}, edits...)...)
	}
	slo := func(edit func(*sources.SLO)) func(*store.Snapshot) {
		o := sources.SLO{Service: "shop", Window: 30 * 24 * time.Hour, Value: 99.9, Budget: 0.5, Traffic: 100, Burns: burns(1, 1, 1, 1)}
		edit(&o)
		return feed("datadog", store.SLOs, func(f *store.Feed) { f.SLOs = []sources.SLO{o} })
	}
	stale := func(s *store.Snapshot) { s.Feeds[len(s.Feeds)-1].Health.LastGood = before(5 * time.Minute) }
	for _, c := range []struct {
		name  string
		fill  []func(*store.Snapshot)
		known bool
		sense Sense
		text  string
		since time.Duration
	}{
		{"nothing tells", nil, false, Quiet, "", 0},
		{"a metric without a limit tells nothing", []func(*store.Snapshot){metrics(series("m", sources.ErrorSignal, "%", math.NaN(), 99))}, false, Quiet, "", 0},
		{"within its limit", []func(*store.Snapshot){metrics(errs(1))}, true, Quiet, "", 0},
		{"errors", []func(*store.Snapshot){metrics(errs(4.1))}, true, Crit, "errors", 2 * time.Minute},
		{"errors that a page calls 5xx", []func(*store.Snapshot){metrics(errs(4.1)), incidents("pd", page("pd", "1"))}, true, Crit, "5xx", 2 * time.Minute},
		{"latency", []func(*store.Snapshot){metrics(p95)}, true, Crit, "p95 912 ms", time.Minute},
		{"the shorter of two words", []func(*store.Snapshot){metrics(series("replica lag", sources.OtherSignal, "s", 30, 43))}, true, Crit, "lag 43 s", 0},
		{"errors before latency", []func(*store.Snapshot){metrics(p95, errs(4.1))}, true, Crit, "errors", 2 * time.Minute},
		{"a monitor is well", []func(*store.Snapshot){monitors(monitor(sources.MonitorOK))}, true, Quiet, "", 0},
		{"a monitor of which nothing is known", []func(*store.Snapshot){monitors(monitor(sources.MonitorUnknown))}, false, Quiet, "", 0},
		{"a monitor alerts", []func(*store.Snapshot){monitors(monitor(sources.MonitorAlert))}, true, Crit, "1 alert", 12 * time.Minute},
		{"two monitors alert", []func(*store.Snapshot){monitors(alert(1), alert(2))}, true, Crit, "2 alerts", 12 * time.Minute},
		{"a muted monitor alerts nobody", []func(*store.Snapshot){monitors(monitor(sources.MonitorAlert, func(m *sources.Monitor) { m.Silenced = []sources.Silence{{}} }))}, false, Quiet, "", 0},
		{"a monitor warns", []func(*store.Snapshot){monitors(monitor(sources.MonitorWarn))}, true, Warn, "1 warning", 12 * time.Minute},
		{"a monitor has no data", []func(*store.Snapshot){monitors(monitor(sources.MonitorNoData))}, true, Warn, "no data", 12 * time.Minute},
		{"a page", []func(*store.Snapshot){incidents("pd", page("pd", "1"))}, true, Crit, "1 incident", 10 * time.Minute},
		{"an acknowledged page", []func(*store.Snapshot){incidents("pd", page("pd", "1", acked))}, true, Warn, "1 incident", 10 * time.Minute},
		{"alerts", []func(*store.Snapshot){incidents("am", page("am", "1", kind(sources.AlertIncident)), page("am", "2", kind(sources.AlertIncident)))}, true, Crit, "2 alerts", 10 * time.Minute},
		{"a resolved page says nothing", []func(*store.Snapshot){incidents("pd", page("pd", "1", ended5))}, false, Quiet, "", 0},
		{"a budget is well", []func(*store.Snapshot){slo(func(*sources.SLO) {})}, true, Quiet, "", 0},
		{"a budget burns", []func(*store.Snapshot){slo(func(o *sources.SLO) { o.Burns = burns(82, 15, 40, 9) })}, true, Crit, "burn ×82", 0},
		{"a budget burns slowly", []func(*store.Snapshot){slo(func(o *sources.SLO) { o.Burns = burns(7, 7, 7, 7) })}, true, Warn, "burn ×7.0", 0},
		{"a stale feed alerts, a fresh one is well", []func(*store.Snapshot){metrics(errs(1)), monitors(monitor(sources.MonitorAlert)), stale}, true, Crit, "1 alert", 12 * time.Minute},
		{"a stale feed alerts, a fresh one warns", []func(*store.Snapshot){slo(func(o *sources.SLO) { o.Burns = burns(7, 7, 7, 7) }), monitors(monitor(sources.MonitorAlert)), stale}, true, Warn, "burn ×7.0", 0},
	} {
		s := world(c.fill...)
		h := ServiceHealth(s, "shop", now)
		since := time.Duration(0)
		if !h.Since.IsZero() {
			since = now.Sub(h.Since)
		}
		if h.Known != c.known || h.Sense != c.sense || h.Text.String() != c.text || since != c.since {
			t.Errorf("%s: known %t, sense %d, %q for %s", c.name, h.Known, h.Sense, h.Text, since)
		}
		if other := ServiceHealth(s, "cart", now); other.Known {
			t.Errorf("%s: another service is %+v", c.name, other)
		}
	}
}

func TestLanesTellHealth(t *testing.T) {
	t.Parallel()
	s := lanes(prod(sources.Target{Current: deployment("", "v2", sources.StatePassed, time.Hour)}))
	s.At = now
	metrics(series("p95", sources.LatencySignal, "ms", 300, 912, 912))(s)
	if h := lane(t, s).Health; h.Sense != Crit || h.Text.String() != "p95 912 ms" || s.Feeds[h.Feed].Key.Capability != store.Metrics {
		t.Errorf("the lane's health is %+v", h)
	}
}

func TestIncidentsDuring(t *testing.T) {
	t.Parallel()
	began := func(id string, ago time.Duration, edits ...incidentEdit) sources.Incident {
		return page("pd", id, append([]incidentEdit{opened(ago), func(in *sources.Incident) { in.State, in.Ended = sources.Resolved, in.Created.Add(time.Minute) }}, edits...)...)
	}
	e := environment("shop", "prod", true,
		deployed("prod", "v5", "eu", sources.StateRunning, 0),
		deployed("prod", "v4", "eu", sources.StateFailed, time.Hour),
		deployed("prod", "v3", "us", sources.StatePassed, 2*time.Hour), deployed("prod", "v3", "eu", sources.StatePassed, 3*time.Hour),
		deployed("prod", "v2", "eu", sources.StateSuperseded, 5*time.Hour))
	k := keys(sources.MonitorKey(1))
	s := world(environments(e, environment("shop", "staging", false)), incidents("pd", page("pd", "open", opened(30*time.Minute))), past(
		began("old", 6*time.Hour), began("v2", 4*time.Hour), began("at", 3*time.Hour), began("both", 90*time.Minute, k), began("cart", 90*time.Minute, of("cart"))),
		feed("dd", store.Past, func(f *store.Feed) {
			twin := began("twin", 90*time.Minute, k, kind(sources.DeclaredIncident))
			twin.Ref.Source = "dd"
			f.Incidents = []sources.Incident{twin}
		}))
	got := IncidentsDuring(s, &e)
	for i, want := range []string{"", "", "both open", "at both open", "v2"} {
		text := ""
		for _, in := range got[i].Incidents {
			text = join(" ", text, in.Ref.ID).String()
		}
		if text != want {
			t.Errorf("during %s on %s: %q, want %q", e.History[i].Version.Tag, e.History[i].Target, text, want)
		}
	}
	if !got[0].From.IsZero() || !got[4].From.Equal(before(5*time.Hour)) || !got[4].Until.Equal(before(3*time.Hour)) || !got[3].Until.IsZero() {
		t.Errorf("the times are %+v", got)
	}
	staging := environment("shop", "staging", false, deployed("staging", "v3", "", sources.StatePassed, 9*time.Hour))
	if got := IncidentsDuring(s, &staging); len(got[0].Incidents) != 0 {
		t.Errorf("staging has production's incidents: %v", got[0].Incidents)
	}
}

func TestOneTroubleForEachProblem(t *testing.T) {
	t.Parallel()
	k := keys(sources.MonitorKey(1))
	s := world(incidents("pd", page("pd", "1", k, sev(1)), page("pd", "2", acked, func(in *sources.Incident) { in.Title = clean.Line("lag") }),
		page("pd", "3", of("bank"))), incidents("dd", page("dd", "4", k, kind(sources.DeclaredIncident))), monitors(alert(1)))
	var storm []sources.Incident
	for i := range 9 {
		storm = append(storm, page("am", string(rune('a'+i)), of("cart"), opened(time.Hour), titled("down"), sev(4)))
	}
	incidents("am", storm...)(s)
	ts := Troubles(s, &Pipelines{}, &Deployments{})
	var got []string
	for _, tr := range ts {
		got = append(got, join(" ", tr.Service, tr.Text.String()).String())
	}
	want := []string{"shop P1 5xx above 2 % for 5m", "cart P4 down and 8 more", "shop P3 lag"}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("troubles are %q, want %q", got, want)
	}
	if ts[0].Sense != Crit || ts[2].Sense != Warn || ts[2].Kind != IncidentHeld || !ts[2].Since.Equal(before(10*time.Minute)) {
		t.Errorf("they are %+v", ts)
	}
}
