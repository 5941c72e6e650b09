package datadog

import (
	_ "embed"
	"fmt"

	"example.com/signalbox/sources"
)

//go:embed sample.yaml
var sample string

// Driver describes this kind of source.
func Driver() sources.Driver {
	return sources.Driver{
		Name:   "datadog",
		Doc:    "Datadog metrics, monitors, SLOs, incidents, on-call shifts and deployments",
		Sample: sample,
		Config: func() any { return defaults() },
		Open:   open,
	}
}

// source is an open source of this kind.
type source struct {
	env sources.Env
	cfg Config
}

func open(env sources.Env, config any) (sources.Source, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("datadog: config is a %T", config)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &source{env: env, cfg: *cfg}, nil
}

func (s *source) Name() string { return s.env.Source }

func (s *source) Close() error { return nil }
