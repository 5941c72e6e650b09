package insight

import (
	"math"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

func TestChartsStandInOrder(t *testing.T) {
	t.Parallel()
	none := math.NaN()
	var given []sources.Series
	for _, m := range []struct {
		name   string
		signal sources.Signal
	}{
		{"queue", sources.SaturationSignal}, {"IOPS", sources.SaturationSignal}, {"disk used", sources.SaturationSignal}, {"carts", sources.OtherSignal},
		{"requests", sources.TrafficSignal}, {"memory", sources.SaturationSignal}, {"CPU", sources.SaturationSignal}, {"p99", sources.LatencySignal},
		{"p95", sources.LatencySignal}, {"error rate", sources.ErrorSignal}, {"teapots", "brewing"},
	} {
		given = append(given, series(m.name, m.signal, "", none, 1))
	}
	var got []string
	for _, c := range Charts(world(metrics(given...)), "shop", now).Charts {
		got = append(got, c.Series.Name.String())
	}
	if got, want := strings.Join(got, ", "), "error rate, p99, p95, requests, CPU, memory, disk used, IOPS, queue, carts, teapots"; got != want {
		t.Errorf("charts stand\n%s, want\n%s", got, want)
	}
	if c := Charts(world(metrics(given...)), "cart", now); len(c.Charts) != 0 || c.Service != "cart" {
		t.Errorf("another service has %d charts", len(c.Charts))
	}
}

// hour is a value of so long ago, and one of now.
func hour(was, is float64) sources.Series {
	m := series("m", sources.ErrorSignal, "%", 2)
	m.Points = []sources.Point{{At: before(70 * time.Minute), Value: 1e6}, {At: before(62 * time.Minute), Value: was}, {At: before(58 * time.Minute), Value: was},
		{At: before(60 * time.Minute), Value: math.NaN()}, {At: before(30 * time.Minute), Value: 77}, {At: now, Value: is}}
	return m
}

func TestChanges(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, c := range []struct {
		was, is float64
		kind    ChangeKind
		up      bool
		text    string
	}{
		{0.228, 4.1, ChangeRatio, true, "×18"}, {304, 912, ChangeRatio, true, "×3.0"}, {1, 2, ChangeRatio, true, "×2.0"}, {1, 1.99, ChangePercent, true, "99 %"},
		{1250, 1200, ChangePercent, false, "4 %"}, {100, 102.9, ChangeLevel, true, ""}, {100, 97.1, ChangeLevel, false, ""}, {100, 103, ChangePercent, true, "3 %"}, {9, 3, ChangePercent, false, "67 %"},
		{5, 0, ChangePercent, false, "100 %"}, {0, 0, ChangeLevel, false, ""}, {0, 3, ChangeFromZero, true, "from 0"}, {nan, 3, ChangeUnknown, false, ""},
		{math.Inf(1), 3, ChangeUnknown, false, ""}, {-2, 2, ChangePercent, true, "200 %"}, {-2, -4, ChangePercent, false, "100 %"},
	} {
		got := Charts(world(metrics(hour(c.was, c.is))), "shop", now).Charts[0].Change
		if got.Kind != c.kind || got.Kind != ChangeUnknown && got.Up != c.up || got.Text().String() != c.text {
			t.Errorf("%v to %v: %+v %q, want %d up %t %q", c.was, c.is, got, got.Text(), c.kind, c.up, c.text)
		}
	}
	m := hour(1, 4)
	m.Earlier = []sources.Earlier{{Ago: 24 * time.Hour, Value: 2}, {Ago: 168 * time.Hour, Value: sources.Number(nan)}}
	e := Charts(world(metrics(m)), "shop", now).Charts[0].Earlier
	if len(e) != 2 || e[0].Ago != 24*time.Hour || e[0].Change.Text().String() != "×2.0" || e[1].Change.Kind != ChangeUnknown {
		t.Errorf("against the days before: %+v", e)
	}
}

func TestValuesOfNow(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	at := func(ago, step time.Duration, below bool, v ...float64) sources.Series {
		m := series("m", sources.ErrorSignal, "%", 5, v...)
		for i := range m.Points {
			m.Points[i].At = m.Points[i].At.Add(-ago)
		}
		m.Below, m.Step = below, step
		return m
	}
	for _, c := range []struct {
		name      string
		series    sources.Series
		value     float64
		age       time.Duration
		over, old bool
	}{
		{"over", at(0, time.Minute, false, 1, 6), 6, 0, true, false},
		{"at the limit", at(0, time.Minute, false, 1, 5), 5, 0, false, false},
		{"below, where that is bad", at(0, time.Minute, true, 4), 4, 0, true, false},
		{"above, where that is good", at(0, time.Minute, true, 6), 6, 0, false, false},
		{"gaps at the end", at(0, time.Minute, false, 6, nan, nan), 6, 2 * time.Minute, true, false},
		{"old", at(6*time.Minute, time.Minute, false, 6), 6, 6 * time.Minute, false, true},
		{"a long step", at(6*time.Minute, 5*time.Minute, false, 6), 6, 6 * time.Minute, true, false},
		{"gaps alone", at(0, time.Minute, false, nan, nan), nan, 0, false, true},
		{"nothing", at(0, time.Minute, false), nan, 0, false, true},
		{"infinite", at(0, time.Minute, false, math.Inf(1)), math.Inf(1), 0, true, false},
	} {
		got := Charts(world(metrics(c.series)), "shop", now).Charts[0]
		same := got.Value == c.value || math.IsNaN(got.Value) && math.IsNaN(c.value)
		if !same || got.Age != c.age || got.Over != c.over || got.Old != c.old {
			t.Errorf("%s: %v, %s old, over %t, too old %t", c.name, got.Value, got.Age, got.Over, got.Old)
		}
	}
	free := at(0, time.Minute, false, 1e9)
	free.Limit = nan
	if Charts(world(metrics(free)), "shop", now).Charts[0].Over {
		t.Error("a metric without a limit is over it")
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	s := world(metrics(series("m", sources.ErrorSignal, "%", 5, make([]float64, 90)...)),
		environments(environment("shop", "prod", true, deployed("prod", "v3", "eu", sources.StateFailed, 5*time.Minute),
			deployed("prod", "v2", "eu", sources.StatePassed, 30*time.Minute), deployed("prod", "v2", "us", sources.StatePassed, 33*time.Minute),
			deployed("prod", "v1", "eu", sources.StatePassed, 80*time.Minute), deployed("prod", "v0", "eu", sources.StatePassed, 99*time.Minute)),
			environment("shop", "staging", false, deployed("staging", "v3", "", sources.StatePassed, 50*time.Minute))),
		changes(sources.Change{Service: "shop", Kind: sources.FlagChange, Title: clean.Line("a"), At: before(time.Minute)},
			sources.Change{Service: "shop", Kind: sources.DeploymentChange, Version: version("v9"), Env: "canary", At: before(2 * time.Minute)}))
	var got []string
	for _, m := range Charts(s, "shop", now).Marks {
		line := m.At.Format("15:04") + " " + m.Text.String()
		if m.Prod {
			line += " prod"
		}
		if m.Failed {
			line += " failed"
		}
		got = append(got, line)
	}
	want := "00:54 v1 → prod eu prod\n01:24 v3 → staging\n01:41 v2 → prod prod\n02:08 v3 → prod eu failed prod failed\n02:12 v9 → canary"
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("marks are\n%s, want\n%s", got, want)
	}
}

func burns(m5, h1, m30, h6 float64) []sources.Burn {
	return []sources.Burn{{Over: 5 * time.Minute, Rate: sources.Number(m5)}, {Over: 30 * time.Minute, Rate: sources.Number(m30)},
		{Over: time.Hour, Rate: sources.Number(h1)}, {Over: 6 * time.Hour, Rate: sources.Number(h6)}}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	unknown := sources.Number(nan)
	for _, c := range []struct {
		name    string
		burns   []sources.Burn
		budget  float64
		traffic float64
		state   sources.MonitorState
		sense   Sense
		gone    time.Duration // to the minute; -1 never
		quiet   bool
	}{
		{"of the mock-up", burns(82, 14.4, 40, 3), 0.31, 1200, sources.MonitorUnknown, Crit, 2*time.Hour + 43*time.Minute, false},
		{"only lately", burns(82, 14.3, 5, 3), 0.31, 1200, sources.MonitorUnknown, Quiet, 2*time.Hour + 43*time.Minute, false},
		{"over by now", burns(0.2, 30, 5, 5), 0.31, 1200, sources.MonitorUnknown, Quiet, -1, false},
		{"slowly", burns(7, 7, 6, 6), 0.5, 1200, sources.MonitorUnknown, Warn, 51*time.Hour + 25*time.Minute, false},
		{"slowly, over by now", burns(1, 7, 5.9, 9), 0.5, 1200, sources.MonitorUnknown, Quiet, -1, false},
		{"low traffic", burns(82, 20, 40, 30), 0.31, 0.9, sources.MonitorUnknown, Quiet, 2*time.Hour + 43*time.Minute, true},
		{"unknown traffic", burns(82, 20, 40, 30), 0.31, nan, sources.MonitorUnknown, Crit, 2*time.Hour + 43*time.Minute, false},
		{"spent", burns(1, 1, 1, 1), -0.2, 1200, sources.MonitorUnknown, Quiet, -1, false},
		{"unknown burns", nil, 0.9, 1200, sources.MonitorUnknown, Quiet, -1, false},
		{"unknown burns, and the provider alerts", nil, 0.9, 1200, sources.MonitorAlert, Crit, -1, false},
		{"unknown burns, and the provider warns", burns(nan, nan, nan, nan), 0.9, 1200, sources.MonitorWarn, Warn, -1, false},
		{"known burns are believed more", burns(1, 1, 1, 1), 0.9, 1200, sources.MonitorAlert, Quiet, -1, false},
		{"unknown budget", burns(82, 20, 40, 30), nan, 1200, sources.MonitorUnknown, Crit, -1, false},
	} {
		slo := sources.SLO{Service: "shop", Target: 99.95, Window: 30 * 24 * time.Hour, Budget: sources.Number(c.budget), Value: unknown, Burns: c.burns,
			Traffic: sources.Number(c.traffic), State: c.state}
		s := world(feed("datadog", store.SLOs, func(f *store.Feed) { f.SLOs = []sources.SLO{slo} }))
		b := Charts(s, "shop", now).Budgets[0]
		gone := time.Duration(-1)
		if b.Exhausts {
			gone = b.Gone.Truncate(time.Minute)
		}
		if b.Sense != c.sense || gone != c.gone || b.Quiet != c.quiet || b.Spent != (c.budget <= 0) {
			t.Errorf("%s: sense %d, gone in %s, quiet %t, spent %t", c.name, b.Sense, gone, b.Quiet, b.Spent)
		}
	}
	slo := sources.SLO{Service: "shop", Window: time.Hour, Budget: 1, Traffic: unknown, Burns: burns(99, 99, 99, 99)}
	s := world(feed("datadog", store.SLOs, func(f *store.Feed) { f.SLOs = []sources.SLO{slo} }), metrics(series("requests", sources.TrafficSignal, "1/s", nan, 0.5)))
	if b := Charts(s, "shop", now).Budgets[0]; !b.Quiet {
		t.Error("the service's own traffic metric is not asked")
	}
}

func TestBehaviourAnswersForEachService(t *testing.T) {
	t.Parallel()
	other := series("p95", sources.LatencySignal, "ms", 300, 1)
	other.Service = "zoo"
	s := world(metrics(other, series("p95", sources.LatencySignal, "ms", 300, 912)),
		environments(environment("shop", "prod", true, deployed("prod", "v2", "eu", sources.StatePassed, 30*time.Minute))))
	b := BehaviourOf(s, now)
	if got := strings.Join(b.Measured(), " "); got != "shop zoo" {
		t.Errorf("measured are %s", got)
	}
	if c := b.Charts("shop"); len(c.Charts) != 1 || c.Charts[0].Value != 912 || len(c.Marks) != 1 {
		t.Errorf("shop's charts are %+v", c)
	}
	if n := len(b.Marks("shop", before(time.Minute))); n != 0 {
		t.Errorf("%d deployments within a minute", n)
	}
	var none Behaviour
	if len(none.Measured()) != 0 || len(none.Charts("shop").Charts) != 0 || none.Marks("shop", now) != nil {
		t.Error("nothing is known, and told")
	}
}
