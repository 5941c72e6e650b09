package insight

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
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
func (f *facts) onset(sf *serviceFacts, p *Problem) {
	p.Onset = p.opened
	for i := range p.Members {
		if m := p.Members[i].Monitor; m != nil && m.State == sources.MonitorAlert {
			p.Onset = earlier(p.Onset, monitorSince(m))
		}
	}
	if at := sf.breachAt(p.opened); at != nil {
		p.Onset, p.OnsetBy = at.from, sf.series[at.series].series.Name
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

type breachAt struct {
	breach
	series int
}

// breachAt is the breach that explains what was opened at t; nil when none does.
func (sf *serviceFacts) breachAt(t time.Time) *breachAt {
	if t.IsZero() {
		return nil
	}
	if sf.breaches == nil {
		sf.breaches = make([][]breach, len(sf.series))
		for i := range sf.series {
			sf.breaches[i] = breachesOf(sf.series[i].series)
		}
	}
	var best *breachAt
	signal := 0
	for i, all := range sf.breaches {
		rank := signalRank(sf.series[i].series)
		if best != nil && rank > signal {
			break
		}
		for _, b := range all {
			if b.explains(t) && (best == nil || b.from.Before(best.from)) {
				best, signal = &breachAt{b, i}, rank
			}
		}
	}
	return best
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
// was in breach at its onset, else the errors.
func (f *facts) impactOf(sf *serviceFacts, p *Problem) Impact {
	if sf.impact == nil {
		i := sf.failing(f.now)
		sf.impact = &i
	}
	out := *sf.impact
	at := -1
	if b := sf.breachAt(p.opened); b != nil {
		at = b.series
	} else if len(sf.series) > 0 && sf.series[0].series.Signal == sources.ErrorSignal {
		at = 0
	}
	if at < 0 {
		return out
	}
	m := sf.series[at]
	if out.Trend, out.Known = trendOf(m.series, f.now); out.Known {
		out.By = m.series.Name
		if out.Feed < 0 {
			out.Feed = m.feed
		}
	}
	return out
}

// failing is how many requests of the service fail a second: the errors a second where a metric counts
// these, else the percentage of errors times the requests a second. Several series of one query are added;
// errors and requests go together by their labels, or when there is one of each.
func (sf *serviceFacts) failing(now time.Time) Impact {
	out := Impact{Failing: sources.Number(math.NaN()), Feed: -1}
	requests := map[clean.Text]float64{}
	var only float64
	for _, at := range sf.series {
		if m := at.series; m.Signal == sources.TrafficSignal && perSecond(m.Unit) {
			c := chartOf(at, now)
			if c.Old || math.IsInf(c.Value, 0) {
				continue
			}
			if _, again := requests[m.Labels]; !again { // another metric of the same traffic counts it again
				requests[m.Labels] = c.Value
				only = c.Value
			}
		}
	}
	var name clean.Text
	sum, known, parts := 0.0, false, 0
	for _, at := range sf.series {
		if at.series.Signal == sources.ErrorSignal && (name.IsZero() || at.series.Name == name) {
			name = at.series.Name
			parts++
		}
	}
	for _, at := range sf.series {
		m := at.series
		if m.Signal != sources.ErrorSignal || m.Name != name {
			continue
		}
		c := chartOf(at, now)
		if c.Old || math.IsInf(c.Value, 0) || c.Value < 0 {
			continue
		}
		n, ok := c.Value, perSecond(m.Unit)
		if share, isShare := shareOf(m.Unit); isShare {
			var all float64
			all, ok = requests[m.Labels]
			if !ok && parts == 1 && len(requests) == 1 {
				all, ok = only, true
			}
			n = c.Value * share * all
		}
		if ok {
			sum += n
			known = true
			out.Feed = cmp.Or(max(out.Feed, 0), at.feed)
		}
	}
	if known {
		out.Failing = sources.Number(sum)
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
