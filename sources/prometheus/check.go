package prometheus

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// Check looks whether the server answers queries with this sign-in, which version it is, at its clock, how
// long it keeps its data, whether it has rules, and whether anything has the configured service label. What
// a compatible store does not tell is not held against it.
func (s *source) Check(ctx context.Context) []sources.Finding {
	var f httpx.Findings
	what := "Prometheus " + s.server.address.Host + s.server.address.Path
	body, header, err := s.server.fetch(ctx, func(ctx context.Context, a v1.API) error {
		_, _, _, err := a.Query(ctx, "vector(1)", time.Time{})
		return err //nolint:wrapcheck // fetch explains it
	})
	if header != nil {
		checkClock(&f, header, s.env.Now())
	}
	if err == nil {
		_, err = decode(ctx, s.server, body, func(ctx context.Context, a v1.API) (model.Value, error) {
			v, _, _, err := a.Query(ctx, "vector(1)", time.Time{})
			return v, err //nolint:wrapcheck // decode explains it
		})
	}
	if err != nil {
		f.Fail(what, err)
		return f
	}
	f.Add(sources.LevelOK, what, "answers queries, "+s.version(ctx), "")
	s.checkRetention(ctx, &f)
	if s.cfg.Rules {
		s.checkRules(ctx, &f)
	}
	s.checkLabel(ctx, &f)
	return f
}

// version is what the server says of itself, where it does.
func (s *source) version(ctx context.Context) string {
	info, err := ask(ctx, s.server, "buildinfo", func(ctx context.Context, a v1.API) (v1.BuildinfoResult, error) {
		return a.Buildinfo(ctx)
	})
	if err != nil || info.Version == "" {
		return "version unknown: it may be a store that speaks Prometheus' API"
	}
	return "version " + info.Version
}

func checkClock(f *httpx.Findings, h http.Header, now time.Time) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	skew := now.Sub(at).Abs()
	fix := "set both clocks, for example with NTP"
	switch {
	case skew > 2*time.Minute:
		f.Add(sources.LevelFail, "clock", fmt.Sprintf("is %s off the server's: the newest values are missing or old", skew.Round(time.Second)), fix)
	case skew > 15*time.Second:
		f.Add(sources.LevelWarn, "clock", fmt.Sprintf("is %s off the server's: ages will be wrong", skew.Round(time.Second)), fix)
	}
}

// checkRetention compares what is kept with what the board looks back to: a week for comparisons, a month
// for most objectives.
func (s *source) checkRetention(ctx context.Context, f *httpx.Findings) {
	const week, month = 7 * 24 * time.Hour, 28 * 24 * time.Hour
	kept, err := s.kept(ctx, s.env.Now())
	switch {
	case err != nil:
		f.Fail("retention", err)
	case kept == 0:
	case kept < week:
		f.Add(sources.LevelWarn, "retention", duration(kept)+": too short to compare with the week before, and for objectives over 30 days", "raise --storage.tsdb.retention.time, or name a long-term store")
	case kept < month:
		f.Add(sources.LevelWarn, "retention", duration(kept)+": objectives over a longer window are computed over that alone", "raise --storage.tsdb.retention.time, name a long-term store, or shorten their window")
	default:
		f.Add(sources.LevelOK, "retention", duration(kept), "")
	}
}

func (s *source) checkRules(ctx context.Context, f *httpx.Findings) {
	found, err := ask(ctx, s.server, "rules", func(ctx context.Context, a v1.API) (*v1.RulesResult, error) {
		r, err := a.Rules(ctx, nil)
		if err != nil {
			return nil, err //nolint:wrapcheck // ask explains it
		}
		return &r, nil
	})
	if err != nil {
		if e := httpx.Explain("", "", err); absent(e) {
			f.Add(sources.LevelWarn, "alerting rules", "this server does not tell of any", "rules: false stops asking; a ruler may have an address of its own")
			return
		}
		f.Fail("alerting rules", err)
		return
	}
	rules, bad := 0, 0
	for _, g := range found.Groups {
		for _, r := range g.Rules {
			if a, ok := r.(v1.AlertingRule); ok {
				rules++
				if a.Health == v1.RuleHealthBad {
					bad++
				}
			}
		}
	}
	if bad > 0 {
		f.Add(sources.LevelWarn, "alerting rules", fmt.Sprintf("%d of %d are not evaluated", bad, rules), "mend their expressions: meanwhile they alert nobody")
		return
	}
	f.Add(sources.LevelOK, "alerting rules", fmt.Sprintf("%d", rules), "")
}

func (s *source) checkLabel(ctx context.Context, f *httpx.Findings) {
	values, err := s.labelValues(ctx)
	if err != nil {
		f.Fail("label "+s.cfg.ServiceLabel, err)
		return
	}
	if len(values) == 0 {
		f.Add(sources.LevelWarn, "label "+s.cfg.ServiceLabel, "no series has it: alerts and targets cannot be told apart by service", "set service_label to the label that names services")
		return
	}
	f.Add(sources.LevelOK, "label "+s.cfg.ServiceLabel, fmt.Sprintf("%d values", len(values)), "")
}

// labelValues are the values of the service label of the last day.
func (s *source) labelValues(ctx context.Context) ([]string, error) {
	now := s.env.Now()
	values, err := ask(ctx, s.server, "label values", func(ctx context.Context, a v1.API) (model.LabelValues, error) {
		v, _, _, err := a.LabelValues(ctx, s.cfg.ServiceLabel, nil, now.Add(-24*time.Hour), now)
		return v, err //nolint:wrapcheck // ask explains it
	})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, v := range values {
		if name := plain(string(v)); name != "" {
			out = append(out, name)
		}
	}
	return out, nil
}

// guess is a metric that many services have by convention: the expression is proposed where the service has
// what it is made of.
type guess struct {
	name, unit string
	signal     sources.Signal
	has        string // a selector whose series must exist, with the service's matcher to be filled in
	expr       string
}

// guesses are the conventions of Prometheus' own client libraries, and of OpenTelemetry's names as Prometheus
// writes them. $sel is the service's matcher.
func guesses() []guess {
	return []guess{
		{"errors", "%", sources.ErrorSignal, `http_requests_total{$sel,code=~"[1-5].."}`,
			`100 * sum(rate(http_requests_total{$sel,code=~"5.."}[5m])) / sum(rate(http_requests_total{$sel}[5m]))`},
		{"latency p99", "s", sources.LatencySignal, `http_request_duration_seconds_bucket{$sel}`,
			`histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{$sel}[5m])))`},
		{"latency p99", "s", sources.LatencySignal, `http_server_request_duration_seconds_bucket{$sel}`,
			`histogram_quantile(0.99, sum by (le) (rate(http_server_request_duration_seconds_bucket{$sel}[5m])))`},
		{"traffic", "1/s", sources.TrafficSignal, `http_requests_total{$sel}`, `sum(rate(http_requests_total{$sel}[5m]))`},
		{"traffic", "1/s", sources.TrafficSignal, `http_server_request_duration_seconds_count{$sel}`, `sum(rate(http_server_request_duration_seconds_count{$sel}[5m]))`},
	}
}

// Discover proposes a service for each value of the service label, with the metrics that its series allow
// by convention: one request for the values, one for each convention.
func (s *source) Discover(ctx context.Context) ([]sources.Proposal, error) {
	const op = "discover services"
	values, err := s.labelValues(ctx)
	if err != nil {
		return nil, httpx.Explain(op, "", err)
	}
	has := make([]map[string]bool, len(guesses()))
	for i, g := range guesses() {
		matcher := s.cfg.ServiceLabel + `!=""`
		r, err := s.server.query(ctx, "count by ("+s.cfg.ServiceLabel+") ("+strings.ReplaceAll(g.has, "$sel", matcher)+")", s.env.Now())
		if err != nil && (ctx.Err() != nil || !ofExpression(err)) {
			return nil, httpx.Explain(op, "", err)
		}
		has[i] = map[string]bool{}
		if err == nil {
			for _, st := range r.streams {
				has[i][st.labels[s.cfg.ServiceLabel]] = true
			}
		}
	}
	var out []sources.Proposal
	for _, name := range values {
		out = append(out, s.proposal(name, has))
	}
	return out, nil
}

func (s *source) proposal(name string, has []map[string]bool) sources.Proposal {
	p := sources.Proposal{
		Service: name, Incidents: []string{name}, Confidence: 0.6,
		Why: []string{fmt.Sprintf("there are series with %s=%s", s.cfg.ServiceLabel, name)},
	}
	taken := map[string]bool{}
	matcher := fmt.Sprintf("%s=%q", s.cfg.ServiceLabel, name)
	for i, g := range guesses() {
		if !has[i][name] || taken[g.name] {
			continue
		}
		taken[g.name] = true
		expr := strings.ReplaceAll(g.expr, "$sel", matcher)
		p.Metrics = append(p.Metrics, sources.MetricSpec{Service: name, Name: g.name, Query: expr, Unit: g.unit, Signal: g.signal, Limit: math.NaN()})
	}
	switch {
	case len(p.Metrics) == 0:
		p.Why = append(p.Why, "unsure which of its metrics matter: none has a name that convention knows")
	case !taken["errors"]:
		p.Why = append(p.Why, "unsure how its errors are counted")
	}
	return p
}

var (
	_ sources.MetricQuerier = (*source)(nil)
	_ sources.MonitorLister = (*source)(nil)
	_ sources.SLOLister     = (*source)(nil)
	_ sources.Getter        = (*source)(nil)
	_ sources.Checker       = (*source)(nil)
	_ sources.Discoverer    = (*source)(nil)
)
