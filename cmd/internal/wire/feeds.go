package wire

import (
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/store"
)

// feedsOf lists what is polled, the most important first: pages before pipelines, pipelines before
// deployments, releases last; within each the services in the order of the config.
func feedsOf(cfg *config.Config, open []*openSource) []poll.Feed {
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
			if !perRepository(c) {
				add("", everyService(cfg))
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

func everyService(cfg *config.Config) []sources.ServiceSpec {
	var out []sources.ServiceSpec
	for i := range cfg.Services {
		out = append(out, specOf(&cfg.Services[i]))
	}
	return out
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
