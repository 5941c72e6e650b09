package pagerduty

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

//go:embed sample.yaml
var sample string

// Driver describes this kind of source.
func Driver() sources.Driver {
	return sources.Driver{
		Name:   "pagerduty",
		Doc:    "PagerDuty incidents, on-call shifts and change events",
		Sample: sample,
		// The limit of a REST API key, as PagerDuty publishes it; its answers tell where it is another.
		Grants: sources.Rate{Limit: 960, Window: time.Minute},
		Config: func() any { return defaults() },
		Open:   open,
	}
}

// source is an open source of this kind.
type source struct {
	env  sources.Env
	cfg  Config
	api  *url.URL
	base http.RoundTripper
	own  bool // base was made here
	same *httpx.Same[any]

	zones zoneNames

	mu        sync.Mutex
	link      *conn
	myself    *wireUser         // whose the token is; nil: unknown, or nobody's
	delivered map[string]uint64 // by feed: what the last answer was made of
	asked     querySet          // what a list was last asked for
	rosters   map[string]rostered
	catalog   *catalog
}

type querySet struct {
	services []sources.ServiceSpec
	identity string
}

// memoSize bounds the answers that are remembered, one for each page: a hundred of open incidents is the
// most that PagerDuty lists.
const memoSize = 512

func open(env sources.Env, config any) (sources.Source, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("pagerduty: config is a %T", config)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	api, err := cfg.api()
	if err != nil {
		return nil, err
	}
	base, own, err := cfg.route().Base(env.Transport)
	if err != nil {
		return nil, err
	}
	return &source{
		env: env, cfg: *cfg, api: api, base: base, own: own,
		same:      httpx.NewSame[any](memoSize),
		delivered: map[string]uint64{},
		rosters:   map[string]rostered{},
	}, nil
}

func (s *source) Name() string { return s.env.Source }

// Close lets idle connections go where they are this source's own.
func (s *source) Close() error {
	if s.own {
		(&http.Client{Transport: s.base}).CloseIdleConnections()
	}
	return nil
}

var (
	_ sources.IncidentLister     = (*source)(nil)
	_ sources.PastIncidentLister = (*source)(nil)
	_ sources.IncidentReader     = (*source)(nil)
	_ sources.ShiftLister        = (*source)(nil)
	_ sources.ChangeLister       = (*source)(nil)
	_ sources.Getter             = (*source)(nil)
	_ sources.Actor              = (*source)(nil)
	_ sources.Previewer          = (*source)(nil)
	_ sources.Verifier           = (*source)(nil)
	_ sources.Checker            = (*source)(nil)
	_ sources.ScopeChecker       = (*source)(nil)
	_ sources.Discoverer         = (*source)(nil)
)
