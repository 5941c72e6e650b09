package prometheus

import (
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

//go:embed sample.yaml
var sample string

// Driver describes this kind of source.
func Driver() sources.Driver {
	return sources.Driver{
		Name:   "prometheus",
		Doc:    "Prometheus and what speaks its API: metrics, alerting rules, targets, objectives",
		Sample: sample,
		Config: func() any { return &Config{ServiceLabel: "service", Rules: true, Targets: true} },
		Open:   open,
	}
}

// Config is a source of type prometheus.
type Config struct {
	URL          string       `yaml:"url" jsonschema:"required" doc:"The server's address, with the path under which it stands: https://mimir.example.com/prometheus."`
	Access       httpx.Access `yaml:",inline"`
	ServiceLabel string       `yaml:"service_label,omitempty" doc:"The label whose value names a service; service by default."`
	Rules        bool         `yaml:"rules,omitempty" doc:"Whether its alerting rules are shown; true by default."`
	Targets      bool         `yaml:"targets,omitempty" doc:"Whether jobs with targets that are down are shown; true by default."`
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// Validate names every key that is wrong.
func (c *Config) Validate() error {
	errs := []error{c.Access.Validate()}
	if _, err := c.Access.Address(c.URL); err != nil {
		errs = append(errs, &sources.FieldError{Path: "url", Msg: err.Error(), Fix: "write https://prometheus.example.com, with its path where it has one"})
	}
	if !labelName.MatchString(c.ServiceLabel) {
		errs = append(errs, &sources.FieldError{Path: "service_label", Msg: "is not the name of a label", Fix: "write for example service, app or job"})
	}
	return errors.Join(errs...)
}

// source is an open source of this kind.
type source struct {
	env       sources.Env
	cfg       Config
	base      http.RoundTripper
	transport *httpx.Transport
	server    *server

	feeds httpx.Feeds

	mu       sync.Mutex
	earlier  map[string]earlier                 // by expression and distance
	metrics  map[sources.Ref]sources.MetricSpec // as they were last asked for
	slos     map[sources.Ref]sources.SLOSpec
	ratios   map[string]ratio // of objectives, by service, name and expression
	query    sources.Query    // whose the monitors are, as they were last asked for
	keeps    retention
	outbound outbound
}

func open(env sources.Env, config any) (sources.Source, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("prometheus: config is a %T", config)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	address, err := cfg.Access.Address(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("prometheus: url: %w", err)
	}
	base, err := cfg.Access.Base(env.Transport)
	if err != nil {
		return nil, err
	}
	s := &source{
		env: env, cfg: *cfg, base: base,
		earlier: map[string]earlier{}, metrics: map[sources.Ref]sources.MetricSpec{}, slos: map[sources.Ref]sources.SLOSpec{},
		ratios: map[string]ratio{},
	}
	s.transport = httpx.NewTransport(httpx.Options{
		Base: base, Hosts: []string{httpx.HostOf(address)}, Authorize: s.cfg.Access.Authorize, PlainHTTP: cfg.Access.PlainHTTP,
		BudgetKey: budgetKey(address, &cfg.Access), Budget: env.Budget,
		UserAgent: env.UserAgent, Log: env.Log, Now: env.Now,
	})
	if s.server, err = newServer(address, s.transport); err != nil {
		return nil, err
	}
	return s, nil
}

func budgetKey(address *url.URL, a *httpx.Access) string {
	return "prometheus/" + address.Host + "/" + a.Name()
}

func (s *source) Name() string { return s.env.Source }

// Close lets idle connections go where they are this source's own.
func (s *source) Close() error {
	if s.base != s.env.Transport {
		(&http.Client{Transport: s.base}).CloseIdleConnections()
	}
	return nil
}
