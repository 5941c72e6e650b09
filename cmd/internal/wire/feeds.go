package wire

import (
	"slices"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
)

// feedsOf lists what is polled, the most important first: pages before pipelines, pipelines before
// deployments, releases last; within each the services in the order of the config.
func feedsOf(cfg *config.Config, open []*openSource, w pane.Watch) []poll.Feed {
	specs := specsOf(cfg)
	var out []poll.Feed
	for _, c := range store.Capabilities() {
		for _, o := range open {
			if !o.can(c) {
				continue
			}
			identity := cfg.Me[o.entry.Type]
			add := func(scope string, services []sources.ServiceSpec) {
				out = append(out, poll.Feed{
					Key:    store.FeedKey{Source: o.entry.Name, Capability: c, Scope: scope},
					Source: o.src,
					Query:  sources.Query{Scope: scope, Services: services, Identity: identity},
				})
			}
			switch {
			case c == store.Metrics:
				out = append(out, metricFeeds(cfg, o, w)...)
				continue
			case !perRepository(c):
				if all := everyService(cfg, o.entry.Name); c != store.SLOs || hasObjectives(all) {
					add("", all)
				}
				continue
			}
			for _, name := range repositories(cfg, o.entry.Name) {
				add(name, specs[scope{o.entry.Name, name}])
			}
		}
	}
	return out
}

func (o *openSource) can(c store.Capability) bool {
	for _, have := range o.capabilities {
		if have == c {
			return true
		}
	}
	return false
}

// repositories are those that the services of cfg have in a source, each once.
func repositories(cfg *config.Config, source string) []string {
	var out []string
	seen := map[string]bool{}
	for i := range cfg.Services {
		if r := cfg.Services[i].Repo; r.Source == source && !seen[r.Scope] {
			seen[r.Scope] = true
			out = append(out, r.Scope)
		}
	}
	return out
}

// metricFeeds are one feed for each service that has metrics in a source: that which the board looks at is
// read more often, and as fine as its charts.
func metricFeeds(cfg *config.Config, o *openSource, w pane.Watch) []poll.Feed {
	var out []poll.Feed
	for i := range cfg.Services {
		spec := specOf(&cfg.Services[i], o.entry.Name)
		if len(spec.Metrics) == 0 {
			continue
		}
		q := sources.Query{Scope: spec.Name, Services: []sources.ServiceSpec{spec}, Identity: cfg.Me[o.entry.Type], Window: metricWindow}
		if spec.Name == w.Service {
			q.Followed, q.Step, q.Window = true, w.Step, max(metricWindow, 2*w.Span)
		}
		out = append(out, poll.Feed{
			Key:    store.FeedKey{Source: o.entry.Name, Capability: store.Metrics, Scope: spec.Name},
			Source: o.src, Query: q,
		})
	}
	return out
}

// metricWindow is how far back metrics are read: a chart's hour, and the hour before to compare it with.
const metricWindow = 2 * time.Hour

func everyService(cfg *config.Config, source string) []sources.ServiceSpec {
	var out []sources.ServiceSpec
	for i := range cfg.Services {
		out = append(out, specOf(&cfg.Services[i], source))
	}
	return out
}

func hasObjectives(specs []sources.ServiceSpec) bool {
	return slices.ContainsFunc(specs, func(s sources.ServiceSpec) bool { return len(s.SLOs) > 0 })
}

// Between the moment that a read is due and the moment that its answer shows lie the poller's jitter and
// the answer's own time.
const (
	pollJitter = 1.05
	answerTime = 1250 * time.Millisecond
)

// pace is how often feeds are read: the config says how old data may get, so a read starts earlier by what
// it takes.
func (b *Board) pace(c store.Capability) poll.Pace {
	p := poll.DefaultPace(c)
	if c != store.Runs && c != store.Environments {
		return p
	}
	r := b.refresh.Load()
	return poll.Pace{Live: due(r.Live), Waiting: due(r.Waiting), Quiet: due(r.Quiet), Steady: p.Steady}
}

func due(age time.Duration) time.Duration {
	return max(time.Second, time.Duration(float64(age-answerTime)/pollJitter))
}
