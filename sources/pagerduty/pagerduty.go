package pagerduty

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/url"

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
}

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
	base := env.Transport
	if base == nil || cfg.Proxy != "" || cfg.CAFile != "" {
		if base, err = httpx.Base(cfg.network()); err != nil {
			return nil, &sources.FieldError{Path: "ca_file", Msg: err.Error(), Fix: "name a readable PEM file"}
		}
	}
	return &source{env: env, cfg: *cfg, api: api, base: base}, nil
}

func (s *source) Name() string { return s.env.Source }

// Close lets idle connections go where they are this source's own.
func (s *source) Close() error {
	if s.base != s.env.Transport {
		(&http.Client{Transport: s.base}).CloseIdleConnections()
	}
	return nil
}
