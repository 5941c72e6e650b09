package world

import (
	"math"
	"testing"
	"time"
)

// TestObjectives holds the opening's error budget and burn rates, which follow from the history alone.
func TestObjectives(t *testing.T) {
	t.Parallel()
	for seed := range int64(2) {
		w := Story(seed, opening)
		for _, o := range w.SLOs {
			left, ok := w.Left(o)
			switch o.Service.Name {
			case "checkout":
				five, hour := w.Burn(o, 5*time.Minute), w.Burn(o, time.Hour)
				if o.Target != 99.95 || o.Window != 30*day || math.Abs(left-0.31) > 0.015 || math.Abs(five-78) > 5 || math.Abs(hour-14) > 1.5 {
					t.Errorf("seed %d: checkout has %.3f left, burns %.1f over 5m and %.1f over 1h", seed, left, five, hour)
				}
			case "reports":
				if ok {
					t.Errorf("reports has %.3f left without traffic", left)
				}
			default:
				if !ok || left < 0.4 || left > 1 {
					t.Errorf("%s has %.3f left", o.Service.Name, left)
				}
			}
		}
	}
}

// TestTally holds that counting in parts counts the same, and that what was counted stays so.
func TestTally(t *testing.T) {
	t.Parallel()
	w := Story(1, opening)
	s := w.Service("checkout")
	from := opening.Add(-26 * time.Hour)
	bad, total := w.Tally(s, from, opening)
	var b, n float64
	for at := from; at.Before(opening); at = at.Add(time.Hour) {
		x, y := w.Tally(s, at, at.Add(time.Hour))
		b, n = b+x, n+y
	}
	if math.Abs(b/bad-1) > 0.02 || math.Abs(n/total-1) > 0.02 {
		t.Errorf("in parts %.0f of %.0f, at once %.0f of %.0f", b, n, bad, total)
	}
	w.RunUntil(opening.Add(3 * time.Hour))
	if x, y := w.Tally(s, from, opening); math.Abs(x/bad-1) > 0.02 || math.Abs(y/total-1) > 0.02 {
		t.Errorf("three hours later it was %.0f of %.0f, then %.0f of %.0f", x, y, bad, total)
	}
	if x, y := w.Tally(s, w.Now(), w.Now().Add(time.Hour)); x != 0 || y != 0 {
		t.Errorf("the future has %.0f of %.0f", x, y)
	}
}

// TestSamples holds that the stored measures add up to the metrics that people see, for weeks back.
func TestSamples(t *testing.T) {
	t.Parallel()
	w := Story(2, opening)
	s := w.Service("checkout")
	for _, ago := range []time.Duration{0, 7 * time.Minute, time.Hour, day, 7 * day, 19*day - 10*time.Minute, 29 * day} {
		at := opening.Add(-ago)
		hits, errs, p95 := 0.0, 0.0, 0.0
		for _, region := range []string{"eu", "us"} {
			for name, sum := range map[string]*float64{"http.hits": &hits, "http.errors": &errs, "http.latency.p95": &p95} {
				v, ok := w.Sample(s, name, "prod", region, at)
				if !ok {
					t.Fatalf("no %s in %s %s ago", name, region, ago)
				}
				*sum += v
			}
		}
		for _, x := range []struct {
			metric string
			got    float64
		}{{Requests, hits}, {ErrorRate, 100 * errs / hits}, {P95, p95 / 2}} {
			if want := w.Metric(s, x.metric, at); math.Abs(x.got-want) > 1e-4*want {
				t.Errorf("%s ago %s is %g from what is stored, want %g", ago, x.metric, x.got, want)
			}
		}
	}
	if rate := w.Metric(s, ErrorRate, opening.Add(-19*day+5*time.Minute)); rate < 2 {
		t.Errorf("during an incident of the past the error rate was %g", rate)
	}
	if rate := w.Metric(s, ErrorRate, opening.Add(-19*day-time.Hour)); rate > 0.1 {
		t.Errorf("an hour before it the error rate was %g", rate)
	}
	for _, x := range []struct{ service, measure, stage, region string }{
		{"reports", "http.hits", "prod", "eu"}, {"checkout", "http.hits", "prod", "ap"}, {"checkout", "http.hits", "qa", "eu"},
		{"checkout", "postgresql.replication_delay", "prod", "eu"}, {"checkout", "nothing", "prod", "eu"},
	} {
		if v, ok := w.Sample(w.Service(x.service), x.measure, x.stage, x.region, opening); ok {
			t.Errorf("%+v is %g", x, v)
		}
	}
	if v, ok := w.Sample(w.Service("ledger"), "postgresql.replication_delay", "prod", "eu", opening); !ok || v < 30 {
		t.Errorf("the replica is %g s behind", v)
	}
	if v, ok := w.Sample(s, "http.hits", "dev", "eu", opening); !ok || v > 0.05*1200 {
		t.Errorf("dev has %g requests a second", v)
	}
}

// TestMonitors holds what the monitors say at the opening, and what a downtime does.
func TestMonitors(t *testing.T) {
	t.Parallel()
	w := Story(1, opening)
	state := func(service, metric string) *Monitor { return w.Service(service).monitor(metric) }
	for _, x := range []struct{ service, metric, want, since string }{
		{"checkout", ErrorRate, StateAlert, "02:11:00"}, {"checkout", P95, StateWarn, "02:05:00"}, {"checkout", Disk, StateOK, ""},
		{"ledger", ReplicaLag, StateAlert, "01:29:00"}, {"billing-core", QueryTime, StateAlert, "01:58:00"},
		{"search", CPU, StateAlert, ""}, {"reports", ErrorRate, StateNoData, ""}, {"web", ErrorRate, StateOK, ""},
	} {
		m := state(x.service, x.metric)
		if m.State != x.want || x.since != "" && m.Changed.Format("15:04:05") != x.since || w.Monitor(m.ID) != m {
			t.Errorf("%s's %q is %s since %s", x.service, m.Name, m.State, m.Changed)
		}
	}
	groups := w.Groups(state("checkout", ErrorRate))
	if len(groups) != 2 || groups[0].Region != "eu" || groups[1].State != StateAlert || groups[1].Value < 2 {
		t.Errorf("its groups are %+v", groups)
	}
	cpu := state("search", CPU)
	if !w.Muted(cpu) || cpu.Incident != nil {
		t.Error("search's cpu is not muted")
	}
	w.RunUntil(opening.Add(91 * time.Minute))
	if w.Muted(cpu) || cpu.State != StateOK {
		t.Errorf("after its downtime search's cpu is %s", cpu.State)
	}
	d := w.Mute(cpu, "env:prod", "", time.Time{}, w.User("sre1"))
	if !w.Muted(cpu) || w.Downtime(d.ID) != d || w.Downtime("x") != nil {
		t.Error("a downtime without an end does not last")
	}
	w.Unmute(d)
	if w.Muted(cpu) {
		t.Error("an ended downtime lasts")
	}
}

// TestMutedPages holds that a muted monitor pages nobody.
func TestMutedPages(t *testing.T) {
	t.Parallel()
	w := Story(1, opening)
	s, by := w.Service("web"), w.User("sre1")
	w.Mute(s.monitor(ErrorRate), "env:prod", "", time.Time{}, by)
	for _, svc := range []*Service{s, w.Service("accounts")} {
		for _, target := range svc.Targets("prod") {
			svc.Live = append(svc.Live, Change{At: opening, Stage: "prod", Target: target, SHA: "bad", Bad: true})
		}
	}
	before := len(w.Incidents)
	w.RunUntil(opening.Add(10 * time.Minute))
	if s.monitor(ErrorRate).State != StateAlert || len(w.Incidents) != before+1 || w.Incidents[before].Service.Name != "accounts" {
		t.Errorf("web's monitor is %s; %d new incidents", s.monitor(ErrorRate).State, len(w.Incidents)-before)
	}
}

// TestSchedules holds shifts around their changes, before their first one too.
func TestSchedules(t *testing.T) {
	t.Parallel()
	w := Story(1, opening)
	week := w.Schedules[2]
	now := week.At(opening)
	if now.Who.Login != "dev5" || !now.Till.Equal(now.From.Add(7*day)) || week.At(now.From.Add(-time.Second)).Who.Login != "dev3" {
		t.Errorf("of the week: %+v", now)
	}
	list := w.Schedules[0].Between(opening.Add(-day), opening.Add(day))
	if len(list) != 7 || !list[0].From.Before(opening.Add(-day)) || list[6].Till.Before(opening.Add(day)) {
		t.Fatalf("%d shifts in two days", len(list))
	}
	for n, s := range list[1:] {
		if !s.From.Equal(list[n].Till) || s.Who == list[n].Who {
			t.Errorf("%+v follows %+v", s, list[n])
		}
	}
	if one := w.Schedules[1].Between(opening, opening); len(one) != 1 || one[0].Who.Login != "sre2" {
		t.Errorf("second at the opening: %+v", one)
	}
}

// TestLoad holds the sizes of a load.
func TestLoad(t *testing.T) {
	t.Parallel()
	w := Scaled(1, opening, Scale{Repositories: 20, Incidents: 100, Alerts: 500, Monitors: 400})
	open, acked, alerts, alerting := 0, 0, 0, 0
	for _, i := range w.Incidents {
		alerts += len(i.Alerts)
		if i.State == Acknowledged {
			acked++
		}
		if i.State != Resolved {
			open++
		}
	}
	for _, m := range w.Monitors {
		if m.State == StateAlert {
			alerting++
		}
	}
	if open != 100 || acked != 34 || alerts != 500 || len(w.Monitors) != 400 || alerting != 40 {
		t.Errorf("%d open, %d acknowledged, %d alerts, %d monitors, %d alert", open, acked, alerts, len(w.Monitors), alerting)
	}
	w.RunUntil(opening.Add(time.Hour))
	if open = len(w.Incidents); open != 100 {
		t.Errorf("an hour later there are %d incidents", open)
	}
}
