package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/httpx"
	"example.com/signalbox/sources/prometheus"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/sourcetest/realserver"
)

// servers are shared by the tests of this package: each uses services of its own.
var servers realserver.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	servers.Close()
	os.Exit(code)
}

func openReal(t *testing.T, url string, change func(*prometheus.Config)) (sources.Source, capability.Set) {
	t.Helper()
	base, err := httpx.Base(httpx.Network{Proxy: "none"})
	if err != nil {
		t.Fatal(err)
	}
	cfg, ok := prometheus.Driver().Config().(*prometheus.Config)
	if !ok {
		t.Fatal("another config")
	}
	cfg.URL = url
	if change != nil {
		change(cfg)
	}
	src, err := prometheus.Driver().Open(sources.Env{
		Source: "prom", Transport: base, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: time.Now, UserAgent: "signalbox-test",
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = src.Close()
		(&http.Client{Transport: base}).CloseIdleConnections()
	})
	return src, capability.Of(src)
}

func spec(service string, metrics ...sources.MetricSpec) sources.ServiceSpec {
	return sources.ServiceSpec{Name: service, Metrics: metrics}
}

func gauge(service, name, expr string) sources.MetricSpec {
	return sources.MetricSpec{Service: service, Name: name, Query: strings.ReplaceAll(expr, "$s", fmt.Sprintf("service=%q", service)), Limit: math.NaN()}
}

func recent(services ...sources.ServiceSpec) sources.Query {
	return sources.Query{Services: services, Now: time.Now(), Window: time.Minute, Step: time.Second}
}

// last is the newest value of a series; NaN where it has none.
func last(s sources.Series) float64 {
	if len(s.Points) == 0 {
		return math.NaN()
	}
	return s.Points[len(s.Points)-1].Value
}

func push(t *testing.T, w *realserver.World, service string, lines ...string) {
	t.Helper()
	if err := w.Push(t.Context(), service, lines...); err != nil {
		t.Fatal(err)
	}
}

func await(t *testing.T, look func(context.Context) error) {
	t.Helper()
	if err := realserver.Await(t.Context(), look); err != nil {
		t.Fatal(err)
	}
}

func TestRealMetricFollowsTheServer(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	_, set := openReal(t, w.Prometheus.URL, nil)
	q := spec("metric-a", gauge("metric-a", "gauge", `test_gauge{$s}`), gauge("metric-a", "broken", `sum(rate(test_gauge{$s}[5m])`), gauge("metric-a", "nothing", `absent_metric{$s}`))
	for _, want := range []float64{0.1, 0.25} {
		push(t, w, "metric-a", fmt.Sprintf(`test_gauge{env="prod"} %v`, want))
		await(t, func(ctx context.Context) error {
			b, err := set.Metrics.QueryMetrics(ctx, recent(q))
			if err != nil {
				return err
			}
			if len(b.Items) != 3 || last(b.Items[0]) != want {
				return fmt.Errorf("%d series, the first ends at %v", len(b.Items), last(b.Items[0]))
			}
			if len(b.Notices) != 1 || !strings.Contains(b.Notices[0].Text.String(), "parse error") || !strings.Contains(b.Notices[0].Text.String(), "1:") {
				t.Fatalf("a broken expression is told as %v", b.Notices)
			}
			if len(b.Items[1].Points)+len(b.Items[2].Points) != 0 {
				t.Fatal("points of what gives none")
			}
			return nil
		})
	}
}

func TestRealGapsAreGaps(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	_, set := openReal(t, w.Prometheus.URL, nil)
	push(t, w, "gaps", `test_nan{kind="nan"} NaN`, `test_nan{kind="inf"} +Inf`, `test_nan{kind="one"} 1`)
	await(t, func(ctx context.Context) error {
		b, err := set.Metrics.QueryMetrics(ctx, recent(spec("gaps", gauge("gaps", "odd", `test_nan{$s}`), gauge("gaps", "scalar", `scalar(test_nan{$s,kind="one"})`))))
		if err != nil {
			return err
		}
		if len(b.Items) != 4 {
			return fmt.Errorf("%d series", len(b.Items))
		}
		got := map[string]float64{}
		for _, s := range b.Items {
			got[s.Labels.String()] = last(s)
		}
		if !math.IsNaN(got["nan"]) || !math.IsNaN(got["inf"]) || got["one"] != 1 || got[""] != 1 {
			return fmt.Errorf("values %v", got)
		}
		return nil
	})
}

func TestRealRuleFiresAndClears(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	_, set := openReal(t, w.Prometheus.URL, nil)
	q := sources.Query{Services: []sources.ServiceSpec{{Name: "Shop", Incidents: []string{"rule-a"}}}, Now: time.Now()}
	states := func(ctx context.Context) (map[string]sources.Monitor, error) {
		b, err := set.Monitors.ListMonitors(ctx, q)
		if err != nil {
			return nil, err
		}
		got := map[string]sources.Monitor{}
		for _, m := range b.Items {
			if m.Service != "Shop" {
				t.Errorf("%v belongs to %q", m.Ref, m.Service)
			}
			name, _, _ := strings.Cut(m.Name.String(), ":")
			got[name] = m
		}
		return got, nil
	}
	push(t, w, "rule-a", `test_gauge{env="prod"} 3`)
	await(t, func(ctx context.Context) error {
		got, err := states(ctx)
		if err != nil {
			return err
		}
		high, warm := got["GaugeHigh"], got["GaugeWarm"]
		if high.State != sources.MonitorAlert || warm.State != sources.MonitorPending {
			return fmt.Errorf("high is %s, warm is %s", high.State, warm.State)
		}
		if high.Severity != 1 || high.Runbook != "https://runbooks.example/gauge" || len(high.Groups) != 1 || high.Since.IsZero() || high.Groups[0].Value != 3 {
			t.Errorf("monitor %+v", high)
		}
		want := sources.AlertKey(`{alertname="GaugeHigh", env="prod", instance="", job="test", service="rule-a", severity="critical"}`)
		if len(high.Keys) != 1 || strings.ReplaceAll(high.Keys[0], `instance="", `, "") != strings.ReplaceAll(want, `instance="", `, "") {
			t.Errorf("keys %q", high.Keys)
		}
		return nil
	})
	push(t, w, "rule-a", `test_gauge{env="prod"} 0`)
	await(t, func(ctx context.Context) error {
		got, err := states(ctx)
		if err != nil && !strings.Contains(err.Error(), "not modified") {
			return err
		}
		if len(got) > 0 {
			return fmt.Errorf("%d monitors alert", len(got))
		}
		return nil
	})
}

func TestRealTargetsDown(t *testing.T) {
	t.Parallel()
	realserver.Need(t)
	w, err := realserver.Start(t.Context(), realserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	_, set := openReal(t, w.Prometheus.URL, func(c *prometheus.Config) { c.Rules = false })
	list := func(ctx context.Context) ([]sources.Monitor, error) {
		b, err := set.Monitors.ListMonitors(ctx, sources.Query{Now: time.Now()})
		if err != nil && strings.Contains(err.Error(), "not modified") {
			return nil, nil
		}
		return b.Items, err
	}
	if got, err := list(t.Context()); err != nil || len(got) != 0 {
		t.Fatalf("all targets are up: %v, %v", got, err)
	}
	w.NodeExporter.Stop()
	await(t, func(ctx context.Context) error {
		got, err := list(ctx)
		if err != nil {
			return err
		}
		if len(got) != 1 || got[0].Name.String() != "job node: 1 of 1 targets down" || got[0].State != sources.MonitorAlert {
			return fmt.Errorf("monitors %v", got)
		}
		return nil
	})
	// The server itself goes and comes back: an error while it is away, the same answer after.
	w.Prometheus.Stop()
	if _, err := set.Monitors.ListMonitors(t.Context(), sources.Query{Now: time.Now()}); err == nil || sources.KindOf(err) != sources.Transient {
		t.Fatalf("a server that is gone answers %v", err)
	}
	if err := w.Prometheus.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, func(ctx context.Context) error {
		got, err := list(ctx)
		if err == nil && len(got) != 1 {
			err = fmt.Errorf("monitors %v", got)
		}
		return err
	})
	if err := w.NodeExporter.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, func(ctx context.Context) error {
		got, err := list(ctx)
		if err == nil && len(got) != 0 {
			err = fmt.Errorf("monitors %v", got)
		}
		return err
	})
}

func TestRealObjective(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	_, set := openReal(t, w.Prometheus.URL, nil)
	push(t, w, "slo-a", `test_ratio 0.001`)
	o := sources.SLOSpec{Service: "slo-a", Name: "availability", Query: `max(max_over_time(test_ratio{service="slo-a"}[{{window}}]))`, Traffic: `vector(42)`, Target: 99.5, Window: 30 * 24 * time.Hour}
	bad := o
	bad.Name, bad.Query = "broken", `sum(`
	none := o
	none.Name, none.Query = "quiet", `sum(nothing_at_all[{{window}}])`
	none.Query = `sum(rate(nothing_at_all[{{window}}]))`
	await(t, func(ctx context.Context) error {
		b, err := set.SLOs.ListSLOs(ctx, sources.Query{Services: []sources.ServiceSpec{{Name: "slo-a", SLOs: []sources.SLOSpec{o, bad, none}}}, Now: time.Now()})
		if err != nil {
			return err
		}
		if len(b.Items) != 3 || len(b.Notices) != 1 {
			return fmt.Errorf("%d objectives, notices %v", len(b.Items), b.Notices)
		}
		got := b.Items[0]
		if !got.Value.Known() {
			return fmt.Errorf("the value is not known yet: %v", got.Note)
		}
		if math.Abs(float64(got.Value)-99.9) > 1e-9 || math.Abs(float64(got.Budget)-0.8) > 1e-9 || len(got.Burns) != 4 || math.Abs(float64(got.Burns[0].Rate)-0.2) > 1e-9 || got.Traffic != 42 {
			t.Errorf("objective %+v", got)
		}
		if got.Note.String() != "over the last 15d: that is how long this server keeps its data" {
			t.Errorf("note %q", got.Note)
		}
		if b.Items[2].Value.Known() || b.Items[2].Note.String() != "no traffic" || b.Items[1].Value.Known() {
			t.Errorf("objectives %+v", b.Items[1:])
		}
		return nil
	})
}

func TestRealCheckAndDiscover(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	_, set := openReal(t, w.Prometheus.URL, nil)
	push(t, w, "discovered", `http_requests_total{code="200"} 10`, `http_requests_total{code="500"} 1`)
	await(t, func(ctx context.Context) error {
		all, err := set.Discoverer.Discover(ctx)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Service == "discovered" && len(p.Metrics) == 2 {
				b, err := set.Metrics.QueryMetrics(ctx, recent(spec("discovered", p.Metrics...)))
				if err != nil || len(b.Notices) > 0 {
					t.Errorf("what is proposed is refused: %v %v", err, b.Notices)
				}
				return nil
			}
		}
		return fmt.Errorf("proposals %+v", all)
	})
	text := ""
	for _, f := range set.Checker.Check(t.Context()) {
		text += fmt.Sprintf("%d %s: %s\n", f.Level, f.What, f.Detail)
	}
	for _, want := range []string{"version 2.", "retention: 15d", "alerting rules: 2", "label service"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks in\n%s", want, text)
		}
	}
}

func TestRealSeriesIsReReadAndOnlyDecodedWhenChanged(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	_, set := openReal(t, w.Prometheus.URL, nil)
	push(t, w, "again", `test_gauge 0.2`)
	q := recent(spec("again", gauge("again", "gauge", `test_gauge{$s}`)))
	q.Followed = true
	var got sources.Series
	await(t, func(ctx context.Context) error {
		q.Now = time.Now()
		b, err := set.Metrics.QueryMetrics(ctx, q)
		if err != nil {
			return err
		}
		if got = b.Items[0]; len(got.Points) == 0 {
			return fmt.Errorf("no points yet")
		}
		if len(got.Earlier) != 2 || got.Earlier[0].Value.Known() {
			t.Errorf("earlier %v of a server that is a minute old", got.Earlier)
		}
		return nil
	})
	q.Now = time.Now().Add(-5 * time.Second) // what is that old does not change any more
	if _, err := set.Metrics.QueryMetrics(t.Context(), q); err != nil {
		t.Error(err)
	}
	if _, err := set.Metrics.QueryMetrics(t.Context(), q); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("the same question is answered %v", err)
	}
	v, err := set.Getter.Get(t.Context(), got.Ref)
	if s, ok := v.(sources.Series); err != nil || !ok || s.Ref != got.Ref {
		t.Errorf("Get: %v, %v", v, err)
	}
}
