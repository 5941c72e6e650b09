package alertmanager_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/alertmanager"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/sourcetest/realserver"
)

// mutants reads what a server answers with each field dropped, nulled and of another type.
func mutants(t *testing.T, address string, q sources.Query) {
	t.Helper()
	m := &sourcetest.Mutate{
		Mutation: sourcetest.Mutation{Seen: map[string]bool{}},
		Open: func(tb testing.TB, rt http.RoundTripper) sources.Source {
			cfg := config(tb)
			cfg.URL = address
			src, err := alertmanager.Driver().Open(sources.Env{
				Source: "am", Transport: rt, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: fixed,
			}, cfg)
			if err != nil {
				tb.Fatal(err)
			}
			return src
		},
		Query:  q,
		Needed: regexp.MustCompile(`^\[\]\.alerts$`),
		// What alerts are grouped by, and for whom, is what a group is known by.
		Identity: regexp.MustCompile(`^\[\](\.labels|\.labels\.\w+|\.receiver|\.receiver\.name|\.alerts)$`),
		Most:     400,
	}
	tp := sourcetest.NewTape(http.DefaultTransport)
	src := m.Open(t, tp)
	m.Read(t.Context(), t, src)
	_ = src.Close()
	tp.Next = nil
	m.Run(t, tp)
}

func TestAnswersWithAnyFieldMissing(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(newFake())
	t.Cleanup(srv.Close)
	mutants(t, srv.URL+"/prefix", query())
}

func TestRealAnswersWithAnyFieldMissing(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	labels := map[string]string{"alertname": "Mutants", "service": "mutants", "odd": "\x1b[31m\u202e"}
	for _, am := range w.Alertmanagers { // they tell each other of silences, not of alerts
		if err := realserver.Post(t.Context(), am, []any{map[string]any{"labels": labels, "annotations": map[string]string{"summary": "a real one"}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.AwaitAlert(t.Context(), map[string]string{"alertname": "Mutants"}, true); err != nil {
		t.Fatal(err)
	}
	mutants(t, w.Alertmanagers[0].URL, sources.Query{Now: fixed()})
}
