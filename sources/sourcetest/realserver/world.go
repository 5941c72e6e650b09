package realserver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

// Options say what to start. The zero Options start one of each with DefaultRules and DefaultRoutes.
type Options struct {
	Alertmanagers int    // replicas of one cluster; 0 means one
	Rules         string // Prometheus' rule file; "" means DefaultRules
	Routes        string // Alertmanager's configuration; "" means DefaultRoutes
}

// DefaultRules watch the metric test_gauge, which Push sets: above 1 GaugeHigh fires at once, above 0.5
// GaugeWarm has to wait for an hour.
const DefaultRules = `groups:
  - name: gauges
    interval: 1s
    rules:
      - alert: GaugeHigh
        expr: test_gauge > 1
        labels: {severity: critical}
        annotations:
          summary: 'the gauge of {{ $labels.service }} is at {{ $value }}'
          runbook_url: https://runbooks.example/gauge
      - alert: GaugeWarm
        expr: test_gauge > 0.5
        for: 1h
        labels: {severity: warning}
      - record: service:test_gauge:max
        expr: max by (service) (test_gauge)
`

// DefaultRoutes group by alert and service, at once, and send nothing anywhere. A critical alert inhibits
// the warnings of its service.
const DefaultRoutes = `route:
  receiver: team
  group_by: [alertname, service]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: team
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [service]
`

// World is one Prometheus that scrapes a pushgateway and a node exporter every second and alerts to a
// cluster of Alertmanagers.
type World struct {
	Prometheus    *Server
	Alertmanagers []*Server
	Pushgateway   *Server
	NodeExporter  *Server
	dir           string
}

// Start starts a World and waits until its parts have found each other. Missing must be empty.
func Start(ctx context.Context, o Options) (*World, error) {
	dir, err := os.MkdirTemp("", "signalbox-servers-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	w := &World{dir: dir}
	if err := w.prepare(o); err != nil {
		w.Close()
		return nil, err
	}
	if err := w.start(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *World) prepare(o Options) error {
	var err error
	w.NodeExporter, err = newServer(w.dir, "node", "prometheus-node-exporter", "/", func(address string) []string {
		return []string{"--web.listen-address=" + address}
	})
	if err != nil {
		return err
	}
	w.Pushgateway, err = newServer(w.dir, "push", "prometheus-pushgateway", "/-/ready", func(address string) []string {
		// Debian's would keep what was pushed in a file of the system's, for the next test to find.
		return []string{"--web.listen-address=" + address, "--persistence.file=metrics"}
	})
	if err != nil {
		return err
	}
	if err := w.prepareAlertmanagers(max(1, o.Alertmanagers), orDefault(o.Routes, DefaultRoutes)); err != nil {
		return err
	}
	w.Prometheus, err = newServer(w.dir, "prometheus", "prometheus", "/-/ready", func(address string) []string {
		// An alert lasts for four times the delay unless it is repeated: a machine that stalls for a few seconds
		// must not end it.
		return []string{
			"--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=" + address,
			"--rules.alert.resend-delay=5s", "--web.enable-lifecycle", "--web.external-url=http://" + address,
		}
	})
	if err != nil {
		return err
	}
	if err := write(w.Prometheus.dir, "rules.yml", orDefault(o.Rules, DefaultRules)); err != nil {
		return err
	}
	return write(w.Prometheus.dir, "prometheus.yml", w.config())
}

func (w *World) prepareAlertmanagers(n int, routes string) error {
	first := ""
	for i := range n {
		gossip := ""
		if n > 1 {
			port, err := freePort()
			if err != nil {
				return err
			}
			gossip = fmt.Sprintf("127.0.0.1:%d", port)
		}
		s, err := newServer(w.dir, fmt.Sprintf("alertmanager%d", i), "prometheus-alertmanager", "/-/ready", func(address string) []string {
			args := []string{
				"--config.file=alertmanager.yml", "--storage.path=data", "--web.listen-address=" + address,
				"--cluster.listen-address=" + gossip,
			}
			if gossip != "" {
				args = append(args, "--cluster.advertise-address="+gossip, "--cluster.settle-timeout=1s", "--cluster.reconnect-interval=1s")
			}
			if first != "" {
				args = append(args, "--cluster.peer="+first)
			}
			return args
		})
		if err != nil {
			return err
		}
		if first == "" {
			first = gossip
		}
		if err := write(s.dir, "alertmanager.yml", routes); err != nil {
			return err
		}
		w.Alertmanagers = append(w.Alertmanagers, s)
	}
	return nil
}

// config is Prometheus' configuration.
func (w *World) config() string {
	var alertmanagers []string
	for _, a := range w.Alertmanagers {
		alertmanagers = append(alertmanagers, hostOf(a.URL))
	}
	return fmt.Sprintf(`global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs: [{targets: [%s]}]
scrape_configs:
  - job_name: push
    honor_labels: true
    static_configs: [{targets: [%s]}]
  - job_name: node
    static_configs: [{targets: [%s], labels: {service: machines}}]
`, strings.Join(alertmanagers, ", "), hostOf(w.Pushgateway.URL), hostOf(w.NodeExporter.URL))
}

func (w *World) start(ctx context.Context) error {
	var g errgroup.Group
	for _, s := range w.servers() {
		g.Go(func() error { return s.Start(ctx) })
	}
	if err := g.Wait(); err != nil {
		return err //nolint:wrapcheck // of this package
	}
	return w.Settled(ctx)
}

func (w *World) servers() []*Server {
	all := append([]*Server{w.NodeExporter, w.Pushgateway, w.Prometheus}, w.Alertmanagers...)
	return slices.DeleteFunc(all, func(s *Server) bool { return s == nil })
}

// Settled waits until Prometheus scrapes everything and knows every Alertmanager.
func (w *World) Settled(ctx context.Context) error {
	return Await(ctx, func(ctx context.Context) error {
		var found struct {
			Data struct{ ActiveAlertmanagers []struct{} }
		}
		if err := getJSON(ctx, w.Prometheus.URL+"/api/v1/alertmanagers", &found); err != nil {
			return err
		}
		if n := len(found.Data.ActiveAlertmanagers); n < len(w.Alertmanagers) {
			return fmt.Errorf("prometheus knows %d of %d Alertmanagers", n, len(w.Alertmanagers))
		}
		var targets struct {
			Data struct{ ActiveTargets []struct{ Health string } }
		}
		if err := getJSON(ctx, w.Prometheus.URL+"/api/v1/targets", &targets); err != nil {
			return err
		}
		up := 0
		for _, t := range targets.Data.ActiveTargets {
			if t.Health == "up" {
				up++
			}
		}
		if up < 2 {
			return fmt.Errorf("%d of 2 targets are up", up)
		}
		return nil
	})
}

// Close stops what runs and removes the folder.
func (w *World) Close() {
	var wg sync.WaitGroup
	for _, s := range w.servers() {
		wg.Go(s.Stop)
	}
	wg.Wait()
	_ = os.RemoveAll(w.dir)
}

// Push sets metrics, such as `test_gauge{env="prod"} 3`, one a line, of a service, in place of those that
// were pushed for it before.
func (w *World) Push(ctx context.Context, service string, lines ...string) error {
	_, err := fetch(ctx, http.MethodPut, w.pushURL(service), strings.Join(lines, "\n")+"\n")
	return err
}

// Unpush removes what was pushed for a service.
func (w *World) Unpush(ctx context.Context, service string) error {
	_, err := fetch(ctx, http.MethodDelete, w.pushURL(service), "")
	return err
}

func (w *World) pushURL(service string) string {
	return w.Pushgateway.URL + "/metrics/job/test/service/" + url.PathEscape(service)
}

// Alert is an alert as Alertmanager's API has it.
type Alert struct {
	Labels map[string]string `json:"labels"`
	Status struct {
		State      string   `json:"state"`
		SilencedBy []string `json:"silencedBy"`
	} `json:"status"`
}

// Alerts are those that an Alertmanager has with these labels.
func Alerts(ctx context.Context, alertmanager *Server, labels map[string]string) ([]Alert, error) {
	q := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		q.Add("filter", fmt.Sprintf("%s=%q", name, labels[name]))
	}
	var all []Alert
	err := getJSON(ctx, alertmanager.URL+"/api/v2/alerts?"+q.Encode(), &all)
	return all, err
}

// AwaitAlert waits until every Alertmanager that is asked has (or has no more) such alerts.
func (w *World) AwaitAlert(ctx context.Context, labels map[string]string, present bool) error {
	return Await(ctx, func(ctx context.Context) error {
		for _, a := range w.Alertmanagers {
			all, err := Alerts(ctx, a, labels)
			if err != nil {
				return err
			}
			if (len(all) > 0) != present {
				return fmt.Errorf("%s has %d alerts of %v", a.URL, len(all), labels)
			}
		}
		return nil
	})
}

// Post raises an alert in one Alertmanager, past Prometheus.
func Post(ctx context.Context, alertmanager *Server, alerts any) error {
	data, err := json.Marshal(alerts)
	if err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	_, err = fetch(ctx, http.MethodPost, alertmanager.URL+"/api/v2/alerts", string(data))
	return err
}

// Shared is a World that the tests of one package share: it is started by the first Get, and closed by
// TestMain.
type Shared struct {
	Options Options

	once  sync.Once
	world *World
	err   error
}

// Get is the World. Where the servers are not installed the test is skipped and says how to get them.
func (s *Shared) Get(t testing.TB) *World {
	t.Helper()
	Need(t)
	s.once.Do(func() { s.world, s.err = Start(context.Background(), s.Options) })
	if s.err != nil {
		t.Fatalf("the servers do not start: %v", s.err)
	}
	return s.world
}

// Close stops what Get has started.
func (s *Shared) Close() {
	if s.world != nil {
		s.world.Close()
	}
}

// Need skips a test that the servers are not installed for.
func Need(t testing.TB) {
	t.Helper()
	if missing := Missing(); len(missing) > 0 {
		t.Skipf("unvalidated: %d real servers, not installed: %s: %s", len(missing), strings.Join(missing, ", "), Install)
	}
}

func getJSON(ctx context.Context, url string, v any) error {
	body, err := fetch(ctx, http.MethodGet, url, "")
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(body), v); err != nil {
		return fmt.Errorf("decode %s: %w", url, err)
	}
	return nil
}

func write(dir, name, text string) error {
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func hostOf(address string) string { return strings.TrimPrefix(address, "http://") }

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
