package insight

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// facts are what a snapshot tells of each service beside its open incidents. They are gathered in one walk;
// what is derived from them for a service is derived once, when it is first asked for. They are for one
// goroutine until settle was called.
type facts struct {
	snap     *store.Snapshot
	now      time.Time
	services map[string]*serviceFacts
	upstream map[string][]string
	picked   []picked // room to work in
}

type serviceFacts struct {
	series   []seriesAt // in the order in which they are shown
	monitors []monitorAt
	slos     []sloAt
	envs     []envAt
	changes  []changeAt
	past     []*sources.Incident

	// What follows is worked out when it is first asked for; nil until then.
	byTitle  map[string][]*sources.Incident // past, by their normalised titles
	shifts   []shift                        // what was changed, oldest first
	shifted  bool                           // shifts is made
	breaches []breach                       // of all series, by signal, then by time
	breached bool                           // breaches is made
	hurt     *hurt
	trends   map[int]trend // by index in series
	suspects map[suspectsOf][]Suspect
}

type seriesAt struct {
	series *sources.Series
	feed   int
	rank   int
}

type monitorAt struct {
	monitor *sources.Monitor
	feed    int
}

type sloAt struct {
	slo  *sources.SLO
	feed int
}

type changeAt struct {
	change *sources.Change
	feed   int
}

func factsOf(s *store.Snapshot, now time.Time) *facts {
	f := &facts{snap: s, now: now, services: map[string]*serviceFacts{}, upstream: map[string][]string{}}
	for i := range s.Feeds {
		f.add(i, &s.Feeds[i])
	}
	for _, sf := range f.services {
		slices.SortStableFunc(sf.series, func(a, b seriesAt) int {
			return cmp.Compare(a.rank, b.rank)
		})
		slices.SortStableFunc(sf.envs, func(a, b envAt) int {
			return cmp.Or(cmp.Compare(b2i(b.env.Prod), b2i(a.env.Prod)), cmp.Compare(b.env.Order, a.env.Order),
				strings.Compare(a.env.Name, b.env.Name))
		})
	}
	return f
}

// settle works out what would be worked out when it is first asked for, but by explain: what f is asked
// afterwards only reads.
func (f *facts) settle() {
	for name, sf := range f.services {
		sf.changed()
		f.upstreamOf(name)
		if sf.byTitle == nil && len(sf.past) > 0 {
			sf.sortPast()
		}
	}
}

func (f *facts) add(at int, feed *store.Feed) {
	for i := range feed.Series {
		if m := &feed.Series[i]; m.Service != "" {
			sf := f.of(m.Service)
			sf.series = append(sf.series, seriesAt{m, at, signalRank(m)})
		}
	}
	for i := range feed.Monitors {
		if m := &feed.Monitors[i]; m.Service != "" {
			sf := f.of(m.Service)
			sf.monitors = append(sf.monitors, monitorAt{m, at})
		}
	}
	for i := range feed.SLOs {
		if o := &feed.SLOs[i]; o.Service != "" {
			sf := f.of(o.Service)
			sf.slos = append(sf.slos, sloAt{o, at})
		}
	}
	for i := range feed.Environments {
		if e := &feed.Environments[i]; e.Service != "" {
			sf := f.of(e.Service)
			sf.envs = append(sf.envs, envAt{e, at})
		}
	}
	for i := range feed.Changes {
		if c := &feed.Changes[i]; c.Service != "" {
			sf := f.of(c.Service)
			sf.changes = append(sf.changes, changeAt{c, at})
		}
	}
	for i := range feed.Incidents {
		in := &feed.Incidents[i]
		if in.Service != "" && (feed.Key.Capability == store.Past || in.State == sources.Resolved) {
			sf := f.of(in.Service)
			sf.past = append(sf.past, in)
		}
	}
}

// of is what is known of a service, to be added to.
func (f *facts) of(service string) *serviceFacts {
	sf := f.services[service]
	if sf == nil {
		sf = &serviceFacts{}
		f.services[service] = sf
	}
	return sf
}

// about is what is known of a service: nothing of one that nothing tells of.
func (f *facts) about(service string) *serviceFacts {
	if sf := f.services[service]; sf != nil && service != "" {
		return sf
	}
	return &serviceFacts{}
}

// signalRank is where a metric stands among its service's: the golden signals first, then cpu, memory, disk
// and IOPS, then other saturation, then the rest, each in the order of the config.
func signalRank(m *sources.Series) int {
	switch m.Signal {
	case sources.ErrorSignal:
		return 0
	case sources.LatencySignal:
		return 1
	case sources.TrafficSignal:
		return 2
	case sources.SaturationSignal:
		name := m.Name.String()
		for i, words := range [...][]string{{"cpu"}, {"mem", "heap"}, {"disk", "volume", "storage"}, {"iops", "i/o"}} {
			if slices.ContainsFunc(words, func(w string) bool { return containsFold(name, w) }) {
				return 3 + i
			}
		}
		return 7
	case sources.OtherSignal:
		return 8
	default:
		return 8
	}
}

// newest is the newest value that is no gap; false when there is none.
func newest(m *sources.Series) (sources.Point, bool) {
	for i := len(m.Points) - 1; i >= 0; i-- {
		if !math.IsNaN(m.Points[i].Value) {
			return m.Points[i], true
		}
	}
	return sources.Point{Value: math.NaN()}, false
}

// over reports that v is on the bad side of m's limit. Without a limit nothing is.
func over(m *sources.Series, v float64) bool {
	if m.Below {
		return v < m.Limit
	}
	return v > m.Limit
}
