package insight

import (
	"slices"
	"time"

	"example.com/signalbox/sources/store"
)

// Behaviour answers how one service after the other behaves, of one snapshot. All of it is worked out when it
// is made: to ask costs nothing, and many may ask at a time. Answers are shared and read only.
type Behaviour struct{ known *behaviour }

type behaviour struct {
	facts    *facts // settled
	charts   map[string]ServiceCharts
	measured []string
}

// BehaviourOf walks s.
func BehaviourOf(s *store.Snapshot, now time.Time) Behaviour {
	f := factsOf(s, now)
	f.settle()
	return behaviourOf(f)
}

func behaviourOf(f *facts) Behaviour {
	b := &behaviour{facts: f, charts: make(map[string]ServiceCharts, len(f.services))}
	for name := range f.services {
		b.charts[name] = f.charts(name)
	}
	b.measure()
	return Behaviour{b}
}

// measure finds the services that have a metric.
func (b *behaviour) measure() {
	var rest []string
	known := map[string]bool{}
	services := b.facts.snap.Catalog.Services
	for i := range services {
		name := services[i].Name
		known[name] = true
		if len(b.charts[name].Charts) > 0 {
			b.measured = append(b.measured, name)
		}
	}
	for name, c := range b.charts {
		if !known[name] && len(c.Charts) > 0 {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	b.measured = append(b.measured, rest...)
}

// Charts is the function Charts. The zero Behaviour knows no service.
func (b Behaviour) Charts(service string) ServiceCharts {
	if b.known != nil {
		if c, ok := b.known.charts[service]; ok {
			return c
		}
	}
	return ServiceCharts{Service: service}
}

// Measured are the services that have a metric, in the order of the catalog; those that it does not know
// follow by name.
func (b Behaviour) Measured() []string {
	if b.known == nil {
		return nil
	}
	return b.known.measured
}

// Marks are the deployments of a service since from, oldest first.
func (b Behaviour) Marks(service string, from time.Time) []Mark {
	if b.known == nil {
		return nil
	}
	return b.known.facts.about(service).marks(from, b.known.facts.now)
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
