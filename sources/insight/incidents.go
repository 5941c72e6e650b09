package insight

import (
	"cmp"
	"math"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// IncidentRow is one open incident.
type IncidentRow struct {
	Incident *sources.Incident
	Feed     int // the index of its feed in the snapshot
}

// OpenIncidents lists what people are paged for: triggered before acknowledged, then the worst severity
// (unknown ones last), then the newest, then by Ref. Incidents that no service claims are always shown,
// also to Team; Mine shows mine. An incident moves only when it is taken or its severity changes.
func OpenIncidents(s *store.Snapshot, v View) []IncidentRow {
	var out []IncidentRow
	for i := range s.Feeds {
		for j := range s.Feeds[i].Incidents {
			in := &s.Feeds[i].Incidents[j]
			if in.State == sources.Resolved || v.Whose == Mine && !in.Mine || v.Follow != "" && in.Service != v.Follow {
				continue
			}
			out = append(out, IncidentRow{in, i})
		}
	}
	slices.SortFunc(out, func(a, b IncidentRow) int {
		x, y := a.Incident, b.Incident
		return cmp.Or(cmp.Compare(x.State, y.State), cmp.Compare(severity(x), severity(y)), y.Created.Compare(x.Created),
			compareRefs(x.Ref, y.Ref))
	})
	return out
}

func severity(in *sources.Incident) int {
	if in.Severity <= 0 {
		return math.MaxInt
	}
	return in.Severity
}

// SeriesRow is one metric.
type SeriesRow struct {
	Series *sources.Series
	Feed   int       // the index of its feed in the snapshot
	Value  float64   // the newest that is not a gap; NaN when there is none
	At     time.Time // when it was measured
	Over   bool      // a limit is configured and Value is above it
}

// AllSeries lists the metrics, by service in the order of the catalog, each service's in the order in which
// its source gave them.
func AllSeries(s *store.Snapshot, v View) []SeriesRow {
	place := make(map[string]int, len(s.Catalog.Services))
	for i := range s.Catalog.Services {
		place[s.Catalog.Services[i].Name] = i + 1
	}
	var out []SeriesRow
	for i := range s.Feeds {
		for j := range s.Feeds[i].Series {
			m := &s.Feeds[i].Series[j]
			if v.Follow != "" && m.Service != v.Follow {
				continue
			}
			row := SeriesRow{Series: m, Feed: i, Value: math.NaN()}
			for k := len(m.Points) - 1; k >= 0; k-- {
				if p := m.Points[k]; !math.IsNaN(p.Value) {
					row.Value, row.At = p.Value, p.At
					break
				}
			}
			row.Over = !math.IsNaN(m.Limit) && row.Value > m.Limit
			out = append(out, row)
		}
	}
	at := func(r SeriesRow) int {
		if n := place[r.Series.Service]; n > 0 {
			return n
		}
		return len(place) + 1
	}
	slices.SortStableFunc(out, func(a, b SeriesRow) int { return cmp.Compare(at(a), at(b)) })
	return out
}
