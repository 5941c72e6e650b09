package insight

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
)

// How the onset of a problem is found. A metric is in breach from the first value on the bad side of its
// limit until it has been well again for breachDip: a shorter dip does not end a breach, nor does a gap.
// A breach explains a problem when it was opened in it, at most breachReach after its beginning, or at most
// breachSlack before it (a page can be faster than a metric) or after its end. One value alone is a spike,
// unless it is the newest.
const (
	breachDip   = 3 * time.Minute
	breachReach = 2 * time.Hour
	breachSlack = 2 * time.Minute
)

// breach is a time in which a metric was on the bad side of its limit.
type breach struct {
	from, to time.Time // to is the last value that was bad
	values   int
	newest   bool // it lasts as far as is known
	cut      bool // it began before the window of the series
	series   int  // the index of the series in its service's
	signal   int  // its rank
}

// breachesOf finds the breaches of m, oldest first.
func breachesOf(m *sources.Series) []breach {
	if math.IsNaN(m.Limit) {
		return nil
	}
	var out []breach
	open, known := false, false
	dip := max(breachDip, 2*m.Step)
	for i := range m.Points {
		p := &m.Points[i]
		if math.IsNaN(p.Value) {
			continue
		}
		bad := over(m, p.Value)
		switch last := len(out) - 1; {
		case bad && open:
			out[last].to = p.At
			out[last].values++
		case bad:
			out = append(out, breach{from: p.At, to: p.At, values: 1, cut: !known})
			open = true
		case open && p.At.Sub(out[last].to) >= dip:
			open = false
		}
		known = true
	}
	if open {
		out[len(out)-1].newest = true
	}
	return out
}

// explains reports that the breach can be what a problem opened at t is about.
func (b *breach) explains(t time.Time) bool {
	if b.cut || b.values < 2 && !b.newest {
		return false
	}
	if b.from.After(t.Add(breachSlack)) || t.Sub(b.from) > breachReach {
		return false
	}
	return b.newest || !t.After(b.to.Add(breachSlack))
}

// onset finds when p began: by the first golden signal that was in breach when it was opened, the earliest
// breach of that signal; else when an alert of it began to fire; else when it was opened.
func (sf *serviceFacts) onset(p *Problem, cause *breach) {
	p.Onset = p.opened
	for i := range p.Members {
		if m := p.Members[i].Monitor; m != nil && m.State == sources.MonitorAlert {
			p.Onset = earlier(p.Onset, monitorSince(m))
		}
	}
	if cause != nil {
		p.Onset, p.OnsetBy = cause.from, sf.series[cause.series].series.Name
	}
}

// monitorSince is when m began to alert, as far as that is told.
func monitorSince(m *sources.Monitor) time.Time {
	since := m.Since
	for i := range m.Groups {
		if g := &m.Groups[i]; g.State == sources.MonitorAlert && !g.Muted {
			since = earlier(since, g.Since)
		}
	}
	return since
}

// cause is the breach that explains what was opened at t; nil when none does.
func (sf *serviceFacts) cause(t time.Time) *breach {
	if !sf.breached {
		sf.breached = true
		for i, at := range sf.series {
			for _, b := range breachesOf(at.series) {
				b.series, b.signal = i, at.rank
				sf.breaches = append(sf.breaches, b)
			}
		}
		slices.SortStableFunc(sf.breaches, func(a, b breach) int {
			return cmp.Or(cmp.Compare(a.signal, b.signal), a.from.Compare(b.from))
		})
	}
	if t.IsZero() {
		return nil
	}
	for i := range sf.breaches {
		if b := &sf.breaches[i]; b.explains(t) {
			return b
		}
	}
	return nil
}

// Where a number is going: the mean of the newer half of trendSpan against that of the older half. Less
// than trendLevel of the greater is steady.
const (
	trendSpan  = 5 * time.Minute
	trendLevel = 0.1
)

// trendOf is where m is going, as of its newest value; false when that is too old at now, or when there
// are no values to compare with.
func trendOf(m *sources.Series, now time.Time) (Trend, bool) {
	p, ok := newest(m)
	if !ok || age(now, p.At) > max(staleValue, 3*m.Step) {
		return Steady, false
	}
	span := max(trendSpan, 4*m.Step)
	first, _ := slices.BinarySearchFunc(m.Points, p.At.Add(-span), byTime)
	half, _ := slices.BinarySearchFunc(m.Points, p.At.Add(-span/2), byTime)
	was, is := meanUntil(m.Points[first:half], p.At), meanUntil(m.Points[half:], p.At)
	switch d := is - was; {
	case math.IsNaN(d) || math.IsInf(d, 0):
		return Steady, false
	case math.Abs(d) <= trendLevel*max(math.Abs(is), math.Abs(was)):
		return Steady, true
	case d > 0:
		return Rising, true
	default:
		return Falling, true
	}
}

func byTime(p sources.Point, t time.Time) int { return p.At.Compare(t) }

// impactOf is how many are hurt by p, and where the metric that makes it a problem is going: the one that
// was in breach when p was opened, else the errors. Errors within their limit, before and now, are not p's.
func (f *facts) impactOf(sf *serviceFacts, cause *breach) Impact {
	out := Impact{Failing: sources.Number(math.NaN()), Feed: -1}
	if len(sf.series) == 0 {
		return out
	}
	if sf.hurt == nil {
		h := sf.failing(f.now)
		sf.hurt = &h
	}
	errors := sf.series[0].series.Signal == sources.ErrorSignal
	if sf.hurt.known && (sf.hurt.bad || cause != nil && sf.series[cause.series].series.Signal == sources.ErrorSignal) {
		out.Failing, out.Feed = sources.Number(sf.hurt.rate), sf.hurt.feed
	}
	at := 0
	if cause != nil {
		at = cause.series
	} else if !errors {
		return out
	}
	t := sf.trend(at, f.now)
	if out.Trend, out.Known = t.way, t.known; out.Known {
		out.By = sf.series[at].series.Name
		if out.Feed < 0 {
			out.Feed = sf.series[at].feed
		}
	}
	return out
}

type trend struct {
	way   Trend
	known bool
}

func (sf *serviceFacts) trend(series int, now time.Time) trend {
	t, ok := sf.trends[series]
	if !ok {
		t.way, t.known = trendOf(sf.series[series].series, now)
		if sf.trends == nil {
			sf.trends = map[int]trend{}
		}
		sf.trends[series] = t
	}
	return t
}

// hurt is how many requests of a service fail.
type hurt struct {
	rate  float64 // a second
	known bool
	bad   bool // beyond the limit of the errors, or these have none
	feed  int
}

// failing is how many requests of the service fail a second: the errors a second where a metric counts
// these, else the percentage of errors times the requests a second. Several series of one query are added;
// errors and requests go together by their labels, or when there is one of each. Of several metrics of one
// signal the first counts: the others tell of the same requests.
func (sf *serviceFacts) failing(now time.Time) hurt {
	requests := sf.current(now, func(m *sources.Series) bool {
		return m.Signal == sources.TrafficSignal && perSecond(m.Unit)
	})
	errs := sf.current(now, func(m *sources.Series) bool { return m.Signal == sources.ErrorSignal })
	var out hurt
	for _, c := range errs {
		n, ok := c.Value, perSecond(c.Series.Unit)
		if share, isShare := shareOf(c.Series.Unit); isShare {
			n, ok = c.Value*share, false
			for _, r := range requests {
				if r.Series.Labels == c.Series.Labels || len(requests) == 1 && len(errs) == 1 {
					n, ok = n*r.Value, true
					break
				}
			}
		}
		if !ok {
			continue
		}
		if !out.known {
			out.feed = c.Feed
		}
		out.known = true
		out.rate += n
		out.bad = out.bad || c.Over || !limited(c.Series)
	}
	return out
}

// current are the values of now of the first metric that is wanted: all series of its query.
func (sf *serviceFacts) current(now time.Time, want func(*sources.Series) bool) []Chart {
	var out []Chart
	var first *sources.Series
	for _, at := range sf.series {
		m := at.series
		if !want(m) || first != nil && (m.Name != first.Name || m.Ref.Source != first.Ref.Source) {
			continue
		}
		if first == nil {
			first = m
		}
		if c := chartOf(at, now); !c.Old && !math.IsInf(c.Value, 0) && c.Value >= 0 {
			out = append(out, c)
		}
	}
	return out
}

// perSecond reports that a unit counts requests a second.
func perSecond(unit string) bool {
	switch u := strings.ToLower(strings.ReplaceAll(unit, " ", "")); u {
	case "1/s", "/s", "rps", "qps", "hz":
		return true
	default:
		what, ok := strings.CutSuffix(u, "/s")
		return ok && strings.HasPrefix(what, "req") || ok && (what == "hits" || what == "errors" || what == "err")
	}
}

// shareOf is what a share in the unit has to be multiplied with; false when the unit is no share.
func shareOf(unit string) (float64, bool) {
	switch strings.ToLower(strings.TrimSpace(unit)) {
	case "%", "percent":
		return 0.01, true
	case "ratio", "fraction", "percentunit":
		return 1, true
	default:
		return 0, false
	}
}
