package prometheus

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

var fuzzNow = time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)

// said answers every request with one body.
type said struct{ body []byte }

func (s said) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req,
		Body: readCloser{strings.NewReader(string(s.body))}, ContentLength: int64(len(s.body)),
	}, nil
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func sourceOf(tb testing.TB, body []byte) *source {
	tb.Helper()
	cfg, ok := Driver().Config().(*Config)
	if !ok {
		tb.Fatal("another config")
	}
	cfg.URL = "https://prometheus.example.com"
	src, err := open(sources.Env{Source: "prom", Transport: said{body}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return fuzzNow }}, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	s, ok := src.(*source)
	if !ok {
		tb.Fatal("another source")
	}
	return s
}

func drawable(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("%q is drawn", s)
		}
	}
}

func drawableText(t *testing.T, texts ...clean.Text) {
	t.Helper()
	for _, text := range texts {
		if clean.Line(text.String()) != text {
			t.Errorf("%q is not clean", text.String())
		}
	}
}

func FuzzMetrics(f *testing.F) {
	for _, data := range []string{
		`{"resultType":"matrix","result":[{"metric":{"a":"\u001b[2J"},"values":[[1,"1"],[2,"NaN"],[3,"+Inf"]]},{"metric":{"a":"c","b":"d"},"values":[]}]}`,
		`{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"x"},"value":[1.5,"0"]}]}`,
		`{"resultType":"scalar","result":[1,"1e308"]}`,
		`{"resultType":"matrix","result":[{"metric":{},"histograms":[[1,{"count":"1","sum":"1","buckets":[[0,"1","2","3"]]}]]}]}`,
	} {
		f.Add([]byte(`{"status":"success","data":` + data + `,"warnings":["\u202ew"],"infos":["i"]}`))
	}
	f.Add([]byte(`{"status":"error","errorType":"bad_data","error":"\u001b]0;x\u0007"}`))
	f.Add([]byte(`{"data":{"resultType":"matrix","result":null},"status":"success"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := sourceOf(t, body)
		spec := sources.ServiceSpec{
			Name:    "svc",
			Metrics: []sources.MetricSpec{{Service: "svc", Name: "errors", Query: "x", Limit: math.NaN()}},
			SLOs:    []sources.SLOSpec{{Service: "svc", Name: "o", Query: "x[{{window}}]", Traffic: "y", Target: 99.9, Window: 30 * 24 * time.Hour}},
		}
		q := sources.Query{Services: []sources.ServiceSpec{spec}, Now: fuzzNow, Followed: true}
		b, err := s.queryMetrics(t.Context(), q)
		if err == nil && len(b.Items) == 0 {
			t.Error("no series and no error")
		}
		seen := map[sources.Ref]bool{}
		for _, one := range b.Items {
			if seen[one.Ref] && len(b.Items) < 3 || one.Ref.ID == "" || one.Points == nil {
				t.Errorf("series %+v", one)
			}
			seen[one.Ref] = true
			drawable(t, one.Ref.ID, one.URL)
			drawableText(t, one.Name, one.Labels)
			for _, p := range one.Points {
				if math.IsInf(p.Value, 0) {
					t.Error("an infinite point")
				}
			}
		}
		for _, n := range b.Notices {
			drawableText(t, n.Text, n.Fix)
		}
		o, notices, err := s.objective(t.Context(), spec.SLOs[0], fuzzNow)
		if err == nil && o.Revision == "" {
			t.Errorf("objective %+v", o)
		}
		drawableText(t, o.Note)
		for _, n := range notices {
			drawableText(t, n.Text, n.Fix)
		}
		if items, _, err := s.monitors(sources.Query{}).targets(t.Context(), fuzzNow); err == nil {
			checkMonitors(t, items)
		}
	})
}

func checkMonitors(t *testing.T, items []sources.Monitor) {
	t.Helper()
	for _, m := range items {
		if m.Ref.ID == "" || m.Revision == "" || len(m.Groups) > maxGroups || len(m.Keys) > maxKeys+1 {
			t.Errorf("monitor %+v", m)
		}
		drawable(t, append([]string{m.Ref.ID, m.URL, m.Runbook, m.Service}, m.Keys...)...)
		drawableText(t, m.Name, m.Query)
		for _, g := range m.Groups {
			drawableText(t, g.Name)
		}
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"groups":[{"name":"g","file":"f","interval":1,"rules":[{"type":"alerting","name":"A\u001b[2J","query":"x{service=\"s\"} > 1","labels":{"severity":"critical"},
"annotations":{"runbook_url":"https://x"},"health":"ok","state":"firing","lastError":"e\n","alerts":[{"activeAt":"2026-11-22T02:00:00Z","labels":{"service":"s","a":"\u202e"},"annotations":{"summary":"b"},"state":"firing","value":"1e+00"},
{"activeAt":"0001-01-01T00:00:00Z","labels":{},"state":"pending","value":"x"},null]},{"type":"recording","name":"r","query":"y","health":"ok"}]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"groups":null}}`))
	f.Add([]byte(`{"status":"success","data":{"groups":[{"rules":[{"type":"alerting"},{"type":"alerting"}]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := sourceOf(t, body)
		for _, q := range []sources.Query{{}, {Services: []sources.ServiceSpec{{Name: "Shop", Incidents: []string{"s"}}}}} {
			items, notices, err := s.monitors(q).rules(t.Context(), fuzzNow)
			if err != nil {
				continue
			}
			checkMonitors(t, items)
			for _, n := range notices {
				drawableText(t, n.Text, n.Fix)
			}
		}
		_ = parseRetention(string(body))
		_ = outboundOf(string(body)).keys(map[string]string{"a": "b"})
	})
}

// What the quick reader takes it reads as client_golang does.
func FuzzMatrix(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"x","a":"}"},"values":[[1.5,"1"],[2,"NaN"],[3,"+Inf"]]},{"metric":{},"values":[]}]},"warnings":["w"],"infos":["i"]}`))
	f.Add([]byte(`{"status":"success","isPartial":false,"data":{"resultType":"matrix","result":[]}}`))
	f.Add(chart(2, 3))
	f.Fuzz(func(t *testing.T, body []byte) {
		quick, ok := matrix(body)
		if !ok {
			return
		}
		s := sourceOf(t, body)
		slow, err := decode(t.Context(), s.server, body, func(ctx context.Context, a v1.API) (*result, error) {
			v, w, i, err := a.QueryRange(ctx, "x", v1.Range{Step: time.Minute})
			if err != nil {
				return nil, err
			}
			return resultOf(v, w, i)
		})
		if err != nil {
			return // what the library is strict about: a number of leading zeros, a name in other letters
		}
		if a, b := fmt.Sprintf("%v %v", quick.streams, quick.remarks), fmt.Sprintf("%v %v", slow.streams, slow.remarks); a != b {
			t.Errorf("%s\n%s\n%s", body, a, b)
		}
	})
}

// chart is an answer of so many series of so many points.
func chart(series, points int) []byte {
	var b strings.Builder
	b.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for s := range series {
		if s > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"metric":{"pod":"pod-%d"},"values":[`, s)
		for p := range points {
			if p > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `[%d,"%d.%d"]`, 1_800_000_000+60*p, s, p)
		}
		b.WriteString(`]}`)
	}
	b.WriteString(`]}}`)
	return []byte(b.String())
}

func BenchmarkDecode200Series(b *testing.B) {
	body := chart(200, 1440)
	s := sourceOf(b, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := decode(context.Background(), s.server, body, func(ctx context.Context, a v1.API) (*result, error) {
			v, w, i, err := a.QueryRange(ctx, "x", v1.Range{Step: time.Minute})
			if err != nil {
				return nil, err
			}
			return resultOf(v, w, i)
		})
		if err != nil || len(r.streams) != 200 {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatrix200Series(b *testing.B) {
	body := chart(200, 1440)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if r, ok := matrix(body); !ok || len(r.streams) != 200 {
			b.Fatal("not taken")
		}
	}
}

// The same answer again is not decoded.
func BenchmarkRead200SeriesUnchanged(b *testing.B) {
	s := sourceOf(b, chart(200, 1440))
	over := spanOf(fuzzNow, 24*time.Hour, time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.server.queryRange(context.Background(), "x", over); err != nil {
			b.Fatal(err)
		}
	}
}
