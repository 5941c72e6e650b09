package insight

import (
	"slices"
	"time"

	"example.com/signalbox/sources/store"
)

// Behaviour answers how one service after the other behaves, of one snapshot that it walks once. It keeps
// what it worked out: it is for one goroutine at a time.
type Behaviour struct{ facts *facts }

// BehaviourOf walks s.
func BehaviourOf(s *store.Snapshot, now time.Time) Behaviour { return Behaviour{factsOf(s, now)} }

// Charts is the function Charts. The zero Behaviour knows no service.
func (b Behaviour) Charts(service string) ServiceCharts {
	if b.facts == nil {
		return ServiceCharts{Service: service}
	}
	return b.facts.charts(service)
}

// Measured are the services that have a metric, in the order of the catalog; those that it does not know
// follow by name.
func (b Behaviour) Measured() []string {
	if b.facts == nil {
		return nil
	}
	var out, rest []string
	known := map[string]bool{}
	for i := range b.facts.snap.Catalog.Services {
		name := b.facts.snap.Catalog.Services[i].Name
		known[name] = true
		if sf := b.facts.services[name]; sf != nil && len(sf.series) > 0 {
			out = append(out, name)
		}
	}
	for name, sf := range b.facts.services {
		if !known[name] && len(sf.series) > 0 {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	return append(out, rest...)
}

// Marks are the deployments of a service since from, oldest first.
func (b Behaviour) Marks(service string, from time.Time) []Mark {
	if b.facts == nil {
		return nil
	}
	return b.facts.about(service).marks(from, b.facts.now)
}

// Production are the marks of deployments to production: it is production that is measured. Of a service
// that has none of them they are all.
func Production(marks []Mark) []Mark {
	var out []Mark
	for i := range marks {
		if marks[i].Prod {
			out = append(out, marks[i])
		}
	}
	if len(out) == 0 {
		return marks
	}
	return out
}
