package datadog

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/sourcetest"
)

// bare is a source that can convert and never asks anybody.
func bare(t testing.TB) *source {
	t.Helper()
	cfg := defaults()
	cfg.APIKey, cfg.AppKey = secret.FromEnv("NONE_API"), secret.FromEnv("NONE_APP")
	src, err := Driver().Open(sources.Env{
		Source: "dd", Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return testNow },
		Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrClosedPipe }),
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := src.(*source)
	return s
}

// sound fails when v cannot be kept as JSON, or when text of it is what a terminal obeys.
func sound(t *testing.T, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v of %+v", err, v)
	}
	var back any
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	tidy(t, back)
}

func tidy(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' }) {
			t.Fatalf("%q is not clean", v)
		}
	case []any:
		for _, e := range v {
			tidy(t, e)
		}
	case map[string]any:
		for _, e := range v {
			tidy(t, e)
		}
	}
}

func seeds(f *testing.F, extra ...string) {
	f.Helper()
	for _, s := range append(extra, `{}`, `[]`, `null`, `{"data":null}`, `{"data":[]}`, `{"data":{}}`, `{"errors":["x"]}`, `{"data":{"attributes":null}}`) {
		f.Add([]byte(s))
	}
	dir, err := sharedPath("datadog")
	if err != nil || dir == "" {
		return
	}
	for _, c := range cassettes(f, dir) {
		for i := range c.Calls {
			if len(c.Calls[i].Response.Body) < 6000 {
				f.Add([]byte(c.Calls[i].Response.Body))
			}
		}
	}
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func FuzzMonitors(f *testing.F) {
	h := &hub{}
	seeds(f, marshal(arr{h.monitor(1), h.monitor(2), h.monitor(3)}),
		`[{"id":1,"tags":"a","state":{"groups":{"\u001b[2J":{"status":"Alert","last_triggered_ts":1e18}}},"options":{"silenced":{"*":-5,"env:x":null}},"matching_downtimes":[{"end":9e99,"scope":7}]}]`)
	s := bare(f)
	own := s.owners([]sources.ServiceSpec{checkoutSpec()})
	var d wireDowntime
	d.ID, d.Attributes.Scope, d.Attributes.Monitor.Tags = "x", "env:prod AND region:eu OR a:b", words{"*"}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decode[monitorPage](opMonitors, body)
		if err != nil {
			return
		}
		for i := range p.Items {
			m := s.monitor(&p.Items[i], own, []quiet{{&d, person{}}})
			sound(t, m)
			if m.Revision == "" || m.Severity < 0 || m.Severity > 9 {
				t.Fatalf("%+v", m)
			}
		}
	})
}

func FuzzDowntimes(f *testing.F) {
	seeds(f, `{"data":[{"id":"a","attributes":{"status":"active","scope":"*","schedule":{"recurrences":[],"current_downtime":{"end":"2026-01-01T00:00:00Z"}}},"relationships":{"created_by":{"data":{"id":"u"}}}}],"included":[{"id":"u","type":"users","attributes":{"name":null}}]}`)
	s := bare(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decode[downtimePage](opDowntimes, body)
		if err != nil {
			return
		}
		who := people(p.Included.Items)
		for i := range p.Data.Items {
			d := quiet{&p.Data.Items[i], who[p.Data.Items[i].Relations.By.first()]}
			sound(t, s.silence(d))
			_ = progress(d)
			_ = d.concerns(&wireMonitor{})
		}
	})
}

func FuzzSLOs(f *testing.F) {
	seeds(f, `{"data":{"attributes":{"slos":[{"data":{"id":"a","attributes":{"name":"n","overall_status":[{"status":1e308,"error_budget_remaining":-1e308,"target":"99.9","timeframe":"30d","state":"ok"}],"thresholds":[{"target":null}]}}}]}}}`,
		`{"data":{"overall":{"sli_value":null,"error_budget_remaining":{"7d":"x"},"errors":[{"error_type":"ZERO_VALUED_DENOMINATOR"}]}}}`)
	s := bare(f)
	own := s.owners([]sources.ServiceSpec{checkoutSpec()})
	f.Fuzz(func(t *testing.T, body []byte) {
		if p, err := decode[sloPage](opSLOs, body); err == nil {
			for i := range p.Data.Attributes.SLOs.Items {
				slo := s.slo(&p.Data.Attributes.SLOs.Items[i], sources.SLOSpec{Window: 7 * 24 * time.Hour}, own)
				sound(t, slo)
				if slo.Target < 0 || slo.Target > 100 || slo.Window < 0 {
					t.Fatalf("%+v", slo)
				}
			}
		}
		if h, err := decode[historyReply](opSLOHistory, body); err == nil {
			if p := h.past(); math.IsNaN(p.sli) && p.silence == "" {
				t.Fatalf("%+v", p)
			}
		}
	})
}

func FuzzIncidents(f *testing.F) {
	h := &hub{}
	seeds(f, marshal(obj{"data": obj{"attributes": obj{"total": 2, "incidents": arr{obj{"data": h.incident(1, "active")}, obj{"data": h.incident(2, "resolved")}}}}, "included": arr{attachment(1), attachment(2)}}),
		marshal(obj{"data": h.incident(1, "active"), "included": arr{attachment(1)}}))
	s := bare(f)
	own := s.owners([]sources.ServiceSpec{checkoutSpec()})
	f.Fuzz(func(t *testing.T, body []byte) {
		if p, err := decode[incidentPage](opIncidents, body); err == nil {
			for i := range p.Data.Attributes.Incidents.Items {
				in := s.incident(&p.Data.Attributes.Incidents.Items[i].Data, p.Included.Items, own, "sre1")
				sound(t, in)
				if in.Severity < 0 || in.Severity > 9 || in.State == sources.Resolved && in.Changed != in.Ended {
					t.Fatalf("%+v", in)
				}
			}
		}
		if o, err := decode[oneIncident](opIncident, body); err == nil {
			sound(t, s.incident(&o.Data, o.Included.Items, own, "x"))
			sound(t, s.moments(o))
		}
		if l, err := decode[integrationList](opIntegrations, body); err == nil {
			log, texts := connected(l)
			sound(t, log)
			in := sources.Incident{}
			s.addKeys(&in, texts)
			sound(t, in)
		}
		if l, err := decode[impactList](opImpacts, body); err == nil {
			sound(t, impacts(l))
		}
		if l, err := decode[taskList](opTasks, body); err == nil {
			sound(t, tasks(l))
		}
	})
}

func FuzzShifts(f *testing.F) {
	seeds(f, `{"data":{"id":"a","relationships":{"responders":{"data":[{"id":"u","type":"users"}]},"escalations":{"data":[{"id":"s"},{"id":"t"}]}}},"included":[{"id":"u","type":"users","attributes":{"name":"n","email":"e@x"}},{"id":"t","type":"escalation_policy_steps","relationships":{"responders":{"data":[{"id":"v"}]}}}]}`,
		`{"data":{"attributes":{"start":"2026-01-01T00:00:00Z","end":null},"relationships":{"user":{"data":null}}}}`)
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := decode[teamOnCall](opTeamOnCall, body); err == nil {
			for _, on := range responders(r) {
				sound(t, on.who.person())
				if on.level < 1 {
					t.Fatalf("%+v", on)
				}
			}
		}
		if u, err := decode[scheduledUser](opScheduledUser, body); err == nil {
			sound(t, []time.Time{u.Data.Attributes.Start.Time, u.Data.Attributes.End.Time})
		}
		_, _ = decode[teamPage](opTeams, body)
		_, _ = decode[oneSchedule](opSchedule, body)
		_, _ = decode[schedulePage](opSchedules, body)
		_, _ = decode[definitionPage](opDefinitions, body)
	})
}

func FuzzChanges(f *testing.F) {
	seeds(f, `{"data":[{"id":"d","attributes":{"service":"s","started_at":1700000000000000000,"finished_at":"2026-01-01T00:00:00Z","git":{"commit_sha":"x"}}}]}`,
		`{"event":{"id":6327818704671040000,"id_str":"6327818704671039975","tags":["a"]}}`)
	s := bare(f)
	own := s.owners([]sources.ServiceSpec{checkoutSpec()})
	f.Fuzz(func(t *testing.T, body []byte) {
		if p, err := decode[eventPage](opEvents, body); err == nil {
			for i := range p.Data.Items {
				c := s.marker(&p.Data.Items[i], own)
				sound(t, c)
				if c.Title.IsZero() && c.Kind == "" {
					t.Fatalf("%+v", c)
				}
			}
		}
		if l, err := decode[deploymentList](opDeployments, body); err == nil {
			for i := range l.Data.Items {
				sound(t, s.deployment(&l.Data.Items[i], own))
			}
		}
		_, _ = decode[eventReply](opEvent, body)
		_, _ = decode[made](opPostDeployment, body)
	})
}

func FuzzSeries(f *testing.F) {
	seeds(f, `{"data":{"attributes":{"times":[1700000000000,1700000060000],"values":[[1,null],["x"],[]],"series":[{"query_index":0,"group_tags":["a:\u001b[2J"],"unit":[null,{}]},{"query_index":0},{"query_index":7}]}}}`,
		`{"status":"ok","series":[{"interval":60,"pointlist":[[1,2],[3],null,[1e99,"NaN"]],"tag_set":null}]}`, `{"status":"error","error":"bad"}`)
	s := bare(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		a := &asked{spec: sources.MetricSpec{Service: "checkout", Name: "errors", Query: "avg:m{*}"}, expr: express("avg:m{*}")}
		var notices noticeBox
		if r, err := decode[timeseriesReply](opTimeseries, body); err == nil {
			a.found = foundIn(r, 0, time.Minute)
			checkSeries(t, s.series(a, nil, &notices))
		}
		if r, err := decode[queryReply](opQuery, body); err == nil {
			a.found = nil
			for _, w := range r.Series.Items {
				for _, p := range w.Points {
					if len(p) == 2 {
						a.found = append(a.found, found{labels: labelsOf(w.Tags), unit: unitOf(w.Unit.Items), points: points(p[:1], p[1:])})
					}
				}
			}
			checkSeries(t, s.series(a, nil, &notices))
		}
	})
}

func checkSeries(t *testing.T, all []sources.Series) {
	t.Helper()
	seen := map[sources.Ref]bool{}
	if len(all) == 0 || len(all) > mostSeries {
		t.Fatalf("%d series", len(all))
	}
	for _, s := range all {
		if seen[s.Ref] {
			t.Fatalf("%s twice", s.Ref)
		}
		seen[s.Ref] = true
		for i, p := range s.Points {
			if p.At.IsZero() || i > 0 && p.At.Before(s.Points[i-1].At) {
				t.Fatalf("point %d of %v", i, s.Points)
			}
		}
		tidy(t, s.Name.String()+s.Labels.String()+s.Unit+s.Ref.ID)
	}
}

func FuzzExpress(f *testing.F) {
	for _, q := range []string{
		"avg:m{*}", "100*sum:e{a:b} by {c}.as_count()/sum:h{a:b} by {c}.as_count()", "default_zero(sum:a{x})-p95:b.c{y}.rollup(max, 60).fill(0)",
		"system.load.1{*}", "a{", "{}", "avg:m{", "top(avg:m{*} by {host}, 10, 'mean', 'desc')", "xavg:m{*}avg:n{*}",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		e := express(query)
		if len(e.queries) == 0 {
			t.Fatalf("%q has no queries", query)
		}
		back := e.named(func(q string) string { return q })
		if strings.TrimSpace(back) != strings.TrimSpace(query) && !strings.ContainsAny(query, "{}") {
			t.Fatalf("%q became %q", query, back)
		}
		for _, q := range e.queries {
			if !strings.Contains(query, q) {
				t.Fatalf("%q is not of %q", q, query)
			}
		}
	})
}

func FuzzComplaint(f *testing.F) {
	seeds(f, `{"errors":[{"title":"t","detail":"d"}]}`, `{"errors":{"a":["b"]}}`)
	f.Fuzz(func(t *testing.T, body []byte) { tidy(t, complaint(body)) })
}

func FuzzCovers(f *testing.F) {
	f.Add("env:prod AND region:eu OR a:b", "env:prod,region:eu", "avg:m{env:prod} > 1")
	f.Add("NOT env:prod", "*", "")
	f.Fuzz(func(t *testing.T, scope, group, query string) {
		w := &wireMonitor{Query: text(query), Tags: words{"service:checkout"}}
		if covers("*", group, w) != true {
			t.Fatal("everything does not cover something")
		}
		_ = covers(scope, group, w)
		for _, v := range within(query, "service") {
			if v == "" || !strings.Contains(query, "service:"+v) {
				t.Fatalf("%q is not in %q", v, query)
			}
		}
	})
}

func BenchmarkConvertSeries(b *testing.B) {
	times, values, series := arr{}, arr{}, arr{}
	for i := range 1440 {
		times = append(times, testNow.Add(time.Duration(i)*time.Minute).UnixMilli())
	}
	for i := range 200 {
		row := arr{}
		for j := range 1440 {
			row = append(row, float64(i*j)/7)
		}
		values = append(values, row)
		series = append(series, obj{"query_index": i, "group_tags": arr{}, "unit": nil})
	}
	body := []byte(marshal(obj{"data": obj{"attributes": obj{"times": times, "values": values, "series": series}}}))
	s := bare(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := decode[timeseriesReply](opTimeseries, body)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		var notices noticeBox
		for i := range 200 {
			a := &asked{spec: sources.MetricSpec{Service: "s", Name: fmt.Sprint(i)}, found: foundIn(r, i, time.Minute)}
			n += len(s.series(a, nil, &notices)[0].Points)
		}
		if n != 200*1440 {
			b.Fatalf("%d points", n)
		}
	}
}

func BenchmarkConvertMonitors(b *testing.B) {
	h := &hub{}
	var all []any
	for i := range 1000 {
		all = append(all, h.monitor(i+1))
	}
	body := []byte(marshal(all))
	s := bare(b)
	own := s.owners([]sources.ServiceSpec{checkoutSpec()})
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		p, err := decode[monitorPage](opMonitors, body)
		if err != nil {
			b.Fatal(err)
		}
		for i := range p.Items {
			if m := s.monitor(&p.Items[i], own, nil); m.Service == "" {
				b.Fatal(m)
			}
		}
	}
}
