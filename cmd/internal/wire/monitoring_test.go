package wire

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator/fault"
)

// monitoring is a small Prometheus and a small Alertmanager, which the simulated world has none of.
type monitoring struct {
	url    string
	faults fault.Set
}

// startMonitoring serves both until the test ends. Rule strikes them where its path is theirs.
func startMonitoring(t *testing.T, rule fault.Rule) *monitoring {
	t.Helper()
	m := &monitoring{}
	if err := m.faults.Add(rule); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/prometheus/", m.faults.Wrap(fault.Vendor{Name: "prometheus", Refuse: refusal(func(message string) any {
		return map[string]any{"status": "error", "errorType": "internal", "error": message}
	})}, answers("/prometheus/api/v1/", map[string]func(*http.Request) any{
		"query_range":        func(r *http.Request) any { return success("matrix", "values", [][]any{{seconds(r, "end"), "0.25"}}) },
		"query":              func(r *http.Request) any { return success("vector", "value", []any{seconds(r, "time"), "0"}) },
		"rules":              func(*http.Request) any { return said(firingRule()) },
		"status/config":      func(*http.Request) any { return said(map[string]any{"yaml": "global: {}"}) },
		"status/runtimeinfo": func(*http.Request) any { return said(map[string]any{"storageRetention": "15d"}) },
	})))
	mux.Handle("/alertmanager/", m.faults.Wrap(fault.Vendor{Name: "alertmanager", Refuse: refusal(func(message string) any {
		return message
	})}, answers("/alertmanager/api/v2/", map[string]func(*http.Request) any{
		"alerts/groups": func(*http.Request) any { return []any{alertGroup()} },
		"silences":      func(*http.Request) any { return []any{} },
		"receivers":     func(*http.Request) any { return []any{map[string]any{"name": "team"}} },
		"status": func(*http.Request) any {
			return map[string]any{"versionInfo": map[string]any{"version": "0.99.0"}, "uptime": "2026-01-01T00:00:00Z"}
		},
	})))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	m.url = srv.URL
	return m
}

// withMonitoring is the config of a board that reads both besides what it read already.
func withMonitoring(board, url string) []byte {
	board = strings.Replace(board, "\nsources:\n", "\nsources:\n  prometheus: {url: "+url+"/prometheus}\n  alertmanager: {url: "+url+"/alertmanager}\n", 1)
	return []byte(board + `
  queue:
    team: platform
    environments: []
    metrics: [{name: depth, source: prometheus, query: 'sum(queue_depth{service="{{service}}"})'}]
    slos: [{source: prometheus, name: on time, query: 'avg_over_time(late_ratio[{{window}}])', target: 99.9}]
`)
}

func refusal(word func(message string) any) func(int, string, bool, int) ([]byte, map[string]string) {
	return func(_ int, message string, _ bool, retryAfter int) ([]byte, map[string]string) {
		body, _ := json.Marshal(word(message)) // of text alone
		if retryAfter == 0 {
			return body, nil
		}
		return body, map[string]string{"Retry-After": strconv.Itoa(retryAfter)}
	}
}

func answers(prefix string, to map[string]func(*http.Request) any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := to[strings.TrimPrefix(r.URL.Path, prefix)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer(r))
	})
}

func said(data any) any { return map[string]any{"status": "success", "data": data} }

// success is one series, whose samples stand under key.
func success(kind, key string, samples any) any {
	return said(map[string]any{"resultType": kind, "result": []any{map[string]any{"metric": map[string]any{"job": "queue"}, key: samples}}})
}

func seconds(r *http.Request, name string) float64 {
	at, err := strconv.ParseFloat(r.FormValue(name), 64)
	if err != nil {
		return float64(time.Now().Unix())
	}
	return at
}

func firingRule() any {
	labels := map[string]any{"alertname": "Late", "service": "queue", "severity": "warning"}
	return map[string]any{"groups": []any{map[string]any{"name": "queue", "file": "rules.yml", "rules": []any{map[string]any{
		"type": "alerting", "name": "Late", "query": "queue_depth > 5", "health": "ok", "state": "firing", "labels": labels, "annotations": map[string]any{},
		"alerts": []any{map[string]any{"state": "firing", "activeAt": "2026-01-01T00:00:00Z", "value": "9", "labels": labels, "annotations": map[string]any{}}},
	}}}}}
}

func alertGroup() any {
	labels := map[string]any{"alertname": "Late", "service": "queue", "severity": "warning"}
	return map[string]any{
		"labels": labels, "receiver": map[string]any{"name": "team"},
		"alerts": []any{map[string]any{
			"fingerprint": "a1", "labels": labels, "annotations": map[string]any{}, "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
			"receivers": []any{map[string]any{"name": "team"}},
			"status":    map[string]any{"state": "active", "silencedBy": []any{}, "inhibitedBy": []any{}, "mutedBy": []any{}},
		}},
	}
}
