package datadog

import (
	"context"
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
		Name:   "datadog",
		Doc:    "Datadog metrics, monitors, SLOs, incidents, on-call shifts and deployments",
		Sample: sample,
		// Most endpoints tell their own limit; this stands for those that do not.
		Grants: sources.Rate{Limit: 6000, Window: time.Hour},
		Config: func() any { return defaults() },
		Open:   open,
	}
}

// source is an open source of this kind.
type source struct {
	env  sources.Env
	cfg  Config
	host *url.URL // takes the place of every address; nil: the site's
	app  string   // where Datadog's pages are: "https://app.datadoghq.com"
	base http.RoundTripper
	own  bool // base was made for this source alone
	same *httpx.Same[any]
	// patience is how long a read that the server failed waits before it is tried again, at most.
	patience time.Duration

	mu        sync.Mutex
	conn      *conn
	delivered map[string]uint64                // by list and query: what the last answer was made of
	asked     map[string][]sources.ServiceSpec // by list: the services that it was last asked for
	kept      map[string]keptValue
	refused   map[string]refusal // queries that Datadog's second version does not take
	batch     int                // how many queries it takes in one request
}

const (
	// sameSize bounds what is remembered of answers: a board of a hundred services needs some five hundred.
	sameSize = 2048
	// mostKept bounds what is kept by key; nothing names the keys but the config and Datadog.
	mostKept  = 4096
	mostBatch = 40
)

func open(env sources.Env, config any) (sources.Source, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("datadog: config is a %T", config)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &source{
		env: env, cfg: *cfg, base: env.Transport,
		same:      httpx.NewSame[any](sameSize),
		patience:  200 * time.Millisecond,
		delivered: map[string]uint64{},
		asked:     map[string][]sources.ServiceSpec{},
		kept:      map[string]keptValue{},
		refused:   map[string]refusal{},
		batch:     mostBatch,
	}
	if at, ok := siteOf(cfg.Site); ok {
		s.app = "https://" + at.app
	}
	if cfg.Host != "" {
		host, err := hostURL(cfg.Host)
		if err != nil {
			return nil, err
		}
		s.host, s.app = host, host.String()
	}
	base, own, err := cfg.route().Base(env.Transport)
	if err != nil {
		return nil, err
	}
	s.base, s.own = base, own
	return s, nil
}

func (s *source) Name() string { return s.env.Source }

// Close lets idle connections go where they are this source's own.
func (s *source) Close() error {
	if s.own {
		(&http.Client{Transport: s.base}).CloseIdleConnections()
	}
	return nil
}

// Credential names the one credential of this source.
func (s *source) Credential(string) string { return "" }

func (s *source) ref(kind sources.Kind, scope, id string) sources.Ref {
	return sources.Ref{Source: s.env.Source, Kind: kind, Scope: scope, ID: id}
}

// list runs one list, and answers ErrNotModified when it was made of the same answers, for the same query,
// as the one that was delivered last. A list that failed was not delivered.
func list[T any](ctx context.Context, s *source, name string, q sources.Query, read func(context.Context) (sources.Batch[T], error)) (sources.Batch[T], error) {
	trace := &httpx.Trace{}
	q.Now = time.Time{}
	key := fmt.Sprintf("%s %+v", name, q)
	s.mu.Lock()
	s.asked[name] = q.Services
	s.mu.Unlock()
	b, err := read(httpx.WithTrace(ctx, trace))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.delivered, key)
		return sources.Batch[T]{}, httpx.Explain("list "+name, q.Scope, err)
	}
	for _, n := range b.Notices {
		trace.Note(n.Scope + n.Text.String())
	}
	sum := trace.Sum()
	if s.delivered[key] == sum {
		return sources.Batch[T]{}, sources.ErrNotModified
	}
	if len(s.delivered) >= mostKept {
		clear(s.delivered)
	}
	s.delivered[key] = sum
	return b, nil
}

var (
	_ sources.MetricQuerier      = (*source)(nil)
	_ sources.MonitorLister      = (*source)(nil)
	_ sources.SLOLister          = (*source)(nil)
	_ sources.IncidentLister     = (*source)(nil)
	_ sources.PastIncidentLister = (*source)(nil)
	_ sources.IncidentReader     = (*source)(nil)
	_ sources.ShiftLister        = (*source)(nil)
	_ sources.ChangeLister       = (*source)(nil)
	_ sources.Actor              = (*source)(nil)
	_ sources.Previewer          = (*source)(nil)
	_ sources.Verifier           = (*source)(nil)
	_ sources.Checker            = (*source)(nil)
	_ sources.ScopeChecker       = (*source)(nil)
	_ sources.Credentialer       = (*source)(nil)
	_ sources.Discoverer         = (*source)(nil)
)
