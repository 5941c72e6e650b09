package alertmanager

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
		Name:   "alertmanager",
		Doc:    "Alertmanager: groups of firing alerts as incidents, silences as their acknowledgement",
		Sample: sample,
		Config: func() any { return &Config{ServiceLabel: "service", SeverityLabel: "severity", TeamLabel: "team"} },
		Open:   open,
	}
}

// Config is a source of type alertmanager.
type Config struct {
	URL           string         `yaml:"url,omitempty" doc:"The server's address, with the path under which it stands: https://alertmanager.example.com."`
	URLs          []string       `yaml:"urls,omitempty" doc:"The addresses of all replicas of one cluster, instead of url."`
	Access        httpx.Access   `yaml:",inline"`
	ServiceLabel  string         `yaml:"service_label,omitempty" doc:"The label whose value names a service; service by default."`
	SeverityLabel string         `yaml:"severity_label,omitempty" doc:"The label that says how bad an alert is; severity by default."`
	Severities    map[string]int `yaml:"severities,omitempty" doc:"What its values mean, from 1 (worst) to 5, besides the usual words: {page: 1, ticket: 3}."`
	TeamLabel     string         `yaml:"team_label,omitempty" doc:"The label that says whose an alert is; team by default."`
	Receiver      string         `yaml:"receiver,omitempty" doc:"A regular expression: only alerts for receivers that it matches as a whole."`
	Filter        []string       `yaml:"filter,omitempty" doc:"Matchers that alerts must meet, as in Alertmanager's pages: [env=prod]."`
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// addresses are the configured ones, wherever they stand, each with its key.
func (c *Config) addresses() (all []string, key func(int) string) {
	if c.URL != "" || len(c.URLs) == 0 {
		return append([]string{c.URL}, c.URLs...), func(i int) string {
			if i == 0 {
				return "url"
			}
			return fmt.Sprintf("urls[%d]", i-1)
		}
	}
	return c.URLs, func(i int) string { return fmt.Sprintf("urls[%d]", i) }
}

// Validate names every key that is wrong.
func (c *Config) Validate() error {
	errs := []error{c.Access.Validate()}
	fail := func(path, msg, fix string) {
		errs = append(errs, &sources.FieldError{Path: path, Msg: msg, Fix: fix})
	}
	if c.URL != "" && len(c.URLs) > 0 {
		fail("urls", "there is a url too", "keep one of the two: urls names all replicas of one cluster")
	}
	seen := map[string]bool{}
	all, key := c.addresses()
	for i, text := range all {
		u, err := c.Access.Address(text)
		switch {
		case err != nil:
			fail(key(i), err.Error(), "write https://alertmanager.example.com, with its path where it has one")
		case seen[u.String()]:
			fail(key(i), "stands there twice", "name each replica once")
		default:
			seen[u.String()] = true
		}
	}
	for path, name := range map[string]string{"service_label": c.ServiceLabel, "severity_label": c.SeverityLabel, "team_label": c.TeamLabel} {
		if !labelName.MatchString(name) {
			fail(path, "is not the name of a label", "write for example service, app or job")
		}
	}
	for word, n := range c.Severities {
		if n < 1 || n > 5 {
			fail("severities."+word, "is not from 1 to 5", "write 1 for the worst")
		}
	}
	if _, err := regexp.Compile(c.Receiver); err != nil {
		fail("receiver", "is not a regular expression", "write for example team-.*")
	}
	return errors.Join(errs...)
}

// source is an open source of this kind.
type source struct {
	env      sources.Env
	cfg      Config
	base     http.RoundTripper
	replicas []*replica

	feeds    httpx.Feeds
	groups   *httpx.Same[[]wireGroup]
	silences *httpx.Same[[]wireSilence]

	mu    sync.Mutex
	good  int // the replica that answered last
	past  past
	query sources.Query // whose the alerts are, as the last list was asked
}

// replica is one server of a cluster.
type replica struct {
	address   *url.URL
	client    *http.Client
	transport *httpx.Transport
}

func open(env sources.Env, config any) (sources.Source, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("alertmanager: config is a %T", config)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	base, err := cfg.Access.Base(env.Transport)
	if err != nil {
		return nil, err
	}
	s := &source{
		env: env, cfg: *cfg, base: base,
		groups:   httpx.NewSame[[]wireGroup](2*len(cfg.URLs) + 2),
		silences: httpx.NewSame[[]wireSilence](2*len(cfg.URLs) + 2),
	}
	all, key := cfg.addresses()
	for i, text := range all {
		address, err := cfg.Access.Address(text)
		if err != nil {
			return nil, fmt.Errorf("alertmanager: %s: %w", key(i), err)
		}
		t := httpx.NewTransport(httpx.Options{
			Base: base, Hosts: []string{httpx.HostOf(address)}, Authorize: s.cfg.Access.Authorize, PlainHTTP: cfg.Access.PlainHTTP,
			BudgetKey: "alertmanager/" + address.Host + "/" + cfg.Access.Name(), Budget: env.Budget,
			UserAgent: env.UserAgent, Log: env.Log, Now: env.Now,
		})
		s.replicas = append(s.replicas, &replica{
			address: address, transport: t,
			client: &http.Client{Transport: t, CheckRedirect: httpx.SameHost(address, key(i))},
		})
	}
	return s, nil
}

func (s *source) Name() string { return s.env.Source }

// Close lets idle connections go where they are this source's own.
func (s *source) Close() error {
	if s.base != s.env.Transport {
		(&http.Client{Transport: s.base}).CloseIdleConnections()
	}
	return nil
}
