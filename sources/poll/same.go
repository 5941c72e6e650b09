package poll

import (
	"math"
	"reflect"
	"slices"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// sameData reports whether two answers of a feed say the same. One gap in a series is as good as another.
func sameData(a, b *store.Feed) bool {
	return reflect.DeepEqual(a.Runs, b.Runs) && reflect.DeepEqual(a.Environments, b.Environments) &&
		reflect.DeepEqual(a.Releases, b.Releases) && reflect.DeepEqual(a.Incidents, b.Incidents) &&
		slices.EqualFunc(a.Series, b.Series, sameSeries) && slices.EqualFunc(a.Monitors, b.Monitors, sameMonitor) &&
		slices.EqualFunc(a.SLOs, b.SLOs, sameSLO) &&
		reflect.DeepEqual(a.Shifts, b.Shifts) && reflect.DeepEqual(a.Changes, b.Changes)
}

func sameSeries(x, y sources.Series) bool {
	points := slices.EqualFunc(x.Points, y.Points, func(p, q sources.Point) bool {
		return p.At.Equal(q.At) && sameNumber(p.Value, q.Value)
	})
	earlier := slices.EqualFunc(x.Earlier, y.Earlier, func(p, q sources.Earlier) bool {
		return p.Ago == q.Ago && sameNumber(p.Value, q.Value)
	})
	limit := sameNumber(x.Limit, y.Limit)
	x.Points, y.Points, x.Earlier, y.Earlier, x.Limit, y.Limit = nil, nil, nil, nil, 0, 0
	return points && earlier && limit && reflect.DeepEqual(x, y)
}

func sameMonitor(x, y sources.Monitor) bool {
	groups := slices.EqualFunc(x.Groups, y.Groups, func(g, h sources.MonitorGroup) bool {
		value := sameNumber(g.Value, h.Value)
		g.Value, h.Value = 0, 0
		return value && reflect.DeepEqual(g, h)
	})
	x.Groups, y.Groups = nil, nil
	return groups && reflect.DeepEqual(x, y)
}

func sameSLO(x, y sources.SLO) bool {
	burns := slices.EqualFunc(x.Burns, y.Burns, func(b, c sources.Burn) bool {
		return b.Over == c.Over && sameNumber(b.Rate, c.Rate)
	})
	numbers := sameNumber(x.Value, y.Value) && sameNumber(x.Budget, y.Budget) && sameNumber(x.Traffic, y.Traffic)
	x.Burns, y.Burns = nil, nil
	x.Value, x.Budget, x.Traffic, y.Value, y.Budget, y.Traffic = 0, 0, 0, 0, 0, 0
	return burns && numbers && reflect.DeepEqual(x, y)
}

func sameService(x, y sources.ServiceSpec) bool {
	metrics := slices.EqualFunc(x.Metrics, y.Metrics, func(m, n sources.MetricSpec) bool {
		limit := sameNumber(m.Limit, n.Limit)
		m.Limit, n.Limit = 0, 0
		return limit && m == n
	})
	x.Metrics, y.Metrics = nil, nil
	return metrics && reflect.DeepEqual(x, y)
}

func sameNumber[F ~float64](a, b F) bool {
	return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
}
