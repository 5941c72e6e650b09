package uitest

import (
	"fmt"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// State is a board in some condition.
type State struct {
	Name string
	Snap *store.Snapshot
}

// Emptied is the board without what its feeds hold.
func Emptied() *store.Snapshot {
	s := WithMetrics(WithIncidents(Story()))
	for i := range s.Feeds {
		f := &s.Feeds[i]
		f.Runs, f.Environments, f.Releases, f.Incidents, f.Series = nil, nil, nil, nil, nil
	}
	return s
}

// health gives every feed of s a health that is made from its own.
func health(s *store.Snapshot, edit func(*store.Feed)) *store.Snapshot {
	for i := range s.Feeds {
		edit(&s.Feeds[i])
	}
	return s
}

// Full is the story with sources of every kind.
func Full() *store.Snapshot {
	return WithMetrics(WithIncidents(Story(), Incidents()...), Series()...)
}

// refused is an error that only a person can mend.
func refused() *sources.Error {
	return &sources.Error{Kind: sources.Permission, Op: "list", Msg: "the token has expired",
		Fix: "set a new one in $GITHUB_TOKEN and start signalbox again"}
}

// States are the conditions that every pane of the board has goldens for.
func States() []State {
	fail := func(state store.HealthState, err *sources.Error) func(*store.Feed) {
		return func(f *store.Feed) {
			f.Health.State, f.Health.Err, f.Health.Next = state, err, Now().Add(3*time.Minute)
		}
	}
	never := func(edit func(*store.Feed)) func(*store.Feed) {
		return func(f *store.Feed) {
			edit(f)
			f.Health.LastGood = time.Time{}
		}
	}
	down := &sources.Error{Kind: sources.Transient, Op: "list", Msg: "api.github.example.com does not answer"}
	limited := &sources.Error{Kind: sources.Throttled, Op: "list", Msg: "the rate limit is used up", RetryAt: Now().Add(6 * time.Minute)}
	old := func(intervals int) func(*store.Feed) {
		return func(f *store.Feed) {
			f.Health.LastGood = Ago(time.Duration(intervals)*f.Health.Interval + 2*time.Minute)
		}
	}
	return []State{
		{"no source", unconfigured()},
		{"empty", Emptied()},
		{"loading", health(Emptied(), never(fail(store.Loading, nil)))},
		{"refused", health(Emptied(), never(fail(store.Refused, refused())))},
		{"failing", health(Emptied(), never(fail(store.Failing, down)))},
		{"throttled", health(Emptied(), never(fail(store.Throttled, limited)))},
		{"stale", health(Full(), func(f *store.Feed) { f.Health.LastGood = Ago(4 * f.Health.Interval) })},
		{"very stale", health(Full(), func(f *store.Feed) { old(20)(f); fail(store.Failing, down)(f) })},
		{"refused with data", health(Full(), func(f *store.Feed) { old(1)(f); fail(store.Refused, refused())(f) })},
		{"throttled with data", health(Full(), func(f *store.Feed) { old(1)(f); fail(store.Throttled, limited)(f) })},
		{"degraded", degraded()},
	}
}

// unconfigured is a board without any source.
func unconfigured() *store.Snapshot {
	s := Story()
	s.Catalog.Sources, s.Feeds = nil, nil
	return s
}

// degraded is a board of which parts did not answer.
func degraded() *store.Snapshot {
	s := Full()
	for i := range s.Feeds {
		f := &s.Feeds[i]
		if f.Key.Scope == "acme/web" || f.Key.Scope == "" {
			f.Health.State = store.Degraded
			f.Health.Notices = []sources.Notice{{Scope: "acme/web", Kind: sources.Permission, Text: clean.Line("single sign-on protects the organisation"),
				Fix: clean.Line("authorise the token for acme in its settings")}}
		}
		if f.Key.Scope == "acme/search" {
			f.Health.State, f.Health.LastGood = store.Loading, time.Time{}
			f.Runs, f.Environments = nil, nil
		}
	}
	return s
}

// Many is a board whose runs feeds hold n runs together, on some forty branches of which the story's are a
// part.
func Many(n int) *store.Snapshot {
	s := Story()
	for i := range s.Feeds {
		f := &s.Feeds[i]
		if f.Key.Capability != store.Runs {
			continue
		}
		runs := slices.Clone(f.Runs)
		service := s.Catalog.Services[slices.IndexFunc(s.Catalog.Services, func(v store.Service) bool { return v.Repo == f.Key.Scope })].Name
		for j := len(runs); j < n/len(Services()); j++ {
			workflow := []string{"ci", "release", "lint", "nightly"}[j%4]
			runs = append(runs, RunOf(service, workflow, fmt.Sprint(100_000+j), "abcdef0", "An older change", Ago(time.Duration(j)*time.Hour+30*24*time.Hour), passed(3*time.Minute)))
		}
		f.Runs = runs
	}
	return s
}

// WithLibrary adds a service to s that has releases and no environments, and one that was discovered.
func WithLibrary(s *store.Snapshot) *store.Snapshot {
	s.Catalog.Services = append(s.Catalog.Services, store.Service{Name: "cards-sdk", Source: "github", Repo: "acme/cards-sdk"},
		store.Service{Name: "ads", Source: "github", Repo: "acme/ads", Discovered: true, Environments: []string{"dev", "prod"}})
	slices.SortStableFunc(s.Catalog.Services, func(a, b store.Service) int {
		if a.Discovered == b.Discovered {
			return 0
		}
		if a.Discovered {
			return -1
		}
		return 1
	})
	found := environmentOf("ads", "dev", 0, nil, deploy{version: V("", "1234567"), state: sources.StatePassed, age: 3 * day, took: time.Minute, actor: "dev9"})
	s.Feeds = append(s.Feeds,
		store.Feed{Key: feedKey(store.Environments, "acme/ads"), Generation: 1, Health: healthy(time.Minute), Environments: []sources.Environment{found}},
		store.Feed{Key: feedKey(store.Environments, "acme/cards-sdk"), Generation: 1, Health: healthy(time.Minute)},
		store.Feed{Key: feedKey(store.Releases, "acme/cards-sdk"), Generation: 1, Health: healthy(time.Minute), Releases: []sources.Release{{
			Ref: Ref("", "acme/cards-sdk", "41"), Service: "cards-sdk", Version: V("v4.1.0", "4100aa1"), Title: clean.Line("Tokens"), At: Ago(3 * day),
			URL: "https://github.example.com/acme/cards-sdk/releases/v4.1.0"}}})
	return s
}
