package cli

import (
	"slices"
	"strings"

	"example.com/signalbox/sources/store"
)

// scope says which reads a command rests on: it asks for no others, which would only cost time and the
// provider's rate limit.
type scope struct {
	kind    objectKind
	service string   // of a change of version, a gate or a guard; "" of everything else
	objects []string // as they were typed
}

// wants reports whether the command rests on what a feed tells.
func (s scope) wants(c *store.Catalog) func(store.FeedKey) bool {
	if s.service != "" {
		return serviceFeeds(c.Service(s.service))
	}
	repos := s.repositories(c)
	return func(k store.FeedKey) bool {
		switch k.Capability {
		case store.Incidents, store.Monitors, store.SLOs, store.Metrics, store.Shifts:
			return true
		case store.Runs, store.Environments:
			return s.kind == aRun && slices.Contains(repos, k.Scope)
		case store.Releases, store.Changes, store.Past:
			return false
		}
		return true
	}
}

// serviceFeeds are those that tell of one service, and of what it depends on. Of a service that there is none
// of nothing is read.
func serviceFeeds(svc *store.Service) func(store.FeedKey) bool {
	return func(k store.FeedKey) bool {
		if svc == nil {
			return false
		}
		switch k.Capability {
		case store.Runs, store.Environments, store.Releases:
			return k.Source == svc.Source && k.Scope == svc.Repo
		case store.Metrics:
			return k.Scope == svc.Name
		case store.Incidents, store.Monitors, store.SLOs, store.Changes, store.Past:
			return true
		case store.Shifts:
			return false
		}
		return true
	}
}

// repositories are those that the objects name; all where one names none.
func (s scope) repositories(c *store.Catalog) []string {
	var all, named []string
	for i := range c.Services {
		all = append(all, c.Services[i].Repo)
	}
	for _, o := range s.objects {
		at := slices.IndexFunc(all, func(repo string) bool {
			return repo != "" && (strings.Contains(o, repo+"#") || strings.Contains(o, ":"+repo+":") || strings.Contains(o, "/"+repo+"/"))
		})
		if at < 0 {
			return all
		}
		named = append(named, all[at])
	}
	return named
}
