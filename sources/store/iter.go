package store

import (
	"iter"
	"slices"

	"example.com/signalbox/sources"
)

// Feed is the feed with the given key; nil when there is none.
func (s *Snapshot) Feed(key FeedKey) *Feed {
	i, ok := slices.BinarySearchFunc(s.Feeds, key, compareFeed)
	if !ok {
		return nil
	}
	return &s.Feeds[i]
}

// FeedsOf yields the feeds with capability c, in the order of Feeds.
func (s *Snapshot) FeedsOf(c Capability) iter.Seq[*Feed] {
	return func(yield func(*Feed) bool) {
		for i := range s.Feeds {
			if s.Feeds[i].Key.Capability == c && !yield(&s.Feeds[i]) {
				return
			}
		}
	}
}

// Runs yields every run, feed by feed, in the provider's order. What the pointers reach is shared and
// must not be changed; the same holds for the iterators below.
func (s *Snapshot) Runs() iter.Seq[*sources.Run] {
	return items(s, Runs, func(f *Feed) []sources.Run { return f.Runs })
}

// Environments yields every environment.
func (s *Snapshot) Environments() iter.Seq[*sources.Environment] {
	return items(s, Environments, func(f *Feed) []sources.Environment { return f.Environments })
}

// Releases yields every release.
func (s *Snapshot) Releases() iter.Seq[*sources.Release] {
	return items(s, Releases, func(f *Feed) []sources.Release { return f.Releases })
}

// Incidents yields every incident.
func (s *Snapshot) Incidents() iter.Seq[*sources.Incident] {
	return items(s, Incidents, func(f *Feed) []sources.Incident { return f.Incidents })
}

// Past yields every incident that ended.
func (s *Snapshot) Past() iter.Seq[*sources.Incident] {
	return items(s, Past, func(f *Feed) []sources.Incident { return f.Incidents })
}

// Monitors yields every monitor.
func (s *Snapshot) Monitors() iter.Seq[*sources.Monitor] {
	return items(s, Monitors, func(f *Feed) []sources.Monitor { return f.Monitors })
}

// SLOs yields every service level objective.
func (s *Snapshot) SLOs() iter.Seq[*sources.SLO] {
	return items(s, SLOs, func(f *Feed) []sources.SLO { return f.SLOs })
}

// Shifts yields every turn of being on call.
func (s *Snapshot) Shifts() iter.Seq[*sources.Shift] {
	return items(s, Shifts, func(f *Feed) []sources.Shift { return f.Shifts })
}

// Changes yields every change that a source told of.
func (s *Snapshot) Changes() iter.Seq[*sources.Change] {
	return items(s, Changes, func(f *Feed) []sources.Change { return f.Changes })
}

// Series yields every series.
func (s *Snapshot) Series() iter.Seq[*sources.Series] {
	return items(s, Metrics, func(f *Feed) []sources.Series { return f.Series })
}

func items[T any](s *Snapshot, c Capability, of func(*Feed) []T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for f := range s.FeedsOf(c) {
			list := of(f)
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		}
	}
}

// Run is the run with the given identity, and the feed that it came with; nil when there is none.
func (s *Snapshot) Run(ref sources.Ref) (*sources.Run, *Feed) {
	return find(s, Runs, ref, func(f *Feed) []sources.Run { return f.Runs },
		func(r *sources.Run) sources.Ref { return r.Ref })
}

// Environment is the environment with the given identity, and the feed that it came with; nil when
// there is none.
func (s *Snapshot) Environment(ref sources.Ref) (*sources.Environment, *Feed) {
	return find(s, Environments, ref, func(f *Feed) []sources.Environment { return f.Environments },
		func(e *sources.Environment) sources.Ref { return e.Ref })
}

// Incident is the incident with the given identity, and the feed that it came with; nil when there is
// none.
func (s *Snapshot) Incident(ref sources.Ref) (*sources.Incident, *Feed) {
	return find(s, Incidents, ref, func(f *Feed) []sources.Incident { return f.Incidents },
		func(i *sources.Incident) sources.Ref { return i.Ref })
}

// Metric is the series with the given identity, and the feed that it came with; nil when there is none.
func (s *Snapshot) Metric(ref sources.Ref) (*sources.Series, *Feed) {
	return find(s, Metrics, ref, func(f *Feed) []sources.Series { return f.Series },
		func(x *sources.Series) sources.Ref { return x.Ref })
}

// Monitor is the monitor with the given identity, and the feed that it came with; nil when there is none.
func (s *Snapshot) Monitor(ref sources.Ref) (*sources.Monitor, *Feed) {
	return find(s, Monitors, ref, func(f *Feed) []sources.Monitor { return f.Monitors },
		func(x *sources.Monitor) sources.Ref { return x.Ref })
}

// find looks into the feed of the ref's own scope first. A feed's scope may be wider than its objects'
// (a whole account), so the source's other feeds follow.
func find[T any](s *Snapshot, c Capability, ref sources.Ref, of func(*Feed) []T, refOf func(*T) sources.Ref) (*T, *Feed) {
	in := func(f *Feed) *T {
		list := of(f)
		for i := range list {
			if refOf(&list[i]) == ref {
				return &list[i]
			}
		}
		return nil
	}
	own := s.Feed(FeedKey{Source: ref.Source, Capability: c, Scope: ref.Scope})
	if own != nil {
		if item := in(own); item != nil {
			return item, own
		}
	}
	for f := range s.FeedsOf(c) {
		if f == own || f.Key.Source != ref.Source {
			continue
		}
		if item := in(f); item != nil {
			return item, f
		}
	}
	return nil, nil
}

// Service is the service with the given name; nil when there is none.
func (c *Catalog) Service(name string) *Service {
	for i := range c.Services {
		if c.Services[i].Name == name {
			return &c.Services[i]
		}
	}
	return nil
}
