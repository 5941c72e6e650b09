package prometheus_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/prometheus"
	"example.com/signalbox/sources/sourcetest"
)

// Stores that speak Prometheus' API answer in their own ways: none of it takes down more than its own part.
func TestAnswersWithAnyFieldMissing(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(&fake{})
	t.Cleanup(srv.Close)
	mutants(t, srv.URL+"/prefix", query(checkout()))
}

func TestRealAnswersWithAnyFieldMissing(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	now := time.Now().Truncate(time.Minute)
	mutants(t, w.Prometheus.URL, sources.Query{Now: now, Services: []sources.ServiceSpec{{
		Name: "own", Incidents: []string{"prometheus"}, Metrics: []sources.MetricSpec{{Service: "own", Name: "up", Query: "up"}},
	}}})
}

func mutants(t *testing.T, address string, q sources.Query) {
	t.Helper()
	m := &sourcetest.Mutate{
		Mutation: sourcetest.Mutation{Seen: map[string]bool{}},
		Open: func(tb testing.TB, rt http.RoundTripper) sources.Source {
			cfg := config(tb)
			cfg.URL = address
			src, err := prometheus.Driver().Open(sources.Env{
				Source: "prom", Transport: rt, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return q.Now },
			}, cfg)
			if err != nil {
				tb.Fatal(err)
			}
			return src
		},
		Query: q,
		// What a result is made of: a part of it that is of another type makes it none.
		Needed:   regexp.MustCompile(`^\.(status|data|data\.resultType|data\.result.*|data\.groups)$`),
		Identity: regexp.MustCompile(`(\.result|\.metric|\.metric\.\w+|\.labels|\.labels\.\w+|\.name|\.file|\.rules|\.type|\.query|\.alerts|\.state|\.resultType|\.data|\.values)$`),
		Most:     400,
	}
	tp := sourcetest.NewTape(http.DefaultTransport)
	src := m.Open(t, tp)
	m.Read(t.Context(), t, src)
	_ = src.Close()
	tp.Next = nil
	m.Run(t, tp)
}
